//! Matrix times vector for a block of outputs at once: the hot kernel of the executor.
//!
//! Each output is summed in the machine's order: chunks of `tree_width` consecutive k through a
//! zero-padded tree, chunk sums pairwise. Written out with all padding, that is one tree of
//! adjacent pairs over *slots*: chunk c owns `tree_width.next_power_of_two()` slots, of which the
//! unused ones hold +0, and the number of chunks is padded to a power of two. The kernel cuts the
//! slots into groups of up to 8 matrix rows, reduces a group in registers and leaves the groups to
//! [`PairwiseSum`]. Vectors run over outputs, which are independent, so no sum is reordered.

use std::ops::Range;

use crate::accumulate::{Accumulate, power_of_two};
use crate::format::round16;
use crate::pairwise::{Carry, PairwiseSum};
use crate::simd::{BLOCK, Backend, Kernel, Simd};

/// Most matrix rows that are reduced in registers at once. Measured on a Sapphire Rapids core: 8 is
/// a tenth faster than 16, for which AVX2 has too few registers.
const MAX_ROWS: usize = 8;

/// Outputs that are carried through all k together. Measured on a Sapphire Rapids core at 4096 x
/// 4096: the waiting sums (16 KiB per level) live in the second-level cache, but 1024 takes a fifth
/// longer and 256 half as long again, because the hardware prefetcher wants long rows.
const PANEL: usize = 4096;

static ZEROS: [u16; PANEL] = [0; PANEL];

/// The product of a k-major matrix with vectors.
#[derive(Clone, Copy, Debug)]
pub struct MatVec<'a> {
    /// Where products and sums are rounded.
    pub mode: Accumulate,
    /// Lanes of the reduction tree, at least 1: the k's of one chunk.
    pub tree_width: usize,
    /// Binary16 bit patterns; element (k, o) is at `a[k * stride + o]`.
    pub a: &'a [u16],
    /// Distance from row k to row k + 1 \[elements\]; 0 uses the same row for every k.
    pub stride: usize,
    /// Every product is scaled by 2^`exponent` before it is rounded, |`exponent`| <=
    /// [`crate::MAX_EXPONENT`].
    pub exponent: i32,
}

impl MatVec<'_> {
    /// `out[o - o_range.start]` = sum over k of `a[k][o]` * `x[k - k_range.start]` * 2^`exponent`.
    ///
    /// `x` lies on the binary16 grid. The result has accumulate precision: on the binary16 grid in
    /// m16a16, binary32 otherwise. An empty `k_range` gives +0.
    ///
    /// # Panics
    /// If a range reaches outside `a`, if `x` or `out` is not as long as its range, if `tree_width`
    /// is 0 or if the exponent is out of range.
    pub fn run(&self, k_range: Range<usize>, o_range: Range<usize>, x: &[f32], out: &mut [f32]) {
        self.run_on(Backend::default(), k_range, o_range, x, out);
    }

    /// [`MatVec::run`] on a chosen back end; all give the same bits but for NaN payloads.
    ///
    /// # Panics
    /// As [`MatVec::run`].
    pub fn run_on(
        &self,
        backend: Backend,
        k_range: Range<usize>,
        o_range: Range<usize>,
        x: &[f32],
        out: &mut [f32],
    ) {
        let Self {
            mode,
            tree_width,
            a,
            stride,
            exponent,
        } = *self;
        assert!(tree_width > 0, "a reduction tree without lanes");
        assert_eq!(
            x.len(),
            k_range.len(),
            "x has another length than the k range"
        );
        assert_eq!(
            out.len(),
            o_range.len(),
            "out has another length than the o range"
        );
        debug_assert!(
            x.iter().all(|x| x.is_nan() || round16(*x) == *x),
            "x is off the binary16 grid"
        );
        if o_range.is_empty() || k_range.is_empty() {
            out.fill(0.0);
            return;
        }
        let end = (k_range.end - 1) * stride + o_range.end;
        assert!(
            end <= a.len(),
            "k {k_range:?}, o {o_range:?} with stride {stride} end at {end} of {}",
            a.len()
        );

        // Scaling x instead of a's elements gives the same exact product.
        let scale = power_of_two(exponent);
        let x = x.iter().map(|x| x * scale).collect();
        let slots = Slots {
            tree_width,
            padded_width: tree_width.next_power_of_two(),
            len: k_range.len(),
        };
        backend.run(Job {
            mode,
            slots,
            a: &a[k_range.start * stride..],
            stride,
            first: o_range.start,
            x,
            out,
        });
    }
}

