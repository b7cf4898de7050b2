//! Claims about models on GPUs and D-com, with numbers worked by hand.

mod equations;
mod gpu;
mod graphs;
mod measurements;
mod plans;
mod scenarios;
mod schedules;

use std::path::{Path, PathBuf};

use dcom_llm::{LayerPlan, Model, Outliers};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn model(name: &str) -> Model {
    Model::read(&project(&format!("configs/models/{name}.toml"))).expect("shipped")
}

fn rank(rank: u32) -> LayerPlan {
    LayerPlan {
        rank,
        iterations: rank,
        weight_rank: None,
        outlier_percent: 0.0,
        outliers: Outliers::Exact,
        outlier_rank: rank,
    }
}
