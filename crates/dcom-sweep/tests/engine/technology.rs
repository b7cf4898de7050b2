//! The technology of a sweep: built in, named by the file, or on an axis.

use std::path::Path;

use dcom_config::Source;
use dcom_power::Technology;
use dcom_sweep::{Space, SweepError, SweepSpec, run};
use tempfile::tempdir;

use crate::support::{finish, options, read, root, text};

const AXES: &str = "[[axis]]\nkey = \"workload.rows\"\nvalues = [8, 16]\n";

fn with_tech(axes: &str, file: &Path) -> Result<Space, String> {
    let text = format!("tech = \"{}\"\n{}", file.display(), text(axes));
    let spec = SweepSpec::parse(Source::new("t.toml", text)).expect("legal");
    Space::open(spec, &[]).map_err(|error| error.to_string())
}

fn column(csv: &Path, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(csv).expect("a table");
    let header = reader.headers().expect("a heading").clone();
    let at = header.iter().position(|h| h == name).expect("a column");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| row[at].to_owned()).collect()
}

/// Same cycles in another technology, with its area, its hash, and its file in the manifest.
#[test]
fn a_sweep_file_names_its_technology() {
    let folder = tempdir().expect("a folder");
    let seven = root().join("configs/tech/generic7.toml");
    let built_in = finish(crate::support::space(AXES), &options(folder.path()));
    let numbers = ["cycles", "area_mm2", "technology_hash"].map(|name| column(&built_in.csv, name));
    let finished = finish(
        with_tech(AXES, &seven).expect("legal"),
        &options(folder.path()),
    );
    let named = ["cycles", "area_mm2", "technology_hash"].map(|name| column(&finished.csv, name));
    assert_eq!(numbers[0], named[0]);
    let area = |column: &[String]| column[0].parse::<f64>().expect("a number");
    assert!(area(&named[1]) < area(&numbers[1]));
    let hash = Technology::read(&seven).expect("valid").hash();
    assert_eq!(named[2], [hash.clone(), hash]);
    let manifest: serde_json::Value =
        serde_json::from_str(&read(&finished.manifest)).expect("JSON");
    assert_eq!(manifest["technology"]["name"], "generic7");
    assert_eq!(manifest["technology"]["file"], seven.display().to_string());
}

/// The hashes in a row are those of the parameters at its point, on an axis or not.
#[test]
fn rows_have_the_hashes_of_their_parameters() {
    let folder = tempdir().expect("a folder");
    let axes = format!(
        "{AXES}[[axis]]\nkey = \"add16.energy_fj\"\nvalues = [300, \"200..300..400\"]\n\
         [[axis]]\nkey = \"machine.name\"\nvalues = [\"a\", \"b\"]\n"
    );
    let space = crate::support::space(&axes);
    let bases: Vec<_> = (0..space.points())
        .map(|point| space.at(point).expect("legal"))
        .collect();
    let finished = finish(space, &options(folder.path()));
    let [arch, workload, technology] =
        ["arch_hash", "workload_hash", "technology_hash"].map(|name| column(&finished.csv, name));
    assert_eq!(arch.len(), 8);
    for (at, base) in bases.iter().enumerate() {
        assert_eq!(arch[at], base.arch.hash());
        assert_eq!(workload[at], base.workload.hash());
        assert_eq!(technology[at], base.technology.hash());
    }
}

#[test]
fn a_technology_that_is_missing_or_wrong_is_refused_with_its_place() {
    let folder = tempdir().expect("a folder");
    let absent = folder.path().join("absent.toml");
    let message = with_tech(AXES, &absent).expect_err("no such file");
    assert!(message.contains("absent.toml"), "{message}");
    let file = folder.path().join("bad.toml");
    let good = std::fs::read_to_string(root().join("configs/tech/generic45.toml")).expect("text");
    let bad = good.replacen("value = 1640.0", "value = -1640.0", 1);
    let line = 1 + good[..good.find("value = 1640.0").expect("a value")]
        .matches('\n')
        .count();
    std::fs::write(&file, bad).expect("writable");
    let message = with_tech(AXES, &file).expect_err("a negative area");
    for part in [
        format!("bad.toml:{line}:"),
        "multiply16.area_um2".to_owned(),
        "0..=1000000".to_owned(),
    ] {
        assert!(message.contains(&part), "no {part:?} in {message}");
    }
}

/// Rows in one technology are not continued in another.
#[test]
fn an_unfinished_sweep_in_another_technology_is_not_continued() {
    let folder = tempdir().expect("a folder");
    let stop = std::sync::atomic::AtomicBool::new(true);
    let built_in = run(
        crate::support::space(AXES),
        &options(folder.path()),
        &stop,
        |_| (),
    );
    assert!(matches!(built_in, Err(SweepError::Stopped(..))));
    let seven = with_tech(AXES, &root().join("configs/tech/generic7.toml")).expect("legal");
    let error = run(seven, &options(folder.path()), &stop, |_| ()).expect_err("another sweep");
    assert!(matches!(error, SweepError::Other { .. }), "{error}");
}
