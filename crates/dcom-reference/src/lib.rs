//! Float64 references: what the accelerator's results are measured against.
//!
//! Nothing here knows the machine: no fp16 arithmetic, no cycles, no programs. Inputs are matrices and factors, outputs
//! are numbers whose accuracy is stated. Results do not depend on the number of threads.
//!
//! Start reading at [`best_rank_errors`] (the best any rank-r factorization can do) and [`reconstruction`] (what given
//! factors do).

mod dense;
mod error;

mod block_lanczos;
mod spectrum;

mod orthogonality;
mod reconstruction;
mod residual;

mod golub_kahan;
mod small_svd;
mod truncated;

mod random;
pub mod synthetic;
mod synthetic_weight;

pub use dense::Dense;
pub use error::ReferenceError;
pub use golub_kahan::{Bidiagonalization, Status, golub_kahan_f64};
pub use orthogonality::{OrthogonalityLoss, orthogonality_loss};
pub use reconstruction::{Errors, reconstruction};
pub use residual::{product_frobenius, residual, residual_errors};
pub use small_svd::{SmallSvd, small_svd};
pub use spectrum::{
    Method, RankError, Reference, best_rank_errors, block_lanczos_errors, singular_values,
};
pub use synthetic_weight::llama_like_weight;
pub use truncated::{Truncated, truncated_lanczos, truncated_svd};
