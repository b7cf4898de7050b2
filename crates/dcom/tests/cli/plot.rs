//! Plots of result files: the files asked for, or one error and none.

use crate::support::Bench;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write(
        "r.csv",
        b"f,time_us,status\n1,8,ok\n2,4,ok\n4,,infeasible\n",
    );
    bench.write(
        "line.toml",
        b"kind = \"line\"\nx = \"f\"\ny = \"time_us\"\n",
    );
    bench
}

#[test]
fn every_format_is_written_and_what_is_left_out_is_said() {
    let bench = bench();
    let said = bench.ok(&["plot", "r.csv", "--spec", "line.toml", "-o", "v1.2"]);
    let note = "1 of 3 rows are not drawn: 1 infeasible\n";
    assert_eq!(said, format!("{note}v1.2.svg\nv1.2.pdf\nv1.2.png\n"));
    for (name, start) in [
        ("v1.2.svg", &b"<svg"[..]),
        ("v1.2.pdf", b"%PDF"),
        ("v1.2.png", b"\x89PNG"),
    ] {
        let bytes = std::fs::read(bench.path(name)).expect("written");
        assert!(bytes.starts_with(start), "{name}");
    }
    let said = bench.ok(&["plot", "r.csv", "--spec", "line.toml", "--format", "pdf"]);
    assert_eq!(said, format!("{note}line.pdf\n"));
}

#[test]
fn a_misspelt_column_is_shown_in_its_line_and_nothing_is_written() {
    let bench = bench();
    bench.edit("line.toml", "time_us", "tim_us");
    let ran = bench.run(&["plot", "r.csv", "--spec", "line.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    let message = "line.toml:3: r.csv has no column `tim_us`; did you mean `time_us`?";
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
    assert!(!bench.path("line.svg").exists());
}
