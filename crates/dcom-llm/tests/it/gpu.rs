//! Kernel times by hand.

use dcom_config::Source;
use dcom_llm::{
    Algorithm, Elementwise, Gpu, Gpus, Kernels, MATVEC, NORM, Op, Parallelism, Problem, REORTH_U,
    REORTH_V, SMALL_SVD, Work, eager, fused, lanczos_eager, lanczos_fused,
};

use crate::project;

/// 10 TFLOP/s on 10 processors with tiles of 100, 100 GB/s.
fn gpu() -> Gpu {
    let text = std::fs::read_to_string(project("configs/gpu/a100-80gb.toml")).expect("shipped");
    let mut gpu = Gpu::parse(Source::new("a100-80gb.toml", text)).expect("shipped");
    for (key, value) in [
        ("compute.tflops", "10"),
        ("compute.product_efficiency", "1"),
        ("compute.processors", "10"),
        ("compute.tile", "100"),
        ("memory.bandwidth_gb_per_s", "100"),
        ("memory.efficiency", "1"),
        ("memory.matvec_efficiency", "0.5"),
        ("kernel.launch_us", "3"),
        ("kernel.eager_us", "7"),
        ("link.bandwidth_gb_per_s", "10"),
        ("link.latency_us", "11"),
        ("decomposition.prompt_us", "13"),
    ] {
        gpu.set(key, value).expect("in range");
    }
    gpu
}

fn gpus(count: u32, parallelism: Parallelism) -> Gpus {
    Gpus {
        gpu: gpu(),
        count,
        parallelism,
        kernels: Kernels::Fused,
        element_bytes: 2,
    }
}

fn op(work: Work, split: bool) -> Op {
    Op {
        name: "op".to_owned(),
        layer: None,
        work,
        split,
    }
}

fn weight(m: u64, k: u64, n: u64) -> Work {
    Work::Product {
        count: 1,
        m,
        k,
        n,
        weight: true,
    }
}

/// 1000 x 1000 x 1000: 100 tiles are 10 full waves, 2 10^9 operations at 10^7 per us are 200 us; 6 MB at 10^5 B/us are 60.
#[test]
fn a_product_takes_the_larger_of_both() {
    let time = gpus(1, Parallelism::Tensor).time(&op(weight(1000, 1000, 1000), true));
    assert_eq!(
        (time.compute_us, time.memory_us, time.us),
        (200.0, 60.0, 203.0)
    );
    assert!(!time.memory_bound());
}

/// 1001 rows are 110 tiles and 11 waves; over two GPUs 55 tiles are 6 waves.
#[test]
fn tiles_and_waves_are_whole() {
    let product = op(weight(1001, 1000, 1000), true);
    assert_eq!(
        gpus(1, Parallelism::Tensor).time(&product).compute_us,
        220.0
    );
    assert_eq!(
        gpus(2, Parallelism::Tensor).time(&product).compute_us,
        120.0
    );
    // What every GPU does in full is not shared.
    let whole = op(weight(1001, 1000, 1000), false);
    assert_eq!(gpus(2, Parallelism::Tensor).time(&whole).compute_us, 220.0);
}

/// With the prompts split, every GPU still reads the whole weight: 2 MB of it and half of the other 4 MB.
#[test]
fn data_parallel_gpus_read_all_weights() {
    let time = gpus(2, Parallelism::Data).time(&op(weight(1000, 1000, 1000), true));
    assert_eq!(time.memory_us, 40.0);
}

/// RMSNorm of 10^6 elements: fused 4 MB, 40 us; eager 4 fp16 and 7 fp32 passes, 36 MB, 360 us and 8 launches.
#[test]
fn eager_kernels_pass_their_intermediates_through_memory() {
    let norm = op(
        Work::Elementwise {
            kind: Elementwise::Norm,
            elements: 1_000_000,
        },
        false,
    );
    let mut gpus = gpus(4, Parallelism::Tensor);
    assert_eq!(gpus.time(&norm).us, 43.0);
    gpus.kernels = Kernels::Eager;
    assert_eq!(gpus.time(&norm).us, 360.0 + 24.0);
}

