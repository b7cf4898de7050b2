//! Studies on the shipped model: what a file may say, what a run computes, what survives its end.

mod file;
mod results;

use std::path::{Path, PathBuf};

use dcom_config::Source;
use dcom_quality::Study;

/// A file of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// A study of the shipped model; `more` follows its top.
fn study(more: &str) -> String {
    let text = |path: &str| format!("{:?}", project(path).display().to_string());
    format!(
        r#"name = "few"
checkpoint = {}
text = {}
scenario = "scenario.toml"
{more}
"#,
        text("crates/dcom-model/fixtures/tinyllama"),
        text("crates/dcom-model/fixtures/tinyllama/valid-a.txt"),
    )
}

/// One window of 64 bytes under four plans.
const AXES: &str = r#"
[set]
text.window = 64
text.windows = 1
plan.return_to_factors = "decompose"
[[axis]]
key = "plan.layers"
values = ["2", "1 5"]
[[axis]]
key = "plan.rank"
values = [4, 64]
"#;

fn parsed(text: &str) -> Result<Study, String> {
    Study::parse(Source::new("few.toml", text)).map_err(|error| error.to_string())
}

/// The shipped scenario with absolute paths, for two prompts of 64 tokens, and a study that uses it.
fn on_disk(folder: &Path, more: &str) -> Study {
    let text = std::fs::read_to_string(project("configs/scenarios/tinyllama.toml")).unwrap();
    let here = format!("\"{}/configs/", project("").display());
    let mut text = text.replace("\"configs/", &here);
    for (from, to) in [
        ("prompts = { value = 1024", "prompts = { value = 2"),
        ("tokens = { value = 256", "tokens = { value = 64"),
        ("micro_batches = { value = 8", "micro_batches = { value = 1"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let scenario = folder.join("scenario.toml");
    std::fs::write(&scenario, text).unwrap();
    let mut study = parsed(&study(more)).unwrap();
    study.scenario = scenario;
    study
}
