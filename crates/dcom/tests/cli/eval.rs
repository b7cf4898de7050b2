//! `dcom eval` and `dcom record`, on the shipped byte model.

use serde_json::Value;

use crate::support::{Bench, project};

fn text(path: &str) -> String {
    project(path).display().to_string()
}

fn model() -> [String; 2] {
    [
        "--model".to_owned(),
        text("crates/dcom-model/fixtures/tinyllama"),
    ]
}

fn with<'a>(command: &[&'a str], more: &'a [String]) -> Vec<&'a str> {
    let more = more.iter().map(String::as_str);
    command.iter().copied().chain(more).collect()
}

#[test]
fn a_plan_multiplies_the_perplexity() {
    let bench = Bench::new();
    let mut args = model().to_vec();
    args.extend([
        "--text".to_owned(),
        text("crates/dcom-model/fixtures/tinyllama/valid-a.txt"),
    ]);
    args.extend([
        "--plan".to_owned(),
        text("configs/plans/tinyllama-2-5.toml"),
    ]);
    let few = ["eval", "perplexity", "--windows", "4", "--json"];
    let json: Value = serde_json::from_str(&bench.ok(&with(&few, &args))).expect("JSON");
    let of = |key: &str| json[key]["perplexity"].as_f64().expect("a number");
    let ratio = of("planned") / of("original");
    assert!((1.05..1.4).contains(&ratio), "{json}");
    assert_eq!(
        (json["window"].as_u64(), json["by"].as_str()),
        (Some(256), Some("svd"))
    );

    // Without an arch the machine is unknown; with one, only --by machine uses it.
    let machine = ["eval", "perplexity", "--windows", "1", "--by", "machine"];
    bench.refused(&with(&machine, &args), &["--by machine: needs --arch"]);
    let many = ["eval", "perplexity", "--windows", "10000"];
    bench.refused(
        &with(&many, &args),
        &["10000 windows of 256 tokens", "enough for 609 windows"],
    );
}

#[test]
fn choices_are_counted() {
    let bench = Bench::new();
    let lines = "{\"question\": \"Which type is it?\", \"choices\": [\"zzqj kkxv\", \"a string\"], \"answer\": 1}\n";
    std::fs::write(bench.path("questions.jsonl"), lines).expect("written");
    let command = ["eval", "choices", "--jsonl", "questions.jsonl"];
    let found = bench.ok(&with(&command, &model()));
    assert!(
        found.contains("1 questions of questions.jsonl") && found.contains("100.0"),
        "{found}"
    );
    std::fs::write(bench.path("questions.jsonl"), "{}").expect("written");
    bench.refused(
        &with(&command, &model()),
        &["questions.jsonl:1: there is no \"question\""],
    );
}

#[test]
fn what_is_recorded_can_be_calibrated() {
    let bench = Bench::new();
    let mut args = model().to_vec();
    args.extend([
        "--text".to_owned(),
        text("crates/dcom-model/fixtures/tinyllama/valid-a.txt"),
    ]);
    let command = [
        "record",
        "--layer",
        "5",
        "--windows",
        "2",
        "--window",
        "64",
        "--output",
        "made",
    ];
    let found = bench.ok(&with(&command, &args));
    assert!(found.contains("layer 5, 2 prompts, 15 matrices"), "{found}");
    bench.ok(&["calibrate", "made", "--output", "rules.toml"]);
    let rules = std::fs::read_to_string(bench.path("rules.toml")).expect("rules");
    assert_eq!(rules.matches("[[outliers]]").count(), 4);
    bench.refused(
        &with(&command, &args),
        &["made: is there already; give a new folder"],
    );
}
