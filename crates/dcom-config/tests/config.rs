//! What a user of configuration files gets: messages, case by case, and the properties the rest of the project
//! builds on.
//!
//! `cases/KIND/*.toml` are files that must be refused; the `.txt` beside each holds the message and the help
//! (`UPDATE_EXPECT=1 cargo test -p dcom-config` rewrites them).

use std::fs;
use std::path::Path;

use dcom_config::{ConfigError, ErrorKind, Mark, Origin, SIZE_LIMIT_BYTES, Source};
use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

/// Where products are summed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Accumulate {
    Half,
    Mixed,
    Single,
}

dcom_config::schema! {
    /// A machine of few keys.
    struct Arch("arch", marks required) {
        /// Cluster columns of the array.
        "array.columns" columns: u32 in 1..=1024, unit "columns";
        /// Precision of products | sums.
        "cluster.accumulate" accumulate: choice<Accumulate> { Half: "m16a16", Mixed: "m16a32", Single: "x32" };
        /// Bandwidth of the off-chip memory.
        "memory.bandwidth" bandwidth: f64 in 0.001..=1e6, unit "GB/s", default 64.0;
        /// Whether loads overlap with computing.
        "mapping.overlap" overlap: bool, default false;
    }
}

dcom_config::schema! {
    /// A workload of few keys.
    struct Workload("workload", marks optional) {
        /// Name in results.
        "workload.name" name: text;
        /// Rows of the activations.
        "workload.rows" rows: u64 in 1..=u64::MAX, unit "rows";
        /// Power of two applied to the input.
        "mapping.shift" shift: i32 in -8..=8, default -1;
        /// Share of the columns used.
        "mapping.scale" scale: f64 in 0.0..=1.0, default 1;
        /// Attention heads.
        "model.attention.heads" heads: u32 in 1..=256, unit "heads", default 32;
        /// Rounding of the input.
        "model.rounding" rounding: choice<Accumulate> { Half: "h", Mixed: "m", Single: "s" }, default "m";
    }
}

const ARCH: &str = r#"
[array]
columns = { value = 16, mark = "given", source = "section 5.1" }
[cluster]
accumulate = { value = "x32", mark = "fitted", source = "figure 9" }
"#;

fn arch() -> Arch {
    Arch::parse(Source::new("small.toml", ARCH)).expect("ARCH is correct")
}

fn workload(text: &str) -> Workload {
    Workload::parse(Source::new("w.toml", text)).expect("a correct workload")
}

fn report(error: &ConfigError) -> String {
    let help = error.help().map(|help| format!("help: {help}\n"));
    format!("{error}\n{}", help.unwrap_or_default())
}

fn check(error: &ConfigError, expected: Expect) {
    expected.assert_eq(&report(error));
}

#[test]
fn wrong_files_are_refused_with_these_words() {
    type Parse = fn(Source) -> Result<(), ConfigError>;
    let kinds: [(&str, Parse); 2] = [
        ("arch", |source| Arch::parse(source).map(drop)),
        ("workload", |source| Workload::parse(source).map(drop)),
    ];
    for (kind, parse) in kinds {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/cases")
            .join(kind);
        let mut seen = 0;
        for entry in fs::read_dir(directory).expect("the cases") {
            let path = entry.expect("a case").path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let mut source = Source::read(&path).expect("a case is readable");
                source.name = path
                    .file_name()
                    .expect("a file")
                    .to_string_lossy()
                    .into_owned();
                let error = parse(source).expect_err(&format!("{} is wrong", path.display()));
                assert_eq!(error.to_string().lines().count(), 1, "{error}");
                expect_file![path.with_extension("txt")].assert_eq(&report(&error));
                seen += 1;
            }
        }
        assert!(seen > 10, "only {seen} cases of {kind}");
    }
}

