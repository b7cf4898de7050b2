//! `area` and `power`, and area and energy in `run`.

use serde_json::Value;

use crate::support::{Bench, project};

const AREA: &[&str] = &["area", "--arch", "small.toml"];
const POWER: &[&str] = &["power", "--arch", "small.toml", "--workload", "tiny.toml"];
const RUN: &[&str] = &["run", "--arch", "small.toml", "--workload", "tiny.toml"];

fn with<'a>(command: &[&'a str], extra: &[&'a str]) -> Vec<&'a str> {
    [command, extra].concat()
}

fn nominal(value: &Value) -> f64 {
    let [low, nominal, high] =
        ["low", "nominal", "high"].map(|end| value[end].as_f64().expect("a number"));
    assert!(low <= nominal && nominal <= high, "{value}");
    nominal
}

#[test]
fn area_by_component_sums_to_the_chip() {
    let bench = Bench::new();
    let text = bench.ok(AREA);
    for part in [
        "small in nangate15",
        "multipliers",
        "wires",
        "chip",
        "low (um2)",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let json = bench.json(&with(AREA, &["--json"]));
    let parts = json["area_um2"]["parts"].as_object().expect("parts");
    let sum: f64 = parts.values().map(nominal).sum();
    assert!((sum / nominal(&json["area_um2"]["total"]) - 1.0).abs() < 1e-9);
    let csv = bench.ok(&with(AREA, &["--csv"]));
    assert_eq!(
        csv.lines().count(),
        parts.len() + 2,
        "a heading, the parts, the chip"
    );
}

#[test]
fn technology_and_choices_change_the_area() {
    let bench = Bench::new();
    let total = |extra: &[&str]| {
        let json = bench.json(&with(AREA, &[extra, &["--json"]].concat()));
        nominal(&json["area_um2"]["total"])
    };
    let plain = total(&[]);
    assert!(total(&["--set", "implementation.trees=shared"]) < plain);
    assert!(total(&["--set", "array.columns=4"]) > plain);
    let seven = project("configs/tech/generic7.toml").display().to_string();
    assert!(total(&["--tech", &seven]) < plain);
}

#[test]
fn run_has_area_and_energy() {
    let bench = Bench::new();
    let text = bench.ok(RUN);
    for part in [
        "mm2 (",
        "energy per prompt",
        "power",
        "off the chip",
        "configs/tech/nangate15.toml, hash",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let json = bench.json(&with(RUN, &["--json"]));
    let energy = &json["energy_j"];
    let sum = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .values()
            .map(nominal)
            .sum::<f64>()
    };
    let chip = nominal(&energy["chip"]);
    let parts = energy["parts"].as_object().expect("parts");
    assert!(
        (parts.values().map(sum).sum::<f64>() / chip - 1.0).abs() < 1e-9,
        "parts sum to the chip"
    );
    assert!(
        (sum(&energy["phases"]) / chip - 1.0).abs() < 1e-9,
        "phases sum to the run"
    );
    // Two prompts; watts are joules per second.
    assert!((nominal(&energy["chip_per_prompt"]) * 2.0 / chip - 1.0).abs() < 1e-9);
    let seconds = json["time_us"].as_f64().expect("a time") * 1e-6;
    assert!((nominal(&json["chip_w"]) * seconds / chip - 1.0).abs() < 1e-9);
    let csv = bench.ok(&with(RUN, &["--csv"]));
    for name in [
        "area_mm2",
        "energy_uj_per_prompt_high",
        "power_w_low",
        "leakage_uj_per_prompt",
        "technology_hash",
    ] {
        assert!(
            csv.lines()
                .next()
                .is_some_and(|l| l.split(',').any(|n| n == name)),
            "no {name}"
        );
    }
}

#[test]
fn power_compares_with_other_designs() {
    let bench = Bench::new();
    let text = bench.ok(POWER);
    for part in [
        "dynamic (uJ)",
        "memory (off the chip)",
        "A100-class core",
        "weight-stationary",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let json = bench.json(&with(POWER, &["--json"]));
    let designs = json["designs"].as_array().expect("a list");
    assert_eq!(designs.len(), 5);
    for design in designs {
        assert!(nominal(&design["area_um2"]) > 0.0 && nominal(&design["chip_w"]) > 0.0);
    }
    let hot = bench.json(&with(
        POWER,
        &["--json", "--set", "operating.temperature_c=85"],
    ));
    assert!(nominal(&hot["chip_w"]) > nominal(&json["chip_w"]));
}

#[test]
fn plots_are_written() {
    let bench = Bench::new();
    bench.ok(&with(AREA, &["--plot", "area.svg"]));
    bench.ok(&with(POWER, &["--plot", "power.png"]));
    assert!(bench.path("area.svg").exists() && bench.path("power.png").exists());
}

#[test]
fn bad_technology_files_are_refused() {
    let bench = Bench::new();
    std::fs::copy(project("configs/tech/nangate15.toml"), bench.path("t.toml")).expect("copied");
    bench.edit("t.toml", "low = 0.6, high = 0.8", "low = 0.75, high = 0.8");
    let ran = bench.run(&with(AREA, &["--tech", "t.toml"]));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("logic.placement_utilization.low = 0.75: is above the value 0.7"),
        "{}",
        ran.stderr
    );
    let ran = bench.run(&with(AREA, &["--set", "add16.area_um2=-1"]));
    assert!(
        ran.code == 2 && ran.stderr.contains("0..=1000000"),
        "{}",
        ran.stderr
    );
    let ran = bench.run(&with(RUN, &["--set", "implementation.tree=dual"]));
    assert!(
        ran.code == 2 && ran.stderr.contains("implementation.trees"),
        "{}",
        ran.stderr
    );
}
