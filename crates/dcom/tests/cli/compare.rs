//! `dcom compare` and `dcom generate`.

use serde_json::Value;

use crate::support::Bench;

fn compared(bench: &Bench, extra: &[&str]) -> Value {
    let mut args = vec!["compare", "x.npy", "--rank", "4", "--json"];
    args.extend(extra);
    let ran = bench.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn generated(rows: &str, columns: &str, extra: &[&str]) -> Bench {
    let bench = Bench::new();
    let mut args = vec!["generate", "activation", rows, columns, "x.npy"];
    args.extend(extra);
    let ran = bench.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    bench
}

/// The outcome of an algorithm with so many vectors; blocks of 4, one power iteration.
fn outcome<'a>(json: &'a Value, algorithm: &str, iterations: u64) -> &'a Value {
    let outcomes = json["outcomes"].as_array().expect("a list");
    let found = outcomes.iter().find(|o| {
        let c = &o["candidate"];
        c["algorithm"] == algorithm
            && c["iterations"] == iterations
            && (algorithm != "block_golub_kahan" || c["block_size"] == 4)
            && (algorithm != "randomized" || c["power_iterations"] == 1)
    });
    found.expect("every algorithm is tried")
}

#[test]
fn errors_and_reads_are_those_of_the_algorithms() {
    let bench = generated("96", "128", &["--point", "residual-massive"]);
    let json = compared(&bench, &[]);
    let best = json["best_rank_error"].as_f64().expect("a number");
    // K = 9: 2 K - 1, K, three blocks, and one power iteration.
    for (algorithm, reads) in [
        ("golub_kahan", 17.0),
        ("one_read", 9.0),
        ("block_golub_kahan", 5.0),
        ("randomized", 4.0),
    ] {
        let outcome = outcome(&json, algorithm, 9);
        assert_eq!(outcome["reads"].as_f64(), Some(reads), "{algorithm}");
        let error = outcome["relative_error"].as_f64().expect("finite");
        assert!(
            error >= best * (1.0 - 1e-3) && error < 1.1 * best + 2e-3,
            "{algorithm}: {error}, best {best}"
        );
    }
}

/// One algorithm alone, by `run` and `decompose`, has the cycles and the error of the comparison.
#[test]
fn cycles_and_errors_are_those_of_decompose() {
    let bench = generated("64", "96", &[]);
    let json = compared(&bench, &[]);
    for algorithm in ["golub_kahan", "one_read"] {
        let paper = crate::support::project("configs/arch/dcom-paper.toml");
        let ran = bench.run(&[
            "decompose",
            "x.npy",
            "--arch",
            paper.to_str().expect("UTF-8"),
            "--rank",
            "4",
            "--set",
            &format!("workload.algorithm={algorithm}"),
            "--json",
        ]);
        let single: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let outcome = outcome(&json, algorithm, 9);
        assert_eq!(single["cycles"], outcome["cycles"], "{algorithm}");
        assert_eq!(
            single["relative_error"], outcome["relative_error"],
            "{algorithm}"
        );
    }
}

#[test]
fn seeds_make_matrices() {
    let read = |extra: &[&str]| {
        let bench = generated("8", "16", extra);
        std::fs::read(bench.path("x.npy")).expect("written")
    };
    assert_eq!(read(&["--seed", "3"]), read(&["--seed", "3"]));
    assert_ne!(read(&["--seed", "3"]), read(&["--seed", "4"]));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let bench = generated("8", "16", &[]);
    let ran = bench.run(&["compare", "x.npy", "--rank", "9"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("8 x 16"), "{}", ran.stderr);
    let ran = bench.run(&[
        "compare",
        "x.npy",
        "--rank",
        "4",
        "--set",
        "workload.rows=3",
    ]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("workload.rows"), "{}", ran.stderr);
    let ran = bench.run(&["compare", "missing.npy", "--rank", "4"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("missing.npy"), "{}", ran.stderr);
}

#[test]
fn the_plot_is_written() {
    let bench = generated("32", "48", &[]);
    let ran = bench.run(&["compare", "x.npy", "--rank", "2", "--plot", "plot.svg"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let svg = std::fs::read_to_string(bench.path("plot.svg")).expect("written");
    assert!(svg.contains("one read"));
}
