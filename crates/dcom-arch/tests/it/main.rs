//! Machine files: those of the project are right, relations between parameters are checked, sizes follow by hand.

use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::{Mark, Source};
use dcom_fp::Accumulate;
use expect_test::{expect, expect_file};
use proptest::prelude::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn params(name: &str, set: &[(&str, &str)]) -> ArchParams {
    let source =
        Source::read(root().join(format!("configs/arch/{name}.toml"))).expect("the file is there");
    let mut params = ArchParams::parse(source).expect("the file is right");
    for (key, value) in set {
        params.set(key, value).expect("a key and its value");
    }
    params
}

fn arch(set: &[(&str, &str)]) -> Arch {
    Arch::new(&params("small", set)).expect("a possible machine")
}

/// Every file is a machine, named after the file, and says where each number comes from.
#[test]
fn the_projects_machines_are_right() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("configs/arch")).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_str()
            .expect("ASCII")
            .to_owned();
        let machine = Arch::read(&path).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(machine.name, name);
        for info in ArchParams::keys() {
            let params = params(&name, &[]);
            let origin = params.document().origin(info.path);
            let source = origin.source().unwrap_or_default();
            assert!(
                origin.mark().is_some() && source.len() > 4,
                "{name}: {}: no source",
                info.path
            );
            assert!(!source.contains("TODO"), "{name}: {}: {source}", info.path);
        }
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["dcom-8x8", "dcom-paper", "resident-wide", "small"]);
}

/// What section 5.1 and 5.2 of the paper state is what the paper's machine has.
#[test]
fn the_papers_machine_has_what_the_paper_states() {
    let machine = Arch::new(&params("dcom-paper", &[])).expect("a machine");
    assert_eq!(
        (
            machine.columns,
            machine.rows,
            machine.clusters(),
            machine.banks()
        ),
        (16, 16, 256, 16)
    );
    assert_eq!(
        (
            machine.cluster.lanes_x,
            machine.cluster.lanes_y,
            machine.lanes()
        ),
        (8, 8, 64)
    );
    let params = params("dcom-paper", &[]);
    for key in [
        "array.columns",
        "array.rows",
        "cluster.lanes_x",
        "cluster.lanes_y",
        "bank.columns",
    ] {
        assert_eq!(
            params.document().origin(key).mark(),
            Some(Mark::Given),
            "{key}"
        );
    }
}

#[test]
fn sizes_follow() {
    let small = arch(&[]);
    assert_eq!((small.clusters(), small.lanes(), small.banks()), (4, 16, 2));
    // A buffer row is one fp16 element per lane, a bank row one beat.
    assert_eq!(
        (
            small.buffer_row_bytes(),
            small.buffer_rows(),
            small.bank_rows()
        ),
        (32, 64, 512)
    );
    // 2 cycles per addition: trees over 4 lanes, pairwise sums of 1, 2, 5 values.
    assert_eq!(
        (small.row_tree_cycles(), small.column_tree_cycles()),
        (4, 4)
    );
    assert_eq!([1, 2, 5].map(|n| small.pairwise_cycles(n)), [0, 2, 6]);

    // Latencies of trees that are no powers of two are rounded up; the precision decides which adder it is.
    let odd = [
        ("cluster.lanes_x", "5"),
        ("cluster.lanes_y", "1"),
        ("cluster.add16_cycles", "3"),
        ("cluster.add32_cycles", "7"),
    ];
    for (accumulate, kind, add) in [
        ("m16a16", Accumulate::M16A16, 3),
        ("m16a32", Accumulate::M16A32, 7),
        ("x32", Accumulate::X32, 7),
    ] {
        let machine = arch(&[&odd[..], &[("cluster.accumulate", accumulate)]].concat());
        assert_eq!(machine.cluster.accumulate, kind);
        assert_eq!(
            (
                machine.tree_add_cycles(),
                machine.row_tree_cycles(),
                machine.column_tree_cycles()
            ),
            (add, 3 * add, 0)
        );
    }
    // The last of three banks serves one column of five; a row that does not fit whole does not count.
    let uneven = arch(&[
        ("array.columns", "5"),
        ("bank.columns", "2"),
        ("cluster.buffer_bytes", "95"),
        ("bank.capacity_bytes", "47"),
    ]);
    assert_eq!(
        (uneven.banks(), uneven.buffer_rows(), uneven.bank_rows()),
        (3, 2, 2)
    );
}