/// Which k sits in which slot of the padded tree.
#[derive(Clone, Copy)]
struct Slots {
    tree_width: usize,
    padded_width: usize,
    len: usize,
}

impl Slots {
    fn chunks(&self) -> usize {
        self.len.div_ceil(self.tree_width)
    }

    /// Rows per group: a power of two, and no more than the tree has, because a deeper one would
    /// add +0 to its root.
    fn rows(&self) -> usize {
        MAX_ROWS.min(self.padded_width * self.chunks().next_power_of_two())
    }

    /// The k in `slot`, or none where the tree is padded.
    #[inline(always)]
    fn k(&self, slot: usize) -> Option<usize> {
        let (chunk, lane) = (slot / self.padded_width, slot % self.padded_width);
        let k = chunk * self.tree_width + lane;
        (lane < self.tree_width && k < self.len).then_some(k)
    }
}

/// One call of [`MatVec::run_on`], checked.
struct Job<'a> {
    mode: Accumulate,
    slots: Slots,
    /// Starts at the first k.
    a: &'a [u16],
    stride: usize,
    /// Column of the first output.
    first: usize,
    /// Scaled.
    x: Vec<f32>,
    out: &'a mut [f32],
}

impl Kernel for Job<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.mode {
            Accumulate::M16A16 => self.run_mode::<S, true, true>(simd),
            Accumulate::M16A32 => self.run_mode::<S, true, false>(simd),
            Accumulate::X32 => self.run_mode::<S, false, false>(simd),
        }
    }
}

impl Job<'_> {
    #[inline(always)]
    fn run_mode<S: Simd, const ROUND_PRODUCTS: bool, const ROUND_SUMS: bool>(self, simd: S) {
        match self.slots.rows() {
            1 => self.run_rows::<S, 1, ROUND_PRODUCTS, ROUND_SUMS>(simd),
            2 => self.run_rows::<S, 2, ROUND_PRODUCTS, ROUND_SUMS>(simd),
            4 => self.run_rows::<S, 4, ROUND_PRODUCTS, ROUND_SUMS>(simd),
            8 => self.run_rows::<S, 8, ROUND_PRODUCTS, ROUND_SUMS>(simd),
            rows => unreachable!("groups of {rows} rows"),
        }
    }

    #[inline(always)]
    fn run_rows<S: Simd, const ROWS: usize, const ROUND_PRODUCTS: bool, const ROUND_SUMS: bool>(
        self,
        simd: S,
    ) {
        let groups = (self.slots.chunks() * self.slots.padded_width).div_ceil(ROWS);
        let panels = self.out.chunks_mut(PANEL).enumerate();
        for (panel, out) in panels {
            let first = self.first + panel * PANEL;
            let full = out.len() / BLOCK * BLOCK;
            let padded = out.len().next_multiple_of(BLOCK);
            let mut sums = PairwiseSum::new(self.mode, padded);
            for group in 0..groups {
                let mut x = [0.0; ROWS];
                let mut rows: [&[u16]; ROWS] = [&ZEROS[..out.len()]; ROWS];
                for row in 0..ROWS {
                    if let Some(k) = self.slots.k(group * ROWS + row) {
                        x[row] = self.x[k];
                        rows[row] = &self.a[k * self.stride + first..][..out.len()];
                    }
                }
                let kernel = Group::<S, ROWS, ROUND_PRODUCTS, ROUND_SUMS> { simd, x };
                let mut carry = sums.carry();
                kernel.reduce(
                    &rows.map(|row| row[..full].as_chunks().0),
                    0,
                    padded,
                    &mut carry,
                );
                if full < out.len() {
                    // The last, partial block goes through a copy whose missing outputs are
                    // computed and dropped.
                    let mut last = [[0; BLOCK]; ROWS];
                    for (copy, row) in last.iter_mut().zip(&rows) {
                        copy[..out.len() - full].copy_from_slice(&row[full..]);
                    }
                    kernel.reduce(
                        &last.each_ref().map(std::slice::from_ref),
                        full,
                        padded,
                        &mut carry,
                    );
                }
            }
            if padded == out.len() {
                sums.finish(out);
            } else {
                let mut all = [0.0; PANEL];
                sums.finish(&mut all[..padded]);
                out.copy_from_slice(&all[..out.len()]);
            }
        }
    }
}

