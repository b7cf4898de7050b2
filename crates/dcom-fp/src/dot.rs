//! The dot product of two vectors on the lanes of a cluster.
//!
//! Element k goes to lane k mod (x * y). A chunk of one element per lane is summed by y row trees
//! over x adjacent lanes each and one tree over the row sums; chunk sums are combined pairwise
//! (`docs/machine.md`, lanes and sums).

use crate::accumulate::Accumulate;
use crate::simd::{Backend, Kernel, Simd};

/// The lane array of a cluster: `y` rows of `x` lanes, both at least 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lanes {
    /// Lanes in a row, the operands of a row tree.
    pub x: usize,
    /// Rows.
    pub y: usize,
}

/// Sum of `a[k]` * `b[k]` in accumulate precision (on the binary16 grid in m16a16, binary32
/// otherwise).
///
/// `a` and `b` lie on the binary16 grid. Lanes beyond the end contribute +0; each tree is
/// zero-padded to a power of two; empty vectors give +0.
///
/// # Panics
/// If the lengths differ or there are no lanes.
#[must_use]
pub fn dot(mode: Accumulate, lanes: Lanes, a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(
        a.len(),
        b.len(),
        "dot product of vectors of different lengths"
    );
    assert!(lanes.x > 0 && lanes.y > 0, "no lanes: {lanes:?}");
    Backend::default().run(Dot { mode, lanes, a, b })
}

struct Dot<'a> {
    mode: Accumulate,
    lanes: Lanes,
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f32 {
        match self.mode {
            Accumulate::M16A16 => self.sum(Accumulate::M16A16),
            Accumulate::M16A32 => self.sum(Accumulate::M16A32),
            Accumulate::X32 => self.sum(Accumulate::X32),
        }
    }
}

impl Dot<'_> {
    /// With all padding written out, row trees, the tree over rows and the pairwise combination of
    /// chunks are one tree of adjacent pairs. `mode` is a constant where this is inlined.
    #[inline(always)]
    fn sum(&self, mode: Accumulate) -> f32 {
        let Lanes { x, y } = self.lanes;
        let (padded_row, padded_rows) = (x.next_power_of_two(), y.next_power_of_two());
        let chunks = self.a.len().div_ceil(x * y);
        let mut slots = vec![0.0; chunks * padded_rows * padded_row];
        if padded_row * padded_rows == x * y {
            products(mode, self.a, self.b, &mut slots);
        } else {
            for (row, (a, b)) in self.a.chunks(x).zip(self.b.chunks(x)).enumerate() {
                let first = (row / y * padded_rows + row % y) * padded_row;
                products(mode, a, b, &mut slots[first..]);
            }
        }
        mode.tree_in_place(&mut slots)
    }
}

#[inline(always)]
fn products(mode: Accumulate, a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((a, b), out) in a.iter().zip(b).zip(out) {
        *out = mode.product(*a, *b, 0);
    }
}
