//! Design points per second: the paper's machine and workload, mapped, verified and timed.

use std::path::Path;

use dcom_arch::Arch;
use dcom_power::PowerModel;
use dcom_sweep::{Base, evaluate};
use rayon::prelude::*;

fn main() {
    divan::main();
}

fn base(prompts: &str) -> Base {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut base = Base::read(
        &root.join("configs/arch/dcom-paper.toml"),
        &root.join("configs/workloads/paper-fig12.toml"),
    )
    .expect("the shipped files are valid");
    base.set("workload.prompts", prompts).expect("in range");
    base
}

/// One prompt simulated in full, one point after the other.
#[divan::bench]
fn one_prompt_one_core(bencher: divan::Bencher<'_, '_>) {
    let base = base("1");
    bencher
        .counter(divan::counter::ItemsCount::new(1u32))
        .bench(|| evaluate(&base));
}

/// One prompt simulated in full, 1000 points on all cores.
#[divan::bench]
fn one_prompt_all_cores(bencher: divan::Bencher<'_, '_>) {
    let base = base("1");
    bencher
        .counter(divan::counter::ItemsCount::new(1000u32))
        .bench(|| {
            (0..1000)
                .into_par_iter()
                .map(|_| evaluate(&base))
                .collect::<Result<Vec<_>, _>>()
        });
}

/// B = 64, extrapolated exactly, 1000 points on all cores.
#[divan::bench]
fn batch_of_64_all_cores(bencher: divan::Bencher<'_, '_>) {
    let base = base("64");
    bencher
        .counter(divan::counter::ItemsCount::new(1000u32))
        .bench(|| {
            (0..1000)
                .into_par_iter()
                .map(|_| evaluate(&base))
                .collect::<Result<Vec<_>, _>>()
        });
}

/// Area and energy alone, as every design point needs them: to be held against `one_prompt_one_core`.
#[divan::bench]
fn area_and_energy(bencher: divan::Bencher<'_, '_>) {
    let base = base("1");
    let arch = Arch::new(&base.arch).expect("valid");
    let summary = evaluate(&base).expect("feasible").summary;
    bencher.bench(|| {
        PowerModel::new(divan::black_box(&arch), &base.technology)
            .energy(&summary.activity, summary.cycles)
    });
}
