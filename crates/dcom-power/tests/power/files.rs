//! Technology files: what is refused, and the reference of their keys.

use dcom_config::{ErrorKind, Source};
use dcom_power::Technology;

use crate::{project, text};

#[test]
fn bad_files_get_one_clear_error() {
    let text = text("nangate15.toml");
    let line = |key: &str| {
        let table = text.find("[add16]").expect("a table");
        let at = table + text[table..].find(key).expect("a key");
        let end = at + text[at..].find('\n').expect("a line end");
        (
            text[at..end].to_owned(),
            1 + text[..at].matches('\n').count(),
        )
    };
    let (good, number) = line("area_um2");
    assert!(
        good.contains("low = 144.4") && good.contains("high = 193.4"),
        "{good}"
    );
    let bad = |from: &str, to: &str| {
        let changed = text.replacen(&good, &good.replacen(from, to, 1), 1);
        let error = Technology::parse(Source::new("bad.toml", changed)).expect_err(to);
        let message = error.to_string();
        assert!(
            message.starts_with(&format!("bad.toml:{number}:")),
            "{message}"
        );
        assert!(message.contains("add16.area_um2"), "{message}");
        (error.kind(), message)
    };
    let (kind, message) = bad("value = 152.6", "value = -1.0");
    assert!(
        kind == ErrorKind::OutOfRange && message.contains("0..=1000000"),
        "{message}"
    );
    let (_, message) = bad("high = 193.4", "high = inf");
    assert!(
        message.contains("add16.area_um2.high = inf") && message.contains("finite"),
        "{message}"
    );
    let (_, message) = bad("value = 152.6", "value = nan");
    assert!(message.contains("finite"), "{message}");
    let (_, message) = bad("low = 144.4", "low = 160.0");
    assert!(
        message.contains("add16.area_um2.low = 160.0: is above the value 152.6"),
        "{message}"
    );
    let (_, message) = bad("high = 193.4", "high = 150.0");
    assert!(message.contains("is below the value 152.6"), "{message}");
    let (kind, message) = bad("high = 193.4, ", "");
    assert!(
        kind == ErrorKind::Mark && message.contains("no `high`"),
        "{message}"
    );
    let missing = text.replacen(&good, "", 1);
    let error = Technology::parse(Source::new("bad.toml", missing)).expect_err("a missing key");
    assert_eq!(
        (error.kind(), error.key()),
        (ErrorKind::MissingKey, Some("add16.area_um2"))
    );
    let mut technology = Technology::nangate15();
    assert!(technology.set("add16.area_um2", "3..2..1").is_err());
    technology
        .set("add16.area_um2", "1..2..3")
        .expect("low..value..high");
    assert_eq!(
        (technology.add16_area.low, technology.add16_area.high),
        (1.0, 3.0)
    );
}

/// `docs/technology-parameters.md` (`UPDATE_EXPECT=1` rewrites it).
#[test]
fn the_reference_is_up_to_date() {
    let text = format!(
        "# Parameters of a technology\n\n\
         Keys of the files in `configs/tech`. Every value has a mark (given, derived, assumed, fitted) and a source, every\n\
         coefficient a low and a high. What they count is in `power.md`. Generated from `crates/dcom-power/src/technology.rs`;\n\
         the test `the_reference_is_up_to_date` of `dcom-power` compares it and rewrites it with `UPDATE_EXPECT=1`.\n\n{}",
        Technology::reference_table()
    );
    expect_test::expect_file![project("docs/technology-parameters.md")].assert_eq(&text);
}