/// The tree over the products of `ROWS` matrix rows with `x`.
#[derive(Clone, Copy)]
struct Group<S, const ROWS: usize, const ROUND_PRODUCTS: bool, const ROUND_SUMS: bool> {
    simd: S,
    x: [f32; ROWS],
}

impl<S: Simd, const ROWS: usize, const ROUND_PRODUCTS: bool, const ROUND_SUMS: bool>
    Group<S, ROWS, ROUND_PRODUCTS, ROUND_SUMS>
{
    /// Reduces each block of `rows`, carries it through the waiting sums and leaves it in
    /// `carry.sum`. The blocks are those of the outputs from `first` on, of `width` in all.
    #[inline(always)]
    fn reduce(
        &self,
        rows: &[&[[u16; BLOCK]]; ROWS],
        first: usize,
        width: usize,
        carry: &mut Carry<'_>,
    ) {
        let blocks = rows[0].len();
        let rows = rows.map(|row| &row[..blocks]);
        let (destination, _) = carry.sum[first..].as_chunks_mut::<BLOCK>();
        for (block, out) in destination[..blocks].iter_mut().enumerate() {
            let mut sum = self.tree(&rows, block);
            for level in 0..carry.level {
                let waiting = carry.waiting[level * width + first + block * BLOCK..].first_chunk();
                sum = self.add(
                    self.simd.load(waiting.expect("levels are whole blocks")),
                    sum,
                );
            }
            self.simd.store(sum, out);
        }
    }

    #[inline(always)]
    fn tree(&self, rows: &[&[[u16; BLOCK]]; ROWS], block: usize) -> S::Block {
        match ROWS {
            1 => self.tree1(rows, block, 0),
            2 => self.tree2(rows, block, 0),
            4 => self.tree4(rows, block, 0),
            _ => self.add(self.tree4(rows, block, 0), self.tree4(rows, block, 4)),
        }
    }

    // One function per level, so that a subtree is finished before the next begins and few
    // registers are live.

    #[inline(always)]
    fn tree4(&self, rows: &[&[[u16; BLOCK]]; ROWS], block: usize, row: usize) -> S::Block {
        self.add(
            self.tree2(rows, block, row),
            self.tree2(rows, block, row + 2),
        )
    }

    #[inline(always)]
    fn tree2(&self, rows: &[&[[u16; BLOCK]]; ROWS], block: usize, row: usize) -> S::Block {
        self.add(
            self.tree1(rows, block, row),
            self.tree1(rows, block, row + 1),
        )
    }

    #[inline(always)]
    fn tree1(&self, rows: &[&[[u16; BLOCK]]; ROWS], block: usize, row: usize) -> S::Block {
        let exact = self.simd.mul(
            self.simd.widen(&rows[row][block]),
            self.simd.splat(self.x[row]),
        );
        if ROUND_PRODUCTS {
            self.simd.round16(exact)
        } else {
            exact
        }
    }

    #[inline(always)]
    fn add(&self, a: S::Block, b: S::Block) -> S::Block {
        let sum = self.simd.add(a, b);
        if ROUND_SUMS {
            self.simd.round16(sum)
        } else {
            sum
        }
    }
}
