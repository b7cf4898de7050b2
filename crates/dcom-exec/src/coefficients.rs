//! Values on their way between partial-sum registers, the global broadcast memory and the clusters.

use dcom_fp::{Accumulate, expanded_sum, round16, to_bits};
use dcom_isa::{Buf, Glob, Lay, Part, Reg};

use crate::deal::size;
use crate::machine::Machine;
use crate::state::{Contents, Scalar, canonical};
use crate::vector::{count, widen};

/// Magnitudes of the exponent of a broadcast scalar.
const MAX_SCALAR_EXPONENT: i32 = 64;

impl Machine<'_> {
    /// The values of a partial-sum register to words 0, 1, ...; `layout` says how many there are.
    pub(crate) fn put(&mut self, dst: Glob, src: Part, layout: Lay, rounded: bool) -> u64 {
        let parts = self.deal(layout).parts;
        let values = self.state.parts[src.index()]
            .iter()
            .copied()
            .chain(std::iter::repeat(0.0))
            .take(parts);
        let mut overflowed = 0;
        for (word, value) in self.state.globals[dst.index()].iter_mut().zip(values) {
            *word = if rounded {
                canonical(round16(value))
            } else {
                value
            };
            overflowed += u64::from(!word.is_finite() && value.is_finite());
        }
        overflowed
    }

    pub(crate) fn broadcast(&mut self, dst: Buf, src: Glob, start: usize) -> u64 {
        let n = self.state.half(dst).len();
        let words = &self.state.globals[src.index()][start..start + n];
        let bits: Vec<u16> = words.iter().map(|&w| to_bits(w)).collect();
        let overflowed = count(&bits, |k| words[k].is_finite());
        *self.state.half_mut(dst) = bits;
        overflowed
    }

    /// The expanded sum with v = 1 has the coefficients themselves as products.
    pub(crate) fn csum(&mut self, dst: Buf, src: Buf) -> u64 {
        let coefficients = widen(self.state.half(src));
        let sum = expanded_sum(self.mode, self.lanes.x, &coefficients, 1.0);
        let bits = [to_bits(sum)];
        self.state.half_mut(dst)[0] = bits[0];
        count(&bits, |_| coefficients.iter().all(|c| c.is_finite()))
    }

    pub(crate) fn scalar_broadcast(&mut self, dst: Buf, src: Reg) {
        self.state.buffers[dst.index()] = Contents::Scalar(split(self.register(src)));
    }

    pub(crate) fn sum(&mut self, dst: Reg, src: Glob, start: usize, n: usize) {
        let words = &self.state.globals[src.index()][start..start + n];
        let width = size(self.verified.arch().broadcast.width_words).min(n);
        // The scalar unit adds in fp32 in every mode.
        let mode = Accumulate::X32;
        let groups = words.chunks(width).map(|words| {
            let mut group = vec![0.0; width];
            group[..words.len()].copy_from_slice(words);
            mode.tree_in_place(&mut group)
        });
        let sum = mode.tree_in_place(&mut groups.collect::<Vec<f32>>());
        self.set_register(dst, sum);
    }
}

/// x = mantissa 2^exponent with the mantissa rounded to fp16.
#[expect(clippy::cast_possible_truncation, reason = "clamped to 64")]
fn split(x: f32) -> Scalar {
    if x == 0.0 || !x.is_finite() {
        return Scalar {
            mantissa: to_bits(x),
            exponent: 0,
        };
    }
    let exponent = exponent_of(x.abs());
    // In binary64 the quotient is exact and normal, also for a subnormal x.
    let rounded = round16((f64::from(x) * 2.0_f64.powi(-exponent)) as f32);
    let (mantissa, exponent) = if rounded.abs() == 2.0 {
        (rounded / 2.0, exponent + 1)
    } else {
        (rounded, exponent)
    };
    let exponent = exponent.clamp(-MAX_SCALAR_EXPONENT, MAX_SCALAR_EXPONENT) as i8;
    Scalar {
        mantissa: to_bits(mantissa),
        exponent,
    }
}

/// floor(log2 x) of a positive finite x.
pub(crate) fn exponent_of(x: f32) -> i32 {
    // Every binary32 value is a normal binary64 value.
    let field = f64::from(x).to_bits() >> 52;
    i32::try_from(field).expect("11 bits") - 1023
}
