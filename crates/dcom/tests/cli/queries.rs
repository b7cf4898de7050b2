//! `explain` and `find`, and the examples of docs/queries.md.

use std::process::Command;

use crate::support::{Bench, project};

const EXPLAIN: &[&str] = &["explain", "--arch", "small.toml", "--workload", "tiny.toml"];

/// The small machine's file and the tiny workload as a sweep.
fn sweep(bench: &Bench) {
    bench.write(
        "sweep.toml",
        b"name = \"s\"\narch = \"small.toml\"\nworkload = \"tiny.toml\"\n\
          [[axis]]\nkey = \"machine.clock_mhz\"\nvalues = [250, 500, 1000]\n\
          [[axis]]\nkey = \"mapping.clusters_per_partition\"\nvalues = [2, 64]\n",
    );
}

#[test]
fn explain_starts_with_three_sentences() {
    let bench = Bench::new();
    let text = bench.ok(EXPLAIN);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[2].starts_with("On small, tiny takes ") && lines[2].contains("the bottleneck is"),
        "{text}"
    );
    assert!(lines[3].contains("above the lower bound"), "{text}");
    assert!(
        lines[4].contains("parameters of machine and mapping"),
        "{text}"
    );
    for part in [
        "critical path",
        "waited for",
        "doubled (%)",
        "choice",
        "if the problem were another",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn explain_json_has_the_run_and_every_neighbour() {
    let bench = Bench::new();
    let json = bench.json(&[EXPLAIN, &["--json"]].concat());
    let run = bench.json(&[
        "run",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--json",
    ]);
    assert_eq!(json["cycles"], run["cycles"]);
    assert_eq!(json["sentences"].as_array().map(Vec::len), Some(3));
    let levers = json["levers"].as_array().expect("a list");
    let svd = levers
        .iter()
        .find(|l| l["key"] == "svd.round_trip_cycles")
        .expect("explained");
    let double = svd["neighbours"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|n| n["step"] == "double");
    let value: f64 = svd["value"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a number");
    let doubled: f64 = double.expect("tried")["value"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a number");
    assert_eq!(doubled, 2.0 * value);
    // What `run --set` says of the neighbour is what `explain` says.
    let set = format!("svd.round_trip_cycles={doubled}");
    let there = bench.json(&[
        "run",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--json",
        "--set",
        &set,
    ]);
    assert_eq!(
        double.expect("tried")["time_us_per_prompt"],
        there["time_us_per_prompt"]
    );
    assert_eq!(bench.ok(EXPLAIN), bench.ok(EXPLAIN), "the same every time");
}

#[test]
fn explain_refuses_what_run_refuses() {
    let bench = Bench::new();
    bench.refused(
        &[EXPLAIN, &["--set", "array.colums=2"]].concat(),
        &["did you mean `array.columns`?"],
    );
    bench.refused(
        &[EXPLAIN, &["--set", "mapping.clusters_per_partition=64"]].concat(),
        &["64 clusters per partition"],
    );
}

/// Cycles do not change with the clock, so 500 MHz take twice as long as 1000: the slowest clock within 1.5 times the time at
/// 1 GHz is 1 GHz, within 3 times it is 500 MHz.
#[test]
fn find_answers_in_a_sentence() {
    let bench = Bench::new();
    sweep(&bench);
    let run = bench.json(&[
        "run",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--json",
    ]);
    let time = run["time_us_per_prompt"].as_f64().expect("a time");
    // The link and the memory have rates per second, which a slower clock makes wider: at most twice as long.
    for (factor, clock) in [(1.0, 1000), (2.0, 500)] {
        let constraint = format!("time_us_per_prompt <= {}", time * factor);
        let args = [
            "find",
            "sweep.toml",
            "--minimize",
            "machine.clock_mhz",
            "--subject-to",
            &constraint,
        ];
        let text = bench.ok(&args);
        assert!(
            text.starts_with(&format!("The smallest machine.clock_mhz with {constraint} is {clock} MHz: machine.clock_mhz = {clock}, ")),
            "{text}"
        );
        assert!(
            text.contains("exact: ") && text.contains("infeasible"),
            "{text}"
        );
        let json = bench.json(&[&args[..], &["--json"]].concat());
        assert_eq!(
            (json["exact"].as_bool(), json["best"]["objective"].as_f64()),
            (Some(true), Some(f64::from(clock)))
        );
        assert_eq!(json["points"], 6);
    }
    let text = bench.ok(&[
        "find",
        "sweep.toml",
        "--minimize",
        "clusters",
        "--subject-to",
        "time_us_per_prompt <= 0.001",
    ]);
    assert!(
        text.starts_with(
            "No point evaluated satisfies time_us_per_prompt <= 0.001; the nearest misses by "
        ),
        "{text}"
    );
}

/// An override holds at every point of the space, as in a sweep.
#[test]
fn find_takes_overrides() {
    let bench = Bench::new();
    sweep(&bench);
    let args = [
        "find",
        "sweep.toml",
        "--minimize",
        "time_us_per_prompt",
        "--json",
    ];
    let plain = bench.json(&args);
    let slow = bench.json(&[&args[..], &["--set", "svd.round_trip_cycles=100000"]].concat());
    let time = |json: &serde_json::Value| json["best"]["objective"].as_f64().expect("a time");
    // At 1000 MHz, 100000 cycles are 100 us.
    assert!(time(&slow) >= 100.0 && time(&plain) < 100.0);
    bench.refused(
        &[&args[..], &["--set", "machine.clock_mhz=100"]].concat(),
        &["`machine.clock_mhz` is on an axis of sweep.toml"],
    );
}

/// What queries, conditions and plots refer to is listed with its unit.
#[test]
fn metrics_are_listed() {
    let text = Bench::new().ok(&["parameters", "metrics"]);
    for metric in dcom_sweep::METRICS {
        let line = text
            .lines()
            .find(|l| l.split_whitespace().next() == Some(metric.name));
        let line = line.unwrap_or_else(|| panic!("no {}", metric.name));
        assert!(
            line.contains(metric.unit) && line.ends_with(metric.doc),
            "{line}"
        );
    }
}

/// Two builds from different sources, which need not agree, have different versions.
#[test]
fn the_version_is_that_of_the_sources() {
    let text = Bench::new().ok(&["--version"]);
    assert_eq!(text.trim(), format!("dcom {}", dcom_sweep::VERSION));
}

#[test]
fn find_refuses_wrong_questions() {
    let bench = Bench::new();
    sweep(&bench);
    let find = ["find", "sweep.toml", "--minimize"];
    bench.refused(
        &[&find[..], &["cluster"]].concat(),
        &["did you mean `clusters`?"],
    );
    bench.refused(
        &[
            &find[..],
            &["clusters", "--subject-to", "time_us_per_prompt = 3"],
        ]
        .concat(),
        &["is no constraint", "time_us_per_prompt <= 450"],
    );
    bench.refused(
        &["find", "none.toml", "--minimize", "clusters"],
        &["none.toml"],
    );
}

/// Every example of the page is what the command prints today; `...` stands for lines left out.
#[test]
fn the_examples_of_the_page_are_true() {
    let page = std::fs::read_to_string(project("docs/queries.md")).expect("the page");
    let blocks: Vec<&str> = page
        .split("```console\n")
        .skip(1)
        .filter_map(|b| b.split("```").next())
        .collect();
    assert!(blocks.len() >= 3, "{} examples", blocks.len());
    for block in blocks {
        let mut lines = block.lines();
        let command = lines
            .next()
            .and_then(|l| l.strip_prefix("$ dcom "))
            .expect("a command first");
        let quoted: Vec<&str> = command.split('"').collect();
        // Every second piece stood in quotes.
        let args = quoted
            .iter()
            .enumerate()
            .flat_map(|(i, piece)| match i % 2 {
                0 => piece.split_whitespace().collect(),
                _ => vec![*piece],
            });
        let output = Command::new(env!("CARGO_BIN_EXE_dcom"))
            .args(args)
            .current_dir(project(""))
            .output()
            .expect("the command starts");
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        let mut printed = stdout.lines();
        let mut skipping = false;
        for expected in lines {
            if expected == "..." {
                skipping = true;
                continue;
            }
            let found = if skipping {
                printed.any(|line| line.trim_end() == expected)
            } else {
                printed
                    .next()
                    .is_some_and(|line| line.trim_end() == expected)
            };
            assert!(
                found,
                "dcom {command}\ndoes not print\n{expected}\nin\n{stdout}"
            );
            skipping = false;
        }
    }
}
