//! Mapped programs against the long-double reference on the matrices of `dcom-reference`: coefficients, singular
//! values, errors, orthogonality, and how each run ends.

use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_exec::{PromptResult, execute};
use dcom_mapper::{WorkloadParams, map};
use dcom_reference::{orthogonality_loss, reconstruction};
use dcom_tensor::{Factors, Matrix, ReadOptions, read_matrix};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn data() -> PathBuf {
    root().join("crates/dcom-reference/tests/data/lanczos")
}

pub(crate) fn arch(accumulate: &str) -> Arch {
    let source = Source::read(root().join("configs/arch/dcom-paper.toml")).expect("shipped");
    let mut params = ArchParams::parse(source).expect("valid");
    params
        .set("cluster.accumulate", accumulate)
        .expect("a mode");
    Arch::new(&params).expect("valid")
}

/// The default mapping (three-term recurrence, then one classical pass), on one prompt of the matrix's shape.
pub(crate) fn workload(matrix: &Matrix, iterations: u32, rank: u32, start: &str) -> WorkloadParams {
    let source = Source::read(root().join("configs/workloads/llama2-7b.toml")).expect("shipped");
    let mut w = WorkloadParams::parse(source).expect("valid");
    for (key, value) in [
        ("workload.rows", matrix.rows().to_string()),
        ("workload.columns", matrix.cols().to_string()),
        ("workload.prompts", "1".to_owned()),
        ("workload.iterations", iterations.to_string()),
        ("workload.rank", rank.to_string()),
        ("workload.start", start.to_owned()),
    ] {
        w.set(key, &value).expect("in range");
    }
    w
}

fn run(arch: &Arch, w: &WorkloadParams, matrix: &Matrix) -> PromptResult {
    let program = map(arch, w)
        .expect("fits")
        .program
        .verify(arch)
        .expect("verifies");
    execute(&program, &[matrix], &[])
        .expect("runs")
        .prompts
        .remove(0)
}

pub(crate) fn matrices() -> Vec<(String, Matrix, Value)> {
    let index: Value =
        serde_json::from_slice(&std::fs::read(data().join("index.json")).expect("there"))
            .expect("JSON");
    let entries = index["matrices"].as_array().expect("a list");
    entries
        .iter()
        .map(|entry| {
            let name = entry["name"].as_str().expect("a name").to_owned();
            let file = data().join(entry["file"].as_str().expect("a file"));
            let matrix = read_matrix(&file, &ReadOptions::default())
                .expect("readable")
                .matrix;
            let reference =
                std::fs::read(data().join(entry["ref"].as_str().expect("a file"))).expect("there");
            (
                name,
                matrix,
                serde_json::from_slice(&reference).expect("JSON"),
            )
        })
        .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .map_or_else(Vec::new, |v| v.iter().filter_map(Value::as_f64).collect())
}

pub(crate) fn error(matrix: &Matrix, result: &PromptResult) -> f64 {
    let s: Vec<f32> = result.s.iter().map(|s| *s as f32).collect();
    let factors = Factors::from_columns(&result.u, s, &result.v).expect("shapes agree");
    reconstruction(matrix, &factors)
        .expect("finite")
        .relative_frobenius
}

const STARTS: [(&str, &str); 4] = [
    ("mean", "mean"),
    ("ones", "ones"),
    ("e1", "e1"),
    ("alternating", "alt"),
];

