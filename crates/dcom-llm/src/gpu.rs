//! The GPU: its file, and the time of a kernel as the larger of its operations and its bytes, plus its launch.

use std::path::Path;

use dcom_config::{ConfigError, Source, schema};

use crate::op::{Kernels, Op, Work};
use crate::real;

/// What becomes of several GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallelism {
    /// Every weight and every head is split; partial results are summed twice per layer.
    Tensor,
    /// Every GPU has the model and a part of the prompts.
    Data,
    /// Every GPU has a part of the layers; one works at a time, unless several micro-batches follow each other.
    Layers,
}

schema! {
    /// A GPU, as read from a file under `configs/gpu`.
    pub struct Gpu("gpu", marks required) {
        /// Name, for reports.
        "gpu.name" name: text;
        /// Most power that the board draws.
        "gpu.board_w" board_w: f64 in 0.001..=1e6, unit "W";
        /// Peak of dense fp16 products with fp32 sums.
        "compute.tflops" tflops: f64 in 0.001..=1e6, unit "TFLOP/s";
        /// Part of the peak that large matrix products reach.
        "compute.product_efficiency" product_efficiency: f64 in 0.001..=1.0;
        /// Processors (SMs) that tiles of a product are dealt over.
        "compute.processors" processors: u32 in 1..=100_000, unit "SMs";
        /// Rows and columns of such a tile.
        "compute.tile" tile: u32 in 1..=4096, unit "elements";
        /// Bandwidth of the memory.
        "memory.bandwidth_gb_per_s" bandwidth: f64 in 0.001..=1e6, unit "GB/s";
        /// Part of it that kernels reach that read and write large tensors.
        "memory.efficiency" memory_efficiency: f64 in 0.001..=1.0;
        /// Part of it that batched matrix-vector products reach.
        "memory.matvec_efficiency" matvec_efficiency: f64 in 0.001..=1.0;
        /// Capacity of the memory.
        "memory.capacity_gb" capacity_gb: f64 in 0.001..=1e6, unit "GB";
        /// Time that a kernel takes beside operations and bytes, when many are in the queue.
        "kernel.launch_us" launch_us: f64 in 0.0..=1e6, unit "us";
        /// Time of a kernel that waits for the one before and is launched from Python, as those of the eager decomposition.
        "kernel.eager_us" eager_us: f64 in 0.0..=1e6, unit "us";
        /// Bandwidth between GPUs, per direction.
        "link.bandwidth_gb_per_s" link_bandwidth: f64 in 0.001..=1e6, unit "GB/s";
        /// Latency of an all-reduce.
        "link.latency_us" link_latency_us: f64 in 0.0..=1e6, unit "us";
        /// What an eager decomposition takes per prompt beside its batched kernels: the small SVD, called prompt by prompt.
        "decomposition.prompt_us" decomposition_prompt_us: f64 in 0.0..=1e9, unit "us";
    }
}

impl Gpu {
    /// Reads a GPU file.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn read(path: &Path) -> Result<Gpu, ConfigError> {
        Gpu::parse(Source::read(path)?)
    }

    /// Time of `count` matrix products, `m x k` by `k x n`, of which other GPUs do their parts (us).
    ///
    /// The results are cut into tiles, dealt over the processors in waves; a tile that sticks out and a wave that is not full
    /// take as long as full ones (tile and wave quantization in NVIDIA's guide to matrix multiplication).
    fn product_us(&self, [count, m, k, n]: [u64; 4], sharing: f64) -> f64 {
        let side = u64::from(self.tile);
        let tiles = real(count * m.div_ceil(side) * n.div_ceil(side)) / sharing;
        let waves = (tiles / f64::from(self.processors)).ceil();
        let flops = waves * f64::from(self.processors) * 2.0 * real(side * side * k);
        flops / self.flops_per_us()
    }

    /// Operations of large matrix products.
    pub(crate) fn flops_per_us(&self) -> f64 {
        self.tflops * 1e6 * self.product_efficiency
    }

    /// Time of so many bytes (us).
    #[must_use]
    pub fn bytes_us(&self, bytes: f64) -> f64 {
        bytes / (self.bandwidth * 1e3 * self.memory_efficiency)
    }
}

/// GPUs that compute a model together.
#[derive(Clone, Debug)]
pub struct Gpus {
    /// Each of them.
    pub gpu: Gpu,
    /// How many.
    pub count: u32,
    /// How they share the work.
    pub parallelism: Parallelism,
    /// How elementwise work is written.
    pub kernels: Kernels,
    /// Bytes of an element.
    pub element_bytes: u64,
}

/// Time of an op on the GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelTime {
    /// All of it (us).
    pub us: f64,
    /// What its operations would take alone (us).
    pub compute_us: f64,
    /// What its bytes would take alone (us).
    pub memory_us: f64,
}

impl KernelTime {
    /// The part of the time in which the kernel waits for memory, and a slower memory makes it slower.
    #[must_use]
    pub fn memory_bound(&self) -> bool {
        self.memory_us > self.compute_us
    }
}

impl Gpus {
    /// GPUs that take part in one op.
    fn sharing(&self, op: &Op) -> f64 {
        match self.parallelism {
            Parallelism::Tensor if op.split => f64::from(self.count),
            Parallelism::Data => f64::from(self.count),
            Parallelism::Tensor | Parallelism::Layers => 1.0,
        }
    }

    /// Time of an op; a decomposition's is its machine's, and zero here.
    #[must_use]
    pub fn time(&self, op: &Op) -> KernelTime {
        if let Work::AllReduce { elements } = op.work {
            return KernelTime {
                us: self.all_reduce_us(elements),
                ..KernelTime::default()
            };
        }
        let sharing = self.sharing(op);
        let bytes = op.bytes(self.element_bytes, self.kernels);
        // Every GPU reads all weights when the prompts are split.
        let (shared, own) = match (self.parallelism, &op.work) {
            (
                Parallelism::Data,
                Work::Product {
                    k, n, weight: true, ..
                },
            ) => {
                let weight = k * n * self.element_bytes;
                (weight, bytes - weight)
            }
            _ => (0, bytes),
        };
        let memory_us = self.gpu.bytes_us(real(own) / sharing + real(shared));
        let compute_us = match op.work {
            Work::Product { count, m, k, n, .. } => self.gpu.product_us([count, m, k, n], sharing),
            Work::FusedAttention { .. } => real(op.flops()) / sharing / self.gpu.flops_per_us(),
            // Far below the memory's time on any GPU.
            Work::Elementwise { .. } | Work::AllReduce { .. } | Work::Decompose(_) => 0.0,
        };
        let launches = real(op.launches(self.kernels));
        KernelTime {
            us: compute_us.max(memory_us) + launches * self.gpu.launch_us,
            compute_us,
            memory_us,
        }
    }

    /// A ring: every GPU sends and receives the array twice, but for its own part.
    fn all_reduce_us(&self, elements: u64) -> f64 {
        if self.parallelism != Parallelism::Tensor || self.count == 1 {
            return 0.0;
        }
        let count = f64::from(self.count);
        let bytes = real(elements * self.element_bytes);
        2.0 * (count - 1.0) / count * bytes / (self.gpu.link_bandwidth * 1e3)
            + self.gpu.link_latency_us
    }
}
