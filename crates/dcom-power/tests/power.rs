//! What a reader of area and energy may rely on, and the files that are refused.

use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::{ErrorKind, Source};
use dcom_fp::Accumulate;
use dcom_power::{
    A100_MULTIPLIERS, Component, Dataflow, Design, Designs, GpuCore, Interval, PowerModel,
    Systolic, Technology, Tile, Trees, Work,
};
use dcom_timing::Activity;
use proptest::prelude::*;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn params() -> ArchParams {
    let path = project("configs/arch/dcom-paper.toml");
    ArchParams::parse(Source::read(path).expect("readable")).expect("valid")
}

fn arch(set: &[(&str, String)]) -> Arch {
    let mut params = params();
    for (key, value) in set {
        params.set(key, value).expect("in range");
    }
    Arch::new(&params).expect("consistent")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(project("configs/tech").join(name)).expect("readable")
}

fn activity(n: u64) -> Activity {
    Activity {
        multiplications: 7 * n,
        additions: 6 * n,
        network_additions: n / 3,
        buffer_read_elements: 2 * n,
        buffer_write_elements: n,
        bank_read_elements: n / 2,
        bank_write_elements: n / 5,
        stream_elements: 3 * n,
        network_words: n / 4,
        global_write_words: n / 7,
        global_read_words: n / 6,
        scalar_operations: n / 100,
        statistics_elements: n,
        link_in_bytes: 2 * n,
        link_out_bytes: n / 9,
        memory_read_bytes: 6 * n,
        memory_write_bytes: n / 2,
        instructions: n / 1000,
    }
}

fn ordered(i: Interval) -> bool {
    i.low.is_finite() && i.high.is_finite() && i.low <= i.nominal && i.nominal <= i.high
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

#[test]
fn every_shipped_technology_is_valid_and_smaller_ones_are_smaller() {
    let files = ["generic45.toml", "nangate15.toml", "generic7.toml"];
    let totals: Vec<(f64, f64)> = files
        .iter()
        .map(|file| {
            let technology = Technology::read(&project("configs/tech").join(file)).expect(file);
            for (key, c) in technology.coefficients() {
                assert!(c.low <= c.value && c.value <= c.high, "{file}: {key}");
            }
            let model = PowerModel::new(&arch(&[]), &technology);
            let energy = model.energy(&activity(1_000_000), 100_000);
            assert!(ordered(model.total_area_um2()) && ordered(energy.chip_j));
            (
                model.total_area_um2().nominal,
                energy.sum(|part| part.dynamic_j).nominal,
            )
        })
        .collect();
    assert!(
        totals.windows(2).all(|pair| pair[1].0 < pair[0].0),
        "{totals:?}"
    );
    assert!(totals[2].1 < totals[0].1, "{totals:?}");
}

#[test]
fn parts_sum_to_the_whole() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let area = model.area();
    assert_eq!(area.parts.len(), Component::ALL.len());
    let sum: Interval = area.parts.iter().map(|(_, um2)| *um2).sum();
    assert!(near(sum.nominal, area.total_um2.nominal) && near(sum.high, area.total_um2.high));
    let energy = model.energy(&activity(1_000_000), 12_345);
    let sum: Interval = energy.parts.iter().map(|part| part.total_j()).sum();
    assert!(near(sum.low, energy.chip_j.low));
    assert!(near(
        energy.chip_w().nominal * energy.time_s,
        energy.chip_j.nominal
    ));
}

/// By hand: 64 lanes, 256 clusters, two stages. (325.2 + 31.65 widening + 32 enables of half a multiplexer of 0.8) um2 of
/// logic and 16 + 38 registers of 1.278 um2 per multiplier, over 0.7 of the place.
#[test]
fn multipliers_take_what_one_takes_times_their_number() {
    let area = PowerModel::new(&arch(&[]), &Technology::nangate15()).area();
    let one = 325.2 + 31.65 + 32.0 * 0.5 * 0.8 + 54.0 * 1.278;
    assert!(near(
        area.parts[Component::Multipliers as usize].1.nominal,
        16384.0 * one / 0.7
    ));
}