/// The matrices on which 16 steps run through. Tolerances, relative to the largest singular value: a product in fp16
/// has a relative error of 2^-11 = 4.9e-4, and so has every element of the basis; the first alphas and betas, and the
/// leading singular values, carry up to eight of those (twenty in m16a16, whose sums round at every level). Later
/// coefficients drift as Ritz values converge, and are held by the errors instead.
#[test]
fn coefficients_singular_values_and_errors_agree_with_the_reference() {
    let mut compared = 0;
    for (mode, coefficient, singular, excess) in [
        ("m16a32", 4e-3, 4e-3, 0.01),
        ("x32", 4e-3, 4e-3, 0.01),
        ("m16a16", 1e-2, 1e-2, 0.015),
    ] {
        let arch = arch(mode);
        for (name, matrix, reference) in matrices() {
            let sigma = numbers(&reference["singular_values"]);
            for (start, key) in STARTS {
                let gkl = &reference["gkl"][key];
                if gkl["status"] != "ok" {
                    continue;
                }
                let ends = |k: u32| {
                    u32::try_from(matrix.rows().min(matrix.cols()))
                        .expect("small")
                        .min(k)
                };
                let result = run(
                    &arch,
                    &workload(&matrix, ends(16), ends(10), start),
                    &matrix,
                );
                assert_eq!(result.overflow_count, 0, "{mode} {name} {start}");
                let scale = f64::from(2.0f32.powi(-result.exponent));
                let what = |quantity: &str| format!("{mode} {name} {start}: {quantity}");
                for (quantity, ours, theirs) in [
                    ("alpha", &result.alpha, &gkl["alpha"]),
                    ("beta", &result.beta, &gkl["beta"]),
                ] {
                    for (i, (a, b)) in ours.iter().zip(numbers(theirs)).take(3).enumerate() {
                        let off = (f64::from(*a) * scale - b).abs() / sigma[0];
                        assert!(
                            off < coefficient,
                            "{}",
                            what(&format!("{quantity}_{i} is off by {off:.1e} of sigma_1"))
                        );
                    }
                }
                for (i, (a, b)) in result
                    .s
                    .iter()
                    .zip(numbers(&gkl["ritz_singular_values"]))
                    .take(5)
                    .enumerate()
                {
                    let off = (a - b).abs() / sigma[0];
                    assert!(
                        off < singular,
                        "{}",
                        what(&format!("sigma_{i} is off by {off:.1e} of sigma_1"))
                    );
                }
                for (rank, iterations) in [(5, 5), (5, 10), (10, 15)] {
                    let Some(theirs) =
                        gkl["rank_r_rel_fro"][format!("r{rank}_K{iterations}")].as_f64()
                    else {
                        continue;
                    };
                    let result = run(&arch, &workload(&matrix, iterations, rank, start), &matrix);
                    let ours = error(&matrix, &result);
                    // Below the fp16 noise of the factors themselves there is nothing to compare.
                    let off = ours - theirs;
                    assert!(
                        off.abs() < excess * theirs + 1.5e-3,
                        "{}",
                        what(&format!(
                            "rank {rank}, K {iterations}: {ours:.5} against {theirs:.5}"
                        ))
                    );
                    for (side, basis) in [("U", &result.u), ("V", &result.v)] {
                        let loss = orthogonality_loss(basis).expect("finite").max_off_diagonal;
                        assert!(
                            loss < 5e-3,
                            "{}",
                            what(&format!("{side} loses orthogonality: {loss:.1e}"))
                        );
                    }
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100, "only {compared} errors compared");
}

/// Rank-deficient, zero, 1 x 1 and repeated singular values: the run ends with the exact rank found and nothing else.
#[test]
fn exhausted_krylov_spaces_end_well() {
    let arch = arch("m16a32");
    for (name, matrix, reference) in matrices() {
        let sigma = numbers(&reference["singular_values"]);
        let small = matrix.rows().min(matrix.cols());
        let rank = u32::try_from(small.min(16)).expect("small");
        let result = run(&arch, &workload(&matrix, rank, rank, "mean"), &matrix);
        assert!(
            result.s.iter().all(|s| s.is_finite()),
            "{name}: {:?}",
            result.s
        );
        assert!(
            result
                .u
                .iter()
                .chain(&result.v)
                .flatten()
                .all(|x| x.is_finite()),
            "{name}"
        );
        match name.as_str() {
            "zero_16x12" => {
                assert_eq!(result.broke_down_after, Some(0));
                assert!(result.s.iter().all(|s| *s == 0.0), "{:?}", result.s);
            }
            "one_1x1" => {
                assert!(
                    (result.s[0] - sigma[0]).abs() < 1e-3 * sigma[0],
                    "{:?}",
                    result.s
                );
                assert!(error(&matrix, &result) < 1e-3);
            }
            // Seven distinct singular values: seven columns of U, then the test fails.
            "rankdef7_96x80" => {
                let passed = result.broke_down_after.expect("breaks down");
                assert!((13..=14).contains(&passed), "after {passed} tests");
                assert!(
                    error(&matrix, &result) < 2e-3,
                    "{}",
                    error(&matrix, &result)
                );
            }
            // Equal singular values: one step spans what the start vector reaches.
            "hadamard_64x64" => assert_eq!(result.broke_down_after, Some(1)),
            _ => {}
        }
    }
}

/// f is a choice of time, not of accuracy: the errors of f = 1 to 32 agree within 1e-3, and their bits differ.
#[test]
fn the_expansion_factor_is_accuracy_neutral() {
    let arch = arch("m16a32");
    let (_, matrix, _) = matrices()
        .into_iter()
        .find(|(name, ..)| name == "minilm_ownership_L2q_256x384")
        .expect("there");
    let results: Vec<PromptResult> = ["1", "2", "8", "32"]
        .iter()
        .map(|f| {
            let mut w = workload(&matrix, 15, 10, "mean");
            w.set("mapping.expansion_factor", f).expect("in range");
            run(&arch, &w, &matrix)
        })
        .collect();
    let errors: Vec<f64> = results.iter().map(|r| error(&matrix, r)).collect();
    let spread =
        errors.iter().copied().fold(0.0, f64::max) - errors.iter().copied().fold(1.0, f64::min);
    assert!(spread < 1e-3, "{errors:?}");
    assert_ne!(results[0].u, results[2].u);
}

/// Every dataflow, residency and Gram-Schmidt variant computes the same decomposition within fp16 noise.
#[test]
fn mapping_choices_agree() {
    let arch = arch("m16a32");
    let (_, matrix, _) = matrices()
        .into_iter()
        .find(|(name, ..)| name == "powerlaw_160x200")
        .expect("there");
    let plain = error(
        &matrix,
        &run(&arch, &workload(&matrix, 15, 10, "mean"), &matrix),
    );
    for settings in [
        &[("mapping.product", "reduce")][..],
        &[("mapping.transposed_product", "reduce")],
        &[
            ("mapping.product", "reduce"),
            ("mapping.transposed_product", "reduce"),
            ("mapping.residency", "resident"),
        ],
        &[("mapping.residency", "resident")],
        &[("mapping.product_banks", "5")],
        &[
            ("mapping.placement", "spread"),
            ("mapping.reduction", "chain"),
        ],
        &[("mapping.gram_schmidt", "modified")],
        &[
            ("mapping.gram_schmidt_passes", "2"),
            ("mapping.three_term", "false"),
        ],
        &[("mapping.partial_sums", "sum_first")],
        &[("mapping.prefetch", "0")],
        &[
            ("mapping.expansion_factor", "100"),
            ("mapping.clusters_per_partition", "7"),
        ],
    ] {
        let mut w = workload(&matrix, 15, 10, "mean");
        settings
            .iter()
            .for_each(|(k, v)| w.set(k, v).expect("in range"));
        let error = error(&matrix, &run(&arch, &w, &matrix));
        assert!(
            (error - plain).abs() < 1e-3,
            "{settings:?}: {error} against {plain}"
        );
    }
}

/// Magnitudes of 2600 with sums in fp16: unscaled they overflow and are counted, scaled they do not.
#[test]
fn massive_outliers_overflow_only_unscaled_and_never_silently() {
    let (_, matrix, _) = matrices()
        .into_iter()
        .find(|(name, ..)| name == "massive_64x128")
        .expect("there");
    for (mode, unscaled_overflows) in [("m16a16", true), ("m16a32", true), ("x32", false)] {
        let arch = arch(mode);
        let mut w = workload(&matrix, 10, 5, "mean");
        assert_eq!(run(&arch, &w, &matrix).overflow_count, 0, "{mode} scaled");
        w.set("workload.scale_input", "false").expect("in range");
        assert_eq!(
            run(&arch, &w, &matrix).overflow_count > 0,
            unscaled_overflows,
            "{mode} unscaled"
        );
    }
}
