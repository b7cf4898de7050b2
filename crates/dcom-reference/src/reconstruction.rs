//! How well given factors reconstruct a matrix.
//!
//! All products and sums are float64: rows go through a kernel of fixed blocks, row sums are added in row order, so the
//! result does not depend on the number of threads. (float32 products would save half the time and lose the errors
//! below 1e-7.)

use dcom_tensor::{Factors, Matrix};
use rayon::prelude::*;

use crate::error::ReferenceError;

/// Rows that share one pass over V^T.
const ROWS: usize = 4;

/// Columns of a tile: ROWS tiles of the residual and one of V^T fit the first-level cache.
const COLS: usize = 256;

/// Partial sums per row: a row is summed in lanes that are added at the end, in order.
const LANES: usize = 4;

/// Relative errors of a reconstruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// ||A - U diag(s) V^T||_F / ||A||_F; for the zero matrix 0 if the reconstruction is zero, else infinite.
    pub relative_frobenius: f64,
    /// Median over the tokens of ||row of the residual|| / ||row of A||, zero rows as above; of an even number of
    /// tokens the mean of the middle two.
    pub per_token_median: f64,
    /// Largest of them.
    pub per_token_max: f64,
}

/// Compares `matrix` (S x H) with the product of `factors`.
pub fn reconstruction(matrix: &Matrix, factors: &Factors) -> Result<Errors, ReferenceError> {
    check(matrix, factors)?;
    let v_transposed = transposed_f64(factors.v(), factors.rank());
    let mut squares = vec![Squares::default(); matrix.rows()];
    squares
        .par_chunks_mut(ROWS)
        .enumerate()
        .for_each(|(group, squares)| {
            Kernel {
                matrix,
                factors,
                v_transposed: &v_transposed,
            }
            .run(group * ROWS, squares);
        });
    if let Some(row) = squares.iter().position(|s| !s.original.is_finite()) {
        return Err(first_non_finite(matrix, row));
    }

    Ok(errors(&squares))
}

/// Refuses factors of another shape than the matrix, and factors that are not finite.
pub(crate) fn check(matrix: &Matrix, factors: &Factors) -> Result<(), ReferenceError> {
    if (matrix.rows(), matrix.cols()) != (factors.rows(), factors.cols()) {
        return Err(ReferenceError::Shape {
            rows: matrix.rows(),
            cols: matrix.cols(),
            factor_rows: factors.rows(),
            factor_cols: factors.cols(),
        });
    }
    require_finite("factor u", factors.u(), factors.rank())?;
    require_finite("factor s", factors.s(), 1)?;
    require_finite("factor v", factors.v(), factors.rank())
}

/// Errors from the sums of squares of all rows.
pub(crate) fn errors(squares: &[Squares]) -> Errors {
    let total = squares.iter().fold(Squares::default(), |sum, row| Squares {
        residual: sum.residual + row.residual,
        original: sum.original + row.original,
    });
    let mut tokens = squares.iter().map(Squares::relative).collect::<Vec<_>>();
    tokens.sort_by(f64::total_cmp);
    let middle = tokens.len() / 2;
    let median = if tokens.len() % 2 == 1 {
        tokens[middle]
    } else {
        0.5 * (tokens[middle - 1] + tokens[middle])
    };
    Errors {
        relative_frobenius: total.relative(),
        per_token_median: median,
        per_token_max: tokens[tokens.len() - 1],
    }
}

/// Sums of squares of a row.
#[derive(Clone, Copy, Default)]
pub(crate) struct Squares {
    pub(crate) residual: f64,
    pub(crate) original: f64,
}

impl Squares {
    fn relative(&self) -> f64 {
        match (self.residual, self.original) {
            (0.0, _) => 0.0,
            (_, 0.0) => f64::INFINITY,
            (residual, original) => (residual / original).sqrt(),
        }
    }
}

struct Kernel<'a> {
    matrix: &'a Matrix,
    factors: &'a Factors,
    /// r x H, row-major.
    v_transposed: &'a [f64],
}

impl Kernel<'_> {
    /// Fills `squares` for the rows from `first` on, at most [`ROWS`].
    fn run(&self, first: usize, squares: &mut [Squares]) {
        let (cols, rank) = (self.matrix.cols(), self.factors.rank());
        let mut original = vec![0.0_f32; squares.len() * cols];
        for (offset, row) in original.chunks_exact_mut(cols).enumerate() {
            self.matrix.row_to_f32(first + offset, row);
        }
        // U diag(s): a product of two f32 is exact in f64.
        let weights = (0..squares.len() * rank)
            .map(|i| {
                f64::from(self.factors.u()[first * rank + i])
                    * f64::from(self.factors.s()[i % rank])
            })
            .collect::<Vec<_>>();
        let mut lanes = [[[0.0; LANES]; 2]; ROWS];
        let mut tile = [0.0; COLS];
        for start in (0..cols).step_by(COLS) {
            let width = COLS.min(cols - start);
            for row in 0..squares.len() {
                let original = &original[row * cols + start..][..width];
                let tile = &mut tile[..width];
                for (x, &a) in tile.iter_mut().zip(original) {
                    *x = f64::from(a);
                }
                add_squares(tile, &mut lanes[row][1]);
                self.subtract(start, &weights[row * rank..][..rank], tile);
                add_squares(tile, &mut lanes[row][0]);
            }
        }
        for (squares, [residual, original]) in squares.iter_mut().zip(&lanes) {
            *squares = Squares {
                residual: residual.iter().sum(),
                original: original.iter().sum(),
            };
        }
    }

    /// `tile` -= `weights` V^T, columns from `start` on; two ranks at a time, to load and store the tile half as often.
    fn subtract(&self, start: usize, weights: &[f64], tile: &mut [f64]) {
        let cols = self.matrix.cols();
        let v = |k: usize| &self.v_transposed[k * cols + start..][..tile.len()];
        let (mut k, rank) = (0, weights.len());
        let ranges = (0..rank).map(v).collect::<Vec<_>>();
        while k + 1 < rank {
            let (w0, w1) = (weights[k], weights[k + 1]);
            for ((x, &v0), &v1) in tile.iter_mut().zip(ranges[k]).zip(ranges[k + 1]) {
                *x = (*x - w0 * v0) - w1 * v1;
            }
            k += 2;
        }
        if k < rank {
            for (x, &v0) in tile.iter_mut().zip(ranges[k]) {
                *x -= weights[k] * v0;
            }
        }
    }
}

fn add_squares(values: &[f64], lanes: &mut [f64; LANES]) {
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x * x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += x * x;
    }
}

fn transposed_f64(v: &[f32], rank: usize) -> Vec<f64> {
    (0..rank)
        .flat_map(|k| v.iter().skip(k).step_by(rank).map(|&x| f64::from(x)))
        .collect()
}

fn require_finite(what: &'static str, values: &[f32], cols: usize) -> Result<(), ReferenceError> {
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(index) => {
            let value = f64::from(values[index]);
            Err(ReferenceError::NonFinite {
                what,
                row: index / cols,
                col: index % cols,
                value,
            })
        }
    }
}

fn first_non_finite(matrix: &Matrix, row: usize) -> ReferenceError {
    let mut values = vec![0.0; matrix.cols()];
    matrix.row_to_f32(row, &mut values);
    let col = values
        .iter()
        .position(|x| !x.is_finite())
        .expect("binary16 squares overflow only from infinity or NaN");
    ReferenceError::NonFinite {
        what: "the matrix",
        row,
        col,
        value: f64::from(values[col]),
    }
}
