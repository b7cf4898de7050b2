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

/// A layer of a model that runs becomes a trace, and the trace is what replay and calibrate read.
#[test]
fn what_is_recorded_can_be_calibrated_and_replayed() {
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
    let arch = text("configs/arch/dcom-paper.toml");
    let replay = ["replay", "made", "--arch", &arch, "--rank", "10"];
    let json = bench.json(&[&replay[..], &["--outliers", "rules.toml", "--json"]].concat());
    let activations = json["decompositions"].as_array().expect("a list");
    // Two prompts of four values each.
    assert_eq!(activations.len(), 8, "{json:#}");
    for activation in activations {
        let of = |way: &str, key: &str| activation["reconstruction"][way][key].as_f64();
        // Ten terms of bytes' activations leave something, never less than the best ten; exact outliers leave less.
        let (best, plain) = (
            of("plain", "best_rank_error"),
            of("plain", "relative_error"),
        );
        assert!(
            best > Some(0.0) && best <= plain && plain < Some(1.0),
            "{activation:#}"
        );
        assert!(of("extracted", "relative_error") < plain, "{activation:#}");
    }
    bench.refused(
        &with(&command, &args),
        &["made: is there already; give a new folder"],
    );
}

#[test]
fn a_study_is_a_sweep_over_plans() {
    let bench = Bench::new();
    let scenario =
        std::fs::read_to_string(project("configs/scenarios/tinyllama.toml")).expect("shipped");
    let configs = format!("\"{}/", text("configs"));
    bench.write(
        "scenario.toml",
        scenario.replace("\"configs/", &configs).as_bytes(),
    );
    let folder = text("crates/dcom-model/fixtures/tinyllama");
    let study = format!(
        "name = \"few\"\ncheckpoint = \"{folder}\"\ntext = \"{folder}/valid-a.txt\"\nscenario = \"scenario.toml\"\n\
         set.text.windows = 1\nset.plan.rank = 10\n[[axis]]\nkey = \"plan.layers\"\nvalues = [\"none\", \"2 5\"]\n"
    );
    bench.write("few.toml", study.as_bytes());
    let found = bench.ok(&["check", "few.toml"]);
    assert!(found.contains("study few of 2 points"), "{found}");
    let args = [
        "sweep",
        "few.toml",
        "--output",
        "out",
        "--set",
        "text.window=128",
    ];
    let found = bench.ok(&args);
    assert!(
        found.starts_with("out/few.csv\n") && found.ends_with("out/few.md\n"),
        "{found}"
    );
    let csv = std::fs::read_to_string(bench.path("out/few.csv")).expect("a table");
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((rows[1][0], rows[1][2]), ("none", "1"), "{csv}");
    assert!(rows[2][2].parse::<f64>().expect("a ratio") > 1.01, "{csv}");

    bench.refused(
        &["sweep", "few.toml", "--set", "plan.layers=all"],
        &["is on an axis of few.toml"],
    );
    bench.refused(
        &["sweep", "few.toml", "--set", "plan.rnak=1"],
        &["did you mean `plan.rank`?"],
    );
    bench.edit("few.toml", "2 5", "8");
    bench.refused(
        &["sweep", "few.toml"],
        &["layer 8: the model has layers 0 to 7"],
    );
    bench.edit("few.toml", "plan.layers", "plan.layer");
    bench.refused(
        &["sweep", "few.toml"],
        &["few.toml:8", "did you mean `plan.layers`?"],
    );
}
