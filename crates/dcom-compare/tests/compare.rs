//! Comparisons of a small matrix on the paper's machine.

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_compare::{
    Base, Candidate, Machine, Shape, Subject, candidates, compare, cost, table, verdicts,
};
use dcom_config::Source;
use dcom_llm::Gpu;
use dcom_mapper::WorkloadParams;
use dcom_power::Technology;
use dcom_reference::synthetic::{Variant, llama_like};
use dcom_tensor::Matrix;

struct Bench {
    arch: ArchParams,
    workload: WorkloadParams,
    technology: Technology,
    gpu: Gpu,
}

impl Bench {
    fn new() -> Bench {
        let read = |path: &str| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
            Source::read(root.join(path)).expect("shipped")
        };
        Bench {
            arch: ArchParams::parse(read("arch/dcom-paper.toml")).expect("valid"),
            workload: WorkloadParams::parse(read("workloads/llama2-7b.toml")).expect("valid"),
            technology: Technology::nangate15(),
            gpu: Gpu::parse(read("gpu/a100-80gb.toml")).expect("valid"),
        }
    }

    fn subject<'a>(&'a self, arch: &'a Arch, prompts: u32) -> Subject<'a> {
        Subject {
            arch,
            workload: &self.workload,
            technology: &self.technology,
            gpu: &self.gpu,
            rank: 4,
            prompts,
        }
    }
}

fn matrix() -> Matrix {
    llama_like(64, 96, 2, Variant::PostNorm).expect("a shape")
}

fn find<'a>(all: &'a [Candidate], label: &str, iterations: u32) -> &'a Candidate {
    all.iter()
        .find(|c| c.label() == label && c.iterations == iterations)
        .expect("tried")
}

#[test]
fn no_candidate_has_more_vectors_than_there_are() {
    assert!(
        candidates(4, 6)
            .iter()
            .all(|c| (4..=6).contains(&c.iterations))
    );
    assert!(candidates(510, 4096).iter().all(|c| c.iterations <= 512));
}

/// Reads do not depend on how many prompts there are, in a loop or in flight, and whether the next arrive meanwhile.
#[test]
fn reads_are_counted_per_prompt() {
    let mut bench = Bench::new();
    let all = candidates(4, 64);
    let one_read = find(&all, "one read", 9);
    for (overlap, in_flight) in [("false", "1"), ("true", "1"), ("true", "3")] {
        bench
            .workload
            .set("mapping.overlap_ingest", overlap)
            .expect("a bool");
        bench
            .workload
            .set("mapping.prompts_in_flight", in_flight)
            .expect("in range");
        let arch = Arch::new(&bench.arch).expect("valid");
        for prompts in [1, 2, 7] {
            let cost = cost(&bench.subject(&arch, prompts), (64, 96), one_read).expect("fits");
            assert_eq!(cost.reads, 9.0, "{prompts} prompts, {in_flight} in flight");
            assert!(cost.array_us > 0.0 && cost.array_us <= cost.us);
        }
    }
}

#[test]
fn a_comparison_has_every_candidate_and_a_table() {
    let bench = Bench::new();
    let arch = Arch::new(&bench.arch).expect("valid");
    let all = candidates(4, 64);
    let comparison = compare(&bench.subject(&arch, 1), &matrix(), &all, || {}).expect("compares");
    assert_eq!(comparison.outcomes.len(), all.len());
    for outcome in &comparison.outcomes {
        let error = outcome.error.expect("finite");
        assert!(error >= comparison.best_error * (1.0 - 1e-3), "{outcome:?}");
    }
    let text = table(&comparison).expect("a table").to_text();
    assert!(text.contains("randomized, power 1"));
}

/// A machine that is too small for an algorithm leaves it out and compares the others.
#[test]
fn what_does_not_fit_is_named() {
    let mut bench = Bench::new();
    bench.arch.set("scalar.registers", "120").expect("in range");
    let arch = Arch::new(&bench.arch).expect("valid");
    let all = candidates(4, 64);
    let comparison = compare(&bench.subject(&arch, 1), &matrix(), &all, || {}).expect("compares");
    assert!(!comparison.outcomes.is_empty());
    let (candidate, reason) = comparison.infeasible.first().expect("some need more");
    assert!(
        reason.starts_with("scalar.registers"),
        "{}: {reason}",
        candidate.label()
    );
}

/// With a hundredth of the memory bandwidth what reads A least is fastest; with the paper's the winner is at least as fast.
#[test]
fn a_slow_memory_favours_few_reads() {
    let bench = Bench::new();
    let base = Base {
        arch: &bench.arch,
        workload: &bench.workload,
        technology: &bench.technology,
        gpu: &bench.gpu,
        prompts: 4,
        slack: 0.05,
    };
    let shape = Shape {
        name: "small".to_owned(),
        matrix: llama_like(256, 512, 2, Variant::PostNorm).expect("a shape"),
    };
    let machines = [
        Machine {
            name: "paper",
            arch: &[],
            workload: &[],
        },
        Machine {
            name: "slow",
            arch: &[("memory.bandwidth_gb_per_s", "20")],
            workload: &[],
        },
    ];
    let found = verdicts(&base, &[shape], &[4], &machines, || {}).expect("compares");
    let [paper, slow] = <[_; 2]>::try_from(found).expect("one per machine");
    let (fast, few) = (paper.fastest.expect("one"), slow.fastest.expect("one"));
    assert!(few.cost.reads <= fast.cost.reads, "{few:?} {fast:?}");
    assert!(few.cost.us > fast.cost.us);
    assert!(slow.golub_kahan.expect("close enough").cost.us >= few.cost.us);
    assert_eq!(
        paper.gpu_fused.expect("one").candidate,
        slow.gpu_fused.expect("one").candidate
    );
}
