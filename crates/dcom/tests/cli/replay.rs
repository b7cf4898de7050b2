//! `dcom trace new`, `replay` and `calibrate`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Bench, project};

fn text(path: &str) -> String {
    project(path).display().to_string()
}

fn real(json: &Value, key: &str) -> f64 {
    json[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} of {json}"))
}

#[test]
fn a_new_trace_is_the_shipped_one() {
    let bench = Bench::new();
    for (tokens, folder) in [
        ("468", "llama-2-7b-s468"),
        ("2048", "llama-2-7b-s2048"),
        ("4096", "llama-2-7b-s4096"),
    ] {
        let model = text("configs/models/llama-2-7b.toml");
        bench.ok(&[
            "trace",
            "new",
            "--model",
            &model,
            "--sequence",
            tokens,
            "--output",
            folder,
        ]);
        let made =
            std::fs::read_to_string(bench.path(folder).join("manifest.toml")).expect("a manifest");
        let shipped = std::fs::read_to_string(project("traces").join(folder).join("manifest.toml"))
            .expect("shipped");
        assert_eq!(made, shipped, "made by: dcom trace new --sequence {tokens}");
    }
    let model = text("configs/models/llama-2-7b.toml");
    let args = [
        "trace",
        "new",
        "--model",
        &model,
        "--sequence",
        "9",
        "--output",
        "llama-2-7b-s468",
    ];
    bench.refused(&args, &["manifest.toml: is there already"]);
    let args = [
        "trace",
        "new",
        "--model",
        &model,
        "--sequence",
        "9",
        "--output",
        "x",
        "--layer",
        "32",
    ];
    bench.refused(&args, &["--layer 32: must be below 32"]);
}

#[test]
fn a_layer_of_shapes_is_timed_op_by_op() {
    let bench = Bench::new();
    let (trace, arch) = (
        text("traces/llama-2-7b-s2048"),
        text("configs/arch/dcom-paper.toml"),
    );
    let json = bench.json(&["replay", &trace, "--arch", &arch, "--rank", "10", "--json"]);
    let ops = json["ops"].as_array().expect("ops");
    assert_eq!(ops.len(), 17);
    let sum: f64 = ops.iter().map(|op| real(op, "us")).sum();
    assert!((sum - real(&json, "gpu_us")).abs() < 1e-6);
    // 2 x 2048 x 4096 x 11008 operations cannot take less than at the A100's 312 TFLOP/s.
    let gate = ops.iter().find(|op| op["name"] == "gate").expect("gate");
    let least = 2.0 * 2048.0 * 4096.0 * 11008.0 / 312e6;
    assert!(
        real(gate, "us") > least && real(gate, "us") < 3.0 * least,
        "{gate}"
    );
    assert!(gate["recorded_us"].is_null());
    let decompositions = json["decompositions"].as_array().expect("decompositions");
    let values: Vec<&str> = decompositions
        .iter()
        .map(|d| d["value"].as_str().expect("a name"))
        .collect();
    assert_eq!(values, ["input_norm", "values", "ffn_norm", "act"]);
    // The same shape as `dcom run` times it.
    let run = bench.json(&[
        "run",
        "--arch",
        &arch,
        "--workload",
        &text("configs/workloads/llama2-7b.toml"),
        "--json",
        "--set",
        "workload.rows=2048",
        "--set",
        "workload.columns=4096",
        "--set",
        "workload.prompts=1",
        "--set",
        "workload.rank=10",
        "--set",
        "workload.iterations=15",
    ]);
    assert!((real(&decompositions[0], "dcom_us") - real(&run, "time_us")).abs() < 1e-9);
}

#[test]
fn a_plan_puts_the_layer_on_factors() {
    let bench = Bench::new();
    let (trace, arch) = (
        text("traces/llama-2-7b-s2048"),
        text("configs/arch/dcom-paper.toml"),
    );
    bench.write(
        "plan.toml",
        b"name = \"p\"\n[[layers]]\nindices = [0]\nrank = 10\noutlier_percent = 3.0\n",
    );
    let json = bench.json(&[
        "replay",
        &trace,
        "--arch",
        &arch,
        "--plan",
        "plan.toml",
        "--json",
    ]);
    let planned = &json["planned"];
    assert!(real(planned, "gpu_us") < real(&json, "gpu_us"));
    assert!(real(planned, "dcom_us") > 0.0);
    let on_dcom = planned["ops"]
        .as_array()
        .expect("ops")
        .iter()
        .filter(|op| op["on_dcom"] == true)
        .count();
    assert_eq!(on_dcom, 1);
    // The others are projected onto the factors of the layer's input.
    let decompositions = json["decompositions"].as_array().expect("decompositions");
    assert_eq!(decompositions.len(), 1);
    assert_eq!(decompositions[0]["iterations"], 10);

    bench.write(
        "other.toml",
        b"name = \"other\"\n[[layers]]\nindices = [7]\nrank = 10\n",
    );
    let table = bench.ok(&["replay", &trace, "--arch", &arch, "--plan", "other.toml"]);
    assert!(
        table.contains("plan other computes layer 0 as it is"),
        "{table}"
    );
    bench.write(
        "bad.toml",
        b"name = \"bad\"\n[[layers]]\nindices = [7]\nrank = 0\n",
    );
    bench.refused(
        &["replay", &trace, "--arch", &arch, "--plan", "bad.toml"],
        &["bad.toml:4: rank = 0"],
    );
}

