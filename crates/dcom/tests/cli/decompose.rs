//! `decompose`: errors, cycles and factors from one program.

use serde_json::Value;

use crate::support::{Bench, f16_bytes, f32_bytes, npy, project, ramp, safetensors};

fn args<'a>(file: &'a str, rank: &'a str, extra: &[&'a str]) -> Vec<&'a str> {
    [
        &[
            "decompose",
            file,
            "--arch",
            "small.toml",
            "--rank",
            rank,
            "--workload",
            "tiny.toml",
        ],
        extra,
    ]
    .concat()
}

fn real(json: &Value, key: &str) -> f64 {
    json[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} is {}", json[key]))
}

#[test]
fn json_has_every_number() {
    let bench = Bench::new();
    let json = bench.json(&args("a.npy", "4", &["--json"]));
    let (error, best) = (
        real(&json, "relative_error"),
        real(&json, "best_rank_error"),
    );
    // fp16 vectors cannot beat the best error in double precision by more than their own rounding.
    assert!(
        best > 0.1 && error > best - 1e-3 && error < 1.0,
        "{error} against {best}"
    );
    assert!(real(&json, "orthogonality_loss") < 1e-2);
    assert_eq!(json["singular_values"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["overflow_count"], 0);
    assert!(json["cycles"].as_u64().expect("cycles") > 0 && real(&json, "time_us") > 0.0);
    assert_eq!(
        (json["rank"].as_u64(), json["iterations"].as_u64()),
        (Some(4), Some(9))
    );
    assert!(real(&json["per_token_error"], "median") <= real(&json["per_token_error"], "max"));
    assert!(
        json["orthogonality"]["u"]["diagonal"].is_number() && json["scaling_exponent"].is_i64()
    );
    assert_eq!(json["broke_down_after"], Value::Null);
    assert!(real(&json["reference"], "seconds") >= 0.0);
    assert_eq!(json["workload"]["name"], "tiny");
    // The sizes come from the file, not from the workload.
    let marks = json["marks"].as_array().expect("a list");
    assert!(!marks.iter().any(|m| m["key"] == "workload.rows"));
}

#[test]
fn cycles_are_those_of_run() {
    let bench = Bench::new();
    let decomposed = bench.json(&args(
        "a.npy",
        "3",
        &["--iterations", "8", "--json", "--no-reference"],
    ));
    let run = bench.json(&[
        "run",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--set",
        "workload.prompts=1",
        "--json",
    ]);
    for key in ["cycles", "phases", "activity"] {
        assert_eq!(decomposed[key], run[key], "{key}");
    }
    assert_eq!(decomposed["best_rank_error"], Value::Null);
}

#[test]
fn all_formats_of_the_same_matrix_agree() {
    let bench = Bench::new();
    let values: Vec<f32> = ramp(24, 16)
        .iter()
        .map(|x| half::f16::from_f32(*x).to_f32())
        .collect();
    bench.write("b.npy", &npy("<f4", "(24, 16)", &f32_bytes(&values)));
    let header = |dtype: &str, bytes: usize| {
        format!(
            r#"{{"t":{{"dtype":"{dtype}","shape":[24,16],"data_offsets":[0,{bytes}]}},"bias":{{"dtype":"F16","shape":[1],"data_offsets":[{bytes},{}]}}}}"#,
            bytes + 2
        )
    };
    let mut half = f16_bytes(&values);
    half.extend([0, 0]);
    bench.write("c.safetensors", &safetensors(&header("F16", 768), &half));
    let reference = bench.json(&args("a.npy", "4", &["--json"]));
    for (file, extra) in [
        ("b.npy", &[][..]),
        ("c.safetensors", &[]),
        ("c.safetensors", &["--tensor", "t"]),
    ] {
        let json = bench.json(&args(file, "4", &[&["--json"], extra].concat()));
        for key in [
            "relative_error",
            "singular_values",
            "alpha",
            "beta",
            "cycles",
        ] {
            assert_eq!(json[key], reference[key], "{key} of {file}");
        }
    }
}

#[test]
fn factors_multiply_to_the_reported_error() {
    let bench = Bench::new();
    let json = bench.json(&args(
        "a.npy",
        "4",
        &["--json", "--output", "factors.safetensors"],
    ));
    let bytes = std::fs::read(bench.path("factors.safetensors")).expect("factors");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let half = |name: &str| -> Vec<f64> {
        let data = tensors.tensor(name).expect("a factor").data().to_vec();
        data.chunks(2)
            .map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f64())
            .collect()
    };
    let (u, v) = (half("u"), half("v"));
    let s = tensors.tensor("s").expect("s").data().to_vec();
    let s: Vec<f64> = s
        .chunks(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]).into())
        .collect();
    assert_eq!((u.len(), s.len(), v.len()), (24 * 4, 4, 16 * 4));
    let (mut residual, mut norm) = (0.0, 0.0);
    for (index, a) in ramp(24, 16).iter().enumerate() {
        let a = half::f16::from_f32(*a).to_f64();
        let (row, column) = (index / 16, index % 16);
        let product: f64 = (0..4)
            .map(|i| u[row * 4 + i] * s[i] * v[column * 4 + i])
            .sum();
        residual += (a - product).powi(2);
        norm += a * a;
    }
    let error = (residual / norm).sqrt();
    assert!(
        (error - real(&json, "relative_error")).abs() < 1e-6,
        "{error}"
    );
}

