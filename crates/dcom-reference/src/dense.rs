//! The float64 matrix that the references compute with.

use dcom_tensor::Matrix;
use faer::MatRef;

use crate::error::ReferenceError;

/// A row-major float64 matrix, made from a [`Matrix`] (exactly) or from values; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    rows: usize,
    cols: usize,
    data: Vec<f64>,
}

impl Dense {
    /// Takes `rows` x `cols` row-major values.
    pub fn new(rows: usize, cols: usize, data: Vec<f64>) -> Result<Self, ReferenceError> {
        for (what, found) in [("rows", rows), ("cols", cols)] {
            if found == 0 {
                return Err(ReferenceError::Range {
                    what,
                    min: 1,
                    max: usize::MAX,
                    found,
                });
            }
        }
        if rows.checked_mul(cols) != Some(data.len()) {
            let expected = rows.saturating_mul(cols);
            return Err(ReferenceError::Length {
                what: "the matrix",
                expected,
                found: data.len(),
            });
        }
        Ok(Self { rows, cols, data })
    }

    /// Rows: tokens S.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: channels H.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All values, row-major.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// One row. Panics if it is out of range.
    pub fn row(&self, row: usize) -> &[f64] {
        assert!(
            row < self.rows,
            "row {row} of a matrix of {} rows",
            self.rows
        );
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// Frobenius norm, rows summed one by one and then in order.
    pub fn frobenius(&self) -> f64 {
        self.data
            .chunks_exact(self.cols)
            .map(|row| row.iter().map(|x| x * x).sum::<f64>())
            .sum::<f64>()
            .sqrt()
    }

    pub(crate) fn view(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.data, self.rows, self.cols)
    }

    pub(crate) fn require_finite(&self) -> Result<(), ReferenceError> {
        match self.data.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(index) => Err(ReferenceError::NonFinite {
                what: "the matrix",
                row: index / self.cols,
                col: index % self.cols,
                value: self.data[index],
            }),
        }
    }
}

impl From<&Matrix> for Dense {
    fn from(matrix: &Matrix) -> Self {
        let mut data = Vec::with_capacity(matrix.data().len());
        let mut row_f32 = vec![0.0; matrix.cols()];
        for row in 0..matrix.rows() {
            matrix.row_to_f32(row, &mut row_f32);
            data.extend(row_f32.iter().map(|&x| f64::from(x)));
        }
        Self {
            rows: matrix.rows(),
            cols: matrix.cols(),
            data,
        }
    }
}
