//! The shipped model and its text.

use std::path::{Path, PathBuf};

use dcom_llm::Plan;
use dcom_model::{Device, Method, Model, OutlierChoice, Treatment, Windows, perplexity};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tinyllama")
}

pub(crate) fn model() -> Model {
    Model::open(&folder(), Device::Cpu).expect("the shipped model")
}

/// So many windows of 256 bytes of the held-out text.
pub(crate) fn windows(model: &Model, offset: usize, count: usize) -> Vec<Vec<u32>> {
    let text = std::fs::read(folder().join("valid-a.txt")).expect("the shipped text");
    let windows = Windows {
        length: 256,
        offset,
        count: Some(count),
    };
    windows
        .cut(&model.tokens().encode(&text, false).unwrap())
        .unwrap()
}

/// Every value that linear ops of these layers read gets factors of its own.
pub(crate) fn plan(layers: &str, more: &str) -> Plan {
    let text = format!(
        "name = \"test\"\n[flow]\nreturn_to_factors = \"decompose\"\n[[layers]]\nindices = {layers}\n{more}\n"
    );
    Plan::parse("plan.toml", &text).unwrap()
}

/// Perplexity of windows under a plan.
pub(crate) fn treated(model: &Model, windows: &[Vec<u32>], plan: &Plan, method: Method<'_>) -> f64 {
    let treatment = Treatment::new(plan, method, OutlierChoice::default());
    perplexity(model, windows, Some(&treatment))
        .unwrap()
        .value()
}
