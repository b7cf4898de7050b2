//! One op of a model's graph: what it computes, and how many operations and bytes that is.

/// Bytes of an fp32 intermediate of the eager kernels.
const SINGLE: u64 = 4;

/// What an op computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// `count` matrix products, `m x k` by `k x n`. A weight is one right-hand matrix for all of them.
    Product {
        /// Products.
        count: u64,
        /// Rows of the left side.
        m: u64,
        /// Columns of the left side.
        k: u64,
        /// Columns of the right side.
        n: u64,
        /// Whether the right side is a weight.
        weight: bool,
    },
    /// Something for every one of these elements.
    Elementwise {
        /// What.
        kind: Elementwise,
        /// Elements of the result.
        elements: u64,
    },
    /// Scores, softmax and values in one kernel that keeps the scores on chip.
    FusedAttention {
        /// Products: prompts times heads of keys.
        count: u64,
        /// Queries per product: tokens times query heads per head of keys.
        queries: u64,
        /// Keys.
        keys: u64,
        /// Channels of a head.
        channels: u64,
        /// Whether keys after the query are left out: half of the work, for as many queries as keys.
        causal: bool,
    },
    /// The partial results of all GPUs are summed, or their parts gathered; nothing on one GPU.
    AllReduce {
        /// Elements on each GPU.
        elements: u64,
    },
    /// Low-rank factors of an activation of every prompt; on D-com or on the GPU.
    Decompose(Decomposition),
}

/// Activations to decompose, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decomposition {
    /// Activations: one per prompt.
    pub prompts: u32,
    /// Tokens of a prompt.
    pub rows: u32,
    /// Channels.
    pub columns: u32,
    /// Rank of the factors, not above the smaller side.
    pub rank: u32,
    /// Lanczos iterations, K, not above the smaller side.
    pub iterations: u32,
}

/// Work whose time is that of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elementwise {
    /// RMSNorm.
    Norm,
    /// Rotary embedding.
    Rope,
    /// Scale, mask and softmax of the scores.
    Softmax,
    /// SiLU of the gate times the up projection.
    SiluMul,
    /// Sum with the residual stream.
    Residual,
    /// Elements of every channel that exceed the outlier threshold are counted.
    OutlierScan,
    /// Channels, or rows of a weight, are copied out.
    Gather,
    /// Rows of the embedding are looked up.
    Embed,
}

/// What one kind of elementwise work costs per element of its result.
struct Traffic {
    /// Elements read and written in one fused kernel.
    fused_elements: u64,
    /// Bytes in eager kernels that are no elements of the model's type: fp32 intermediates and masks.
    eager_other_bytes: u64,
    /// Elements read and written in eager kernels.
    eager_elements: u64,
    /// Eager kernels.
    eager_kernels: u64,
    /// Operations.
    flops: u64,
}

impl Elementwise {
    /// The eager kernels are those of the reference implementation in PyTorch (Hugging Face `modeling_llama.py`), op by op;
    /// the fused ones read every operand once and write the result once.
    fn traffic(self) -> Traffic {
        let traffic =
            |fused_elements, eager_elements, singles, masks, eager_kernels, flops| Traffic {
                fused_elements,
                eager_elements,
                eager_other_bytes: singles * SINGLE + masks,
                eager_kernels,
                flops,
            };
        match self {
            // To fp32, square, mean, times 1/rms, to fp16, times weight; two more kernels on a number per token.
            Elementwise::Norm => traffic(2, 4, 7, 0, 8, 4),
            // x cos, negated half, concatenation, times sin, sum.
            Elementwise::Rope => traffic(2, 10, 0, 0, 5, 3),
            // Scale, mask, softmax in fp32, to fp16.
            Elementwise::Softmax => traffic(2, 6, 2, 0, 4, 5),
            // SiLU, product.
            Elementwise::SiluMul => traffic(3, 5, 0, 0, 2, 5),
            Elementwise::Residual => traffic(3, 3, 0, 0, 1, 1),
            // Absolute value, comparison to a byte mask, sum of the mask.
            Elementwise::OutlierScan => traffic(1, 3, 0, 2, 3, 2),
            Elementwise::Gather | Elementwise::Embed => traffic(2, 2, 0, 0, 1, 0),
        }
    }
}

