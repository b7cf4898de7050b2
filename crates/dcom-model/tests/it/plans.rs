//! Plans applied to the shipped model. The factors are those measured with NumPy and PyTorch when the model was made (24 windows of 256
//! bytes of the same text, exact SVD, all values that linear ops of the layers read): 3.62, 5.36 and 34.5 over 3.04.

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_mapper::WorkloadParams;
use dcom_model::{Method, Model, perplexity};
use dcom_trace::Decomposer;

use crate::support::{model, plan, treated, windows};

fn baseline(model: &Model, windows: &[Vec<u32>]) -> f64 {
    perplexity(model, windows, None).unwrap().value()
}

#[test]
fn perplexity_grows_by_the_known_factors() {
    let model = model();
    let windows = windows(&model, 0, 24);
    let baseline = baseline(&model, &windows);
    let cases = [
        ("[2, 5]", 3.62 / 3.04),
        ("[1, 3, 5]", 5.36 / 3.04),
        ("[0, 1, 2, 3, 4, 5, 6, 7]", 34.5 / 3.04),
    ];
    for (layers, expected) in cases {
        let found = treated(&model, &windows, &plan(layers, "rank = 10"), Method::Svd) / baseline;
        assert!(
            (found / expected - 1.0).abs() < 0.1,
            "{layers}: {found}, expected {expected}"
        );
    }
}

#[test]
fn lanczos_with_many_iterations_is_the_svd() {
    let model = model();
    let windows = windows(&model, 2560, 2);
    let svd = treated(&model, &windows, &plan("[2, 5]", "rank = 10"), Method::Svd);
    let all = treated(
        &model,
        &windows,
        &plan("[2, 5]", "rank = 10\niterations = 160"),
        Method::Lanczos,
    );
    assert!((all / svd - 1.0).abs() < 1e-4, "{all} and {svd}");
    let few = treated(
        &model,
        &windows,
        &plan("[2, 5]", "rank = 10"),
        Method::Lanczos,
    );
    assert!(
        (few / svd - 1.0).abs() > 1e-4,
        "ten iterations do not converge: {few} and {svd}"
    );
}

#[test]
fn the_machine_is_close_to_float64() {
    let model = model();
    let windows = windows(&model, 2560, 2);
    let plan = plan("[2, 5]", "rank = 10\niterations = 15");
    let float = treated(&model, &windows, &plan, Method::Lanczos);
    let arch = Arch::new(&ArchParams::parse(source("arch/dcom-paper.toml")).unwrap()).unwrap();
    let workload = WorkloadParams::parse(source("workloads/llama2-7b.toml")).unwrap();
    let machine = Method::Machine(Decomposer::new(&arch, workload).unwrap());
    let bits = treated(&model, &windows, &plan, machine);
    // fp16 storage and products against float64; the measured difference is below 0.1 %.
    assert!((bits / float - 1.0).abs() < 0.01, "{bits} and {float}");
    assert_ne!(bits, float);
}

fn source(name: &str) -> Source {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../configs")
        .join(name);
    Source::read(&path).unwrap()
}

#[test]
fn a_full_rank_changes_nothing() {
    let model = model();
    let windows = windows(&model, 0, 2);
    let found = treated(&model, &windows, &plan("[0, 4]", "rank = 256"), Method::Svd);
    assert!((found / baseline(&model, &windows) - 1.0).abs() < 1e-5);
    let weights = plan("[0, 4]", "rank = 256\nweight_rank = 160");
    let found = treated(&model, &windows, &weights, Method::Svd);
    assert!((found / baseline(&model, &windows) - 1.0).abs() < 1e-5);
}

#[test]
fn all_channels_as_exact_outliers_change_nothing() {
    let model = model();
    let windows = windows(&model, 0, 2);
    let all = plan("[0, 4]", "rank = 1\noutlier_percent = 100.0");
    let found = treated(&model, &windows, &all, Method::Svd);
    assert!(
        (found / baseline(&model, &windows) - 1.0).abs() < 1e-6,
        "{found}"
    );
}

#[test]
fn outliers_kept_exactly_help_and_decomposed_ones_help_less() {
    let model = model();
    let windows = windows(&model, 0, 4);
    let under = |more: &str| treated(&model, &windows, &plan("[0]", more), Method::Svd);
    let none = under("rank = 10");
    let exact = under("rank = 10\noutlier_percent = 5.0");
    let decomposed =
        under("rank = 10\noutlier_percent = 5.0\noutliers = \"decomposed\"\noutlier_rank = 1");
    assert!(
        exact < decomposed && decomposed < none,
        "{exact} {decomposed} {none}"
    );
}

#[test]
fn a_rank_one_weight_harms_the_model() {
    let model = model();
    let windows = windows(&model, 0, 2);
    let harmed = treated(
        &model,
        &windows,
        &plan("[4]", "rank = 256\nweight_rank = 1"),
        Method::Svd,
    );
    assert!(harmed > 1.05 * baseline(&model, &windows), "{harmed}");
}

/// Less is thrown away from one flow to the next: three projected values lose more than three decomposed ones, those more than untouched ones.
#[test]
fn the_flow_says_which_values_have_factors() {
    let model = model();
    let windows = windows(&model, 0, 4);
    let under = |flow: &str| {
        let text = format!(
            "name = \"t\"\n[flow]\nreturn_to_factors = \"{flow}\"\n[[layers]]\nindices = [3]\nrank = 10\n"
        );
        let plan = dcom_llm::Plan::parse("plan.toml", &text).unwrap();
        treated(&model, &windows, &plan, Method::Svd)
    };
    let (project, decompose, dense) = (under("project"), under("decompose"), under("dense"));
    assert!(
        project > decompose && decompose > dense && dense > baseline(&model, &windows),
        "{project} {decompose} {dense}"
    );
}
