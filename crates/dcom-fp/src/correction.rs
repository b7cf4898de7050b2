//! The expanded Gram-Schmidt correction: z - sum over partitions of (partial coefficient * v).
//!
//! With expansion factor f a projection coefficient arrives as f partials, each rounded to
//! binary16, and is never added up; instead the products with v are (`docs/machine.md`, expanded
//! correction).

use crate::accumulate::Accumulate;
use crate::format::round16;
use crate::matvec::MatVec;
use crate::pairwise::PairwiseSum;
use crate::simd::{Backend, Kernel, Simd};

/// `z` - `sum` on the binary16 grid, for `z` on the binary16 grid and `sum` in accumulate
/// precision: one binary16 subtraction in m16a16, one binary32 subtraction and one rounding
/// otherwise.
#[must_use]
#[inline(always)]
pub fn corrected(mode: Accumulate, z: f32, sum: f32) -> f32 {
    match mode {
        // Both operands are on the grid, which makes the two roundings one (see `sub16`).
        Accumulate::M16A16 => round16(z - sum),
        // Two roundings that are not one: this is what the hardware does.
        Accumulate::M16A32 | Accumulate::X32 => round16(z - sum),
    }
}

/// [`corrected`] for a whole vector: `z[i]` becomes `z[i]` - `sums[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn corrected_in_place(mode: Accumulate, z: &mut [f32], sums: &[f32]) {
    assert_eq!(
        z.len(),
        sums.len(),
        "correction of another length than the vector"
    );
    Backend::default().run(Correct { mode, z, sums });
}

/// Sum of `coefficients[p]` * `v` in accumulate precision; all operands lie on the binary16 grid.
///
/// Lane j of a row takes the partials p = j mod `lanes_x`; a pass of `lanes_x` partials is one row
/// tree with +0 on the lanes beyond the last partial, and passes are combined pairwise. No partial
/// gives +0.
///
/// # Panics
/// If `lanes_x` is 0.
#[must_use]
pub fn expanded_sum(mode: Accumulate, lanes_x: usize, coefficients: &[f32], v: f32) -> f32 {
    assert!(lanes_x > 0, "a row without lanes");
    let mut passes = PairwiseSum::new(mode, 1);
    let mut row = vec![0.0; lanes_x];
    for pass in coefficients.chunks(lanes_x) {
        row.fill(0.0);
        for (lane, coefficient) in row.iter_mut().zip(pass) {
            *lane = mode.product(*coefficient, v, 0);
        }
        passes.push(&[mode.tree_in_place(&mut row)]);
    }
    let mut sum = [0.0];
    passes.finish(&mut sum);
    sum[0]
}

/// [`expanded_sum`] for each element of a vector, `v` as binary16 bit patterns; the fast way to the
/// same bits.
///
/// # Panics
/// If `lanes_x` is 0 or `out` is not as long as `v`.
pub fn expanded_sums(
    mode: Accumulate,
    lanes_x: usize,
    coefficients: &[f32],
    v: &[u16],
    out: &mut [f32],
) {
    // A matrix whose every row is v, one row per partial.
    let matrix = MatVec {
        mode,
        tree_width: lanes_x,
        a: v,
        stride: 0,
        exponent: 0,
    };
    matrix.run(0..coefficients.len(), 0..v.len(), coefficients, out);
}

struct Correct<'a> {
    mode: Accumulate,
    z: &'a mut [f32],
    sums: &'a [f32],
}

impl Kernel for Correct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (z, sum) in self.z.iter_mut().zip(self.sums) {
            *z = corrected(self.mode, *z, *sum);
        }
    }
}
