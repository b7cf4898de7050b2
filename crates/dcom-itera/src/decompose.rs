//! The three ways to a smaller weight: quantization only, SVD and then quantization, and ITERA.
//!
//! ITERA (arXiv 2505.08981): R <- W; r times: take the leading singular triplet of R, quantize sqrt(s) u and sqrt(s) v, append
//! them, subtract the product *of the quantized vectors*. So every term also repairs what the rounding of the earlier ones
//! spoilt. All errors are ||W - approximation||_F / ||W||_F.

use crate::error::IteraError;
use crate::format::Format;
use crate::leading::{Subspace, narrow};
use crate::matrix::{Weight, dot, energy};
use crate::quantize::quantize;
use crate::svd::Svd;

/// An error below this is the rounding of fp32, some dozens of units of 2^-24: nothing is left to decompose.
const EXHAUSTED: f64 = 5e-6;

/// What to decompose into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Number of rank-1 terms, at most the smaller side.
    pub rank: usize,
    /// Format of the factors; none leaves them in fp32.
    pub format: Option<Format>,
    /// Largest accepted ||R^T R v - s^2 v|| / s^2 of a leading pair, 1e-6 to 0.5.
    pub tolerance: f64,
    /// Sweeps of the least-squares refit over all terms after the last one; 0 is plain ITERA.
    pub refit_sweeps: usize,
}

impl Options {
    /// Plain ITERA at the tolerance of 1e-3.
    #[must_use]
    pub fn new(rank: usize, format: Option<Format>) -> Options {
        Options {
            rank,
            format,
            tolerance: 1e-3,
            refit_sweeps: 0,
        }
    }
}

/// How far a decomposition is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Terms found, or refitted in this sweep.
    pub done: usize,
    /// Terms wanted.
    pub of: usize,
    /// Sweep of the refit; 0 while terms are being found.
    pub sweep: usize,
    /// The error so far.
    pub error: f64,
}

/// A quantized rank-1 term; the product of its vectors is what counts, not their lengths.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// One value per row (output).
    pub left: Vec<f32>,
    /// One value per column (input).
    pub right: Vec<f32>,
}

/// W as a sum of rank-1 terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    /// The terms in the order found; fewer than wanted when nothing was left.
    pub terms: Vec<Term>,
    /// The error after 0, 1, 2, ... terms, before any refit.
    pub errors: Vec<f64>,
    /// The error after each sweep of the refit.
    pub refit_errors: Vec<f64>,
    /// Passes over the residual for all leading pairs.
    pub passes: u64,
    /// The largest relative residual of an accepted pair.
    pub worst_residual: f64,
}

impl Decomposition {
    /// The error of all terms, after the refit if there was one.
    #[must_use]
    pub fn error(&self) -> f64 {
        let last = self.refit_errors.last().or(self.errors.last());
        *last.expect("there is an error without terms")
    }

    /// The sum of the first `rank` terms, row-major.
    #[must_use]
    pub fn product(&self, rank: usize) -> Vec<f32> {
        let terms = &self.terms[..rank.min(self.terms.len())];
        let (rows, cols) = terms
            .first()
            .map_or((0, 0), |term| (term.left.len(), term.right.len()));
        let mut sum = vec![0.0; rows * cols];
        for term in terms {
            for (row, &left) in sum.chunks_exact_mut(cols).zip(&term.left) {
                crate::matrix::add_scaled(row, left, &term.right);
            }
        }
        sum
    }
}

/// Storage of `rank` terms of a `rows` x `cols` weight \[bit\]; fp32 without a format.
#[must_use]
pub fn factor_bits(format: Option<Format>, rows: usize, cols: usize, rank: usize) -> u64 {
    let vector = |len: usize| match format {
        Some(format) => format.storage_bits(len),
        None => 32 * u64::try_from(len).expect("usize is at most 64 bits"),
    };
    u64::try_from(rank).expect("usize is at most 64 bits") * (vector(rows) + vector(cols))
}

/// Storage of a quantized `rows` x `cols` weight, a vector per row \[bit\].
#[must_use]
pub fn weight_bits(format: Format, rows: usize, cols: usize) -> u64 {
    u64::try_from(rows).expect("usize is at most 64 bits") * format.storage_bits(cols)
}

/// Quantization only, each row a vector of its own: the error and the quantized weight.
#[must_use]
pub fn quantize_weight(weight: &Weight, format: Format) -> (f64, Vec<f32>) {
    let quantized = weight.map_rows(|row, out| quantize(format, row, out));
    (relative_error(weight, &quantized), quantized)
}

/// ||W - approximation||_F / ||W||_F.
///
/// # Panics
/// The approximation has another number of values.
#[must_use]
pub fn relative_error(weight: &Weight, approximation: &[f32]) -> f64 {
    assert_eq!(
        weight.data().len(),
        approximation.len(),
        "matrices of one shape"
    );
    let pairs = weight.data().iter().zip(approximation);
    let difference: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (difference / weight.energy()).sqrt()
}

