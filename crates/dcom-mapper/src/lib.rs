//! From a decomposition algorithm to the machine: a workload file and a mapping policy become a program.
//!
//! The op-graph of the algorithm is walked in order and every operation lowered to instructions,
//! with partial computation expansion (section 5.3 of the paper). Knows no cycle count: prompts in
//! flight are interleaved by turns, and what that gains is for the timing model to say.

mod layouts;
mod lower;
mod map;
mod memory;
mod params;
mod product;
mod prompt;
mod reorth;
mod sketch;

pub use map::{MapError, Mapped, map};
pub use params::{
    Algorithm, Dataflow, PartialSums, PlacementChoice, ReductionChoice, Residency, Scheme, Start,
    Windows, WorkloadParams,
};
pub use sketch::host_vectors;
