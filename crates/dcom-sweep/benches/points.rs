//! Design points per second: the paper's machine and workload, mapped, verified, timed and summed up.
//!
//! `cargo bench -p dcom-sweep`; "item/s" are points per second. On a shared machine the fastest sample is the one to read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dcom_arch::Arch;
use dcom_power::PowerModel;
use dcom_sweep::{
    Base, Finished, METRICS, Metric, Options, Point, PointError, PointPower, Space, SweepSpec,
    evaluate, run,
};
use divan::Bencher;
use divan::counter::ItemsCount;
use rayon::prelude::*;

/// Points per sample where all cores work: few, so that the fastest sample is one that other work left alone.
const POINTS: u32 = 200;

fn main() {
    // Sweep files name machine and workload relative to the root.
    std::env::set_current_dir(root()).expect("the root of the workspace is there");
    divan::main();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn base(prompts: &str) -> Base {
    let mut base = Base::read(
        Path::new("configs/arch/dcom-paper.toml"),
        Path::new("configs/workloads/paper-fig12.toml"),
    )
    .expect("the shipped files are valid");
    base.set("workload.prompts", prompts).expect("in range");
    base
}

/// Point `n` of a space in which no two points have the same machine and mapping: 8 expansion factors x 5 arrays x
/// 25 latencies.
fn distinct(base: &Base, n: u32) -> Result<Point, PointError> {
    let mut at = base.clone();
    let factor = 1u32 << (n % 8);
    let columns = 2u32 << (n / 8 % 5);
    at.set("mapping.expansion_factor", &factor.to_string())?;
    at.set("array.columns", &columns.to_string())?;
    at.set("network.hop_cycles", &(n / 40).to_string())?;
    evaluate(&at)
}

/// One point after the other: one prompt simulated in full, and B = 64 extrapolated exactly.
#[divan::bench(args = ["1", "64"], sample_size = 10)]
fn one_core(bencher: Bencher<'_, '_>, prompts: &str) {
    let base = base(prompts);
    bencher
        .counter(ItemsCount::new(1u32))
        .bench(|| evaluate(&base));
}

/// The same on all cores.
#[divan::bench(args = ["1", "64"], sample_size = 1, max_time = 20)]
fn all_cores(bencher: Bencher<'_, '_>, prompts: &str) {
    let base = base(prompts);
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        (0..POINTS)
            .into_par_iter()
            .map(|_| evaluate(&base))
            .collect::<Result<Vec<_>, _>>()
    });
}

/// Points of which no two have the same program, set from one base.
#[divan::bench(args = ["1", "64"], sample_size = 1, max_time = 20)]
fn distinct_points_all_cores(bencher: Bencher<'_, '_>, prompts: &str) {
    let base = base(prompts);
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        (0..POINTS)
            .into_par_iter()
            .map(|n| distinct(&base, n))
            .collect::<Result<Vec<_>, _>>()
    });
}

/// From files to the first result: both files read, one point.
#[divan::bench]
fn first_result() -> Result<Point, PointError> {
    evaluate(&base("64"))
}

/// The default sweep, 40 points, from its file to its table, without a cache.
#[divan::bench]
fn default_sweep() -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        output: folder.path().to_owned(),
        threads: None,
        restart: false,
        cache: None,
        parquet: false,
    };
    let spec = SweepSpec::read(Path::new("configs/sweeps/default.toml")).expect("a sweep");
    let space = Space::open(spec, &[]).expect("the shipped files are valid");
    run(space, &options, &AtomicBool::new(false), |_| ()).expect("the shipped sweep runs")
}

/// What area and energy add to a point of a sweep, to be held against `one_core`: the technology's values are copied, the
/// model is made and asked, its metrics are taken and written.
#[divan::bench]
fn area_and_energy(bencher: Bencher<'_, '_>) {
    let base = base("1");
    let arch = Arch::new(&base.arch).expect("valid");
    let mut point = evaluate(&base).expect("feasible");
    let of_power: Vec<&Metric> = METRICS
        .iter()
        .filter(|m| matches!(m.unit, "mm2" | "uJ" | "W" | "uJ us"))
        .collect();
    let mut row = String::new();
    bencher.bench_local(|| {
        let technology = divan::black_box(&base.technology).clone();
        let model = PowerModel::new(divan::black_box(&arch), &technology);
        point.power = PointPower::of(&model, &point.summary);
        row.clear();
        for metric in &of_power {
            write!(row, "{},", metric.of(&point)).expect("writing to a String");
        }
        row.len()
    });
}

/// The model alone.
#[divan::bench]
fn power_model(bencher: Bencher<'_, '_>) {
    let base = base("1");
    let arch = Arch::new(&base.arch).expect("valid");
    let summary = evaluate(&base).expect("feasible").summary;
    bencher.bench(|| {
        PointPower::of(
            &PowerModel::new(divan::black_box(&arch), &base.technology),
            &summary,
        )
    });
}
