//! Tables, and the comparison with measured units.

use std::path::Path;

use crate::flow::COMPARED_CELLS;
use crate::reference::{Comparison, Reference};
use crate::table::{Result, Table};

fn row(design: &str, mapping: &str, area_um2: f64) -> Result {
    Result {
        design: design.into(),
        group: "unit".into(),
        module: "fp_add".into(),
        parameters: "WIDTH=16".into(),
        mapping: mapping.into(),
        area_um2,
        sequential_um2: 20.0,
        combinational_um2: area_um2 - 20.0,
        cells: 500,
        flops: 16,
        clock_gates: 0,
        latches: 0,
        loops: 0,
        period_ps: 400.0,
        period_wire_ps: 480.0,
        wire_ff_per_fanout: 0.3,
        yosys: "0.23".into(),
        opensta: "2.0.17".into(),
        liberty: "tiny.lib".into(),
        liberty_sha256: "0".into(),
        compared_cycles: 0,
    }
}

/// A second run of one design replaces its row and leaves the others.
#[test]
fn a_row_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("units.csv");
    let mut table = Table::read(&path).expect("a missing file is an empty table");
    table.put(row("add", "area", 100.0));
    table.put(row("add", "default", 120.0));
    table.put(row("multiply", "area", 300.0));
    table.put(row("add", "area", 110.0));
    table.write(&path).expect("written");
    let read = Table::read(&path).expect("what was written");
    assert_eq!(read, table);
    let areas: Vec<_> = read.rows.iter().map(|r| r.area_um2).collect();
    assert_eq!(areas, [110.0, 120.0, 300.0]);
}

/// Units whose netlist is small enough for a comparison with the RTL have had one.
#[test]
fn committed_units_were_compared_with_the_rtl() {
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/synth");
    let units = Table::read(&reports.join("units.csv")).expect("the committed table");
    assert!(!units.rows.is_empty(), "no units");
    for row in &units.rows {
        let compared = row.compared_cycles > 0;
        assert_eq!(
            compared,
            row.cells <= COMPARED_CELLS,
            "{}, {}: {} cells, {} cycles",
            row.design,
            row.mapping,
            row.cells,
            row.compared_cycles
        );
    }
}

#[test]
fn errors_name_the_file_and_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("units.csv");
    std::fs::write(&path, "design,group\nadd,unit\n").expect("written");
    let error = Table::read(&path)
        .expect_err("columns are missing")
        .to_string();
    assert!(
        error.contains("units.csv") && error.contains("line: 2"),
        "{error}"
    );
}

/// 330 against 300 um2 is 10 % more; mappings are not mixed; what was not measured is not compared.
#[test]
fn results_stand_beside_their_references() {
    let table = Table {
        rows: vec![
            row("add", "area", 330.0),
            row("add", "default", 999.0),
            row("other", "area", 1.0),
        ],
    };
    let reference = Reference {
        design: "add".into(),
        mapping: "area".into(),
        area_um2: 300.0,
        flops: Some(16),
        period_ps: None,
        period_wire_ps: None,
        note: String::new(),
    };
    let all = Comparison::all(&table, &[reference]);
    assert_eq!(all.len(), 1);
    assert!((all[0].area_um2 - 330.0).abs() < 1e-9);
    assert!((all[0].area_percent - 10.0).abs() < 1e-9);
}

/// The committed reference figures are read by the code that compares with them.
#[test]
fn the_measured_units_are_a_valid_table() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../reports/synth/measured.csv"
    );
    let all = Reference::read(path.as_ref()).expect("valid");
    let names: Vec<_> = crate::designs().into_iter().map(|d| d.name).collect();
    for reference in &all {
        assert!(
            names.contains(&reference.design),
            "{} is no design",
            reference.design
        );
    }
    assert!(all.len() >= 20);
}