/// By hand: 1000 products of 528 fJ and 38 registers of 3.9 fJ at the cut.
#[test]
fn products_cost_what_one_costs_times_their_number() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let activity = Activity {
        multiplications: 1000,
        ..Activity::default()
    };
    let energy = model.energy(&activity, 0);
    let part = &energy.parts[Component::Multipliers as usize];
    assert!(near(
        part.dynamic_j.nominal,
        1000.0 * (528.0 + 38.0 * 3.9) * 1e-15
    ));
}

/// By hand: 3.92 pJ per bit.
#[test]
fn memory_traffic_is_kept_apart_from_the_chip() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let activity = Activity {
        memory_read_bytes: 1000,
        ..Activity::default()
    };
    let energy = model.energy(&activity, 0);
    assert_eq!(energy.chip_j.high, 0.0);
    assert!(near(energy.memory_j.nominal, 8000.0 * 3.92e-12));
}

#[test]
fn zero_activity_leaves_leakage_and_clock_alone() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let idle = model.energy(&Activity::default(), 1_000_000);
    assert_eq!(idle.sum(|part| part.dynamic_j).high, 0.0);
    assert_eq!((idle.memory_j.high, idle.link_j.high), (0.0, 0.0));
    assert!(idle.sum(|part| part.clock_j).low > 0.0);
    // One millisecond.
    assert!(near(
        idle.sum(|part| part.leakage_j).nominal,
        model.leakage_w().nominal * 1e-3
    ));
    assert_eq!(
        model.energy(&Activity::default(), 0).chip_j,
        Interval::default()
    );
}

/// The square of the voltage, and exp(0.036 x 60 K): 8.67.
#[test]
fn voltage_and_temperature_scale_energy_and_leakage() {
    let mut hot = Technology::nangate15();
    hot.set("operating.temperature_c", "85").expect("in range");
    hot.set("operating.voltage_v", "0.4").expect("in range");
    let (cold, hot) = (
        PowerModel::new(&arch(&[]), &Technology::nangate15()),
        PowerModel::new(&arch(&[]), &hot),
    );
    let ratio = hot.leakage_w().nominal / cold.leakage_w().nominal;
    assert!(near(ratio, 0.5 * (0.036f64 * 60.0).exp()), "{ratio}");
    let dynamic = |model: &PowerModel| {
        let energy = model.energy(&activity(1_000_000), 0);
        energy.sum(|part| part.dynamic_j).nominal
    };
    assert!(near(dynamic(&hot), dynamic(&cold) / 4.0));
}

#[test]
fn sharing_trees_saves_trees_and_nothing_else() {
    let dual = PowerModel::new(&arch(&[]), &Technology::nangate15()).area();
    let mut technology = Technology::nangate15();
    technology
        .set("implementation.trees", "shared")
        .expect("a choice");
    let shared = PowerModel::new(&arch(&[]), &technology).area();
    for ((component, before), (_, after)) in dual.parts.iter().zip(&shared.parts) {
        let smaller = matches!(
            component,
            Component::Trees | Component::Accumulators | Component::Wires
        );
        assert_eq!(after.nominal < before.nominal, smaller, "{component:?}");
    }
}

/// Blocks synthesized whole, which no coefficient has seen: `rtl/synth/cluster_tile.sv` on the NanGate 15 nm library, yosys
/// 0.23, area-oriented mapping. Lanes x, lanes y, trees, precision, depth of an adder, um2.
const TILES: [(u64, u64, Trees, Accumulate, u64, f64); 8] = [
    (4, 4, Trees::Dual, Accumulate::M16A16, 1, 10635.3),
    (4, 4, Trees::Shared, Accumulate::M16A16, 1, 8709.9),
    (8, 4, Trees::Dual, Accumulate::M16A16, 1, 21998.3),
    (8, 4, Trees::Shared, Accumulate::M16A16, 1, 17591.1),
    (8, 8, Trees::Dual, Accumulate::M16A16, 1, 43910.4),
    (8, 8, Trees::Shared, Accumulate::M16A16, 1, 34757.9),
    (8, 8, Trees::Dual, Accumulate::X32, 2, 71839.0),
    (8, 8, Trees::Shared, Accumulate::X32, 2, 48492.5),
];

