//! What sweep files mean, enumerated by hand, and what is said of wrong ones.

use proptest::prelude::*;

use crate::support::{points, root, space, spec};

#[test]
fn axes_are_crossed_and_the_last_one_is_fastest() {
    let space = space(
        "[[axis]]\nkeys = [\"array.columns\", \"array.rows\"]\nvalues = [[2, 2], [4, 1]]\n\
         [[axis]]\nkey = \"mapping.prefetch\"\nvalues = [0, 1, 2]\n",
    );
    let expected = [
        ["2", "2", "0"],
        ["2", "2", "1"],
        ["2", "2", "2"],
        ["4", "1", "0"],
        ["4", "1", "1"],
        ["4", "1", "2"],
    ];
    assert_eq!(points(&space), expected);
}

#[test]
fn ranges_hold_both_ends_and_round_over_integers() {
    let values = |key: &str, range: &str| {
        let space = space(&format!("[[axis]]\nkey = \"{key}\"\n{range}\n"));
        points(&space)
            .iter()
            .map(|row| row[0].to_owned())
            .collect::<Vec<_>>()
    };
    let rows = |range| values("workload.rows", range);
    assert_eq!(
        rows("linear = { from = 1, to = 10, step = 4 }"),
        ["1", "5", "9"]
    );
    assert_eq!(
        rows("linear = { from = 1, to = 10, points = 4 }"),
        ["1", "4", "7", "10"]
    );
    assert_eq!(
        rows("geometric = { from = 1, to = 64, factor = 4 }"),
        ["1", "4", "16", "64"]
    );
    // 1, 10^0.5 = 3.16, 10, 31.6, 100
    assert_eq!(
        rows("geometric = { from = 1, to = 100, points = 5 }"),
        ["1", "3", "10", "32", "100"]
    );
    // 1, 1.5, 2.25, 3.375 round to 1, 2, 2, 3
    assert_eq!(
        rows("geometric = { from = 1, to = 4, factor = 1.5 }"),
        ["1", "2", "3"]
    );
    assert_eq!(
        values(
            "memory.bandwidth_gb_per_s",
            "linear = { from = 0.1, to = 0.4, step = 0.1 }"
        ),
        ["0.1", "0.2", "0.3", "0.4"]
    );
}

#[test]
fn zipped_axes_advance_together_where_the_file_has_them() {
    let space = space(
        "[[zip]]\n[[zip.axis]]\nkey = \"array.columns\"\nvalues = [1, 2]\n[[zip.axis]]\nkey = \"array.rows\"\nlinear = { from = 4, to = 5, step = 1 }\n\
         [[axis]]\nkey = \"mapping.prefetch\"\nvalues = [0, 1]\n",
    );
    assert_eq!(
        points(&space),
        [
            ["1", "4", "0"],
            ["1", "4", "1"],
            ["2", "5", "0"],
            ["2", "5", "1"]
        ]
    );
}

#[test]
fn presets_leave_other_keys_as_the_files_have_them() {
    let space = space(
        "[preset.eager]\nmapping.prefetch = 4\n[preset.two]\nmapping.gram_schmidt_passes = 2\n[[axis]]\npresets = [\"eager\", \"two\"]\n",
    );
    let columns: Vec<&str> = space.columns().map(|column| column.name.as_str()).collect();
    assert_eq!(
        columns,
        ["preset", "mapping.prefetch", "mapping.gram_schmidt_passes"]
    );
    // paper-fig12.toml has prefetch = 1 and gram_schmidt_passes = 1.
    assert_eq!(points(&space), [["eager", "4", "1"], ["two", "1", "2"]]);
}

#[test]
fn where_leaves_points_out_by_keys_on_axes_and_off_them() {
    // The machine is 2 x 2, and g = 2: f g <= 4 leaves out f = 3; `placement` is on no axis and is "compact".
    let space = space(
        "where = [\"mapping.expansion_factor * mapping.clusters_per_partition <= array.columns * array.rows\", 'mapping.placement == \"compact\"']\n\
         constraint = \"time_us < 5\"\n",
    );
    assert!(space.contains(0));
    let axes = |condition: &str| {
        format!(
            "where = '{condition}'\n[[axis]]\nkey = \"mapping.prefetch\"\nvalues = [0, 1, 2, 3]\n"
        )
    };
    let kept = |condition: &str| {
        let space = crate::support::space(&axes(condition));
        points(&space).concat().concat()
    };
    assert_eq!(kept("mapping.prefetch * array.rows <= 4"), "012");
    assert_eq!(kept("mapping.placement != \"compact\""), "");
    assert_eq!(kept("not mapping.prefetch in [1, 2]"), "03");
}

