//! `itera`: three ways to a smaller weight, from a file.

use crate::support::{Bench, f32_bytes, npy, project};

fn weight(bench: &Bench) {
    // Rank 2 exactly: products of a ramp and of alternating signs.
    let values: Vec<f32> = (0..24_u8)
        .flat_map(|row| {
            (0..32_u8).map(move |col| {
                let sign = if (row + col) % 2 == 0 { 1.0 } else { -1.0 };
                f32::from(row) * f32::from(col) / 64.0 + sign
            })
        })
        .collect();
    bench.write("w.npy", &npy("<f4", "(24, 32)", &f32_bytes(&values)));
}

#[test]
fn errors_and_storage_of_the_three_ways_beside_the_best_error() {
    let bench = Bench::new();
    let file = project("traces/minilm-layer2/weights.safetensors");
    let file = file.to_str().expect("UTF-8");
    let args = [
        "itera", file, "--tensor", "q.weight", "--format", "int4", "--rank", "48",
    ];
    let json = bench.json(&[&args[..], &["--refit", "1", "--json"]].concat());
    let error = |way: &str| {
        json["ways"][way]["relative_error"]
            .as_f64()
            .expect("a number")
    };
    let best = json["best_rank_error"].as_f64().expect("a number");
    let (refit, plain, rounded) = (
        error("itera_refit"),
        error("itera"),
        error("svd_then_quantize"),
    );
    assert!(
        best < refit && refit < plain && plain < rounded,
        "{best} {refit} {plain} {rounded}"
    );
    // 48 (2 x 384 x 4 + 2 x 16) bits by hand.
    assert_eq!(json["ways"]["itera"]["storage_bits"], 148_992);
    assert_eq!(
        json["ways"]["quantize_same_format"]["storage_bits"],
        384 * (384 * 4 + 16)
    );
    assert_eq!(json["errors"].as_array().map(Vec::len), Some(49));
    let text = bench.ok(&args);
    for part in [
        "q.weight: 384 x 384",
        "best error of the rank",
        "quantization only",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn nothing_left_is_said() {
    let bench = Bench::new();
    weight(&bench);
    let text = bench.ok(&[
        "itera", "w.npy", "--format", "int8", "--rank", "24", "--no-svd",
    ]);
    assert!(text.contains("24 x 32"), "{text}");
    assert!(!text.contains("best error"), "{text}");
}

#[test]
fn bad_input_is_named() {
    let bench = Bench::new();
    weight(&bench);
    bench.refused(
        &["itera", "w.npy", "--format", "int4", "--rank", "25"],
        &["w.npy: the rank is 25, expected 1 to 24"],
    );
    bench.refused(
        &["itera", "w.npy", "--format", "int9", "--rank", "2"],
        &["int9", "int8"],
    );
    let zeros = npy("<f4", "(2, 2)", &f32_bytes(&[0.0; 4]));
    bench.write("zero.npy", &zeros);
    bench.refused(
        &["itera", "zero.npy", "--format", "int4", "--rank", "1"],
        &["zero.npy: all values of the 2 x 2 matrix are zero"],
    );
    let file = project("traces/minilm-layer2/weights.safetensors");
    bench.refused(
        &[
            "itera",
            file.to_str().expect("UTF-8"),
            "--format",
            "int4",
            "--rank",
            "1",
        ],
        &["name one of", "q.weight"],
    );
}

/// All linear weights of a checkpoint, and a checkpoint of what they become, which runs.
#[test]
fn a_checkpoint_becomes_a_smaller_one() {
    let bench = Bench::new();
    let model = project("crates/dcom-model/fixtures/tinyllama");
    let model = model.to_str().expect("UTF-8");
    let args = [
        "itera", model, "--format", "int8", "--rank", "40", "--json", "--output",
    ];
    let json = bench.json(&[&args[..], &["smaller"]].concat());
    let weights = json["weights"].as_array().expect("a list");
    assert_eq!(weights.len(), 8 * 7);
    let first = &weights[0];
    assert_eq!(first["weight"], "model.layers.0.self_attn.q_proj.weight");
    // 40 (2 x 160 x 8 + 2 x 16) bits by hand.
    assert_eq!(first["factor_bits"], 103_680);
    for weight in weights {
        let of = |key: &str| weight[key].as_f64().expect("a number");
        assert!(
            of("best_rank_error") < of("itera") && of("itera") < of("svd_then_quantize"),
            "{weight}"
        );
    }
    let perplexity = |folder: &str| {
        let text = format!("{model}/valid-a.txt");
        let args = [
            "eval",
            "perplexity",
            "--model",
            folder,
            "--text",
            &text,
            "--windows",
            "2",
            "--json",
        ];
        bench.json(&args)["original"]["perplexity"]
            .as_f64()
            .expect("a number")
    };
    let (original, smaller) = (perplexity(model), perplexity("smaller"));
    assert!(smaller > 1.05 * original, "{smaller} and {original}");
    bench.ok(&[
        "itera",
        model,
        "--format",
        "int8",
        "--rank",
        "1",
        "--no-svd",
        "--output",
        "whole",
        "--output-way",
        "quantize",
    ]);
    let whole = perplexity("whole");
    assert!(
        (whole / original - 1.0).abs() < 0.01,
        "{whole} and {original}"
    );

    bench.refused(
        &[&args[..], &["smaller"]].concat(),
        &["smaller: is there already"],
    );
    let rank = ["itera", model, "--format", "int8", "--rank", "161"];
    bench.refused(
        &rank,
        &["model.layers.0.self_attn.q_proj.weight: the rank is 161, expected 1 to 160"],
    );
    let tensor = [
        "itera", model, "--format", "int8", "--rank", "1", "--tensor", "q",
    ];
    bench.refused(
        &tensor,
        &[
            "q: no weight of a linear layer",
            "model.layers.0.self_attn.q_proj.weight",
        ],
    );
    weight(&bench);
    let file = [
        "itera", "w.npy", "--format", "int8", "--rank", "1", "--output", "new",
    ];
    bench.refused(&file, &["--output: w.npy is no folder of a checkpoint"]);
}