#[test]
fn held_out_tiles_are_predicted_within_five_per_cent() {
    for (lanes_x, lanes_y, trees, accumulate, add_cycles, synthesized) in TILES {
        let tile = Tile {
            lanes_x,
            lanes_y,
            accumulate,
            multiply_cycles: 1,
            add_cycles,
            trees,
        };
        let predicted = tile.arithmetic_um2(&Technology::nangate15()).nominal;
        let error = predicted / synthesized - 1.0;
        assert!(
            error.abs() < 0.05,
            "{tile:?}: {predicted} predicted, {synthesized} synthesized, {:+.1} %",
            100.0 * error
        );
    }
}

/// The same against every tile of `cargo xtask synth`; shared and dual trees alone, as the area model has no other.
#[test]
fn synthesized_tiles_of_the_project_are_predicted_within_five_per_cent() {
    let mut reader =
        csv::Reader::from_path(project("reports/synth/tiles.csv")).expect("a table of tiles");
    let mut compared = 0;
    for row in reader.records().map(|row| row.expect("a record")) {
        let parameter = |name: &str, default: u64| {
            let prefix = format!("{name}=");
            let found = row[3].split(' ').find_map(|p| p.strip_prefix(&prefix));
            found.map_or(default, |value| value.parse().expect("a number"))
        };
        let trees = match (&row[2], parameter("TREES", 2)) {
            ("cluster_tile", 1) => Trees::Shared,
            ("cluster_tile", 2) => Trees::Dual,
            _ => continue,
        };
        let tile = Tile {
            lanes_x: parameter("LANES_X", 8),
            lanes_y: parameter("LANES_Y", 8),
            accumulate: match parameter("WIDTH", 16) {
                16 => Accumulate::M16A16,
                _ => Accumulate::X32,
            },
            multiply_cycles: 1,
            add_cycles: parameter("ADD_LATENCY", 1),
            trees,
        };
        let synthesized: f64 = row[5].parse().expect("an area");
        let predicted = tile.arithmetic_um2(&Technology::nangate15()).nominal;
        assert!(
            (predicted / synthesized - 1.0).abs() < 0.05,
            "{}: {predicted} predicted, {synthesized} synthesized",
            &row[0]
        );
        compared += 1;
    }
    assert!(compared > 0, "no tile in reports/synth/tiles.csv");
}

fn designs_with<'a>(arch: &'a Arch, technology: &'a Technology, products: u64) -> Designs<'a> {
    let activity = Activity {
        memory_read_bytes: 2 * products,
        ..activity(products)
    };
    Designs {
        arch,
        technology,
        work: Work {
            matrix_products: products,
            vector_products: products / 10,
            steps: 100,
            other_cycles: 1000,
            activity,
        },
        activity,
        cycles: products / 1000,
    }
}

const ARRAY: Systolic = Systolic {
    dataflow: Dataflow::WeightStationary,
    sums: Accumulate::M16A32,
    side: 128,
    operands_fetched: 1,
    staged: false,
};

/// By hand: one column of 128 of one 128 x 128 array, 128 products per cycle; 100 steps of 128 additions of two cycles and
/// four cycles of memory.
#[test]
fn a_systolic_array_takes_the_time_of_its_engaged_column() {
    let (arch, technology) = (arch(&[]), Technology::nangate15());
    let compared = designs_with(&arch, &technology, 1_280_000).compare(&Design::Systolic(ARRAY));
    let cycles = 10_000.0 + 1_000.0 + 100.0 * (128.0 * 2.0 + 4.0) + 1000.0;
    assert!(near(compared.time_s.nominal, cycles * 1e-9), "{compared:?}");
}

#[test]
fn fetching_more_costs_energy_but_no_area() {
    let (arch, technology) = (arch(&[]), Technology::nangate15());
    let designs = designs_with(&arch, &technology, 1_280_000);
    let one = designs.compare(&Design::Systolic(ARRAY));
    let two = designs.compare(&Design::Systolic(Systolic {
        operands_fetched: 2,
        ..ARRAY
    }));
    let staged = designs.compare(&Design::Systolic(Systolic {
        staged: true,
        ..ARRAY
    }));
    assert!(one.area_um2 == two.area_um2 && two.area_um2 == staged.area_um2);
    assert!(two.chip_j.nominal > one.chip_j.nominal && staged.chip_j.nominal > one.chip_j.nominal);
}

