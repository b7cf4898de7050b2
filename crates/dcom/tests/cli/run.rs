//! `run`, `parameters`, and what all commands share.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::{Bench, project};

const RUN: &[&str] = &["run", "--arch", "small.toml", "--workload", "tiny.toml"];

fn with<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [RUN, extra].concat()
}

#[test]
fn table_says_what_matters() {
    let text = Bench::new().ok(RUN);
    for part in [
        "tiny on small: 2 prompts of 24 x 16, rank 3, 8 iterations",
        "time per prompt",
        "lower bound",
        "bottleneck",
        "share (%)",
        "critical path",
        "waited for (cycles)",
        "multiplications",
        "small.toml, hash ",
        "tiny.toml, hash ",
        concat!("dcom ", env!("CARGO_PKG_VERSION")),
        "--explain-parameters",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    assert!(
        text.lines()
            .all(|line| line.len() <= 120 && !line.ends_with(' ')),
        "{text}"
    );
}

#[test]
fn json_has_every_number() {
    let bench = Bench::new();
    let json = bench.json(&with(&["--json"]));
    let cycles = json["cycles"].as_u64().expect("cycles");
    let phases = json["phases"].as_object().expect("phases");
    assert_eq!(
        phases
            .values()
            .map(|c| c.as_u64().expect("cycles"))
            .sum::<u64>(),
        cycles,
        "phases sum to the run"
    );
    let ops = json["ops"].as_object().expect("ops");
    assert_eq!(
        ops.values()
            .map(|op| op["cycles"].as_u64().expect("cycles"))
            .sum::<u64>(),
        cycles,
        "ops sum to the run"
    );
    assert!(json["lower_bound_cycles"].as_u64().expect("a bound") <= cycles);
    // The small machine runs at 1 GHz: a cycle is a nanosecond.
    assert_eq!(
        json["time_us"].as_f64().expect("a time") * 1e3,
        cycles as f64
    );
    assert_eq!(
        json["time_us_per_prompt"].as_f64(),
        json["time_us"].as_f64().map(|t| t / 2.0)
    );
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["arch"]["name"], "small");
    assert_eq!(json["arch"]["hash"].as_str().map(str::len), Some(16));
    assert_eq!(json["workload"]["name"], "tiny");
    assert!(json["bottleneck"].is_string() && json["method"].is_string());
    assert!(
        json["utilization"]["lanes"]["mean"]
            .as_f64()
            .expect("a ratio")
            <= 1.0
    );
    // 24 x 16 fp16 values per prompt.
    assert_eq!(json["activity"]["link_in_bytes"], 2 * 24 * 16 * 2);
    let path = json["critical_path"].as_array().expect("a list");
    assert!(
        (path
            .iter()
            .map(|p| p["share"].as_f64().expect("a share"))
            .sum::<f64>()
            - 1.0)
            .abs()
            < 1e-9
    );
    let marks = json["marks"].as_array().expect("a list");
    assert!(
        marks
            .iter()
            .all(|m| m["mark"] == "assumed" || m["mark"] == "fitted")
    );
    assert!(marks.iter().any(|m| m["key"] == "array.columns"
        && m["value"] == 2
        && m["unit"] == "columns"
        && m["source"].is_string()));
}

#[test]
fn csv_is_one_record() {
    let text = Bench::new().ok(&with(&["--csv"]));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("names").clone();
    let records: Vec<_> = reader
        .records()
        .collect::<Result<_, _>>()
        .expect("records as long as the names");
    assert_eq!(records.len(), 1);
    for name in [
        "cycles",
        "time_us_per_prompt",
        "matvec_cycles",
        "lanes_utilization",
        "multiplications",
        "arch_hash",
    ] {
        assert!(names.iter().any(|n| n == name), "no {name} in {names:?}");
    }
}

