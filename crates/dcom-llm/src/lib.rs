//! Llama-architecture models on GPUs and D-com: op-graphs, decomposition plans, kernel times, memory, and who waits for whom.
//!
//! A [`Model`], a [`Batch`] and a [`Plan`] become an op-graph ([`model_graph`]); [`Gpus`] give every op a time, a [`Decomposer`] every
//! decomposition; the [`schedule`] runs both machines. What a number rests on is in `docs/llm.md`.
//!
//! Reading order: `model` and `plan` (what is asked), `op` and `graph` (what is computed), `equations` and `memory` (what that saves), `gpu`,
//! `algorithm` and `decomposer` (what it takes), `schedule` and `scenario` (when it happens); `measured` (what a GPU says to it).

mod model;
mod plan;

mod op;

mod graph;

mod equations;
mod memory;

mod algorithm;
mod decomposer;
mod gpu;

pub mod schedule;

mod scenario;

pub mod measured;

pub use algorithm::{
    Algorithm, Direct, KernelGroup, MATVEC, NORM, Problem, REORTH_U, REORTH_V, SMALL_SVD, Sequence,
    direct_us, eager, fused, lanczos_eager, lanczos_fused,
};
pub use decomposer::{Decomposer, DecomposerError, Job};
pub use equations::{
    cheapest_order, compression_activation, compression_weight, compute_reduction_both,
    compute_reduction_input, weight_rank_bound,
};
pub use gpu::{Gpu, Gpus, KernelTime, Parallelism};
pub use graph::{Attention, Batch, Graph, layer_graph, model_graph, output_elements};
pub use memory::{TensorBytes, activations, model_activations, weights};
pub use model::{Linear, Model};
pub use op::{Decomposition, Elementwise, Kernels, Op, Work};
pub use plan::{Flow, LayerPlan, Outliers, Plan, PlanError, Return, Scan};
pub use scenario::{
    DECOMPOSITION, DecomposeOn, Evaluation, FACTORED, Hbm, KINDS, ORIGINAL, OpTime, Phase, Policy,
    Scenario, ScenarioError, System,
};

/// A count in formulas of time; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "times have far fewer digits")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
