//! The fp32 matrix that is decomposed, and the passes over it.
//!
//! A pass reads each row once and uses it for all that is wanted, because a large matrix does not fit into a cache. Rows are
//! summed in a fixed number of groups and these in order, so results do not depend on the number of threads.

use dcom_tensor::Matrix;
use rayon::prelude::*;

use crate::error::IteraError;

/// Groups of rows with sums of their own: enough for many cores, few enough that adding them is no work.
const GROUPS: usize = 32;

/// Independent sums of a dot product, so that it becomes vector instructions.
const LANES: usize = 16;

/// A weight matrix, row-major fp32, finite and not zero: rows = outputs, columns = inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    rows: usize,
    cols: usize,
    data: Vec<f32>,
}

/// What the subtraction of a rank-1 term leaves.
pub(crate) struct Subtracted {
    /// R^T a of the new R.
    pub(crate) transposed_left: Vec<f32>,
    /// ||R||_F^2 of the new R.
    pub(crate) energy: f64,
}

impl Weight {
    /// Takes `rows` x `cols` row-major values.
    ///
    /// # Errors
    /// An empty shape, one that does not fit the number of values, a value that is not finite, only zeros.
    pub fn new(rows: usize, cols: usize, data: Vec<f32>) -> Result<Weight, IteraError> {
        if rows == 0 || cols == 0 || rows.checked_mul(cols) != Some(data.len()) {
            let len = data.len();
            return Err(IteraError::Shape { rows, cols, len });
        }
        if let Some(index) = data.iter().position(|x| !x.is_finite()) {
            return Err(IteraError::NonFinite {
                row: index / cols,
                col: index % cols,
                value: data[index],
            });
        }
        if data.iter().all(|&x| x == 0.0) {
            return Err(IteraError::Zero { rows, cols });
        }
        Ok(Weight { rows, cols, data })
    }

    /// Rows: outputs of the layer.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: inputs of the layer.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All values, row-major.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// ||W||_F^2.
    #[must_use]
    pub fn energy(&self) -> f64 {
        let rows = self.data.par_chunks(self.cols).map(energy);
        rows.collect::<Vec<f64>>().iter().sum()
    }

    /// Makes a matrix of the same shape from each row. Zeros are allowed: a format may have nothing else for small values.
    pub(crate) fn map_rows(&self, change: impl Fn(&[f32], &mut [f32]) + Sync) -> Vec<f32> {
        let mut out = vec![0.0; self.data.len()];
        out.par_chunks_mut(self.cols)
            .zip(self.data.par_chunks(self.cols))
            .for_each(|(out, row)| change(row, out));
        out
    }

    fn group_rows(&self) -> usize {
        self.rows.div_ceil(GROUPS)
    }

    /// u = R v and R^T u, in one pass.
    pub(crate) fn power_step(&self, v: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let mut u = vec![0.0; self.rows];
        let group = self.group_rows();
        let sums = self
            .data
            .par_chunks(group * self.cols)
            .zip(u.par_chunks_mut(group))
            .map(|(rows, u)| {
                let mut sum = vec![0.0; self.cols];
                for (row, u) in rows.chunks_exact(self.cols).zip(u) {
                    *u = dot(row, v);
                    add_scaled(&mut sum, *u, row);
                }
                sum
            })
            .collect();
        (u, add_all(sums))
    }

    /// R v.
    pub(crate) fn times(&self, v: &[f32]) -> Vec<f32> {
        let rows = self.data.par_chunks(self.cols);
        rows.with_min_len(self.group_rows())
            .map(|row| dot(row, v))
            .collect()
    }

    /// R^T u.
    pub(crate) fn transposed_times(&self, u: &[f32]) -> Vec<f32> {
        let group = self.group_rows();
        let sums = self
            .data
            .par_chunks(group * self.cols)
            .zip(u.par_chunks(group))
            .map(|(rows, u)| {
                let mut sum = vec![0.0; self.cols];
                for (row, &u) in rows.chunks_exact(self.cols).zip(u) {
                    add_scaled(&mut sum, u, row);
                }
                sum
            })
            .collect();
        add_all(sums)
    }

    /// R <- R - a b^T, and what is wanted of the new R, in one pass.
    pub(crate) fn subtract(&mut self, a: &[f32], b: &[f32]) -> Subtracted {
        let (group, cols) = (self.group_rows(), self.cols);
        let sums: Vec<(Vec<f32>, f64)> = self
            .data
            .par_chunks_mut(group * cols)
            .zip(a.par_chunks(group))
            .map(|(rows, a)| {
                let mut sum = vec![0.0; cols];
                let mut total = 0.0;
                for (row, &a) in rows.chunks_exact_mut(cols).zip(a) {
                    add_scaled(row, -a, b);
                    add_scaled(&mut sum, a, row);
                    total += energy(row);
                }
                (sum, total)
            })
            .collect();
        let energy = sums.iter().map(|(_, energy)| energy).sum();
        Subtracted {
            transposed_left: add_all(sums.into_iter().map(|(sum, _)| sum).collect()),
            energy,
        }
    }

    /// The row of largest norm.
    pub(crate) fn largest_row(&self) -> &[f32] {
        let rows = self.data.chunks_exact(self.cols);
        rows.max_by(|a, b| energy(a).total_cmp(&energy(b)))
            .expect("a matrix has rows")
    }
}

impl TryFrom<&Matrix> for Weight {
    type Error = IteraError;

    fn try_from(matrix: &Matrix) -> Result<Weight, IteraError> {
        Weight::new(matrix.rows(), matrix.cols(), matrix.to_f32())
    }
}

/// Sum of squares: products in fp32, sums of a lane in fp32 over 1024 values at most, then in float64.
pub(crate) fn energy(values: &[f32]) -> f64 {
    values.chunks(1024).map(|x| f64::from(dot(x, x))).sum()
}

pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "vectors of one length");
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(a, b)| a * b)
        .sum();
    sums.iter().sum::<f32>() + rest
}

pub(crate) fn add_scaled(sum: &mut [f32], factor: f32, values: &[f32]) {
    assert_eq!(sum.len(), values.len(), "vectors of one length");
    for (sum, x) in sum.iter_mut().zip(values) {
        *sum += factor * x;
    }
}

fn add_all(vectors: Vec<Vec<f32>>) -> Vec<f32> {
    let mut vectors = vectors.into_iter();
    let mut sum = vectors.next().expect("at least one group of rows");
    for vector in vectors {
        add_scaled(&mut sum, 1.0, &vector);
    }
    sum
}
