//! Conditions: what they mean, and what is said of wrong ones.

use dcom_sweep::{Expression, Names, Scalar};
use proptest::prelude::*;

/// The condition with every name at the same number.
fn holds(text: &str, number: f64) -> bool {
    let expression = Expression::parse(text, Names::KeysAndMetrics).expect(text);
    let value = Scalar::Number(number);
    expression.holds(|_| &value)
}

#[test]
fn operators_bind_as_in_arithmetic() {
    for (text, expected) in [
        ("1 + 2 * 3 == 7", true),
        ("(1 + 2) * 3 == 9", true),
        ("2 - 1 - 1 == 0", true),
        ("8 / 4 / 2 == 1", true),
        ("7 % 4 == 3 and 1 < 2", true),
        ("-2 < 1", true),
        ("1 == 2 or 2 == 2 and 3 == 3", true),
        ("(1 == 2 or 2 == 2) and 3 == 4", false),
        ("not 1 == 2", true),
        ("!(1 == 1)", false),
        ("3 in [1, 2, 3]", true),
        ("3 in [1, -3]", false),
        ("min(4, 2) == 2 && max(4, 2) == 4", true),
        (
            "log2(8) == 3 and abs(-1) == 1 and floor(1.5) == 1 and ceil(1.5) == 2",
            true,
        ),
        ("1_000 == 1e3", true),
        ("\"tree\" == 'tree'", true),
        ("true", true),
    ] {
        assert_eq!(holds(text, 0.0), expected, "{text}");
    }
    assert!(holds("time_us <= 450 and array.rows > 400", 450.0));
    assert!(!holds("time_us < 450", 450.0));
}

#[test]
fn wrong_conditions_name_column_and_remedy() {
    for (text, expected) in [
        (
            "",
            "column 1: expected a key, a number or a name in quotes, found the end",
        ),
        (
            "array.rows",
            "column 1: `array.rows` is an integer in 1..=1024 (clusters); a condition is a comparison, such as `array.rows <= 16`",
        ),
        (
            "1 <",
            "column 4: expected a key, a number or a name in quotes, found the end",
        ),
        ("1 = 1", "column 3: write `==` to compare"),
        (
            "1 < 2 < 3",
            "column 7: comparisons do not chain: write `a < b and b < c`",
        ),
        (
            "array.row == 2",
            "column 1: `array.row`: neither a key nor a metric; did you mean `array.rows`?",
        ),
        (
            "mapping.reduction < 2",
            "column 1: `mapping.reduction` is one of \"tree\", \"chain\"; `<` takes a number",
        ),
        (
            "mapping.reduction == 2",
            "column 19: a name compared with a number; `mapping.reduction` is one of \"tree\", \"chain\"",
        ),
        (
            "mapping.reduction == \"tre\"",
            "column 22: \"tre\": `mapping.reduction` is one of \"tree\", \"chain\"; did you mean \"tree\"?",
        ),
        ("(1 == 1", "column 8: expected `)`, found the end"),
        ("1 == 1 )", "column 8: unexpected `)`"),
        ("é == 1", "column 1: unexpected 'é'"),
        ("'é' == 'è' and #", "column 16: unexpected '#'"),
        ("1x == 1", "column 1: `1x` is no number"),
        (
            "sqrt(4) == 2",
            "column 1: `sqrt`: no function; there are min, max, abs, log2, floor, ceil",
        ),
        ("min(4) == 2", "column 1: `min` takes 2 numbers, not 1"),
    ] {
        let error = Expression::parse(text, Names::KeysAndMetrics).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    let error = Expression::parse("time_us < 3", Names::Keys).expect_err("a metric in `where`");
    assert_eq!(
        error.to_string(),
        "column 1: `time_us` is known only after a point is computed; write it as a `constraint`"
    );
    let deep = format!("{}1 == 1{}", "(".repeat(1000), ")".repeat(1000));
    assert!(
        Expression::parse(&deep, Names::Keys)
            .expect_err("deep")
            .message
            .contains("nested")
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "[-+*/%()<>=!&|a-c.0-9eé\"' ,\\[\\]]{0,40}") {
        drop(Expression::parse(&text, Names::KeysAndMetrics));
    }
}
