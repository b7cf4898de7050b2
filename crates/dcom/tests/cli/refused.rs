//! Bad input: one error that names file, line, key, value and range; exit code 2; nothing written.

use crate::support::{
    Bench, f16_bytes, f32_bytes, npy, ramp, safetensors, safetensors_bytes, workload,
};

const RUN: &[&str] = &[
    "run",
    "--arch",
    "small.toml",
    "--workload",
    "tiny.toml",
    "--program",
    "p.bin",
];

fn set<'a>(values: &[&'a str]) -> Vec<&'a str> {
    let mut args = RUN.to_vec();
    for value in values {
        args.extend(["--set", value]);
    }
    args
}

fn decompose(file: &str) -> Vec<&str> {
    vec![
        "decompose",
        file,
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--rank",
        "2",
        "--output",
        "f.safetensors",
    ]
}

#[test]
fn unknown_and_missing_keys() {
    let bench = Bench::new();
    bench.edit("tiny.toml", "expansion_factor", "expansion_facter");
    bench.refused(
        RUN,
        &[
            "tiny.toml:12:1: ",
            "mapping.expansion_facter",
            "did you mean `mapping.expansion_factor`?",
        ],
    );
    bench.write(
        "tiny.toml",
        workload(2, 8).replace("rank = 3\n", "").as_bytes(),
    );
    bench.refused(RUN, &["tiny.toml:", "workload.rank", "missing", "1..=512"]);
    bench.write("tiny.toml", workload(2, 8).as_bytes());
    bench.edit("small.toml", "[network]", "[netwrok]");
    bench.refused(RUN, &["small.toml:", "netwrok", "did you mean"]);
}

#[test]
fn values_out_of_range() {
    let bench = Bench::new();
    for (bad, parts) in [
        (
            "rows = 0",
            &[
                "tiny.toml:3:8: ",
                "workload.rows = 0",
                "1..=16777216 (tokens)",
            ][..],
        ),
        (
            "rows = -24",
            &["tiny.toml:3:8: ", "workload.rows = -24", "1..="],
        ),
        ("rows = 24.5", &["workload.rows = 24.5", "an integer"]),
        ("rows = nan", &["workload.rows = nan", "an integer"]),
        (
            "rows = 99999999999999999999999",
            &["workload.rows = 9999", "1..="],
        ),
        ("rows = \"24\"", &["workload.rows", "without quotes"]),
        ("rows = [24]", &["workload.rows", "found an array"]),
        ("rows = ", &["tiny.toml:3:"]),
        ("rows = 24\nrows = 24", &["tiny.toml:4:", "duplicate key"]),
    ] {
        bench.write(
            "tiny.toml",
            workload(2, 8).replace("rows = 24", bad).as_bytes(),
        );
        bench.refused(RUN, parts);
    }
}

#[test]
fn numbers_that_are_none() {
    let bench = Bench::new();
    let text = std::fs::read_to_string(bench.path("small.toml")).expect("the machine");
    let at = text
        .find("bandwidth_gb_per_s = { value = ")
        .expect("a bandwidth")
        + "bandwidth_gb_per_s = { value = ".len();
    let end = at + text[at..].find(',').expect("a mark");
    for value in ["nan", "inf", "-inf", "-1.0", "1e300", "0"] {
        bench.write(
            "small.toml",
            format!("{}{value}{}", &text[..at], &text[end..]).as_bytes(),
        );
        bench.refused(
            RUN,
            &[
                "small.toml:",
                &format!("memory.bandwidth_gb_per_s = {value}"),
                "..=",
            ],
        );
    }
}

