//! What a run leaves behind.

use crate::state::Predicate;

/// The factors of one prompt, U diag(s) V^T, as they left the machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptResult {
    /// Columns of U in rank order, each as long as A has rows; a column that never left is empty.
    pub u: Vec<Vec<f32>>,
    /// Singular values, descending, scaled back.
    pub s: Vec<f64>,
    /// Columns of V, each as long as A has columns; a column that never left is empty.
    pub v: Vec<Vec<f32>>,
    /// Diagonal of the bidiagonal matrix as the small SVD saw it, scaled, with zeros after a breakdown.
    pub alpha: Vec<f32>,
    /// Superdiagonal of the same.
    pub beta: Vec<f32>,
    /// Tests passed before the one that failed, if one did.
    pub broke_down_after: Option<u32>,
    /// Exponent e of the scaling: the machine worked on A 2^e.
    pub exponent: i32,
    /// Results that overflowed in operations for this prompt.
    pub overflow_count: u64,
}

/// Whether each breakdown test passed, in the order of execution; skipped tests are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreakdownTrace {
    /// One entry per executed `brk`.
    pub passed: Vec<bool>,
}

/// What one execution of a small SVD was asked and gave, as it stands in registers and global broadcast memory: binary32
/// patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coefficients {
    /// Registers: alphas and betas of `svd`, before a breakdown cuts them off; the diagonals of `tsvd`.
    pub asked: Vec<u32>,
    /// Predicate of `svd`.
    pub predicate: Option<Predicate>,
    /// Left vectors, column by column.
    pub u: Vec<u32>,
    /// Right vectors, column by column.
    pub v: Vec<u32>,
}

/// What a program computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// One result per prompt given; that of a prompt without instructions is empty.
    pub prompts: Vec<PromptResult>,
    /// For the timing model.
    pub trace: BreakdownTrace,
    /// One entry per executed `svd` or `tsvd`, for a machine whose host answers from here.
    pub small_svds: Vec<Coefficients>,
    /// The machine's overflow counter. The prompts' counts add up to it but for operations on host vectors alone.
    pub overflow_count: u64,
}
