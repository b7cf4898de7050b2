//! Streaming pairwise summation of chunk sums, for a vector of independent outputs.
//!
//! The hardware combines chunk sums like a binary counter: the partial sum of 2^l chunks waits at
//! level l for its partner. The order depends on the chunk index alone, so the result is the
//! zero-padded tree over the chunks (`docs/machine.md`, lanes and sums).

use crate::accumulate::Accumulate;
use crate::simd::{Backend, Kernel, Simd};

/// Binary-counter accumulator, equal to [`Accumulate::tree`] over the pushed chunks in each output.
#[derive(Clone, Debug)]
pub struct PairwiseSum {
    mode: Accumulate,
    width: usize,
    chunks: usize,
    /// Level-major: level l holds sums of 2^l chunks and is occupied iff bit l of `chunks` is set.
    levels: Vec<f32>,
}

impl PairwiseSum {
    /// An empty accumulator of `width` independent outputs.
    #[must_use]
    pub fn new(mode: Accumulate, width: usize) -> Self {
        Self {
            mode,
            width,
            chunks: 0,
            levels: Vec::new(),
        }
    }

    /// Adds the next chunk's sums, one per output (on the binary16 grid in m16a16).
    ///
    /// # Panics
    /// If `chunk` is not as wide as the accumulator.
    pub fn push(&mut self, chunk: &[f32]) {
        let (mode, width) = (self.mode, self.width);
        assert_eq!(
            chunk.len(),
            width,
            "chunk of another width than the accumulator"
        );
        let carry = self.carry();
        carry.sum.copy_from_slice(chunk);
        for level in 0..carry.level {
            add(mode, &carry.waiting[level * width..][..width], carry.sum);
        }
    }

    /// Writes the sums to `out` and empties the accumulator.
    ///
    /// When the number of chunks is no power of two, the missing ones are +0 and the additions with
    /// them are performed; no chunk at all gives +0.
    ///
    /// # Panics
    /// If `out` is not as wide as the accumulator.
    pub fn finish(&mut self, out: &mut [f32]) {
        assert_eq!(
            out.len(),
            self.width,
            "output of another width than the accumulator"
        );
        let chunks = std::mem::take(&mut self.chunks);
        if chunks.is_power_of_two() {
            out.copy_from_slice(&self.levels[chunks.ilog2() as usize * self.width..][..self.width]);
            return;
        }
        // `out` is the sum of everything to the right of the level at hand, which at first is only
        // padding.
        out.fill(0.0);
        for level in 0..chunks.next_power_of_two().ilog2() as usize {
            if chunks >> level & 1 == 1 {
                add(
                    self.mode,
                    &self.levels[level * self.width..][..self.width],
                    out,
                );
            } else {
                out.iter_mut()
                    .for_each(|sum| *sum = self.mode.add(*sum, 0.0));
            }
        }
    }

    /// Counts one chunk and says what its sum has to be added to and where it then waits.
    #[inline]
    pub(crate) fn carry(&mut self) -> Carry<'_> {
        let level = self.chunks.trailing_ones() as usize;
        self.chunks += 1;
        if self.levels.len() < (level + 1) * self.width {
            self.levels.resize((level + 1) * self.width, 0.0);
        }
        let (waiting, rest) = self.levels.split_at_mut(level * self.width);
        Carry {
            level,
            waiting,
            sum: &mut rest[..self.width],
        }
    }
}

/// The additions that one more chunk sets off.
pub(crate) struct Carry<'a> {
    /// How many sums are waiting, and the level the chunk's sum comes to rest at.
    pub(crate) level: usize,
    /// Left operands, `level` vectors, to be added from the first to the last.
    pub(crate) waiting: &'a [f32],
    /// Where the result waits.
    pub(crate) sum: &'a mut [f32],
}

/// `right[i]` = `left[i]` + `right[i]`.
fn add(mode: Accumulate, left: &[f32], right: &mut [f32]) {
    Backend::default().run(Add { mode, left, right });
}

struct Add<'a> {
    mode: Accumulate,
    left: &'a [f32],
    right: &'a mut [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (left, right) in self.left.iter().zip(self.right) {
            *right = self.mode.add(*left, *right);
        }
    }
}
