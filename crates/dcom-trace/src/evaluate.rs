//! How well the machine's factors stand for a recorded activation, and for what the next linear ops make of it.

use dcom_reference::{
    Dense, Errors, best_rank_errors, product_frobenius, residual, residual_errors,
};
use dcom_tensor::Matrix;

use crate::decompose::{Decomposer, Sizes};
use crate::error::EvaluateError;
use crate::op::{Kind, OpId};
use crate::outliers::{OutlierRule, without_channels};
use crate::trace::{PromptId, Trace};

/// What becomes of outlier channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// They are kept as they are.
    Exact,
    /// They are decomposed by themselves, at this rank.
    Decomposed(usize),
}

/// What to evaluate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// The op whose result is decomposed.
    pub op: OpId,
    /// For which prompt.
    pub prompt: PromptId,
    /// Rank of the factors; clamped to the smaller side.
    pub rank: usize,
    /// Lanczos iterations; [`MORE_ITERATIONS`](crate::MORE_ITERATIONS) more than the rank if not given.
    pub iterations: Option<usize>,
    /// Which channels are outliers, if any are taken out.
    pub outliers: Option<OutlierRule>,
    /// What becomes of these.
    pub track: Track,
}

/// The quality of an approximation, relative to the whole activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// The machine's errors; none if its factors are not finite.
    pub errors: Option<Errors>,
    /// The least relative Frobenius error that any factors of the same ranks have.
    pub best: f64,
}

/// Relative Frobenius errors of a linear op's output, || (X - X') W^T || / || X W^T ||.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputErrors {
    /// The linear op.
    pub op: OpId,
    /// Without outlier extraction; none if the factors are not finite.
    pub plain: Option<f64>,
    /// With it, if any channel was taken out.
    pub extracted: Option<f64>,
}

/// An activation and what decomposition leaves of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// Tokens and channels.
    pub shape: (usize, usize),
    /// Rank and iterations after clamping.
    pub sizes: Sizes,
    /// All channels decomposed together.
    pub plain: Kept,
    /// Outlier channels, ascending.
    pub outliers: Vec<usize>,
    /// These taken out first; none if there are none.
    pub extracted: Option<Kept>,
    /// The linear ops that read the activation and whose weights were recorded.
    pub outputs: Vec<OutputErrors>,
}

/// Decomposes a recorded activation on the machine, with and without its outlier channels.
///
/// # Errors
/// Nothing was recorded, or the machine cannot hold the matrix.
pub fn evaluate(
    trace: &Trace,
    decomposer: &Decomposer<'_>,
    request: &Request,
) -> Result<Reconstruction, EvaluateError> {
    let tensor = trace
        .activation(request.op, request.prompt)
        .ok_or_else(|| EvaluateError::NotRecorded {
            trace: trace.name(),
            op: trace.op(request.op).name.clone(),
            prompt: trace.prompt(request.prompt).id.clone(),
        })?;
    let activation = trace.load(tensor)?;
    let shape = (activation.rows(), activation.cols());
    let sizes = Sizes::new(request.rank, request.iterations, shape.0.min(shape.1));
    let whole = Part::of(&activation, decomposer, sizes)?;
    let outliers = request
        .outliers
        .map_or_else(Vec::new, |rule| rule.channels(&activation));
    let split = if outliers.is_empty() {
        None
    } else {
        Some(Part::split(
            &activation,
            &outliers,
            decomposer,
            sizes,
            request,
        )?)
    };
    let mut outputs = Vec::new();
    for op in trace
        .readers(request.op)
        .filter(|op| trace.op(*op).kind == Kind::Linear)
    {
        if let Some(weight) = trace.weight(op) {
            let weight = trace.load(weight)?;
            let output = product_frobenius(&Dense::from(&activation), &weight)?;
            let error = |part: &Part| match &part.residual {
                Some(residual) => Ok(Some(relative(
                    product_frobenius(residual, &weight)?,
                    output,
                ))),
                None => Ok::<_, EvaluateError>(None),
            };
            outputs.push(OutputErrors {
                op,
                plain: error(&whole)?,
                extracted: split.as_ref().map(error).transpose()?.flatten(),
            });
        }
    }
    Ok(Reconstruction {
        shape,
        sizes,
        plain: whole.kept(&activation)?,
        outliers,
        extracted: split
            .as_ref()
            .map(|split| split.kept(&activation))
            .transpose()?,
        outputs,
    })
}

/// An approximation of an activation.
struct Part {
    /// What it misses; none if the factors are not finite.
    residual: Option<Dense>,
    /// The least Frobenius norm that this could have.
    best: f64,
}

impl Part {
    fn of(
        matrix: &Matrix,
        decomposer: &Decomposer<'_>,
        sizes: Sizes,
    ) -> Result<Part, EvaluateError> {
        let decomposition = decomposer.decompose(matrix, sizes)?;
        let best = best_rank_errors(matrix, &[sizes.rank])?;
        Ok(Part {
            residual: if decomposition.finite() {
                Some(residual(matrix, &decomposition.factors)?)
            } else {
                None
            },
            best: best.errors[0].relative_frobenius * best.frobenius,
        })
    }

    /// Outlier channels apart from the others.
    fn split(
        activation: &Matrix,
        outliers: &[usize],
        decomposer: &Decomposer<'_>,
        sizes: Sizes,
        request: &Request,
    ) -> Result<Part, EvaluateError> {
        let rest = Part::of(&without_channels(activation, outliers), decomposer, sizes)?;
        let Track::Decomposed(rank) = request.track else {
            return Ok(rest);
        };
        let columns = columns(activation, outliers);
        let smaller = columns.rows().min(columns.cols());
        let taken = Part::of(&columns, decomposer, Sizes::new(rank, None, smaller))?;
        Ok(Part {
            residual: match (rest.residual, taken.residual) {
                (Some(rest), Some(taken)) => Some(merged(&rest, &taken, outliers)),
                _ => None,
            },
            best: rest.best.hypot(taken.best),
        })
    }

    fn kept(&self, activation: &Matrix) -> Result<Kept, EvaluateError> {
        let norm = Dense::from(activation).frobenius();
        let errors = self
            .residual
            .as_ref()
            .map(|r| residual_errors(activation, r));
        Ok(Kept {
            errors: errors.transpose()?,
            best: relative(self.best, norm),
        })
    }
}

/// Some columns of a matrix, side by side.
fn columns(matrix: &Matrix, columns: &[usize]) -> Matrix {
    let data = (0..matrix.rows()).flat_map(|row| columns.iter().map(move |c| matrix.get(row, *c)));
    Matrix::new(matrix.rows(), columns.len(), data.collect()).expect("one value per row and column")
}

/// The residual whose columns `at` are those of `taken`.
fn merged(rest: &Dense, taken: &Dense, at: &[usize]) -> Dense {
    let mut data = rest.data().to_vec();
    for (row, values) in data.chunks_exact_mut(rest.cols()).enumerate() {
        for (column, value) in at.iter().zip(taken.row(row)) {
            values[*column] = *value;
        }
    }
    Dense::new(rest.rows(), rest.cols(), data).expect("the shape of a matrix")
}

/// Error over norm; the zero matrix is met exactly or not at all.
fn relative(error: f64, norm: f64) -> f64 {
    match (error, norm) {
        (0.0, _) => 0.0,
        (error, norm) => error / norm,
    }
}