#[test]
fn unreadable_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let read = |name: &str| {
        let error = Source::read(directory.path().join(name)).expect_err("unreadable");
        assert_eq!(error.kind(), ErrorKind::Read);
        error
            .to_string()
            .replace(&directory.path().display().to_string(), "DIR")
    };
    let limit = usize::try_from(SIZE_LIMIT_BYTES).expect("a small limit");
    fs::write(directory.path().join("latin1.toml"), b"# one\n# L\xf6sung").expect("written");
    fs::write(directory.path().join("large.toml"), vec![b'\n'; limit + 1]).expect("written");
    fs::write(directory.path().join("fits.toml"), vec![b'\n'; limit]).expect("written");

    let messages = ["none.toml", "", "latin1.toml", "large.toml"]
        .map(read)
        .join("\n");
    expect![[r#"
        DIR/none.toml: there is no such file
        DIR/: is a directory, not a TOML file
        DIR/latin1.toml: is not UTF-8: byte 9, on line 2, does not start a character
        DIR/large.toml: is larger than 1048576 bytes, the limit for configuration files"#]]
    .assert_eq(&messages);
    assert!(Source::read(directory.path().join("fits.toml")).is_ok());
}

#[test]
fn values_and_labels_are_read() {
    let arch = arch();
    assert_eq!(
        (arch.columns, arch.accumulate, arch.bandwidth, arch.overlap),
        (16, Accumulate::Single, 64.0, false)
    );

    let origin = arch.document().origin("columns");
    assert_eq!(
        (origin.mark(), origin.source()),
        (Some(Mark::Given), Some("section 5.1"))
    );
    let Origin::File {
        key_span,
        value_span,
        line,
        ..
    } = origin
    else {
        panic!("{origin:?}")
    };
    assert_eq!(
        (&ARCH[key_span], &ARCH[value_span], line),
        ("columns", "16", 3)
    );

    let default = arch.document().origin("memory.bandwidth");
    assert_eq!(
        (default.mark(), default.source()),
        (Some(Mark::Assumed), Some("default"))
    );
    let marks: Vec<_> = arch
        .entries()
        .iter()
        .map(|entry| (entry.path, entry.mark))
        .collect();
    assert_eq!(marks[1], ("cluster.accumulate", Some(Mark::Fitted)));
}

#[test]
fn all_forms_of_a_file_are_read_alike() {
    let forms = [
        "workload = { name = \"a\", rows = 0x1000 }\nmodel.attention.heads = 4\nmapping.scale = -0.0",
        "[mapping]\nscale = 0\n[model.attention]\nheads = 4\n[workload]\nrows = 4_096 # rows\nname = 'a'",
        "model.attention.heads = { value = 4, mark = \"given\", source = \"t\" }\nmapping.scale = 0e3\n\
         mapping.shift = -1\n[workload.rows]\nvalue = 4096\nmark = \"derived\"\nsource = \"t\"\n[workload.name]\n\
         value = \"a\"\nmark = \"given\"\nsource = \"t\"",
    ];
    for form in forms {
        let workload = workload(form);
        expect![[r#"
            mapping.scale=0.0
            mapping.shift=-1
            model.attention.heads=4
            model.rounding=m
            workload.name=a
            workload.rows=4096
        "#]]
        .assert_eq(&workload.canonical());
        // Computed with an independent FNV-1a: results of earlier versions stay comparable.
        assert_eq!(workload.hash(), "24073b072bbf3819");
    }
    let origin = |text| workload(text).document().origin("rows").mark();
    assert_eq!(origin(forms[0]), None);
    assert_eq!(origin(forms[2]), Some(Mark::Derived));
    assert_eq!(
        workload("[workload]\nname = 'a'\nrows = 18446744073709551615").rows,
        u64::MAX
    );
}

/// Test vectors of draft-eastlake-fnv, appendix C.
#[test]
fn hash_is_fnv1a() {
    let vectors = ["", "a", "foobar"].map(dcom_config::Document::hash);
    assert_eq!(
        vectors,
        ["cbf29ce484222325", "af63dc4c8601ec8c", "85944171f73967e8"]
    );
}

#[test]
fn overrides_replace_values() {
    let original = arch();
    let mut arch = original.clone();
    for (key, value) in [
        ("array.columns", "32"),
        ("array.columns", "8"),
        ("cluster.accumulate", "m16a16"),
        ("memory.bandwidth", "1e3"),
        ("mapping.overlap", "true"),
    ] {
        arch.set(key, value).expect("a correct override");
    }
    assert_eq!(
        (arch.columns, arch.accumulate, arch.bandwidth, arch.overlap),
        (8, Accumulate::Half, 1000.0, true)
    );
    let origin = arch.document().origin("array.columns");
    assert_eq!(origin, Origin::Set { text: "8" });
    assert_eq!(
        (origin.mark(), origin.source()),
        (Some(Mark::Assumed), Some("--set"))
    );
    assert_ne!(arch.hash(), original.hash());
    assert_eq!(
        original.hash(),
        self::arch().hash(),
        "clones are independent"
    );

    arch.set("array.columns", "16").expect("in range");
    arch.set("cluster.accumulate", "x32").expect("a name");
    arch.set("memory.bandwidth", "64").expect("in range");
    arch.set("mapping.overlap", "false").expect("a boolean");
    assert_eq!(
        arch.canonical(),
        original.canonical(),
        "overrides count as values of the file do"
    );
}

#[test]
fn wrong_overrides_change_nothing() {
    let mut arch = arch();
    let before = arch.canonical();
    let mut messages = String::new();
    for (key, value) in [
        ("array.columns", "0"),
        ("array.columns", "12.0"),
        (
            "array.columns",
            "-99999999999999999999999999999999999999999999",
        ),
        ("array.columns", "many"),
        ("array.columns", ""),
        ("memory.bandwidth", "NaN"),
        ("memory.bandwidth", "fast"),
        ("mapping.overlap", "yes"),
        ("cluster.accumulate", "m16a23"),
        ("columns", "8"),
        ("array.colums", "8"),
        ("array", "8"),
        ("nothing.like_it", "8"),
    ] {
        messages += &report(&arch.set(key, value).expect_err("a wrong override"));
    }
    expect![[r#"
        --set array.columns=0: must be in 1..=1024 (columns)
        --set array.columns=12.0: must be an integer in 1..=1024 (columns)
        help: write 12
        --set array.columns=-99999999999999999999999999999999999999999999: must be in 1..=1024 (columns)
        --set array.columns=many: must be an integer in 1..=1024 (columns)
        --set array.columns=: must be an integer in 1..=1024 (columns)
        --set memory.bandwidth=NaN: must be a finite number in 0.001..=1000000 (GB/s)
        --set memory.bandwidth=fast: must be a finite number in 0.001..=1000000 (GB/s)
        --set mapping.overlap=yes: must be true or false
        --set cluster.accumulate=m16a23: must be one of "m16a16", "m16a32", "x32"
        help: did you mean "m16a32"?
        --set columns=8: there is no key `columns` in the arch schema
        help: did you mean `array.columns`?
        --set array.colums=8: there is no key `array.colums` in the arch schema
        help: did you mean `array.columns`?
        --set array=8: there is no key `array` in the arch schema
        help: the keys of [array]: columns
        --set nothing.like_it=8: there is no key `nothing.like_it` in the arch schema
    "#]].assert_eq(&messages);
    assert_eq!(arch.canonical(), before);
    assert!(matches!(
        arch.document().origin("columns"),
        Origin::File { .. }
    ));
}

#[test]
fn rules_over_several_keys_point_at_a_key() {
    let mut arch = arch();
    let error = |arch: &Arch, key| {
        arch.error_at(key, "more than the memory feeds", Some("take 4".to_owned()))
    };
    check(
        &error(&arch, "columns"),
        expect![[r#"
        small.toml:3:21: array.columns = 16: more than the memory feeds
        help: take 4
    "#]],
    );
    check(
        &error(&arch, "memory.bandwidth"),
        expect![[r#"
        small.toml: memory.bandwidth = 64.0 (default): more than the memory feeds
        help: take 4
    "#]],
    );
    arch.set("array.columns", "1024").expect("in range");
    check(
        &error(&arch, "columns"),
        expect![[r#"
        --set array.columns=1024: more than the memory feeds
        help: take 4
    "#]],
    );
}

dcom_config::schema! {
    /// A schema that contradicts itself.
    struct Wrong("wrong", marks optional) {
        /// A key.
        "table.key" key: u32 in 1..=4, default 5;
    }
}

#[test]
#[should_panic(expected = "default of table.key = 5: must be in 1..=4")]
fn a_default_out_of_range_is_a_bug() {
    Wrong::parse(Source::new("w.toml", ""))
        .map(drop)
        .expect("the panic comes first");
}

#[test]
#[should_panic(expected = "the arch schema has no key or field `rows`")]
fn an_error_at_no_key_is_a_bug() {
    arch().error_at("rows", "message", None);
}

#[test]
fn diagnostics_show_the_line() {
    let error = Arch::parse(Source::new("small.toml", ARCH.replace("16,", "0,")))
        .expect_err("zero columns");
    let mut rendered = String::new();
    let handler = miette::NarratableReportHandler::new();
    handler
        .render_report(&mut rendered, &error)
        .expect("writing to a String");
    expect![[r#"
        small.toml:3:21: array.columns = 0: must be in 1..=1024 (columns)
            Diagnostic severity: error
        Begin snippet for small.toml starting at line 2, column 1

        snippet line 2: [array]
        snippet line 3: columns = { value = 0, mark = "given", source = "section 5.1" }
            label at line 3, column 21: must be in 1..=1024 (columns)
        snippet line 4: [cluster]
    "#]]
    .assert_eq(&rendered);
    assert_eq!(
        (error.key(), error.position()),
        (Some("array.columns"), Some((3, 21)))
    );
}

#[test]
fn reference_table_lists_the_schema() {
    expect![[r#"
        | Key | Type | Values | Unit | Default | Meaning |
        |---|---|---|---|---|---|
        | `array.columns` | integer | 1..=1024 | columns | required | Cluster columns of the array. |
        | `cluster.accumulate` | choice | "m16a16", "m16a32", "x32" | - | required | Precision of products \| sums. |
        | `memory.bandwidth` | number | 0.001..=1000000 | GB/s | `64.0` | Bandwidth of the off-chip memory. |
        | `mapping.overlap` | boolean | true, false | - | `false` | Whether loads overlap with computing. |
        | Key | Type | Values | Unit | Default | Meaning |
        |---|---|---|---|---|---|
        | `workload.name` | text | 1 to 200 characters | - | required | Name in results. |
        | `workload.rows` | integer | 1..=18446744073709551615 | rows | required | Rows of the activations. |
        | `mapping.shift` | integer | -8..=8 | - | `-1` | Power of two applied to the input. |
        | `mapping.scale` | number | 0..=1 | - | `1` | Share of the columns used. |
        | `model.attention.heads` | integer | 1..=256 | heads | `32` | Attention heads. |
        | `model.rounding` | choice | "h", "m", "s" | - | `m` | Rounding of the input. |
    "#]].assert_eq(&(Arch::reference_table() + &Workload::reference_table()));
    assert_eq!(Arch::keys().len(), 4);
}

/// Lines that are nearly right, so that random files reach beyond the syntax errors.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "array",
        "columns",
        "array.columns",
        "cluster",
        "accumulate",
        "workload.rows",
        "model.attention",
        "value",
        "mark",
        "source",
        "\"a.b\"",
        "ä",
        "",
    ]);
    let value = prop::sample::select(vec![
        "8",
        "-1",
        "0xff",
        "1e400",
        "nan",
        "\"x32\"",
        "\"\"",
        "'ö'",
        "true",
        "[1, 2]",
        "{}",
        "{ value = 8 }",
        "{ value = 8, mark = \"given\", source = \"s\" }",
        "2026-11-20",
        "99999999999999999999999999999999999999999",
        "\"\"\"\n\"\"\"",
        "{",
    ]);
    (key, value, 0..4).prop_map(|(key, value, form)| match form {
        0 => format!("[{key}]\n"),
        1 => format!("[[{key}]]\r\n"),
        _ => format!("{key} = {value}\n"),
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(lines in prop::collection::vec(line(), 0..12), noise in ".*", at in 0..200_usize) {
        let mut text = lines.concat();
        for text in [text.clone(), { text.insert_str(text.floor_char_boundary(at), &noise); text }] {
            for error in [
                Arch::parse(Source::new("a", text.as_str())).err(),
                Workload::parse(Source::new("w", text.as_str())).err(),
            ].into_iter().flatten() {
                prop_assert!(!error.to_string().contains('\n'), "{error}");
                let mut rendered = String::new();
                miette::NarratableReportHandler::new().render_report(&mut rendered, &error).expect("a String");
            }
        }
    }

    #[test]
    fn overrides_read_back(columns in 1..=1024_u32, bandwidth in 0.001..=1e6_f64, overlap: bool, rows in 1..=u64::MAX, shift in -8..=8_i32) {
        let mut arch = arch();
        arch.set("array.columns", &columns.to_string())?;
        arch.set("memory.bandwidth", &bandwidth.to_string())?;
        arch.set("mapping.overlap", &overlap.to_string())?;
        prop_assert_eq!((arch.columns, arch.bandwidth, arch.overlap), (columns, bandwidth, overlap));

        let mut set = workload("workload = { name = 'a', rows = 1 }");
        set.set("workload.rows", &rows.to_string())?;
        set.set("mapping.shift", &shift.to_string())?;
        let written = workload(&format!("workload = {{ name = 'a', rows = {rows} }}\nmapping.shift = {shift}"));
        prop_assert_eq!(set.hash(), written.hash());

        // Every canonical line is itself an override that changes nothing.
        let mut again = self::arch();
        for line in arch.canonical().lines() {
            let (key, value) = line.split_once('=').expect("key=value");
            again.set(key, value)?;
        }
        prop_assert_eq!(again.canonical(), arch.canonical());
    }

    #[test]
    fn overrides_of_any_text_do_not_panic(key in prop::sample::select(Arch::keys().iter().map(|key| key.path).collect::<Vec<_>>()), value in ".*", other in ".*") {
        let mut arch = arch();
        let before = arch.canonical();
        prop_assert!(arch.set(&other, &value).is_err());
        if arch.set(key, &value).is_err() {
            prop_assert_eq!(arch.canonical(), before);
        }
    }
}
