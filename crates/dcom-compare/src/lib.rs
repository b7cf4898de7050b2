//! Which decomposition: the algorithms of D-com on one matrix, by error, reads of A, time and energy, on D-com and on a GPU.
//!
//! Errors are those of the factors that the machine's arithmetic gives, bit for bit; times of D-com are those of the same
//! program. The GPU's times are a model's ([`dcom_llm`]): the kernels that a PyTorch program launches, and as few fused ones as
//! can be, so that the comparison does not rest on a slow program.
//!
//! Reading order: `candidate` (what is tried), `evaluate` (what it gives), `table`, `verdict` (which one wins where).

mod candidate;
mod evaluate;
mod table;
mod verdict;

pub use candidate::{Candidate, candidates};
pub use evaluate::{CompareError, Comparison, Cost, Outcome, Subject, compare, cost, error_of};
pub use table::{Place, figure, table};
pub use verdict::{Base, Machine, Shape, Verdict, Winner, verdicts};
