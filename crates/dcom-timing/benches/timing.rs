//! What the steps of a design point cost: the paper's machine and workload (S = H = 4096, K = 10, f = 8), one prompt and
//! B = 64. `cargo bench -p dcom-timing`; "Mitem/s" are million instructions of the program per second.

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_isa::Program;
use dcom_mapper::{WorkloadParams, map};
use dcom_timing::{Options, lower_bound, simulate};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

fn parameters(prompts: &str) -> (ArchParams, WorkloadParams) {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let read = |file: &str| Source::read(configs.join(file)).expect("the file is there");
    let arch = ArchParams::parse(read("arch/dcom-paper.toml")).expect("a machine");
    let mut workload =
        WorkloadParams::parse(read("workloads/paper-fig12.toml")).expect("a workload");
    workload.set("workload.prompts", prompts).expect("in range");
    (arch, workload)
}

fn inputs(prompts: &str) -> (Arch, WorkloadParams) {
    let (arch, workload) = parameters(prompts);
    (Arch::new(&arch).expect("a machine"), workload)
}

fn program(arch: &Arch, workload: &WorkloadParams) -> (Program, ItemsCount) {
    let program = map(arch, workload).expect("it fits").program;
    let instrs = ItemsCount::new(program.instrs.len());
    (program, instrs)
}

#[divan::bench(sample_size = 10)]
fn machine(bencher: Bencher<'_, '_>) {
    let (arch, _) = parameters("1");
    bencher.bench(|| Arch::new(&arch));
}

#[divan::bench(sample_size = 10)]
fn hashes(bencher: Bencher<'_, '_>) {
    let (arch, workload) = parameters("1");
    bencher.bench(|| (arch.hash(), workload.hash()));
}

#[divan::bench(args = ["1", "64"], sample_size = 10)]
fn mapping(bencher: Bencher<'_, '_>, prompts: &str) {
    let (arch, workload) = inputs(prompts);
    let (_, instrs) = program(&arch, &workload);
    bencher.counter(instrs).bench(|| map(&arch, &workload));
}

#[divan::bench(args = ["1", "64"], sample_size = 10)]
fn verification(bencher: Bencher<'_, '_>, prompts: &str) {
    let (arch, workload) = inputs(prompts);
    let (program, instrs) = program(&arch, &workload);
    bencher
        .counter(instrs)
        .with_inputs(|| program.clone())
        .bench_values(|program| program.verify(&arch));
}

#[divan::bench(args = ["1", "64"], sample_size = 10)]
fn simulation(bencher: Bencher<'_, '_>, prompts: &str) {
    let (arch, workload) = inputs(prompts);
    let (program, instrs) = program(&arch, &workload);
    let verified = program.verify(&arch).expect("legal");
    bencher
        .counter(instrs)
        .bench(|| simulate(&verified, Options::default()));
}

#[divan::bench(args = ["1", "64"], sample_size = 10)]
fn summary(bencher: Bencher<'_, '_>, prompts: &str) {
    let (arch, workload) = inputs(prompts);
    let (program, instrs) = program(&arch, &workload);
    let verified = program.verify(&arch).expect("legal");
    let run = simulate(&verified, Options::default()).expect("it can be counted");
    bencher.counter(instrs).bench(|| run.summary(&verified));
}

#[divan::bench(args = ["1", "64"], sample_size = 10)]
fn bound(bencher: Bencher<'_, '_>, prompts: &str) {
    let (arch, workload) = inputs(prompts);
    let (program, instrs) = program(&arch, &workload);
    let verified = program.verify(&arch).expect("legal");
    bencher.counter(instrs).bench(|| lower_bound(&verified));
}
