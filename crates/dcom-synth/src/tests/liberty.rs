//! Reading a cell library.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::liberty::{CellKind, ClockGate, Liberty};

pub(super) const TINY: &str = include_str!("tiny.lib");

pub(super) fn tiny() -> Liberty {
    Liberty::parse("tiny.lib".into(), TINY.into()).expect("the library is valid")
}

#[test]
fn every_cell_has_its_kind_and_area() {
    let library = tiny();
    let gate = |clock: &str, enable: &str, test: Option<&str>, output: &str| {
        CellKind::ClockGate(ClockGate {
            clock: clock.into(),
            enable: enable.into(),
            test: test.map(str::to_owned),
            output: output.into(),
        })
    };
    let tie = |value, pin: &str| CellKind::Tie {
        value,
        pin: pin.into(),
    };
    let expected = [
        ("CLKBUF", 0.7, CellKind::Unused),
        ("DFF", 2.0, CellKind::FlipFlop),
        ("FILL", 0.2, CellKind::Unused),
        ("GATE", 1.0, gate("CLK", "E", Some("TE"), "Q")),
        ("GATE_BIG", 9.0, gate("CP", "EN", None, "GCP")),
        ("HIGH", 0.1, tie(true, "Z")),
        ("INV", 0.5, CellKind::Logic),
        ("LATCH", 1.5, CellKind::Latch),
        ("LOW", 0.1, tie(false, "ZN")),
        ("SDFF", 3.0, CellKind::Unused),
        ("TBUF", 0.9, CellKind::Unused),
    ];
    let cells: Vec<_> = library
        .cells
        .iter()
        .map(|(name, cell)| (name.as_str(), cell.area_um2, cell.kind.clone()))
        .collect();
    assert_eq!(cells, expected);
}

#[test]
fn the_smallest_cell_of_a_kind_is_taken() {
    let library = tiny();
    assert_eq!(library.clock_gate().expect("there are two").0, "GATE");
    assert_eq!(library.tie(true).expect("one"), ("HIGH", "Z"));
    assert_eq!(library.tie(false).expect("one"), ("LOW", "ZN"));
}

/// What ABC gets still is a library, with the logic cells alone.
#[test]
fn abc_gets_the_logic_cells() {
    let logic = Liberty::parse("logic.lib".into(), tiny().logic_only()).expect("valid");
    let names: Vec<_> = logic.cells.keys().collect();
    assert_eq!(names, ["INV"]);
}

/// 0.3 fF in a library whose unit is 0.001 pF = 1 fF; the model stands inside the library's braces.
#[test]
fn the_wire_load_is_in_the_units_of_the_library() {
    let text = tiny().with_wire_load("w", 0.3);
    let at = text.find("wire_load (\"w\")").expect("it is there");
    assert!(text[at..].contains("capacitance : 0.3;"));
    assert_eq!(text.matches('{').count(), text.matches('}').count());
    assert!(text[at..].trim_end().ends_with('}'));
    let again = Liberty::parse("w.lib".into(), text).expect("still a library");
    assert_eq!(again.cells.len(), tiny().cells.len());
    let tens = TINY.replace("(0.001, pf)", "(10, ff)");
    let tens = Liberty::parse("tens.lib".into(), tens).expect("valid");
    assert!(
        tens.with_wire_load("w", 0.3)
            .contains("capacitance : 0.03;")
    );
}

#[test]
fn a_packed_library_is_the_same_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.lib.gz");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(TINY.as_bytes()).expect("memory");
    std::fs::write(&path, packed.finish().expect("memory")).expect("written");
    let library = Liberty::read(&path).expect("valid");
    assert_eq!(library.file, "tiny.lib.gz");
    assert_eq!(library.sha256, tiny().sha256);
    assert_eq!(library.sha256.len(), 64);
}

#[test]
fn errors_name_the_line() {
    let error = |text: &str| {
        Liberty::parse("bad.lib".into(), text.into())
            .expect_err("bad")
            .to_string()
    };
    assert_eq!(
        error("\n\ncell (A) { }"),
        "bad.lib: line 3: expected `library (...)`, found \"cell\""
    );
    let open =
        error("library (a) {\n  capacitive_load_unit (1, ff);\n  cell (B) {\n    area : 1;\n");
    assert!(
        open.contains("cell (B)") && open.contains("not closed"),
        "{open}"
    );
    let unit = error("library (a) { cell (B) { area : 1; } }");
    assert!(unit.contains("capacitive_load_unit"), "{unit}");
    let area = error("library (a) { capacitive_load_unit (1, ff); cell (B) { } }");
    assert!(area.contains("cell B has no area"), "{area}");
}
