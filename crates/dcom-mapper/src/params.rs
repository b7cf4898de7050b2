//! The parameters of a workload file: what to decompose, and how to map it.

use dcom_config::schema;
use dcom_isa::StartKind;

/// Start vector, as named in a workload file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Column means of A.
    Mean,
    /// All ones.
    Ones,
    /// The first unit vector.
    E1,
    /// +1, -1, +1, ...
    Alternating,
    /// Signs from a hash of the index.
    Signs,
}

impl Start {
    pub(crate) fn kind(self) -> StartKind {
        match self {
            Start::Mean => StartKind::Mean,
            Start::Ones => StartKind::Ones,
            Start::E1 => StartKind::E1,
            Start::Alternating => StartKind::Alternating,
            Start::Signs => StartKind::Signs,
        }
    }
}

/// What finds the factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Golub-Kahan-Lanczos: A is read twice per vector.
    GolubKahan,
    /// Golub-Kahan-Lanczos that reads A once per vector.
    OneRead,
    /// Golub-Kahan with blocks of vectors: A is read twice per block.
    Block,
    /// Randomized SVD: A is read twice, and twice more per power iteration.
    Randomized,
}

impl Algorithm {
    /// All of them, with their names in a workload file.
    pub const ALL: [(Algorithm, &'static str); 4] = [
        (Algorithm::GolubKahan, "golub_kahan"),
        (Algorithm::OneRead, "one_read"),
        (Algorithm::Block, "block_golub_kahan"),
        (Algorithm::Randomized, "randomized"),
    ];
}

/// Gram-Schmidt variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// All coefficients from the same vector, then all corrections.
    Classical,
    /// Each correction before the next coefficient.
    Modified,
}

/// What becomes of the partial sums of a re-orthogonalization step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartialSums {
    /// Every partial multiplies the vector: computation expansion.
    Expand,
    /// Every cluster sums the partials first and multiplies once.
    SumFirst,
}

/// What crosses partitions in a matrix-vector product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dataflow {
    /// The input vector is gathered; the result stays sliced.
    Gather,
    /// The input stays sliced; partial results are reduced over partitions.
    Reduce,
}

/// Where A lives between passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residency {
    /// In memory, streamed in every pass.
    Streamed,
    /// In the banks.
    Resident,
}

/// Which partitions the prompts in flight use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// All prompts share the same partitions.
    Shared,
    /// Each prompt has partitions and a memory channel of its own.
    Disjoint,
}

/// Which clusters make up a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacementChoice {
    /// Neighbours, column by column.
    Compact,
    /// Spread over all columns.
    Spread,
}

/// Topology of the partition network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReductionChoice {
    /// Binary tree.
    Tree,
    /// Chain.
    Chain,
}

schema! {
    /// A workload and its mapping, as read from a file under `configs/workloads`.
    pub struct WorkloadParams("workload", marks optional) {
        /// Name of the workload, for reports.
        "workload.name" name: text;
        /// Rows of A: tokens of a prompt, S.
        "workload.rows" rows: u32 in 1..=16_777_216, unit "tokens";
        /// Columns of A: channels, H.
        "workload.columns" columns: u32 in 1..=16_777_216, unit "channels";
        /// Prompts in a batch, B; every one is decomposed by itself.
        "workload.prompts" prompts: u32 in 1..=1_000_000, unit "prompts";
        /// Columns of V, K; clamped to the smaller side of A.
        "workload.iterations" iterations: u32 in 1..=512, unit "vectors";
        /// Rank of the factors, r; at most K.
        "workload.rank" rank: u32 in 1..=512, unit "vectors";
        /// What finds the factors. All but the first put strips of A into the buffers.
        "workload.algorithm" algorithm: choice<Algorithm> { GolubKahan: "golub_kahan", OneRead: "one_read", Block: "block_golub_kahan", Randomized: "randomized" }, default "golub_kahan";
        /// Vectors per block of block Golub-Kahan.
        "workload.block_size" block_size: u32 in 1..=512, unit "vectors", default 4;
        /// Times that randomized SVD goes through A^T and A again.
        "workload.power_iterations" power_iterations: u32 in 0..=8, unit "iterations", default 1;
        /// Seed of the random signs that block Golub-Kahan and randomized SVD begin with.
        "workload.sketch_seed" sketch_seed: u32 in 0..=4_294_967_295, default 1;
        /// Start vector; the first one of a block, unused by `randomized`.
        "workload.start" start: choice<Start> { Mean: "mean", Ones: "ones", E1: "e1", Alternating: "alternating", Signs: "signs" };
        /// Scale A by a power of two to a Frobenius norm from 48 to 96, so that fp16 sums do not overflow.
        "workload.scale_input" scale_input: bool;
        /// Breakdown when a norm is at most 2^-this times the largest alpha or beta so far.
        "workload.breakdown_tolerance_log2" breakdown_tolerance_log2: u32 in 1..=126, unit "bits";

        /// Expansion factor, f: slices that a vector is cut into, and partial sums that are broadcast.
        "mapping.expansion_factor" expansion_factor: u32 in 1..=1_048_576, unit "slices";
        /// Clusters per partition, g.
        "mapping.clusters_per_partition" clusters_per_partition: u32 in 1..=1_048_576, unit "clusters";
        /// Which clusters make up a partition.
        "mapping.placement" placement: choice<PlacementChoice> { Compact: "compact", Spread: "spread" };
        /// Topology of the partition network.
        "mapping.reduction" reduction: choice<ReductionChoice> { Tree: "tree", Chain: "chain" };
        /// Partial sums of re-orthogonalization: multiplied one by one (expansion) or summed first.
        "mapping.partial_sums" partial_sums: choice<PartialSums> { Expand: "expand", SumFirst: "sum_first" };
        /// Subtract the known neighbour of the three-term recurrence before Gram-Schmidt; blocks have none.
        "mapping.three_term" three_term: bool;
        /// Gram-Schmidt variant.
        "mapping.gram_schmidt" gram_schmidt: choice<Scheme> { Classical: "classical", Modified: "modified" };
        /// Gram-Schmidt passes; 0 leaves the three-term recurrence alone.
        "mapping.gram_schmidt_passes" gram_schmidt_passes: u32 in 0..=4, unit "passes";
        /// Basis vectors loaded ahead of the step that needs them.
        "mapping.prefetch" prefetch: u32 in 0..=16, unit "vectors";
        /// What crosses partitions in A v; with algorithm `one_read` always the result.
        "mapping.product" product: choice<Dataflow> { Gather: "gather", Reduce: "reduce" };
        /// What crosses partitions in A^T u; with algorithm `one_read` always the input.
        "mapping.transposed_product" transposed_product: choice<Dataflow> { Gather: "gather", Reduce: "reduce" };
        /// Banks that the matrix-vector products use, one partition each; 0: the partitions of the expansion.
        "mapping.product_banks" product_banks: u32 in 0..=1024, unit "banks";
        /// Where A lives between passes.
        "mapping.residency" residency: choice<Residency> { Streamed: "streamed", Resident: "resident" };
        /// The next prompts arrive while the present ones are decomposed.
        "mapping.overlap_ingest" overlap_ingest: bool;
        /// Prompts that are decomposed at the same time.
        "mapping.prompts_in_flight" prompts_in_flight: u32 in 1..=64, unit "prompts";
        /// Which partitions the prompts in flight use.
        "mapping.windows" windows: choice<Windows> { Shared: "shared", Disjoint: "disjoint" };
    }
}