#[test]
fn overrides() {
    let bench = Bench::new();
    bench.refused(
        &set(&["mapping.expansion_factr=2"]),
        &[
            "--set mapping.expansion_factr=2",
            "did you mean `mapping.expansion_factor`?",
        ],
    );
    bench.refused(
        &set(&["array.colums=2"]),
        &["array.colums", "did you mean `array.columns`?"],
    );
    bench.refused(&set(&["nonsense=2"]), &["nonsense", "dcom parameters"]);
    bench.refused(
        &set(&["workload.rows=0"]),
        &["--set workload.rows=0", "1..=16777216 (tokens)"],
    );
    bench.refused(
        &set(&["memory.bandwidth_gb_per_s=NaN"]),
        &["memory.bandwidth_gb_per_s=NaN", "finite"],
    );
    bench.refused(
        &set(&["mapping.gram_schmidt=clasical"]),
        &["did you mean \"classical\"?"],
    );
    bench.refused(&set(&["workload.rows"]), &["key=value"]);
}

#[test]
fn programs_that_do_not_fit_the_machine() {
    let bench = Bench::new();
    bench.edit(
        "tiny.toml",
        "clusters_per_partition = 2",
        "clusters_per_partition = 5",
    );
    bench.refused(
        RUN,
        &[
            "tiny.toml:13:26: ",
            "mapping.clusters_per_partition = 5",
            "4 clusters",
        ],
    );
    bench.write("tiny.toml", workload(2, 8).as_bytes());
    bench.refused(
        &set(&["workload.rank=9"]),
        &["--set workload.rank=9", "iterations"],
    );
    // The key of the machine that is too small, with its place in the machine's file.
    bench.refused(
        &set(&["workload.rows=4000"]),
        &["small.toml:", "cluster.buffer_bytes = "],
    );
    bench.refused(
        &set(&["bank.columns=3"]),
        &["--set bank.columns=3", "an array of 2"],
    );
}

#[test]
fn absurd_sizes_are_refused_at_once() {
    let bench = Bench::new();
    bench.refused(
        &set(&["workload.rows=16777216", "workload.columns=16777216"]),
        &["cluster.buffer_bytes"],
    );
    let large = [
        "workload.rows=16777216",
        "workload.columns=16777216",
        "workload.iterations=512",
        "mapping.gram_schmidt_passes=4",
        "mapping.prompts_in_flight=64",
        "workload.prompts=1000000",
    ];
    bench.refused(&set(&large), &["workload.iterations", "instructions"]);
    bench.refused(
        &[&set(&["workload.prompts=1000000"])[..], &["--full"]].concat(),
        &["--full", "at most 10000000"],
    );
    // A header that promises 2^62 bytes, in a file of some hundred.
    bench.write("x.npy", &npy("<f2", "(2147483648, 1073741824)", &[0; 64]));
    bench.refused(
        &decompose("x.npy"),
        &["x.npy", "the file has 192 bytes", "4611686018427388032"],
    );
    let header = r#"{"t":{"dtype":"F16","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,64]}}"#;
    bench.write("x.safetensors", &safetensors(header, &[0; 64]));
    bench.refused(&decompose("x.safetensors"), &["x.safetensors"]);
}

#[test]
fn files_that_are_no_text() {
    let bench = Bench::new();
    bench.write("tiny.toml", b"[workload]\nname = \"caf\xe9\"\n");
    bench.refused(RUN, &["tiny.toml", "not UTF-8", "line 2"]);
    std::fs::remove_file(bench.path("tiny.toml")).expect("removable");
    bench.refused(RUN, &["tiny.toml", "no such file"]);
    std::fs::create_dir(bench.path("tiny.toml")).expect("a folder");
    bench.refused(RUN, &["tiny.toml", "is a directory"]);
    bench.write("large.toml", &vec![b'#'; 2 << 20]);
    bench.refused(
        &["run", "--arch", "large.toml", "--workload", "tiny.toml"],
        &["large.toml", "larger than"],
    );
}

