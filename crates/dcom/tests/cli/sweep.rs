//! Sweeps from the command line: killed, stopped, previewed, cached.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Bench, project};

/// A sweep of 40 x 25 x 10 = 10^4 points over the small machine, of which some do not fit.
const BIG: &str = "name = \"big\"\narch = \"small.toml\"\nworkload = \"tiny.toml\"\n\
    [[axis]]\nkey = \"workload.rows\"\nlinear = { from = 4, to = 43, step = 1 }\n\
    [[axis]]\nkey = \"memory.bandwidth_gb_per_s\"\ngeometric = { from = 1, to = 100, points = 25 }\n\
    [[axis]]\nkey = \"workload.iterations\"\nlinear = { from = 3, to = 12, step = 1 }\n";

fn start(bench: &Bench, args: &[&str]) -> Child {
    let mut command = bench.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the command starts")
}

/// 100 kills at random moments while rows are being written; none loses a row, and the end is that of the uninterrupted run.
/// Moments: a multiplicative generator (Lehmer, modulus 2^31 - 1, factor 48271), seed 1.
fn survives_kills(cache: &[&str], output: &str) {
    let bench = Bench::new();
    bench.write("big.toml", BIG.as_bytes());
    bench.write("tiny.toml", crate::support::workload(2, 8).as_bytes());
    let begin = Instant::now();
    bench.ok(&["sweep", "big.toml", "--no-cache", "--output", "whole"]);
    let whole = std::fs::read(bench.path("whole/big.csv")).expect("the result");
    assert_eq!(rows_of(&whole), 10_001);
    // Short enough that several kills fall into one run, long enough that rows are written before most of them.
    let most = u64::try_from(begin.elapsed().as_micros()).expect("short") / 20;
    let args = [&["sweep", "big.toml", "--output", output], cache].concat();
    let mut seed = 1u64;
    let (mut kills, mut attempts, mut rows) = (0, 0, 0);
    while kills < 100 {
        attempts += 1;
        assert!(
            attempts < 2000,
            "{kills} of {attempts} kills hit a sweep that was writing rows"
        );
        let mut child = start(&bench, &args);
        seed = seed * 48_271 % 0x7FFF_FFFF;
        sleep(Duration::from_micros(seed % most.max(2000)));
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        if bench.path(&format!("{output}/big.csv")).exists() {
            // It was done before the kill: begin again, without what the cache knows.
            std::fs::remove_dir_all(bench.path(output)).expect("removable");
            std::fs::remove_dir_all(bench.path("cache")).unwrap_or_default();
            rows = 0;
            continue;
        }
        let left = part(&bench, output).map_or(0, |path| {
            rows_of(&std::fs::read(path).expect("what is left"))
        });
        assert!(left >= rows, "{rows} rows became {left}");
        kills += u32::from(left > rows);
        rows = left;
    }
    bench.ok(&args);
    let resumed = std::fs::read(bench.path(&format!("{output}/big.csv"))).expect("the result");
    assert!(resumed == whole, "the resumed result differs");
}