/// Each class of mistake has one message with line, column, key and remedy.
#[test]
fn wrong_sweep_files_name_place_and_remedy() {
    let axis = |rest: &str| format!("[[axis]]\nkey = \"array.rows\"\n{rest}\n");
    let cases = [
        (
            "[[axis]]\nkey = \"mapping.expansion_facto\"\nvalues = [1]\n".to_owned(),
            "t.toml:13:7: `mapping.expansion_facto`: no key of machine, workload or technology; did you mean `mapping.expansion_factor`?",
        ),
        (
            axis("values = [4, \"eight\"]"),
            "t.toml:14:14: `array.rows` = \"eight\": must be an integer in 1..=1024 (clusters)",
        ),
        (
            axis("values = [\"8\"]"),
            "t.toml:14:11: `array.rows` = \"8\": write 8 without quotes",
        ),
        (
            axis("values = [0]"),
            "t.toml:14:11: `array.rows` = 0: must be in 1..=1024 (clusters)",
        ),
        (
            axis("values = []"),
            "t.toml:14:10: values = []: the axis over `array.rows` has at least one value",
        ),
        (
            "[[axis]]\nvalues = [1]\n".to_owned(),
            "t.toml:12:1: an axis has `key = \"...\"`, `keys = [\"...\", ...]` or `presets = [\"...\", ...]`",
        ),
        (
            "[[axis]]\nkeys = [\"array.rows\", \"array.columns\"]\nvalues = [[1]]\n".to_owned(),
            "t.toml:14:11: 1 values for 2 keys",
        ),
        (
            axis("values = [1]\n[[axis]]\nkey = \"array.rows\"\nvalues = [1]"),
            "t.toml:16:7: `array.rows` is on two axes",
        ),
        (
            axis("linear = { from = 4, to = 1, step = 1 }"),
            "t.toml:14:10: from = 4 is above to = 1; a range goes upwards",
        ),
        (
            axis("geometric = { from = 1, to = 4 }"),
            "t.toml:14:13: geometric = { from, to } with either `factor` or `points`",
        ),
        (
            "[[zip]]\n[[zip.axis]]\nkey = \"array.rows\"\nvalues = [1, 2]\n[[zip.axis]]\nkey = \"array.columns\"\nvalues = [1]\n".to_owned(),
            "t.toml:16:1: `array.rows` has 2 values and `array.columns` has 1: axes in a [[zip]] have equally many",
        ),
        (
            "where = \"array.rows = 2\"\n".to_owned(),
            "t.toml:12:21: where: write `==` to compare",
        ),
        (
            "[preset.fast]\nmapping.prefetch = 2\n[[axis]]\npresets = [\"fats\"]\n".to_owned(),
            "t.toml:15:12: `fats`: no such preset; did you mean `fast`?",
        ),
    ];
    for (axes, expected) in cases {
        // A condition is a key of the file itself and stands before the tables.
        let error = spec(&axes).expect_err("wrong");
        assert_eq!(error, expected, "{axes}");
    }
    let unknown = spec("axes = 3\n").expect_err("wrong");
    assert!(
        unknown.starts_with("t.toml:12:1: unknown field `axes`"),
        "{unknown}"
    );
    assert!(unknown.ends_with("did you mean `axis`?"), "{unknown}");
}

/// 10^12 points are one error, before anything is computed or laid out in memory.
#[test]
fn too_many_points_are_refused_before_anything_runs() {
    let axes: String = ["workload.rows", "workload.columns"]
        .iter()
        .map(|key| {
            format!("[[axis]]\nkey = \"{key}\"\nlinear = {{ from = 1, to = 1000000, step = 1 }}\n")
        })
        .collect();
    assert_eq!(
        spec(&axes).expect_err("10^12 points"),
        "t.toml:1:8: 1000000 x 1000000 = 1000000000000 points: at most 10000000 in one sweep; take fewer values, or zip axes"
    );
}

#[test]
fn shipped_sweeps_are_legal() {
    let folder = std::fs::read_dir(root().join("configs/sweeps")).expect("there is a folder");
    for entry in folder {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        // The study of a checkpoint is another kind of file (`dcom-quality`).
        if text.lines().any(|line| line.starts_with("checkpoint =")) {
            continue;
        }
        let spec = dcom_sweep::SweepSpec::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(spec.points() > 1, "{}", spec.name);
    }
}

proptest! {
    /// Whatever a file holds, it is read or refused.
    #[test]
    fn no_file_panics(
        pieces in proptest::collection::vec(prop_oneof![
            Just("[[axis]]\n"), Just("[[zip]]\n"), Just("[[zip.axis]]\n"), Just("[set]\n"), Just("[preset.a]\n"),
            Just("key = \"array.rows\"\n"), Just("keys = [\"array.rows\", \"array.columns\"]\n"), Just("keys = []\n"),
            Just("values = [1, 2]\n"), Just("values = [[1, 2], [3, 4]]\n"), Just("values = [[]]\n"), Just("values = [true, 1.5, \"x\"]\n"),
            Just("linear = { from = 1, to = 1e308, step = 1e-300 }\n"), Just("linear = { from = nan, to = inf, points = 3 }\n"),
            Just("geometric = { from = 1, to = 9, factor = 1.0000000001 }\n"), Just("geometric = { from = -1, to = 9, points = 18446744073709551615 }\n"),
            Just("presets = [\"a\"]\n"), Just("presets = []\n"), Just("name = \"status\"\n"), Just("array.rows = 4\n"), Just("array = 4\n"),
            Just("where = \"array.rows < 3\"\n"), Just("where = [\"\u{e9}\", 'é é = 3']\n"), Just("constraint = \"time_us < (((\"\n"), Just("\u{0}"), Just("é = "),
        ], 0..12),
        junk in ".{0,20}",
    ) {
        let text = pieces.concat();
        drop(spec(&text));
        drop(spec(&(text + &junk)));
    }
}