#[test]
fn matrices_of_the_wrong_kind() {
    let bench = Bench::new();
    for (name, bytes, parts) in [
        (
            "int.npy",
            npy("<i4", "(2, 2)", &[0; 16]),
            &["int.npy", "i4", "accepted"][..],
        ),
        (
            "flat.npy",
            npy("<f2", "(4,)", &[0; 8]),
            &["flat.npy", "shape [4]", "[rows, cols]"],
        ),
        (
            "cube.npy",
            npy("<f2", "(2, 2, 2)", &[0; 16]),
            &["cube.npy", "shape [2, 2, 2]"],
        ),
        (
            "none.npy",
            npy("<f2", "(0, 4)", &[]),
            &["none.npy", "at least 1"],
        ),
        (
            "cut.npy",
            npy("<f2", "(4, 4)", &[0; 31]),
            &["cut.npy", "truncated"],
        ),
        (
            "long.npy",
            npy("<f2", "(4, 4)", &[0; 33]),
            &["long.npy", "161 bytes", "160"],
        ),
        (
            "nan.npy",
            npy("<f2", "(1, 2)", &f16_bytes(&[1.0, f32::NAN])),
            &["nan.npy", "NaN", "row 0, column 1"],
        ),
        (
            "inf.npy",
            npy("<f4", "(1, 2)", &f32_bytes(&[f32::INFINITY, 1.0])),
            &["inf.npy", "inf", "row 0, column 0"],
        ),
        (
            "big.npy",
            npy("<f4", "(1, 2)", &f32_bytes(&[1e6, 1.0])),
            &["big.npy", "1 values are beyond the fp16 range"],
        ),
        (
            "magic.npy",
            b"hello, world".to_vec(),
            &["magic.npy", "NUMPY"],
        ),
        ("empty.npy", Vec::new(), &["empty.npy"]),
        (
            "cut.safetensors",
            safetensors(
                r#"{"t":{"dtype":"F16","shape":[4,4],"data_offsets":[0,32]}}"#,
                &[0; 30],
            ),
            &["cut.safetensors", "truncated"],
        ),
        (
            "bytes.safetensors",
            safetensors(
                r#"{"t":{"dtype":"I8","shape":[4,4],"data_offsets":[0,16]}}"#,
                &[0; 16],
            ),
            &["bytes.safetensors", "I8"],
        ),
        (
            "text.safetensors",
            safetensors_bytes(b"{\"t\xff"),
            &["text.safetensors"],
        ),
        (
            "matrix.txt",
            b"1 2".to_vec(),
            &["matrix.txt", ".safetensors", ".npy"],
        ),
    ] {
        bench.write(name, &bytes);
        bench.refused(&decompose(name), parts);
        let checked = bench.run(&["check", name]);
        assert_eq!(checked.code, 2, "{name}: {}", checked.stdout);
        assert!(
            checked.stdout.starts_with("WRONG  ") && checked.stdout.contains(name),
            "{}",
            checked.stdout
        );
    }
    bench.refused(&decompose("."), &["directory"]);
    bench.refused(&decompose("gone.npy"), &["gone.npy", "no such file"]);
}

#[test]
fn wrong_choices_of_a_decomposition() {
    let bench = Bench::new();
    let base = decompose("a.npy");
    let with = |extra: &[&'static str]| [&base[..], extra].concat();
    bench.refused(
        &with(&["--iterations", "1"]),
        &["--iterations 1", "at least the rank, 2"],
    );
    bench.refused(&with(&["--iterations", "0"]), &["--iterations", "1..=512"]);
    bench.refused(
        &with(&["--set", "workload.rows=3"]),
        &["--set workload.rows", "a.npy"],
    );
    bench.refused(
        &with(&["--set", "workload.rowz=3"]),
        &["did you mean `workload.rows`?"],
    );
    let header = r#"{"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}}"#;
    bench.write("two.safetensors", &safetensors(header, &[0; 16]));
    bench.refused(
        &decompose("two.safetensors"),
        &["two.safetensors", "`a`, `b`"],
    );
    bench.refused(
        &[&decompose("two.safetensors")[..], &["--tensor", "c"]].concat(),
        &["no tensor `c`", "`a`, `b`"],
    );
    // Vectors too long for the small machine.
    bench.write(
        "tall.npy",
        &npy("<f2", "(4000, 2)", &f16_bytes(&ramp(4000, 2))),
    );
    bench.refused(
        &decompose("tall.npy"),
        &["small.toml:", "cluster.buffer_bytes"],
    );
}

#[test]
fn places_that_cannot_be_written() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("out")).expect("a folder");
    for (place, problem) in [
        ("out", "out: is a directory"),
        ("none/p.bin", "none: there is no such folder"),
        ("a.npy/p.bin", "a.npy: is not a folder"),
    ] {
        let run = [
            "run",
            "--arch",
            "small.toml",
            "--workload",
            "tiny.toml",
            "--program",
            place,
        ];
        bench.refused(&run, &[problem]);
        bench.refused(
            &[
                "timeline",
                "--arch",
                "small.toml",
                "--workload",
                "tiny.toml",
                "-o",
                place,
            ],
            &[problem],
        );
        bench.refused(
            &[
                "decompose",
                "a.npy",
                "--arch",
                "small.toml",
                "--rank",
                "2",
                "--output",
                place,
            ],
            &[problem],
        );
    }
}