/// SVD first, then the factors sqrt(s) u and sqrt(s) v of `options.rank` terms are quantized.
///
/// # Errors
/// A rank or tolerance out of range.
pub fn svd_then_quantize(
    weight: &Weight,
    svd: &Svd,
    format: Option<Format>,
    rank: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Decomposition, IteraError> {
    check_rank(weight, rank)?;
    let mut peeling = Peeling::new(weight);
    for k in 0..rank {
        if peeling.error() <= EXHAUSTED {
            break;
        }
        let term = split(&svd.left(k), svd.values()[k], &svd.right(k), format);
        peeling.subtract(term);
        progress(peeling.progress(rank));
    }
    Ok(peeling.decomposition)
}

/// ITERA.
///
/// # Errors
/// A rank or tolerance out of range; a power iteration that does not converge.
pub fn itera(
    weight: &Weight,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Decomposition, IteraError> {
    check_rank(weight, options.rank)?;
    let mut peeling = Peeling::new(weight);
    let mut subspace = Subspace::default();
    for k in 0..options.rank {
        if peeling.error() <= EXHAUSTED {
            break;
        }
        let pair = subspace.leading(&peeling.residual, options.tolerance, k + 1)?;
        let term = split(&pair.left, pair.value, &pair.right, options.format);
        let new = peeling.subtract(term);
        let term = &peeling.decomposition.terms[k];
        subspace.follow(&term.left, &term.right, &new);
        let worst = &mut peeling.decomposition.worst_residual;
        *worst = worst.max(pair.residual);
        progress(peeling.progress(options.rank));
    }
    peeling.decomposition.passes = subspace.passes;
    for sweep in 1..=options.refit_sweeps {
        peeling.refit(options.format, sweep, progress);
    }
    Ok(peeling.decomposition)
}

fn check_rank(weight: &Weight, rank: usize) -> Result<(), IteraError> {
    let max = weight.rows().min(weight.cols());
    if (1..=max).contains(&rank) {
        return Ok(());
    }
    Err(IteraError::Range {
        what: "the rank",
        min: 1,
        max,
        found: rank,
    })
}

/// Both vectors get sqrt(s), so that neither leaves the range of a format while the other idles.
fn split(left: &[f32], value: f64, right: &[f32], format: Option<Format>) -> Term {
    let root = narrow(value.sqrt());
    let half = |vector: &[f32]| {
        let scaled: Vec<f32> = vector.iter().map(|x| x * root).collect();
        rounded(&scaled, format)
    };
    Term {
        left: half(left),
        right: half(right),
    }
}

fn rounded(vector: &[f32], format: Option<Format>) -> Vec<f32> {
    let mut out = vector.to_vec();
    if let Some(format) = format {
        quantize(format, vector, &mut out);
    }
    out
}

/// W minus the terms so far.
struct Peeling {
    residual: Weight,
    whole: f64,
    decomposition: Decomposition,
}

impl Peeling {
    fn new(weight: &Weight) -> Peeling {
        Peeling {
            residual: weight.clone(),
            whole: weight.energy(),
            decomposition: Decomposition {
                terms: Vec::new(),
                errors: vec![1.0],
                refit_errors: Vec::new(),
                passes: 0,
                worst_residual: 0.0,
            },
        }
    }

    fn error(&self) -> f64 {
        self.decomposition.error()
    }

    fn progress(&self, rank: usize) -> Progress {
        Progress {
            done: self.decomposition.terms.len(),
            of: rank,
            sweep: 0,
            error: self.error(),
        }
    }

    fn subtract(&mut self, term: Term) -> crate::matrix::Subtracted {
        let new = self.residual.subtract(&term.left, &term.right);
        self.decomposition
            .errors
            .push((new.energy / self.whole).sqrt());
        self.decomposition.terms.push(term);
        new
    }

    /// One sweep: each vector of each term in turn becomes the quantized least-squares solution given all others. A step
    /// that would raise the error, because rounding spoils it, is not taken.
    fn refit(&mut self, format: Option<Format>, sweep: usize, progress: &mut dyn FnMut(Progress)) {
        let of = self.decomposition.terms.len();
        for index in 0..of {
            let old = self.decomposition.terms[index].clone();
            let (left_energy, right_energy) = (energy(&old.left), energy(&old.right));
            // With E = R + a b^T, the error without this term, E^T a' = R^T a' + b (a . a') and E b = R b + a |b|^2.
            let mut left = self.residual.times(&old.right);
            combine(&mut left, &old.left, right_energy, right_energy);
            let left = rounded(&left, format);
            let overlap = f64::from(dot(&old.left, &left));
            let mut right = self.residual.transposed_times(&left);
            combine(&mut right, &old.right, overlap, energy(&left));
            let right = rounded(&right, format);
            let new = Term { left, right };
            // ||E - a' b'^T||^2 - ||E - a b^T||^2, of which ||E||^2 drops out.
            let gain =
                |a: &Term, projection: f64| energy(&a.left) * energy(&a.right) - 2.0 * projection;
            let image = self.residual.times(&new.right);
            let projection = f64::from(dot(&image, &new.left))
                + overlap * f64::from(dot(&old.right, &new.right));
            let image = self.residual.times(&old.right);
            let before = f64::from(dot(&image, &old.left)) + left_energy * right_energy;
            if gain(&new, projection) < gain(&old, before) {
                let negative: Vec<f32> = old.left.iter().map(|x| -x).collect();
                self.residual.subtract(&negative, &old.right);
                self.residual.subtract(&new.left, &new.right);
                self.decomposition.terms[index] = new;
            }
            let done = index + 1;
            let error = self.error();
            progress(Progress {
                done,
                of,
                sweep,
                error,
            });
        }
        let error = (self.residual.energy() / self.whole).sqrt();
        self.decomposition.refit_errors.push(error);
    }
}

/// (sum + weight vector) / divisor.
fn combine(sum: &mut [f32], vector: &[f32], weight: f64, divisor: f64) {
    let (weight, divisor) = (narrow(weight), narrow(divisor));
    for (sum, x) in sum.iter_mut().zip(vector) {
        *sum = (*sum + weight * x) / divisor;
    }
}
