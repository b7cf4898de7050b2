//! The small SVD of the bidiagonal or triangular matrix, as the host computes it.

use dcom_fp::round16;
use dcom_isa::{Glob, Pred, Reg};
use dcom_reference::{ReferenceError, SmallSvd, small_svd};

use crate::machine::Machine;
use crate::outcome::Coefficients;
use crate::state::{Predicate, canonical};

/// Operands of `svd` but the matrix.
pub(crate) struct Bidiagonal {
    pub(crate) alpha: Reg,
    pub(crate) beta: Reg,
    pub(crate) p: Pred,
}

/// Operands of `tsvd` but the matrix.
pub(crate) struct Triangular {
    pub(crate) t: Reg,
    pub(crate) band: u16,
}

/// What the two have in common.
pub(crate) struct Operands {
    pub(crate) u: Glob,
    pub(crate) v: Glob,
    pub(crate) k: u16,
    pub(crate) r: u16,
    pub(crate) exponent: Reg,
}

/// What a small SVD takes from the machine.
struct Question {
    registers: Vec<f32>,
    predicate: Option<Predicate>,
}

impl Machine<'_> {
    pub(crate) fn svd(
        &mut self,
        prompt: usize,
        op: &Operands,
        b: &Bidiagonal,
    ) -> Result<(), ReferenceError> {
        let size = usize::from(op.k);
        let predicate = self.state.predicate(b.p);
        let passed = predicate.passed as usize;
        let (alphas, betas) = if predicate.set {
            (passed.div_ceil(2), passed / 2)
        } else {
            (size, size)
        };
        let (mut alpha, mut beta) = (
            self.registers(b.alpha, size),
            self.registers(b.beta, size - 1),
        );
        let asked = Question {
            registers: alpha.iter().chain(&beta).copied().collect(),
            predicate: Some(predicate),
        };
        alpha.iter_mut().skip(alphas).for_each(|x| *x = 0.0);
        beta.iter_mut().skip(betas).for_each(|x| *x = 0.0);
        self.small_svd(prompt, op, &[&alpha, &beta], asked)?;
        let result = &mut self.outcome.prompts[prompt];
        result.alpha = alpha;
        result.beta = beta;
        result.broke_down_after = predicate.set.then_some(predicate.passed);
        Ok(())
    }

    pub(crate) fn triangular_svd(
        &mut self,
        prompt: usize,
        op: &Operands,
        t: &Triangular,
    ) -> Result<(), ReferenceError> {
        let diagonals: Vec<_> = (0..=t.band)
            .map(|d| self.registers(Reg(t.t.0 + d * op.k), usize::from(op.k - d)))
            .collect();
        let diagonals: Vec<_> = diagonals.iter().map(Vec::as_slice).collect();
        let asked = Question {
            registers: diagonals.concat(),
            predicate: None,
        };
        self.small_svd(prompt, op, &diagonals, asked)?;
        let result = &mut self.outcome.prompts[prompt];
        result.alpha = diagonals[0].to_vec();
        result.beta = Vec::new();
        result.broke_down_after = None;
        Ok(())
    }

    fn registers(&self, first: Reg, n: usize) -> Vec<f32> {
        self.state.registers[first.index()..][..n].to_vec()
    }

    /// The SVD of the upper triangular matrix of some diagonals, the main one first.
    fn small_svd(
        &mut self,
        prompt: usize,
        op: &Operands,
        diagonals: &[&[f32]],
        asked: Question,
    ) -> Result<(), ReferenceError> {
        let (size, rank) = (usize::from(op.k), usize::from(op.r));
        let svd = decompose(diagonals)?;
        for (global, vectors) in [(op.u, &svd.u), (op.v, &svd.v)] {
            let words = &mut self.state.globals[global.index()][..size * rank];
            for (column, words) in words.chunks_exact_mut(size).enumerate() {
                for (row, word) in words.iter_mut().enumerate() {
                    *word = if svd.s[column] == 0.0 {
                        0.0
                    } else {
                        round_once(vectors[row * size + column])
                    };
                }
            }
        }
        let words = |global: Glob| -> Vec<u32> {
            self.state.globals[global.index()][..size * rank]
                .iter()
                .map(|word| word.to_bits())
                .collect()
        };
        let coefficients = Coefficients {
            asked: asked.registers.into_iter().map(f32::to_bits).collect(),
            predicate: asked.predicate,
            u: words(op.u),
            v: words(op.v),
        };
        self.outcome.small_svds.push(coefficients);
        let exponent = self.exponent(op.exponent);
        let result = &mut self.outcome.prompts[prompt];
        result.s = svd.s[..rank]
            .iter()
            .map(|s| s * 2.0_f64.powi(-exponent))
            .collect();
        result.exponent = exponent;
        Ok(())
    }
}

/// The SVD of an upper triangular matrix of some diagonals; all NaN if one of its entries is not finite.
fn decompose(diagonals: &[&[f32]]) -> Result<SmallSvd, ReferenceError> {
    let size = diagonals[0].len();
    if !diagonals.iter().all(|d| d.iter().all(|x| x.is_finite())) {
        let (s, vectors) = (vec![f64::NAN; size], vec![f64::NAN; size * size]);
        return Ok(SmallSvd {
            u: vectors.clone(),
            s,
            v: vectors,
        });
    }
    let mut b = vec![0.0; size * size];
    for (d, diagonal) in diagonals.iter().enumerate() {
        for (i, &entry) in diagonal.iter().enumerate() {
            b[i * size + i + d] = f64::from(entry);
        }
    }
    small_svd(&b, size)
}

/// `x` rounded once to the fp16 grid.
///
/// Rounding to binary32 first is harmless if it is to odd: then only exact values look exact (Boldo and Melquiond, "When
/// double rounding is odd", 2005).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the rounding that is meant"
)]
fn round_once(x: f64) -> f32 {
    let nearest = x as f32;
    let beyond = f64::from(nearest).abs() > x.abs();
    let truncated = f32::from_bits(nearest.to_bits() - u32::from(beyond));
    let inexact = f64::from(truncated) != x && !x.is_nan();
    canonical(round16(f32::from_bits(
        truncated.to_bits() | u32::from(inexact),
    )))
}

#[cfg(test)]
mod tests {
    use super::round_once;

    /// Just above and below a tie that binary32 does not see, on both sides of zero.
    #[test]
    fn binary64_is_rounded_once() {
        let (tie, least) = (1.0 + 2.0_f64.powi(-11), 2.0_f64.powi(-40));
        let above = 1.0 + 2.0_f32.powi(-10);
        for (x, rounded) in [(tie, 1.0), (tie + least, above), (tie - least, 1.0)] {
            assert_eq!([round_once(x), round_once(-x)], [rounded, -rounded], "{x}");
        }
        let next_tie = f64::from(above) + 2.0_f64.powi(-11);
        assert_eq!(round_once(next_tie - least), above);
        assert_eq!(round_once(-1e-300).to_bits(), (-0.0_f32).to_bits());
    }
}