#[test]
fn draws_are_repeatable_and_surround_the_nominal_ratio() {
    let (arch, technology) = (arch(&[]), Technology::nangate15());
    let designs = designs_with(&arch, &technology, 10_000_000);
    let gpu = Design::Gpu(GpuCore {
        multipliers: A100_MULTIPLIERS,
    });
    for design in [Design::Systolic(ARRAY), gpu] {
        let ratio = designs.ratios(&design, 100, 7);
        assert_eq!(ratio, designs.ratios(&design, 100, 7));
        assert!(ratio.area.low < ratio.area.high && ratio.power.low < ratio.power.high);
    }
    assert!(
        designs.ratios(&gpu, 0, 7).area.nominal < 1.0,
        "an A100 has more multipliers"
    );
}

#[test]
fn bad_files_get_one_clear_error() {
    let text = text("nangate15.toml");
    let line = |key: &str| {
        let table = text.find("[add16]").expect("a table");
        let at = table + text[table..].find(key).expect("a key");
        let end = at + text[at..].find('\n').expect("a line end");
        (
            text[at..end].to_owned(),
            1 + text[..at].matches('\n').count(),
        )
    };
    let (good, number) = line("area_um2");
    assert!(
        good.contains("low = 147.9") && good.contains("high = 187.6"),
        "{good}"
    );
    let bad = |from: &str, to: &str| {
        let changed = text.replacen(&good, &good.replacen(from, to, 1), 1);
        let error = Technology::parse(Source::new("bad.toml", changed)).expect_err(to);
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("bad.toml:{number}:")),
            "{message}"
        );
        assert!(message.contains("add16.area_um2"), "{message}");
        (error.kind(), message)
    };
    let (kind, message) = bad("value = 156.5", "value = -1.0");
    assert!(
        kind == ErrorKind::OutOfRange && message.contains("0..=1000000"),
        "{message}"
    );
    let (_, message) = bad("high = 187.6", "high = inf");
    assert!(
        message.contains("add16.area_um2.high = inf") && message.contains("finite"),
        "{message}"
    );
    let (_, message) = bad("value = 156.5", "value = nan");
    assert!(message.contains("finite"), "{message}");
    let (_, message) = bad("low = 147.9", "low = 160.0");
    assert!(
        message.contains("add16.area_um2.low = 160.0: is above the value 156.5"),
        "{message}"
    );
    let (_, message) = bad("high = 187.6", "high = 150.0");
    assert!(message.contains("is below the value 156.5"), "{message}");
    let (kind, message) = bad("high = 187.6, ", "");
    assert!(
        kind == ErrorKind::Mark && message.contains("no `high`"),
        "{message}"
    );
    let missing = text.replacen(&good, "", 1);
    let error = Technology::parse(Source::new("bad.toml", missing)).expect_err("a missing key");
    assert_eq!(
        (error.kind(), error.key()),
        (ErrorKind::MissingKey, Some("add16.area_um2"))
    );
    let mut technology = Technology::nangate15();
    assert!(technology.set("add16.area_um2", "3..2..1").is_err());
    technology
        .set("add16.area_um2", "1..2..3")
        .expect("low..value..high");
    assert_eq!(
        (technology.add16_area.low, technology.add16_area.high),
        (1.0, 3.0)
    );
}

proptest! {
    #[test]
    fn more_clusters_never_take_less_area(columns in 1u32..64, rows in 1u32..64, more in 1u32..16) {
        let at = |columns: u32, rows: u32| {
            let set = [("array.columns", columns.to_string()), ("array.rows", rows.to_string())];
            PowerModel::new(&arch(&set), &Technology::nangate15()).total_area_um2()
        };
        let (less, wider, higher) = (at(columns, rows), at(columns + more, rows), at(columns, rows + more));
        for larger in [wider, higher] {
            prop_assert!(larger.low >= less.low && larger.nominal >= less.nominal && larger.high >= less.high);
        }
    }

    #[test]
    fn energy_adds_up_over_phases(a in 0u64..10_000_000, b in 0u64..10_000_000, x in 0u64..1_000_000, y in 0u64..1_000_000) {
        let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
        let mut both = activity(a);
        both += activity(b);
        let (first, second) = (model.energy(&activity(a), x), model.energy(&activity(b), y));
        let whole = model.energy(&both, x + y).total_j();
        let sum = first.total_j() + second.total_j();
        prop_assert!(near(whole.low, sum.low) && near(whole.nominal, sum.nominal) && near(whole.high, sum.high));
    }
}