#[test]
fn check_tells_every_wrong_file() {
    let bench = Bench::new();
    bench.edit(
        "small.toml",
        "[array]\ncolumns = { value = 2",
        "[array]\ncolumns = { value = 0",
    );
    bench.write("other.toml", b"[package]\nname = \"x\"\n");
    bench.write("sweep.toml", b"name = \"s\"\narch = \"a\"\nworkload = \"w\"\n[[axis]]\nkey = \"mapping.expansion\"\nvalues = [1]\n");
    let header = r#"{"activation":{"dtype":"F16","shape":[24,16],"data_offsets":[0,768]}}"#;
    bench.write(
        "x.safetensors",
        &safetensors(header, &f16_bytes(&ramp(24, 16))),
    );
    bench.write("manifest.toml", b"[trace]\nformat = 1\nlayer = 0\nsource = \"hand\"\n[model]\nname = \"m\"\nhidden = 17\nheads = 1\nkv_heads = 1\nhead_size = 17\nffn = 1\n[[prompt]]\nid = \"a\"\nlength = 24\n[[op]]\nname = \"x\"\nkind = \"input\"\nshape = [\"S\", 17]\ndtype = \"f16\"\n[[tensor]]\nop = \"x\"\nprompt = \"a\"\nfile = \"x.safetensors\"\nname = \"activation\"\n");
    let ran = bench.run(&[
        "check",
        "tiny.toml",
        "small.toml",
        "other.toml",
        "sweep.toml",
        "manifest.toml",
        "a.npy",
        ".",
    ]);
    assert_eq!(ran.code, 2);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{}", ran.stdout);
    for (line, part) in lines.iter().zip([
        "OK     tiny.toml: workload tiny, 2 x 24 x 16",
        "WRONG  small.toml:",
        "WRONG  other.toml: has the tables package",
        "WRONG  sweep.toml:5: ",
        "WRONG  manifest.toml:23:8: tensor.file = \"x.safetensors\": tensor `activation` has shape [24, 16], must be [24, 17]",
        "OK     a.npy: fp16 matrix of 24 x 16",
        "WRONG  .: is a directory",
    ]) {
        assert!(
            line.starts_with(part),
            "{line:?} does not start with {part:?}"
        );
    }
    assert!(
        lines[1].contains("array.columns = 0") && lines[1].contains("1..=1024"),
        "{}",
        lines[1]
    );
    assert!(
        ran.stderr.contains("5 of 7 files are wrong"),
        "{}",
        ran.stderr
    );
}

#[test]
fn usage_errors_have_the_same_exit_code() {
    let bench = Bench::new();
    for args in [
        &["run"][..],
        &["fly"],
        &[
            "run",
            "--arch",
            "small.toml",
            "--workload",
            "tiny.toml",
            "--json",
            "--csv",
        ],
        &[],
    ] {
        assert_eq!(bench.run(args).code, 2, "dcom {args:?}");
    }
}