#[test]
fn overrides_of_both_files_count() {
    let bench = Bench::new();
    let plain = bench.json(&with(&["--json"]));
    let set = bench.json(&with(&[
        "--json",
        "--set",
        "machine.clock_mhz=500",
        "--set",
        "workload.prompts=1",
    ]));
    assert_eq!(set["prompts"], 1);
    assert_eq!(
        set["time_us"].as_f64().expect("a time") * 500.0,
        set["cycles"].as_f64().expect("cycles")
    );
    assert_ne!(plain["arch"]["hash"], set["arch"]["hash"]);
    assert_ne!(plain["workload"]["hash"], set["workload"]["hash"]);
    assert_eq!(set["overrides"]["machine.clock_mhz"], "500");
    let marks = set["marks"].as_array().expect("a list");
    assert!(
        marks
            .iter()
            .any(|m| m["key"] == "machine.clock_mhz" && m["source"] == "--set")
    );
}

#[test]
fn extrapolation_and_full_simulation_agree() {
    let bench = Bench::new();
    let many = ["--json", "--set", "workload.prompts=50"];
    let (short, full) = (
        bench.json(&with(&many)),
        bench.json(&with(&[&many[..], &["--full"]].concat())),
    );
    assert_eq!(
        (short["method"].as_str(), full["method"].as_str()),
        (Some("extrapolated"), Some("simulated"))
    );
    for key in ["cycles", "phases", "ops", "activity", "utilization"] {
        assert_eq!(short[key], full[key], "{key}");
    }
}

#[test]
fn repeated_runs_print_the_same() {
    let bench = Bench::new();
    assert_eq!(bench.ok(&with(&["--json"])), bench.ok(&with(&["--json"])));
}

#[test]
fn every_arch_and_workload_of_the_project_is_fine() {
    let folders = [
        "configs/arch",
        "configs/workloads",
        "configs/tech",
        "configs/sweeps",
        "configs/sensitivity",
    ];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(project(folder)).expect("a folder"));
    let mut files: Vec<String> = files
        .map(|f| f.expect("an entry").path().display().to_string())
        .collect();
    let traces = std::fs::read_dir(project("traces")).expect("a folder");
    files.extend(traces.map(|t| {
        t.expect("an entry")
            .path()
            .join("manifest.toml")
            .display()
            .to_string()
    }));
    let mut args = vec!["check"];
    args.extend(files.iter().map(String::as_str));
    let text = Bench::new().ok(&args);
    assert_eq!(
        text.lines().filter(|line| line.starts_with("OK ")).count(),
        files.len(),
        "{text}"
    );
}

#[test]
fn parameters_are_explained() {
    let bench = Bench::new();
    let text = bench.ok(&with(&["--explain-parameters"]));
    for part in [
        "[cluster]",
        "lanes_x",
        "4 lanes",
        "assumed",
        "[mapping]",
        "expansion_factor",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let json = bench.json(&with(&["--explain-parameters", "--json"]));
    assert!(
        json.as_array()
            .expect("a list")
            .iter()
            .any(|p| p["key"] == "workload.rows" && p["value"] == 24)
    );
    let keys = bench.ok(&["parameters"]);
    assert!(
        keys.contains("clusters_per_partition")
            && keys.contains("an integer in 1..=1024 (columns)"),
        "{keys}"
    );
    assert!(
        bench
            .ok(&["parameters", "arch", "--markdown"])
            .contains("| `array.columns` | integer |")
    );
    assert!(
        !bench
            .ok(&["parameters", "arch"])
            .contains("clusters_per_partition")
    );
}

#[test]
fn help_explains_every_command() {
    let bench = Bench::new();
    let help = bench.ok(&["--help"]);
    for command in [
        "run",
        "area",
        "power",
        "explain",
        "find",
        "decompose",
        "asm",
        "disasm",
        "timeline",
        "check",
        "parameters",
    ] {
        assert!(help.contains(&format!("\n  {command}")), "{help}");
        assert!(
            bench.ok(&[command, "--help"]).contains("Example"),
            "{command}"
        );
    }
}

#[test]
fn closed_pipes_are_no_errors() {
    let bench = Bench::new();
    let mut child = bench
        .command(&with(&["--json"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut stderr)
        .expect("UTF-8");
    assert_eq!(
        (child.wait().expect("ends").code(), stderr.as_str()),
        (Some(0), "")
    );
}