/// Which components' dynamic energy and area may move with a coefficient; everything else stays where it is.
#[test]
fn doubling_a_coefficient_moves_only_what_depends_on_it() {
    use Component as C;
    let arch = arch(&[]);
    let results = |technology: &Technology| {
        let model = PowerModel::new(&arch, technology);
        let energy = model.energy(&activity(1_000_000), 0);
        let area: Vec<f64> = model
            .area()
            .parts
            .iter()
            .map(|(_, um2)| um2.nominal)
            .collect();
        let dynamic: Vec<f64> = energy
            .parts
            .iter()
            .map(|part| part.dynamic_j.nominal)
            .collect();
        (area, dynamic)
    };
    let before = results(&Technology::nangate15());
    // Wires move with every area: the die is larger.
    let cases: [(&str, &[C], &[C]); 7] = [
        ("multiply16.energy_fj", &[], &[C::Multipliers, C::Scalar]),
        (
            "add32.energy_fj",
            &[],
            &[C::Trees, C::Network, C::Statistics],
        ),
        ("add16.area_um2", &[], &[]),
        (
            "convert.round_area_um2",
            &[C::Subtractors, C::Wires],
            &[C::Steering, C::Wires],
        ),
        (
            "control.cluster_area_um2",
            &[C::ClusterControl, C::Wires],
            &[C::Wires],
        ),
        ("wire.energy_fj_per_bit_mm", &[], &[C::Wires]),
        ("control.instruction_pj", &[], &[C::Sequencer]),
    ];
    for (key, areas, energies) in cases {
        let mut technology = Technology::nangate15();
        let (_, c) = technology
            .coefficients()
            .find(|(path, _)| *path == key)
            .expect(key);
        technology
            .set(key, &(2.0 * c.value).to_string())
            .expect("in range");
        let after = results(&technology);
        for component in C::ALL {
            let at = *component as usize;
            assert_eq!(
                after.0[at] != before.0[at],
                areas.contains(component),
                "area of {component:?} with {key}"
            );
            assert_eq!(
                after.1[at] != before.1[at],
                energies.contains(component),
                "energy of {component:?} with {key}"
            );
        }
    }
}

/// What the intervals rest on: nothing falls when a coefficient rises, but with the utilizations.
#[test]
fn results_rise_with_every_coefficient() {
    let arch = arch(&[]);
    let results = |technology: &Technology| {
        let model = PowerModel::new(&arch, technology);
        let energy = model.energy(&activity(1_000_000), 100_000);
        (model.total_area_um2().nominal, energy.total_j().nominal)
    };
    let before = results(&Technology::nangate15());
    for (key, c) in Technology::nangate15().coefficients() {
        let mut technology = Technology::nangate15();
        let falls = key.ends_with("placement_utilization");
        let value = if falls { c.value / 1.1 } else { c.value * 1.1 };
        technology.set(key, &value.to_string()).expect("in range");
        let after = results(&technology);
        assert!(
            after.0 >= before.0 && after.1 >= before.1,
            "{key}: {before:?} to {after:?}"
        );
    }
}

/// `docs/technology-parameters.md` (`UPDATE_EXPECT=1` rewrites it).
#[test]
fn the_reference_is_up_to_date() {
    let text = format!(
        "# Parameters of a technology\n\n\
         Keys of the files in `configs/tech`. Every value has a mark (given, derived, assumed, fitted) and a source, every\n\
         coefficient a low and a high. What they count is in `power.md`. Generated from `crates/dcom-power/src/technology.rs`;\n\
         the test `the_reference_is_up_to_date` of `dcom-power` compares it and rewrites it with `UPDATE_EXPECT=1`.\n\n{}",
        Technology::reference_table()
    );
    expect_test::expect_file![project("docs/technology-parameters.md")].assert_eq(&text);
}
