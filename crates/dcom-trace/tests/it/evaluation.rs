//! Reconstructions of activations made by hand, and of recorded ones.

use dcom_arch::Arch;
use dcom_config::Source;
use dcom_mapper::WorkloadParams;
use dcom_trace::{
    Decomposer, OutlierRule, PromptId, Reconstruction, Request, Sizes, Trace, Track, evaluate,
};

use crate::support::{Folder, project};

fn machine() -> (Arch, WorkloadParams) {
    let arch = Arch::read(&project("configs/arch/dcom-paper.toml")).unwrap();
    let workload = Source::read(project("configs/workloads/llama2-7b.toml")).unwrap();
    (arch, WorkloadParams::parse(workload).unwrap())
}

fn first_prompt(trace: &Trace) -> PromptId {
    trace.prompt_ids().next().unwrap()
}

fn request(
    trace: &Trace,
    op: &str,
    rank: usize,
    outliers: Option<OutlierRule>,
    track: Track,
) -> Request {
    Request {
        op: trace.find(op).unwrap(),
        prompt: first_prompt(trace),
        rank,
        iterations: None,
        outliers,
        track,
    }
}

/// Four tokens, eight channels: a row of ones in seven channels, and a first channel of large values.
fn by_hand() -> Folder {
    let folder = Folder::new();
    folder.edit("length = 3", "length = 4");
    folder.edit("shape = [\"S\", 2]", "shape = [\"S\", 8]");
    let mut values = vec![1.0; 32];
    for (row, large) in [10.0, -6.0, 10.0, -10.0].into_iter().enumerate() {
        values[row * 8] = large;
    }
    folder.tensor("a.safetensors", "x", [4, 8], &values);
    folder.tensor("b.safetensors", "x", [2, 8], &[0.0; 16]);
    folder.tensor("w.safetensors", "q.weight", [1, 8], &[1.0; 8]);
    folder
}

fn by_hand_at(rank: usize, rule: Option<OutlierRule>, track: Track) -> Reconstruction {
    let folder = by_hand();
    let trace = folder.read().unwrap();
    let (arch, workload) = machine();
    let decomposer = Decomposer::new(&arch, workload).unwrap();
    evaluate(
        &trace,
        &decomposer,
        &request(&trace, "x", rank, rule, track),
    )
    .unwrap()
}

const RULE: OutlierRule = OutlierRule {
    threshold: 5.0,
    minimum_count: 3,
};

#[test]
fn taking_the_outlier_channel_out_leaves_rank_one() {
    let found = by_hand_at(1, Some(RULE), Track::Exact);
    assert_eq!(found.outliers, [0]);
    assert_eq!(
        (found.shape, found.sizes),
        (
            (4, 8),
            Sizes {
                rank: 1,
                iterations: 4
            }
        )
    );
    let plain = found.plain.errors.unwrap().relative_frobenius;
    let extracted = found.extracted.unwrap();
    // Squares: 336 of the first channel, 28 of the others; their sums over tokens overlap by 4^2 7 / 28 = 4. So of the Gram matrix
    // [[336, 4 sqrt 7], [4 sqrt 7, 28]] the smaller eigenvalue is what rank 1 misses: 182 - sqrt(154^2 + 112) = 27.637.
    let best = ((182.0 - (154.0_f64.powi(2) + 112.0).sqrt()) / 364.0).sqrt();
    assert!(
        (found.plain.best - best).abs() < 1e-12,
        "{} {best}",
        found.plain.best
    );
    assert!(
        plain >= best && plain < 1.01 * best,
        "{plain} against {best}"
    );
    // Ones are a matrix of rank 1, up to the rounding of the factors to fp16.
    assert!(extracted.best < 1e-7 && extracted.errors.unwrap().relative_frobenius < 1e-3);
    let output = &found.outputs[0];
    assert!(
        output.extracted.unwrap() < 1e-3 && output.plain.unwrap() > 0.1,
        "{output:?}"
    );
}

#[test]
fn outliers_decomposed_apart_cost_nothing_when_they_have_the_rank() {
    // One channel is of rank 1.
    let found = by_hand_at(1, Some(RULE), Track::Decomposed(1));
    let extracted = found.extracted.unwrap();
    assert!(extracted.best < 1e-7 && extracted.errors.unwrap().relative_frobenius < 1e-3);
}

#[test]
fn without_outliers_there_is_no_second_error() {
    let none = OutlierRule {
        threshold: 100.0,
        ..RULE
    };
    for rule in [None, Some(none)] {
        let found = by_hand_at(1, rule, Track::Exact);
        assert!(found.outliers.is_empty() && found.extracted.is_none());
        assert!(found.outputs[0].extracted.is_none() && found.outputs[0].plain.is_some());
    }
}

#[test]
fn full_rank_misses_only_what_rounds() {
    let found = by_hand_at(4, None, Track::Exact);
    assert!(found.plain.errors.unwrap().relative_frobenius < 2e-3);
}

#[test]
fn what_was_not_recorded_is_an_error() {
    let folder = Folder::new();
    let trace = folder.read().unwrap();
    let (arch, workload) = machine();
    let decomposer = Decomposer::new(&arch, workload).unwrap();
    let error = evaluate(
        &trace,
        &decomposer,
        &request(&trace, "q", 1, None, Track::Exact),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("manifest.toml: no activation of `q` for prompt `a`"),
        "{error}"
    );
}

#[test]
fn extraction_wins_where_channels_are_large() {
    // The input of the second feed-forward linear layer, where a few channels hold most of the energy: at rank 1, taking 1 % of
    // the channels out nearly halves the error.
    let trace = Trace::read(&project("traces/minilm-layer1")).unwrap();
    let (arch, workload) = machine();
    let decomposer = Decomposer::new(&arch, workload).unwrap();
    let prompt = trace
        .prompt_ids()
        .find(|p| trace.activation(trace.find("act").unwrap(), *p).is_some());
    let options = dcom_trace::CalibrateOptions {
        channel_share: 0.01,
        ..dcom_trace::CalibrateOptions::default()
    };
    let rules = dcom_trace::calibrate(std::slice::from_ref(&trace), options).unwrap();
    let rule = rules
        .iter()
        .find(|c| c.outliers.value == "act")
        .unwrap()
        .outliers
        .rule;
    let request = Request {
        prompt: prompt.unwrap(),
        ..request(&trace, "act", 1, Some(rule), Track::Exact)
    };
    let found = evaluate(&trace, &decomposer, &request).unwrap();
    let (plain, extracted) = (
        found.plain.errors.unwrap(),
        found.extracted.unwrap().errors.unwrap(),
    );
    assert_eq!(found.outliers.len(), 15);
    assert!(
        extracted.relative_frobenius < plain.relative_frobenius,
        "{extracted:?} {plain:?}"
    );
}
