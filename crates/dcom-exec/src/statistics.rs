//! What the statistics unit takes as A arrives, and the start vectors made from it.

use dcom_fp::{Accumulate, from_bits, round16, to_bits};
use dcom_isa::{Buf, Mat, Reg, StartKind};
use dcom_tensor::Matrix;
use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use rayon::prelude::*;

use crate::error::ExecError;
use crate::machine::Machine;
use crate::state::canonical;
use crate::vector::is_finite16;

/// The statistics unit adds in fp32 in every mode.
const FP32: Accumulate = Accumulate::X32;

/// Sums that are summed at a time, and columns; they fit the first-level cache.
const BATCH: usize = 4096;

/// Statistics of a matrix.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    pub(crate) sum_of_squares: f32,
    pub(crate) column_sums: Vec<f32>,
}

impl Statistics {
    pub(crate) fn new(matrix: &Matrix, ingest_width: usize) -> Statistics {
        let (sum_of_squares, column_sums) = rayon::join(
            || sum_of_squares(matrix, ingest_width),
            || column_sums(matrix),
        );
        Statistics {
            sum_of_squares,
            column_sums,
        }
    }
}

/// Squares by trees over `width` elements of a row, and a tree over these.
///
/// No partial sum is -0, so the additions of +0 that padding means can be left out.
fn sum_of_squares(matrix: &Matrix, width: usize) -> f32 {
    let columns = matrix.cols();
    let row_groups = columns.div_ceil(width);
    let mut groups = vec![0.0; matrix.rows() * row_groups];
    let rows = groups.par_chunks_mut(row_groups);
    rows.zip(matrix.data().par_chunks(columns))
        .for_each_init(Vec::new, |squares, (sums, row)| {
            squares.resize(columns, 0.0);
            row.reinterpret_cast::<f16>().convert_to_f32_slice(squares);
            squares.iter_mut().for_each(|x| *x *= *x);
            for (sum, group) in sums.iter_mut().zip(squares.chunks_mut(width)) {
                *sum = FP32.tree_in_place(group);
            }
        });
    // A power of two: a batch is then an aligned subtree.
    let batches = groups
        .par_chunks_mut(BATCH)
        .map(|batch| FP32.tree_in_place(batch));
    let mut batches: Vec<f32> = batches.collect();
    canonical(FP32.tree_in_place(&mut batches))
}

fn column_sums(matrix: &Matrix) -> Vec<f32> {
    let mut sums = vec![0.0; matrix.cols()];
    sums.par_chunks_mut(BATCH / 2)
        .enumerate()
        .for_each(|(panel, sums)| {
            let first = panel * BATCH / 2;
            let mut values = vec![0.0; sums.len()];
            for row in 0..matrix.rows() {
                let elements = &matrix.row(row)[first..first + sums.len()];
                elements
                    .reinterpret_cast::<f16>()
                    .convert_to_f32_slice(&mut values);
                for (sum, value) in sums.iter_mut().zip(&values) {
                    *sum += value;
                }
            }
        });
    sums.iter_mut().for_each(|sum| *sum = canonical(*sum));
    sums
}

impl Machine<'_> {
    pub(crate) fn start(
        &mut self,
        dst: Buf,
        matrix: Mat,
        kind: StartKind,
        exponent: Reg,
        shift: u16,
    ) -> Result<u64, ExecError> {
        let len = self.state.half(dst).len();
        let power = self.exponent(exponent) - i32::from(shift);
        let sums = &self.resident(matrix).statistics.column_sums;
        let mut overflowed = 0;
        let ones = |negative: fn(usize) -> bool| {
            (0..len)
                .map(|k| to_bits(if negative(k) { -1.0 } else { 1.0 }))
                .collect()
        };
        let vector: Vec<u16> = match kind {
            StartKind::Mean => {
                let means: Vec<u16> = sums
                    .iter()
                    .map(|&sum| to_bits(scaled(sum, power)))
                    .collect();
                overflowed = sums
                    .iter()
                    .zip(&means)
                    .filter(|(sum, mean)| sum.is_finite() && !is_finite16(**mean))
                    .count();
                if means.iter().all(|&mean| from_bits(mean) == 0.0) {
                    ones(hash_sign)
                } else {
                    means
                }
            }
            StartKind::Ones => ones(|_| false),
            StartKind::E1 => (0..len)
                .map(|k| to_bits(if k == 0 { 1.0 } else { 0.0 }))
                .collect(),
            StartKind::Alternating => ones(|k| k % 2 == 1),
            StartKind::Signs => ones(hash_sign),
        };
        *self.state.half_mut(dst) = vector;
        Ok(overflowed as u64)
    }
}

/// Whether element `k` of the sign vector is -1.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the hash works modulo 2^32"
)]
fn hash_sign(k: usize) -> bool {
    (k as u32).wrapping_add(1).wrapping_mul(0x9e37_79b1) >> 31 == 1
}

/// x 2^power, rounded once to fp16.
#[expect(
    clippy::cast_possible_truncation,
    reason = "exact but for values that become 0 or infinite in fp16 anyway"
)]
fn scaled(x: f32, power: i32) -> f32 {
    // Any binary32 value is beyond the fp16 range after a scaling by 2^+-300, and binary64 takes that exactly.
    let exact = f64::from(x) * 2.0_f64.powi(power.clamp(-300, 300));
    round16(exact as f32)
}
