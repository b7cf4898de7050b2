//! The file of a study.

use crate::{AXES, parsed, project, study};

#[test]
fn points_are_the_crossed_axes_the_last_one_fastest() {
    let study = parsed(&study(AXES)).unwrap();
    assert_eq!(study.points(), 4);
    let points: Vec<Vec<&str>> = (0..4).map(|point| study.values(point)).collect();
    assert_eq!(
        points,
        [["2", "4"], ["2", "64"], ["1 5", "4"], ["1 5", "64"]]
    );
    let together = "[[axis]]\nkeys = [\"plan.layers\", \"plan.rank\", \"outliers.percent\"]\nvalues = [[\"all\", 1, 4], [\"2\", 10, 2.5]]";
    let study = parsed(&crate::study(together)).unwrap();
    assert_eq!(study.values(1), ["2", "10", "2.5"]);
}

#[test]
fn the_shipped_studies_are_right() {
    for (file, points) in [("quality", 24), ("paper-table2", 13), ("paper-table3", 13)] {
        let path = project(&format!("configs/sweeps/{file}.toml"));
        let study = dcom_quality::Study::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((study.name.as_str(), study.points()), (file, points));
    }
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (more, expected) in [
        (
            "[[axis]]\nkey = \"plan.rnak\"\nvalues = [1]",
            "axis.key = \"plan.rnak\": unknown key",
        ),
        (
            "[[axis]]\nkey = \"plan.rank\"\nvalues = [0]",
            "must be in 1..=512",
        ),
        (
            "[[axis]]\nkey = \"plan.rank\"\nvalues = []",
            "at least one key and one value",
        ),
        ("[[axis]]\nvalues = [1]", "an axis has `key = "),
        (
            "[[axis]]\nkeys = [\"plan.rank\", \"plan.layers\"]\nvalues = [1]",
            "must be a list of 2 values, one per key",
        ),
        ("[set]\nplan.by = \"magic\"", "must be"),
        ("[set]\nfiles.plan = \"x\"", "unknown key"),
        ("[set]\nplan.rank = 1", "`plan.layers` is missing"),
        (
            "[set]\nplan.rank = 1\n[[axis]]\nkey = \"plan.rank\"\nvalues = [1]",
            "`plan.rank` is set twice",
        ),
        ("axes = 1", "axes: unknown key"),
    ] {
        let error = parsed(&study(more)).expect_err(more);
        assert!(
            error.contains(expected) && error.contains("few.toml"),
            "{more}: {error}"
        );
    }
    let nothing = study(AXES).replace("text =", "# text =");
    assert!(parsed(&nothing).unwrap_err().contains("nothing to measure"));
}

#[test]
fn what_is_on_an_axis_cannot_be_overridden() {
    let mut study = parsed(&study(AXES)).unwrap();
    study.set("outliers.percent", "3").unwrap();
    study.set("text.window", "32").unwrap();
    for (key, value, expected) in [
        ("plan.rank", "3", "is on an axis of few.toml"),
        ("plan.more_iterations", "-1", "0..=512"),
        ("plan.ranks", "1", "did you mean `plan.rank`?"),
    ] {
        let error = study.set(key, value).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

/// `docs/study-parameters.md` (`UPDATE_EXPECT=1` rewrites it).
#[test]
fn the_reference_lists_all_keys() {
    let text = format!(
        "# Keys of a study\n\nGenerated from `dcom-quality`. What a study is: [quality.md](quality.md). Beside these, every key of a scenario but its model and plan: \
         `dcom parameters scenario`.\n\n{}",
        dcom_quality::Setting::reference_table()
    );
    expect_test::expect_file![project("docs/study-parameters.md")].assert_eq(&text);
}