/// Whole lines.
fn rows_of(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// The unfinished result in a folder.
fn part(bench: &Bench, folder: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(bench.path(folder)).ok()?;
    let mut files = entries.map(|entry| entry.expect("an entry").path());
    files.find(|path| path.to_string_lossy().ends_with(".part"))
}

#[test]
fn a_hundred_kills_lose_and_change_nothing() {
    survives_kills(&["--no-cache"], "killed");
}

#[test]
fn a_hundred_kills_while_the_cache_is_written_lose_and_change_nothing() {
    survives_kills(&["--cache", "cache"], "killed");
}

/// Ctrl-C ends within a moment, with the shell's exit code, and the same command goes on.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_at_once_and_keeps_rows() {
    let bench = Bench::new();
    bench.write("big.toml", BIG.as_bytes());
    bench.ok(&["sweep", "big.toml", "--no-cache", "--output", "whole"]);
    let mut child = bench
        .command(&[
            "sweep",
            "big.toml",
            "--no-cache",
            "--output",
            "cut",
            "--threads",
            "1",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let long = |path: PathBuf| path.metadata().is_ok_and(|m| m.len() > 10_000);
    while !part(&bench, "cut").is_some_and(long) {
        sleep(Duration::from_millis(1));
    }
    let asked = Instant::now();
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    let status = child.wait().expect("it ends");
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(status.code(), Some(130));
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut said)
        .expect("text");
    assert!(
        said.contains("the same command goes on from there"),
        "{said}"
    );
    bench.ok(&["sweep", "big.toml", "--no-cache", "--output", "cut"]);
    let read = |name: &str| std::fs::read(bench.path(name)).expect("the result");
    assert!(read("cut/big.csv") == read("whole/big.csv"));
}

#[test]
fn the_second_run_is_from_the_cache_and_the_cache_can_be_cleared() {
    let bench = Bench::new();
    bench.write(
        "s.toml",
        BIG.replace("points = 25", "points = 2").as_bytes(),
    );
    let preview = bench.ok(&["sweep", "s.toml", "--dry-run", "--cache", "c"]);
    assert!(
        preview.starts_with(
            "800 points, 0 left out by `where`, 0 in the cache\npoint 0: workload.rows=4 "
        ),
        "{preview}"
    );
    let first = bench.ok(&["sweep", "s.toml", "--cache", "c", "--output", "1"]);
    let second = bench.ok(&["sweep", "s.toml", "--cache", "c", "--output", "2"]);
    assert!(first.starts_with("800 points (800 computed"), "{first}");
    assert!(
        second.starts_with("800 points (0 computed, 800 from the cache"),
        "{second}"
    );
    let read = |name: &str| std::fs::read(bench.path(name)).expect("the result");
    assert!(read("1/big.csv") == read("2/big.csv"));
    let info = bench.ok(&["cache", "info", "--cache", "c"]);
    assert!(info.contains("(this one): 800 points"), "{info}");
    assert_eq!(
        bench.ok(&["cache", "list", "--cache", "c"]).lines().count(),
        801
    );
    bench.ok(&["cache", "clear", "--cache", "c"]);
    assert!(
        bench
            .ok(&["sweep", "s.toml", "--dry-run", "--cache", "c"])
            .contains(", 0 in the cache")
    );
}

#[test]
fn wrong_sweeps_are_refused_before_anything_is_written() {
    let bench = Bench::new();
    bench.write("big.toml", BIG.as_bytes());
    bench.edit("big.toml", "workload.rows", "workload.row");
    bench.refused(
        &["sweep", "big.toml", "--no-cache"],
        &["big.toml:5", "did you mean `workload.rows`?"],
    );
    bench.edit("big.toml", "workload.row\"", "workload.rows\"");
    bench.refused(
        &[
            "sweep",
            "big.toml",
            "--no-cache",
            "--set",
            "workload.rows=3",
        ],
        &["--set workload.rows=3: `workload.rows` is on an axis of big.toml"],
    );
    bench.refused(
        &[
            "sweep",
            "big.toml",
            "--no-cache",
            "--set",
            "mapping.prefech=3",
        ],
        &["did you mean `mapping.prefetch`?"],
    );
}

/// The example of the guide is a legal file with the number of points that it reads as.
#[test]
fn the_documented_example_is_right() {
    let guide = std::fs::read_to_string(project("docs/sweeps.md")).expect("the guide");
    let example = guide
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("an example");
    let bench = Bench::new();
    bench.write("example.toml", example.as_bytes());
    std::fs::create_dir_all(bench.path("configs")).expect("a folder");
    for kind in ["arch", "workloads", "tech"] {
        std::fs::create_dir_all(bench.path(&format!("configs/{kind}"))).expect("a folder");
        for entry in std::fs::read_dir(project(&format!("configs/{kind}"))).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name");
            std::fs::copy(&path, bench.path(&format!("configs/{kind}/{name}"))).expect("copies");
        }
    }
    // 2 arrays x 5 factors x 3 bandwidths x 2 presets; f = 8 needs 256 clusters and f = 16 512: 8 x 16 has 128, 16 x 16 256,
    // so of 5 factors 3 and 4 are left: 7 x 6 = 42 of 60.
    let preview = bench.ok(&["sweep", "example.toml", "--dry-run", "--no-cache"]);
    assert!(
        preview.starts_with("42 points, 18 left out by `where`"),
        "{preview}"
    );
}