#[test]
fn small_matrices_clamp_the_rank_and_say_so() {
    let bench = Bench::new();
    bench.write("one.npy", &npy("<f2", "(1, 1)", &f16_bytes(&[-2.5])));
    let text = bench.ok(&args("one.npy", "3", &[]));
    assert!(
        text.contains("rank 3 is beyond the smaller side of the matrix: 1 instead"),
        "{text}"
    );
    let json = bench.json(&args("one.npy", "3", &["--json"]));
    assert_eq!(
        (json["rank"].as_u64(), json["iterations"].as_u64()),
        (Some(1), Some(1))
    );
    assert!((real(&json, "relative_error")).abs() < 1e-3);
}

#[test]
fn the_built_in_mapping_fits_small_machines() {
    let bench = Bench::new();
    let text = bench.ok(&[
        "decompose",
        "a.npy",
        "--arch",
        "small.toml",
        "--rank",
        "2",
        "--set",
        "array.columns=1",
    ]);
    assert!(
        text.contains("mapping.clusters_per_partition = 2: all that the machine has"),
        "{text}"
    );
    assert!(text.contains("llama2-7b.toml (built in)"), "{text}");
}

#[test]
fn zero_and_rank_deficient_matrices_end_well() {
    let bench = Bench::new();
    bench.write("zero.npy", &npy("<f2", "(8, 12)", &[0; 192]));
    let json = bench.json(&args(
        "zero.npy",
        "2",
        &["--json", "--output", "zero.safetensors"],
    ));
    assert_eq!(
        (
            real(&json, "relative_error"),
            json["broke_down_after"].as_u64()
        ),
        (0.0, Some(0))
    );
    let ones = f16_bytes(&[1.0; 96]);
    bench.write("ones.npy", &npy("<f2", "(8, 12)", &ones));
    let text = bench.ok(&args("ones.npy", "2", &[]));
    assert!(text.contains("after 1 of 7 iterations"), "{text}");
    // What breakdown skips takes no time.
    let broken = bench.json(&args("ones.npy", "2", &["--json"]));
    bench.write("full.npy", &npy("<f2", "(8, 12)", &f16_bytes(&ramp(8, 12))));
    let full = bench.json(&args("full.npy", "2", &["--json"]));
    assert!(broken["cycles"].as_u64() < full["cycles"].as_u64());
    // The lower bound is that of a run without breakdown.
    assert!(broken["lower_bound_cycles"].is_null() && full["lower_bound_cycles"].is_u64());
    assert!(real(&broken, "relative_error") < 2e-3);
}

#[test]
fn recorded_activations_come_close_to_the_best_error() {
    let bench = Bench::new();
    let trace = project("traces/minilm-layer3/apache2_S256.attention.safetensors")
        .display()
        .to_string();
    let machine = project("configs/arch/dcom-paper.toml")
        .display()
        .to_string();
    for rank in ["1", "10", "20"] {
        let json = bench.json(&[
            "decompose",
            &trace,
            "--arch",
            &machine,
            "--rank",
            rank,
            "--json",
        ]);
        let (error, best) = (
            real(&json, "relative_error"),
            real(&json, "best_rank_error"),
        );
        // Five Lanczos vectors more than the rank: within 5 % of the best error on this recording.
        assert!(error < 1.05 * best, "rank {rank}: {error} against {best}");
        assert_eq!(json["overflow_count"], 0);
    }
}

#[test]
fn table_and_csv_have_the_numbers() {
    let bench = Bench::new();
    let text = bench.ok(&args("a.npy", "4", &[]));
    for part in [
        "24 x 16 fp16, rank 4, 9 iterations",
        "relative error",
        "best possible",
        "orthogonality of U",
        "9 iterations: rank + 5",
        "time per prompt",
        "reference",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let text = bench.ok(&args("a.npy", "4", &["--csv"]));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("names").clone();
    assert!(
        ["relative_error", "cycles", "overflow_count"]
            .iter()
            .all(|name| names.iter().any(|n| n == *name)),
        "{names:?}"
    );
    assert_eq!(
        reader
            .records()
            .collect::<Result<Vec<_>, _>>()
            .expect("records")
            .len(),
        1
    );
}