/// How elementwise work is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// One kernel per tensor operation, intermediates in memory.
    Eager,
    /// One kernel that reads every operand once.
    Fused,
}

/// An op of the graph.
#[derive(Clone, Debug)]
pub struct Op {
    /// Name, unique within its layer.
    pub name: String,
    /// Decoder layer; none for embedding and head.
    pub layer: Option<u32>,
    /// What it computes.
    pub work: Work,
    /// Whether tensor parallelism splits it; otherwise every GPU does all of it.
    pub split: bool,
}

impl Op {
    /// Arithmetic operations; a multiply-add is two. Those of a decomposition are counted by its machine.
    #[must_use]
    pub fn flops(&self) -> u64 {
        match self.work {
            Work::Product { count, m, k, n, .. } => 2 * count * m * k * n,
            Work::Elementwise { kind, elements } => kind.traffic().flops * elements,
            Work::FusedAttention {
                count,
                queries,
                keys,
                channels,
                causal,
            } => {
                let both = 4 * count * queries * keys * channels;
                if causal { both / 2 } else { both }
            }
            Work::AllReduce { .. } | Work::Decompose(_) => 0,
        }
    }

    /// Bytes read from and written to memory, weights included.
    #[must_use]
    pub fn bytes(&self, element_bytes: u64, kernels: Kernels) -> u64 {
        match self.work {
            Work::Product { count, m, k, n, .. } => {
                (count * (m * k + m * n)) * element_bytes
                    + self.right_elements(count, k, n) * element_bytes
            }
            Work::Elementwise { kind, elements } => {
                let traffic = kind.traffic();
                let each = match kernels {
                    Kernels::Fused => traffic.fused_elements * element_bytes,
                    Kernels::Eager => {
                        traffic.eager_elements * element_bytes + traffic.eager_other_bytes
                    }
                };
                elements * each
            }
            Work::FusedAttention {
                count,
                queries,
                keys,
                channels,
                ..
            } => 2 * count * (queries + keys) * channels * element_bytes,
            Work::AllReduce { .. } | Work::Decompose(_) => 0,
        }
    }

    fn right_elements(&self, count: u64, k: u64, n: u64) -> u64 {
        if self.reads_weight() {
            k * n
        } else {
            count * k * n
        }
    }

    /// Whether it multiplies by a weight.
    #[must_use]
    pub fn reads_weight(&self) -> bool {
        matches!(self.work, Work::Product { weight: true, .. })
    }

    /// Kernels that are launched.
    #[must_use]
    pub fn launches(&self, kernels: Kernels) -> u64 {
        match (&self.work, kernels) {
            (Work::Elementwise { kind, .. }, Kernels::Eager) => kind.traffic().eager_kernels,
            (Work::Decompose(_), _) => 0,
            _ => 1,
        }
    }

    /// Its shape for a reader: `64 x (468 x 4096) (4096 x 468)`.
    #[must_use]
    pub fn shape(&self) -> String {
        match self.work {
            Work::Product { count, m, k, n, .. } => {
                let product = format!("({m} x {k}) ({k} x {n})");
                if count == 1 {
                    product
                } else {
                    format!("{count} {product}")
                }
            }
            Work::Elementwise { elements, .. } => format!("{elements} elements"),
            Work::FusedAttention {
                count,
                queries,
                keys,
                channels,
                ..
            } => format!("{count} ({queries} x {channels}) ({channels} x {keys})"),
            Work::AllReduce { elements } => format!("{elements} elements"),
            Work::Decompose(Decomposition {
                prompts,
                rows,
                columns,
                rank,
                ..
            }) => format!("{prompts} ({rows} x {columns}) to rank {rank}"),
        }
    }
}
