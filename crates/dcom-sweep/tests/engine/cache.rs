//! The cache: hits across sweeps, and nothing wrong from damaged or shared files.

use std::path::Path;

use dcom_sweep::{Cache, Finished, Options, SOURCES, Space, clear, contents, entries};
use tempfile::tempdir;

use crate::support::{finish, options, read, space, text};

const AXES: &str = "[[axis]]\nkey = \"workload.rows\"\nlinear = { from = 8, to = 40, step = 8 }\n\
    [[axis]]\nkey = \"mapping.clusters_per_partition\"\nvalues = [1, 2, 8]\n";

fn sweep(space: Space, output: &Path, cache: &Path) -> Finished {
    let options = Options {
        cache: Some(cache.to_owned()),
        restart: true,
        ..options(output)
    };
    finish(space, &options)
}

/// A machine file with other comments, marks and name gives the same numbers from the cache; another value does not.
#[test]
fn a_point_is_found_by_its_values_alone() {
    let (folder, cache) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    let first = sweep(space(AXES), folder.path(), cache.path());
    assert_eq!((first.counts.computed(), first.counts.cached), (15, 0));
    let without_cache = finish(
        space(AXES),
        &Options {
            restart: true,
            ..options(folder.path())
        },
    );
    let expected = read(&without_cache.csv);
    assert_eq!(
        sweep(space(AXES), folder.path(), cache.path())
            .counts
            .cached,
        15
    );
    assert_eq!(read(&first.csv), expected);

    let arch = crate::support::root().join("configs/arch/small.toml");
    let renamed = std::fs::read_to_string(arch)
        .expect("readable")
        .replace("\"small\"", "\"other\"")
        .replace("assumed", "given");
    let file = folder.path().join("other.toml");
    std::fs::write(&file, renamed).expect("writable");
    let spec = |text: String| {
        dcom_sweep::SweepSpec::parse(dcom_config::Source::new("t.toml", text)).expect("legal")
    };
    let other = text(AXES).replace("small.toml", "X").replace(
        &format!("{}/configs/arch/X", crate::support::root().display()),
        &file.display().to_string(),
    );
    let named = sweep(
        Space::open(spec(other), &[]).expect("legal"),
        folder.path(),
        cache.path(),
    );
    // Five points are infeasible: their reason names the machine, so they are computed again.
    assert_eq!((named.counts.cached, named.counts.infeasible), (10, 5));
    assert!(
        read(&named.csv).contains("the machine `other`"),
        "{}",
        read(&named.csv)
    );

    let set = [("cluster.multiply_cycles".to_owned(), "3".to_owned())];
    let changed = Space::open(spec(text(AXES)), &set).expect("legal");
    assert_eq!(sweep(changed, folder.path(), cache.path()).counts.cached, 0);
}

/// Whatever byte of the files is wrong, rows are those of a sweep without a cache.
#[test]
fn damaged_files_cost_time_and_nothing_else() {
    let (folder, cache) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    let first = sweep(space(AXES), folder.path(), cache.path());
    let expected = read(&first.csv);
    for name in ["0.keys", "0.data"] {
        let path = cache.path().join(SOURCES).join(name);
        let whole = std::fs::read(&path).expect("a segment");
        for at in (0..whole.len()).step_by(whole.len() / 20) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            std::fs::write(&path, &damaged).expect("writable");
            let again = sweep(space(AXES), folder.path(), cache.path());
            assert_eq!(read(&again.csv), expected, "{name}, byte {at}");
            std::fs::write(&path, &whole[..at]).expect("writable");
            let again = sweep(space(AXES), folder.path(), cache.path());
            assert_eq!(read(&again.csv), expected, "{name}, cut at {at}");
            std::fs::write(&path, &whole).expect("writable");
        }
    }
}

/// Two that are open at once append to segments of their own, and a third reads both.
#[test]
fn several_at_once_do_not_disturb_each_other() {
    let (folder, cache) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    let held = Cache::open(cache.path(), SOURCES).expect("opens");
    let folders = [
        tempdir().expect("a folder"),
        tempdir().expect("a folder"),
        tempdir().expect("a folder"),
    ];
    std::thread::scope(|scope| {
        for (rows, folder) in [8, 16, 24].into_iter().zip(&folders) {
            let cache = cache.path();
            scope.spawn(move || {
                let axes = format!("[[axis]]\nkey = \"workload.columns\"\nlinear = {{ from = {rows}, to = {}, step = 1 }}\n", rows + 11);
                sweep(space(&axes), folder.path(), cache)
            });
        }
    });
    drop(held);
    let axes = "[[axis]]\nkey = \"workload.columns\"\nlinear = { from = 8, to = 35, step = 1 }\n";
    assert_eq!(
        sweep(space(axes), folder.path(), cache.path())
            .counts
            .cached,
        28
    );
    let [version] = &contents(cache.path()).expect("readable")[..] else {
        panic!("one version")
    };
    assert!(version.segments >= 2 && version.entries >= 28);
    let mut listed = 0;
    entries(cache.path(), SOURCES, |_, _| listed += 1).expect("readable");
    assert_eq!(listed, version.entries);
    clear(cache.path(), Some(SOURCES)).expect("clears");
    assert_eq!(contents(cache.path()).expect("readable").len(), 1);
    // A worker of a sweep that has returned may still be closing its segment.
    let cleared = (0..200).any(|_| {
        let done = clear(cache.path(), None).is_ok();
        if !done {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        done
    });
    assert!(cleared, "still in use after two seconds");
    assert_eq!(contents(cache.path()).expect("readable"), []);
}

/// The built-in technology is part of every point: its values decide what is found, its name does not.
#[test]
fn technology_keys_change_the_entry_and_area_and_energy() {
    let (folder, cache) = (tempdir().expect("a folder"), tempdir().expect("a folder"));
    let with = |key: &str, value: &str| {
        let set = [(key.to_owned(), value.to_owned())];
        let space = Space::open(crate::support::spec(AXES).expect("legal"), &set).expect("legal");
        sweep(space, folder.path(), cache.path())
    };
    let column = |finished: &Finished, name: &str| -> Vec<f64> {
        let mut reader = csv::Reader::from_path(&finished.csv).expect("a table");
        let header = reader.headers().expect("a heading").clone();
        let at = |name| header.iter().position(|h| h == name).expect("a column");
        let rows = reader.records().map(|row| row.expect("a row"));
        rows.filter(|row| &row[at("status")] == "ok")
            .map(|row| row[at(name)].parse().expect("a number"))
            .collect()
    };
    let numbers = |finished: &Finished| {
        ["area_mm2", "energy_uj_per_prompt", "cycles"].map(|name| column(finished, name))
    };
    let first = sweep(space(AXES), folder.path(), cache.path());
    let [area, energy, cycles] = numbers(&first);
    assert_eq!(area.len(), 10);
    let renamed = with("technology.name", "other");
    assert_eq!(renamed.counts.cached, 10, "all that is feasible");
    // The same value without its interval is another value.
    let doubled = with("sram.placement_utilization", "0.35");
    assert_eq!(doubled.counts.cached, 0);
    let [larger, changed, same] = numbers(&doubled);
    assert!(
        larger.iter().zip(&area).all(|(l, a)| l > a),
        "{larger:?} {area:?}"
    );
    assert_ne!(changed, energy);
    assert_eq!(same, cycles);
    // An infeasible point tells no area, but its key has the technology all the same.
    assert_eq!(with("sram.placement_utilization", "0.35").counts.cached, 15);
}