/// 16 GB/s at 3000 MHz are 16 / 3 bytes per cycle.
#[test]
fn rates_are_exact() {
    let machine = arch(&[
        ("machine.clock_mhz", "3000"),
        ("link.bandwidth_gb_per_s", "0.001"),
    ]);
    assert_eq!(
        [16, 17, 0].map(|bytes| machine.memory.rate.cycles_for(bytes)),
        [3, 4, 0]
    );
    assert_eq!(machine.link.rate.cycles_for(1), 3000);
}

#[test]
fn contradictions_are_refused_with_these_words() {
    let cases: [&[(&str, &str)]; 3] = [
        &[("bank.columns", "3")],
        &[("cluster.buffer_bytes", "31")],
        &[("bank.capacity_bytes", "15")],
    ];
    let messages = cases.map(|set| {
        let error = Arch::new(&params("small", set)).expect_err("a contradiction");
        format!("{error}\n  {}", error.help().expect("what would be right"))
    });
    expect![[r#"
        --set bank.columns=3: a bank cannot serve 3 columns of an array of 2
          at most array.columns
        --set cluster.buffer_bytes=31: smaller than one row of 32 bytes (one fp16 element per lane)
          at least 2 x cluster.lanes_x x cluster.lanes_y bytes
        --set bank.capacity_bytes=15: smaller than one row of 16 bytes (one beat of the port)
          at least 2 x bank.port_elements bytes"#]]
    .assert_eq(&messages.join("\n"));
    // One less of each contradiction is possible.
    arch(&[
        ("bank.columns", "2"),
        ("cluster.buffer_bytes", "32"),
        ("bank.capacity_bytes", "16"),
    ]);
}

/// A contradiction in a file is shown where it is written.
#[test]
fn contradictions_show_their_line() {
    let path = root().join("configs/arch/small.toml");
    let text = std::fs::read_to_string(path).expect("the file is there");
    let text = text.replacen(
        "[bank]\ncolumns = { value = 1,",
        "[bank]\ncolumns = { value = 7,",
        1,
    );
    let error = Arch::new(
        &ArchParams::parse(Source::new("wrong.toml", text.clone()))
            .expect("each value is in range"),
    )
    .expect_err("7 > 2");
    let line = text
        .lines()
        .position(|l| l.starts_with("columns = { value = 7"))
        .expect("the line")
        + 1;
    assert!(
        error
            .to_string()
            .starts_with(&format!("wrong.toml:{line}:")),
        "{error}"
    );
}

proptest! {
    /// Any values in range make a machine with at least one row everywhere, or name the key that contradicts.
    #[test]
    fn values_in_range_make_a_machine_or_an_error(choice in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 1..8)) {
        let mut params = params("small", &[]);
        for (key, value) in choice {
            let info = key.get(ArchParams::keys());
            // A value that the key refuses leaves it as it was.
            if params.set(info.path, &(value % 4096).to_string()).is_err() {
                continue;
            }
        }
        match Arch::new(&params) {
            Ok(machine) => prop_assert!(machine.buffer_rows() > 0 && machine.bank_rows() > 0 && machine.banks() > 0),
            Err(error) => prop_assert!(error.help().is_some_and(|h| h.contains('.')), "{}", error),
        }
    }
}

/// `docs/machine-parameters.md` (`UPDATE_EXPECT=1` rewrites it).
#[test]
fn the_reference_is_up_to_date() {
    let text = format!(
        "# Parameters of a machine\n\n\
         Keys of the files in `configs/arch`. Every value has a mark (given, derived, assumed, fitted) and a source; what a\n\
         parameter means cycle by cycle is in `machine.md`. Generated from `crates/dcom-arch/src/params.rs`; the test\n\
         `the_reference_is_up_to_date` of `dcom-arch` compares it and rewrites it with `UPDATE_EXPECT=1`.\n\n{}",
        ArchParams::reference_table()
    );
    expect_file![root().join("docs/machine-parameters.md")].assert_eq(&text);
}
