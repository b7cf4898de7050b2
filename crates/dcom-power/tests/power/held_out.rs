//! Blocks that were synthesized whole, which no coefficient has seen: `cargo xtask synth`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use dcom_power::{Interval, Technology, predicted_um2};

use crate::project;

/// A block of `reports/synth/tiles.csv` with its prediction (um2).
struct Block {
    design: String,
    module: String,
    parameters: String,
    synthesized: f64,
    predicted: Interval,
}

fn blocks() -> Vec<Block> {
    let technology = Technology::nangate15();
    let mut reader =
        csv::Reader::from_path(project("reports/synth/tiles.csv")).expect("a table of tiles");
    let rows = reader.records().map(|row| row.expect("a record"));
    let blocks = rows.filter_map(|row| {
        let predicted = predicted_um2(&row[2], &row[3], &technology)?;
        Some(Block {
            design: row[0].to_owned(),
            module: row[2].to_owned(),
            parameters: row[3].to_owned(),
            synthesized: row[5].parse().expect("an area"),
            predicted,
        })
    });
    blocks.collect()
}

#[test]
fn blocks_synthesized_whole_are_predicted_within_five_per_cent() {
    for block in blocks() {
        let error = block.predicted.nominal / block.synthesized - 1.0;
        assert!(
            error.abs() < 0.05,
            "{}: {:.0} um2 predicted, {:.0} synthesized, {:+.1} %",
            block.design,
            block.predicted.nominal,
            block.synthesized,
            100.0 * error
        );
    }
}

/// Dual and shared trees, each of at least three shapes; the machine's own lanes; both systolic arrays.
#[test]
fn every_kind_of_block_is_among_them() {
    let blocks = blocks();
    for trees in ["TREES=1", "TREES=2"] {
        let shapes: BTreeSet<&str> = blocks
            .iter()
            .filter(|b| b.module == "cluster_tile" && b.parameters.contains(trees))
            .filter_map(|b| b.parameters.split(" TREES").next())
            .filter(|shape| shape.starts_with("LANES_X"))
            .collect();
        assert!(shapes.len() >= 3, "{trees}: {shapes:?}");
    }
    for module in [
        "lane_datapath",
        "systolic_weight_stationary",
        "systolic_output_stationary",
    ] {
        assert!(blocks.iter().any(|b| b.module == module), "no {module}");
    }
}

/// `reports/synth/predicted.csv` (`UPDATE_EXPECT=1` rewrites it).
#[test]
fn the_report_has_the_predictions() {
    let mut text =
        "design,synthesized_um2,predicted_um2,predicted_low_um2,predicted_high_um2,error_percent\n"
            .to_owned();
    for block in blocks() {
        let Interval { low, nominal, high } = block.predicted;
        let error = 100.0 * (nominal / block.synthesized - 1.0);
        let (design, synthesized) = (block.design, block.synthesized);
        writeln!(
            text,
            "{design},{synthesized:.1},{nominal:.1},{low:.1},{high:.1},{error:.1}"
        )
        .expect("writing to a String");
    }
    expect_test::expect_file![project("reports/synth/predicted.csv")].assert_eq(&text);
}

/// Without what is known, there is no prediction rather than one of something else.
#[test]
fn what_the_area_model_does_not_have_is_not_predicted() {
    let technology = Technology::nangate15();
    let predicted = |module, parameters| predicted_um2(module, parameters, &technology);
    assert!(
        predicted("cluster_tile", "TREES=0").is_none(),
        "row trees alone"
    );
    assert!(predicted("systolic_weight_stationary", "DOUBLE_BUFFERED=1").is_none());
    assert!(predicted("cluster_tile", "WIDTH=24").is_none());
    assert!(predicted("cluster_tile", "LANES_X=wide").is_none());
    assert!(predicted("fp_add", "").is_none());
}