#[test]
fn a_layer_of_shapes_takes_less_than_50_ms() {
    let bench = Bench::new();
    let (trace, arch) = (
        text("traces/llama-2-7b-s4096"),
        text("configs/arch/dcom-paper.toml"),
    );
    let run = || {
        let started = Instant::now();
        bench.ok(&["replay", &trace, "--arch", &arch, "--rank", "10"]);
        started.elapsed()
    };
    // The best of some: others may use the machine.
    let best = (0..10).map(|_| run()).min().expect("ten runs");
    assert!(best < Duration::from_millis(50), "{best:?}");
}

#[test]
fn the_recorder_writes_what_replay_reads() {
    let bench = Bench::new();
    let trace = text("traces/tiny-random-layer1");
    let json = bench.json(&[
        "replay",
        &trace,
        "--arch",
        "small.toml",
        "--rank",
        "4",
        "--json",
    ]);
    assert_eq!(json["recording_device"], "CPU, 2 threads");
    let ops = json["ops"].as_array().expect("ops");
    assert!(
        ops.iter()
            .all(|op| op["recorded_us"].as_f64().is_some_and(|us| us > 0.0)),
        "{ops:?}"
    );
    let prompts = json["prompts"].as_array().expect("prompts");
    let lengths: Vec<u64> = prompts
        .iter()
        .map(|p| p["length"].as_u64().expect("a length"))
        .collect();
    assert_eq!(lengths, [12, 24]);
    let decompositions = json["decompositions"].as_array().expect("decompositions");
    assert_eq!(decompositions.len(), 8);
    for d in decompositions {
        let found = &d["reconstruction"];
        let (error, best) = (
            real(&found["plain"], "relative_error"),
            real(&found["plain"], "best_rank_error"),
        );
        assert!(error >= best - 1e-3 && error < 1.1 * best, "{d}");
        assert!(
            found["outputs"]
                .as_array()
                .is_some_and(|outputs| !outputs.is_empty()),
            "{d}"
        );
    }
    let table = bench.ok(&["replay", &trace, "--arch", "small.toml"]);
    assert!(
        table.contains("recorded on CPU, 2 threads") && table.contains("GPU / recorded"),
        "{table}"
    );
}

#[test]
fn calibrated_outliers_lower_the_error() {
    let bench = Bench::new();
    let traces = [
        text("traces/tinyllama-layer2"),
        text("traces/tinyllama-layer5"),
    ];
    let table = bench.ok(&[
        "calibrate",
        &traces[0],
        &traces[1],
        "--output",
        "outliers.toml",
    ]);
    assert_eq!(table.matches("input_norm").count(), 2, "{table}");
    assert!(
        bench
            .ok(&["check", "outliers.toml"])
            .contains("8 outlier rules")
    );
    let arch = text("configs/arch/dcom-paper.toml");
    let args = [
        "replay",
        &traces[1],
        "--arch",
        &arch,
        "--rank",
        "10",
        "--outliers",
        "outliers.toml",
        "--json",
    ];
    let json = bench.json(&args);
    let decompositions = json["decompositions"].as_array().expect("decompositions");
    assert_eq!(decompositions.len(), 12);
    let mut taken_out = 0;
    for d in decompositions {
        let found = &d["reconstruction"];
        if found["extracted"].is_null() {
            continue;
        }
        taken_out += 1;
        assert!(
            real(&found["extracted"], "relative_error") < real(&found["plain"], "relative_error"),
            "{d}"
        );
    }
    assert!(taken_out >= 9, "{taken_out}");
}

#[test]
fn bad_traces_change_nothing() {
    let bench = Bench::new();
    let shipped = project("traces/tiny-random-layer1");
    let copy = |name: &str| {
        std::fs::create_dir(bench.path(name)).expect("a folder");
        for entry in std::fs::read_dir(&shipped).expect("the trace") {
            let entry = entry.expect("an entry");
            std::fs::copy(entry.path(), bench.path(name).join(entry.file_name())).expect("a copy");
        }
    };
    copy("out");
    bench.edit(
        "out/manifest.toml",
        "file = \"prompt-0.safetensors\"",
        "file = \"../prompt-0.safetensors\"",
    );
    bench.refused(
        &["replay", "out", "--arch", "small.toml"],
        &[
            "out/manifest.toml:",
            "must be the name of a file beside the manifest",
        ],
    );
    bench.refused(
        &["calibrate", "out", "--output", "rules.toml"],
        &["must be the name of a file beside the manifest"],
    );
    copy("nan");
    let file = bench.path("nan").join("prompt-0.safetensors");
    let mut bytes = std::fs::read(&file).expect("a file");
    let end = bytes.len();
    bytes[end - 2..].copy_from_slice(&[0, 0x7e]);
    std::fs::write(&file, bytes).expect("written");
    bench.refused(
        &["replay", "nan", "--arch", "small.toml"],
        &[
            "op `act`, prompt `short`:",
            "act has NaN at row 11, column 47",
        ],
    );
}
