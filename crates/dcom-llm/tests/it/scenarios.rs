//! Whole scenarios from shipped files.

use dcom_llm::{Evaluation, Gpu, Model, Plan, Scenario};

use crate::project;

fn scenario(set: &[(&str, &str)]) -> Scenario {
    let mut scenario =
        Scenario::read(&project("configs/scenarios/paper-table2.toml")).expect("shipped");
    for key in [
        "files.model",
        "files.gpu",
        "files.arch",
        "files.workload",
        "files.plan",
    ] {
        let path = match key {
            "files.model" => scenario.model.clone(),
            "files.gpu" => scenario.gpu.clone(),
            "files.arch" => scenario.arch.clone(),
            "files.workload" => scenario.workload.clone(),
            _ => scenario.plan.clone(),
        };
        let path = project(&path).display().to_string();
        scenario.set(key, &path).expect("a text");
    }
    for (key, value) in set {
        scenario.set(key, value).expect("in range");
    }
    scenario
}

fn evaluate(set: &[(&str, &str)]) -> Evaluation {
    let scenario = scenario(set);
    scenario
        .evaluate(&scenario.open().expect("shipped"))
        .expect("evaluates")
}

#[test]
fn every_shipped_file_is_legal() {
    for (folder, count) in [("models", 5), ("gpu", 3), ("plans", 1)] {
        let files = std::fs::read_dir(project(&format!("configs/{folder}"))).expect("shipped");
        let mut seen = 0;
        for file in files {
            let path = file.expect("an entry").path();
            let result = match folder {
                "models" => Model::read(&path).map(|_| ()).map_err(|e| e.to_string()),
                "gpu" => Gpu::read(&path).map(|_| ()).map_err(|e| e.to_string()),
                _ => Plan::read(&path).map(|_| ()).map_err(|e| e.to_string()),
            };
            assert_eq!(result, Ok(()), "{}", path.display());
            seen += 1;
        }
        assert!(seen >= count, "{seen} files in configs/{folder}");
    }
}

/// Without waiting, the GPUs' time is that of their ops, and the decomposition's is D-com's.
#[test]
fn hidden_decomposition_costs_the_gpus_nothing() {
    let run = evaluate(&[("system.policy", "hidden")]);
    let on_gpus: f64 = run
        .ops
        .iter()
        .filter(|op| !op.on_dcom)
        .map(|op| op.us)
        .sum();
    assert!((run.us() / on_gpus - 1.0).abs() < 1e-9);
    let on_dcom: f64 = run.ops.iter().filter(|op| op.on_dcom).map(|op| op.us).sum();
    assert!((run.dcom_us / on_dcom - 1.0).abs() < 1e-9);
}

/// One micro-batch cannot hide anything: its time is the sum.
#[test]
fn a_single_micro_batch_waits_for_every_decomposition() {
    let run = evaluate(&[("system.policy", "overlapped")]);
    let all: f64 = run.ops.iter().map(|op| op.us).sum();
    assert!((run.us() / all - 1.0).abs() < 1e-9);
    let dcom = run.schedule.machines.len() - 1;
    assert!((run.schedule.machines[0].waited_us[dcom] / run.dcom_us - 1.0).abs() < 1e-9);
}

/// Overlap is never slower than no overlap, never faster than the hidden bound of the same micro-batches; memory of its own is
/// never slower than a shared one.
#[test]
fn policies_are_ordered() {
    let at = |policy: &str, hbm: &str| {
        evaluate(&[
            ("system.policy", policy),
            ("system.hbm", hbm),
            ("batch.micro_batches", "4"),
        ])
        .us()
    };
    let (serial, overlapped, hidden) = (
        at("serial", "own"),
        at("overlapped", "own"),
        at("hidden", "own"),
    );
    assert!(
        hidden <= overlapped && overlapped <= serial,
        "{hidden} {overlapped} {serial}"
    );
    assert!(at("overlapped", "shared") >= overlapped);
}

/// Layers over four GPUs: one batch takes as long as one GPU, four micro-batches overlap.
#[test]
fn layers_over_gpus_need_micro_batches() {
    let at = |gpus: &str, parts: &str| {
        let set = [
            ("system.gpus", gpus),
            ("system.parallelism", "layers"),
            ("system.policy", "overlapped"),
            ("batch.micro_batches", parts),
            ("files.plan", "none"),
        ];
        evaluate(&set).us()
    };
    assert!((at("4", "1") / at("1", "1") - 1.0).abs() < 1e-9);
    assert!(at("4", "4") < 0.6 * at("4", "1"));
}

#[test]
fn mistakes_name_what_would_be_right() {
    let uneven = scenario(&[("batch.micro_batches", "3")]);
    let error = uneven.open().expect_err("64 / 3").to_string();
    assert!(
        error.contains("batch.micro_batches=3") && error.contains("not divided evenly"),
        "{error}"
    );
    let tiny = project("configs/models/tiny.toml").display().to_string();
    let error = scenario(&[("files.model", &tiny)])
        .open()
        .expect_err("layer 27 of 8")
        .to_string();
    assert!(
        error.ends_with("Tiny Llama has 8 layers, 0 to 7"),
        "{error}"
    );
}