/// A ring over 4 GPUs moves 2 x 3/4 of 2 MB at 10^4 B/us.
#[test]
fn all_reduce() {
    let sum = op(
        Work::AllReduce {
            elements: 1_000_000,
        },
        true,
    );
    assert_eq!(gpus(4, Parallelism::Tensor).time(&sum).us, 300.0 + 11.0);
    assert_eq!(gpus(1, Parallelism::Tensor).time(&sum).us, 0.0);
    assert_eq!(gpus(4, Parallelism::Data).time(&sum).us, 0.0);
}

/// K = 3 over 2 prompts of 100 x 50: 5 products with A of 20 kB at 50 GB/s (0.4 us); 3 steps on either side, 4 kernels each; 6 vectors
/// with 6 kernels each.
#[test]
fn eager_lanczos_kernel_by_kernel() {
    let problem = Problem {
        prompts: 2,
        rows: 100,
        columns: 50,
        iterations: 3,
        element_bytes: 2,
        gram_schmidt_passes: 1,
    };
    let sequence = lanczos_eager(&gpu(), &problem);
    let group = |name: &str| {
        let found = sequence
            .groups
            .iter()
            .find(|group| group.name == name)
            .expect("a group");
        (found.launches, found.us)
    };
    assert_eq!(group(MATVEC), (5, 5.0 * 7.4));
    assert_eq!(group(REORTH_U), (12, 84.0));
    assert_eq!(group(REORTH_V), (12, 84.0));
    assert_eq!(group(NORM), (36, 252.0));
    assert_eq!(group(SMALL_SVD), (2, 26.0));
    // Fused: A at the full bandwidth; vectors 1 and 2 each read the basis before them twice: 2 (1 + 2) vectors.
    let fused = lanczos_fused(&gpu(), &problem);
    assert_eq!(fused.group_us(MATVEC), 5.0 * (0.2 + 3.0));
    assert!((fused.group_us(REORTH_U) - (6.0 * 400.0 / 1e5 + 12.0)).abs() < 1e-12);
    assert!(fused.us() < sequence.us());
}

/// K = 3: one read saves two of five passes, if kernels are written for it, and subtracts one vector more; blocks of 2 read twice
/// and once; randomized with one power iteration reads four times and makes both bases twice.
#[test]
fn algorithms_launch_what_they_need() {
    let problem = Problem {
        prompts: 2,
        rows: 100,
        columns: 50,
        iterations: 3,
        element_bytes: 2,
        gram_schmidt_passes: 2,
    };
    let launches = |sequence: &dcom_llm::Sequence| -> Vec<u64> {
        sequence.groups.iter().map(|group| group.launches).collect()
    };
    let steps = |vectors: u64| vectors * 2 * 4;
    for (algorithm, fused_products, eager_products, u, v) in [
        (Algorithm::GolubKahan, 5, 5, 3, 3),
        (Algorithm::OneRead, 3, 5, 3, 4),
        (Algorithm::Block { size: 2 }, 3, 3, 3, 3),
        (Algorithm::Randomized { power: 1 }, 4, 4, 6, 6),
    ] {
        let bases = if u == 6 { 2 } else { 1 };
        assert_eq!(
            launches(&eager(&gpu(), &problem, algorithm)),
            [eager_products, steps(u), steps(v), bases * 2 * 3 * 6, 2],
            "{algorithm:?}"
        );
        assert_eq!(
            launches(&fused(&gpu(), &problem, algorithm)),
            [
                fused_products,
                bases * 2 * 2 * 2,
                bases * 2 * 2 * 2,
                bases * 2 * 3
            ],
            "{algorithm:?}"
        );
    }
}
