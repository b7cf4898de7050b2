//! What mapping, verifying, timing and bounding a program costs per instruction: the paper's workload, one prompt
//! (S = H = 4096, K = 10, f = 8). `cargo bench -p dcom-timing`; "Mitem/s" are million instructions per second.

use std::path::Path;

use dcom_arch::Arch;
use dcom_config::Source;
use dcom_isa::Program;
use dcom_mapper::{WorkloadParams, map};
use dcom_timing::{Options, lower_bound, simulate};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

fn inputs() -> (Arch, WorkloadParams) {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let arch = Arch::read(&configs.join("arch/dcom-paper.toml")).expect("a machine");
    let source =
        Source::read(configs.join("workloads/paper-fig12.toml")).expect("the file is there");
    let mut workload = WorkloadParams::parse(source).expect("a workload");
    workload.set("workload.prompts", "1").expect("in range");
    (arch, workload)
}

fn program(arch: &Arch, workload: &WorkloadParams) -> (Program, ItemsCount) {
    let program = map(arch, workload).expect("it fits").program;
    let instrs = ItemsCount::new(program.instrs.len());
    (program, instrs)
}

#[divan::bench]
fn mapping(bencher: Bencher<'_, '_>) {
    let (arch, workload) = inputs();
    let (_, instrs) = program(&arch, &workload);
    bencher.counter(instrs).bench(|| map(&arch, &workload));
}

#[divan::bench]
fn verification(bencher: Bencher<'_, '_>) {
    let (arch, workload) = inputs();
    let (program, instrs) = program(&arch, &workload);
    bencher
        .counter(instrs)
        .with_inputs(|| program.clone())
        .bench_values(|program| program.verify(&arch));
}

#[divan::bench]
fn simulation(bencher: Bencher<'_, '_>) {
    let (arch, workload) = inputs();
    let (program, instrs) = program(&arch, &workload);
    let verified = program.verify(&arch).expect("legal");
    bencher
        .counter(instrs)
        .bench(|| simulate(&verified, Options::default()));
}

#[divan::bench]
fn bound(bencher: Bencher<'_, '_>) {
    let (arch, workload) = inputs();
    let (program, instrs) = program(&arch, &workload);
    let verified = program.verify(&arch).expect("legal");
    bencher.counter(instrs).bench(|| lower_bound(&verified));
}
