//! The fp16 matrix that every part of the project exchanges.
//!
//! Assumption: row-major, rows = tokens S, columns = channels H, no padding between rows.

use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use thiserror::Error;

use crate::round::Rounder;

/// Edge of the square tiles that [`Matrix::transposed`] moves: 32 binary16 values are one 64-byte cache line.
const TRANSPOSE_TILE: usize = 32;

/// A matrix of binary16 bit patterns, row-major; never empty. Infinities and NaN are allowed: an executor may produce
/// them, [`crate::read_matrix`] does not let them in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<u16>,
}

/// Why a matrix cannot be made from the given values.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum MatrixError {
    /// The number of values is not rows x columns.
    #[error("a {rows} x {cols} matrix needs rows x cols values, {len} were given")]
    Length {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
        /// Values given.
        len: usize,
    },
    /// A dimension is zero.
    #[error("a {rows} x {cols} matrix is empty; both dimensions must be at least 1")]
    Empty {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
    /// A source value is NaN or infinite.
    #[error("the value at row {row}, column {col} is {value}; all values must be finite")]
    NonFinite {
        /// Row of the first such value in row-major order.
        row: usize,
        /// Its column.
        col: usize,
        /// The value.
        value: f64,
    },
}

/// A matrix rounded from fp32, and what the rounding did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromF32 {
    /// The rounded matrix; values beyond the binary16 range are infinite.
    pub matrix: Matrix,
    /// Number of values that binary16 does not represent exactly, overflowed ones included.
    pub rounded: usize,
    /// Number of finite values that became infinite.
    pub overflowed: usize,
}

impl Matrix {
    /// Makes a `rows` x `cols` matrix of row-major binary16 bit patterns.
    pub fn new(rows: usize, cols: usize, data: Vec<u16>) -> Result<Self, MatrixError> {
        check_shape(rows, cols, data.len())?;
        Ok(Self { rows, cols, data })
    }

    /// Rounds `values` (row-major, finite) to the nearest binary16, ties to even.
    pub fn from_f32(rows: usize, cols: usize, values: &[f32]) -> Result<FromF32, MatrixError> {
        check_shape(rows, cols, values.len())?;
        let mut rounder = Rounder::with_capacity(values.len());
        rounder.push_f32(values, |index| (index / cols, index % cols));
        let rounded = rounder.finish();
        if let Some(bad) = rounded.non_finite {
            return Err(MatrixError::NonFinite {
                row: bad.row,
                col: bad.col,
                value: bad.value,
            });
        }
        Ok(FromF32 {
            matrix: Self {
                rows,
                cols,
                data: rounded.bits,
            },
            rounded: rounded.rounded,
            overflowed: rounded.overflowed,
        })
    }

    /// Rows: tokens S.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: channels H.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All bit patterns, row-major.
    pub fn data(&self) -> &[u16] {
        &self.data
    }

    /// The bit patterns, row-major, without the matrix.
    pub fn into_data(self) -> Vec<u16> {
        self.data
    }

    /// The bit patterns of one row. Panics if `row` is out of range.
    pub fn row(&self, row: usize) -> &[u16] {
        assert!(
            row < self.rows,
            "row {row} of a matrix of {} rows",
            self.rows
        );
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// The bit pattern of one element. Panics if it is out of range.
    pub fn get(&self, row: usize, col: usize) -> u16 {
        assert!(
            col < self.cols,
            "column {col} of a matrix of {} columns",
            self.cols
        );
        self.row(row)[col]
    }

    /// All values as f32 (exact), row-major.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.data.len()];
        self.data
            .reinterpret_cast::<f16>()
            .convert_to_f32_slice(&mut out);
        out
    }

    /// Writes one row as f32 (exact) into `out`. Panics if `row` is out of range or `out` is not `cols` long.
    pub fn row_to_f32(&self, row: usize, out: &mut [f32]) {
        self.row(row)
            .reinterpret_cast::<f16>()
            .convert_to_f32_slice(out);
    }

    /// The transposed matrix, moved tile by tile so that both sides stay in cache.
    pub fn transposed(&self) -> Self {
        let mut data = vec![0; self.data.len()];
        for row_tile in (0..self.rows).step_by(TRANSPOSE_TILE) {
            let row_end = (row_tile + TRANSPOSE_TILE).min(self.rows);
            for col_tile in (0..self.cols).step_by(TRANSPOSE_TILE) {
                let col_end = (col_tile + TRANSPOSE_TILE).min(self.cols);
                for row in row_tile..row_end {
                    for col in col_tile..col_end {
                        data[col * self.rows + row] = self.data[row * self.cols + col];
                    }
                }
            }
        }
        Self {
            rows: self.cols,
            cols: self.rows,
            data,
        }
    }
}

fn check_shape(rows: usize, cols: usize, len: usize) -> Result<(), MatrixError> {
    if rows == 0 || cols == 0 {
        return Err(MatrixError::Empty { rows, cols });
    }
    if rows.checked_mul(cols) != Some(len) {
        return Err(MatrixError::Length { rows, cols, len });
    }
    Ok(())
}
