//! Runs on the shipped model.

use dcom_quality::{QualityError, Report, Results, Study, run};

use crate::{AXES, on_disk};

fn results(study: &Study, folder: &std::path::Path) -> Result<Results, QualityError> {
    run(study, folder, false, &mut |_| {})
}

#[test]
fn full_rank_costs_no_quality_and_every_saving_is_of_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let study = on_disk(folder.path(), AXES);
    let found = results(&study, folder.path()).unwrap();
    assert_eq!(found.rows.len(), 4);
    let growth = |row: usize| {
        let row = &found.rows[row];
        row.quality.perplexity.unwrap() / row.original.perplexity.unwrap()
    };
    // 64 tokens have rank 64.
    assert!((growth(1) - 1.0).abs() < 1e-3, "{}", growth(1));
    assert!(
        growth(0) > 1.02 && growth(2) > growth(0),
        "{} {}",
        growth(0),
        growth(2)
    );
    let low = &found.rows[0].cost;
    let two = &found.rows[2].cost;
    let original = &found.rows[0].original_cost;
    // Two layers take twice the decompositions of one, in time and in energy, and save twice the memory.
    assert!((two.dcom_us / low.dcom_us - 2.0).abs() < 1e-9);
    assert!((two.dcom_j[0] / low.dcom_j[0] - 2.0).abs() < 1e-9);
    assert!(low.dcom_j[1] < low.dcom_j[0] && low.dcom_j[0] < low.dcom_j[2]);
    let saved = |bytes: u64| original.activation_bytes - bytes;
    assert_eq!(saved(two.activation_bytes), 2 * saved(low.activation_bytes));
    assert_eq!(original.dcom_us, 0.0);

    let report = Report::new("few", &found);
    let files = report
        .write(folder.path(), "cargo xtask sweep few.toml")
        .unwrap();
    assert_eq!(files.len(), 8);
    let csv = std::fs::read_to_string(folder.path().join("few.csv")).unwrap();
    assert!(
        csv.starts_with("plan.layers,plan.rank,perplexity,"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 5);
    // Nothing costs less memory than rank 4 in two layers; the original model is on the front, too.
    let page = std::fs::read_to_string(folder.path().join("few.md")).unwrap();
    let memory = page.split("## Perplexity and memory").nth(1).unwrap();
    let memory = memory.split("\n## ").next().unwrap();
    let rows: Vec<&str> = memory
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    assert!(rows[2].starts_with("| 1 5"), "{rows:?}");
    assert!(rows.iter().any(|row| row.starts_with("| none")), "{rows:?}");
}

#[test]
fn outliers_by_threshold_are_counted_and_paid_for() {
    let folder = tempfile::tempdir().unwrap();
    let one = AXES
        .replace("[\"2\", \"1 5\"]", "[\"2\"]")
        .replace("[4, 64]", "[4]");
    let mut study = on_disk(folder.path(), &one);
    let without = results(&study, folder.path()).unwrap().rows.remove(0);
    assert_eq!(without.quality.outlier_percent, Some(0.0));
    for (key, value) in [
        ("outliers.by", "threshold"),
        ("outliers.threshold", "1.0"),
        ("outliers.minimum_count", "8"),
    ] {
        study.set(key, value).unwrap();
    }
    let with = results(&study, folder.path()).unwrap().rows.remove(0);
    let percent = with.quality.outlier_percent.unwrap();
    assert!((0.1..60.0).contains(&percent), "{percent}");
    assert!(with.quality.perplexity < without.quality.perplexity);
    assert!(with.cost.activation_bytes > without.cost.activation_bytes);
}

#[test]
fn a_run_goes_on_where_it_ended_and_no_other_study_does() {
    let folder = tempfile::tempdir().unwrap();
    let study = on_disk(folder.path(), AXES);
    let part = folder.path().join("few.part");
    let mut kept = Vec::new();
    let whole = run(&study, folder.path(), false, &mut |progress| {
        if progress.done == 2 {
            kept = std::fs::read(&part).unwrap();
        }
    });
    let whole = whole.unwrap();
    assert!(!part.exists());
    // Killed in the middle of the second row.
    kept.truncate(kept.len() - 7);
    std::fs::write(&part, &kept).unwrap();
    let mut known = Vec::new();
    let again = run(&study, folder.path(), false, &mut |progress| {
        known.push(progress.known)
    });
    assert_eq!(again.unwrap().rows, whole.rows);
    assert_eq!(known, [1; 4]);

    std::fs::write(&part, &kept).unwrap();
    let mut other = study.clone();
    other.set("outliers.percent", "1").unwrap();
    let error = results(&other, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("few.part: was left by a run of another study"),
        "{error}"
    );
    assert!(run(&other, folder.path(), true, &mut |_| {}).is_ok());
}

#[test]
fn what_does_not_suit_the_model_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |from: &str, to: &str, expected: &str| {
        assert!(AXES.contains(from));
        let study = on_disk(folder.path(), &AXES.replace(from, to));
        let error = results(&study, folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!folder.path().join("few.part").exists());
    };
    refused("\"1 5\"", "\"1 8\"", "layer 8: the model has layers 0 to 7");
    refused(
        "\"1 5\"",
        "\"1, 5\"",
        "\"1,\": must be `none`, `all`, or numbers of layers",
    );
    refused(
        "windows = 1",
        "windows = 100000",
        "100000 windows of 64 tokens",
    );
}

#[test]
fn a_scenario_of_another_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let study = on_disk(folder.path(), AXES);
    let text = std::fs::read_to_string(&study.scenario).unwrap();
    let other = text.replace("models/tiny.toml", "models/llama-2-7b.toml");
    std::fs::write(&study.scenario, other).unwrap();
    let error = results(&study, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("the number of layers is 8 in the checkpoint"),
        "{error}"
    );
}
