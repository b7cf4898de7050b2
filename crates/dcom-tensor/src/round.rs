//! Rounding of source values to binary16, and the count of what that changed.
//!
//! Assumption: round to nearest, ties to even, gradual underflow, overflow to infinity. `half` does fp32 correctly but
//! rounds fp64 through fp32 (two roundings), so fp64 has its own rounding here.

use std::fmt;

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use half::{bf16, f16};

/// Values converted at a time: the fp32 copy that rounding is compared with stays in the first-level cache.
const BLOCK: usize = 1024;

/// The element type of a matrix file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceType {
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
}

impl SourceType {
    /// Size of one element, in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl fmt::Display for SourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "fp16",
            Self::Bf16 => "bf16",
            Self::F32 => "fp32",
            Self::F64 => "fp64",
        })
    }
}

/// The first NaN or infinity of a source, in row-major order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NonFinite {
    pub(crate) row: usize,
    pub(crate) col: usize,
    pub(crate) value: f64,
}

/// What a [`Rounder`] collected.
pub(crate) struct Rounded {
    pub(crate) bits: Vec<u16>,
    pub(crate) rounded: usize,
    pub(crate) overflowed: usize,
    pub(crate) non_finite: Option<NonFinite>,
}

/// Collects values in the order of the source; `place` of the push functions maps the running index to (row, column).
pub(crate) struct Rounder {
    out: Rounded,
}

impl Rounder {
    pub(crate) fn with_capacity(elements: usize) -> Self {
        let bits = Vec::with_capacity(elements);
        Self {
            out: Rounded {
                bits,
                rounded: 0,
                overflowed: 0,
                non_finite: None,
            },
        }
    }

    pub(crate) fn finish(self) -> Rounded {
        self.out
    }

    /// Takes whole little-endian elements of type `source`.
    pub(crate) fn push_bytes(
        &mut self,
        source: SourceType,
        bytes: &[u8],
        place: impl Fn(usize) -> (usize, usize),
    ) {
        match source {
            SourceType::F16 => self.push_f16(bytes, place),
            SourceType::Bf16 => {
                self.push_blocks(bytes, place, |raw| bf16::from_le_bytes(raw).to_f32())
            }
            SourceType::F32 => self.push_blocks(bytes, place, f32::from_le_bytes),
            SourceType::F64 => self.push_f64(bytes, place),
        }
    }

    pub(crate) fn push_f32(&mut self, values: &[f32], place: impl Fn(usize) -> (usize, usize)) {
        for block in values.chunks(BLOCK) {
            self.push_f32_block(block, &place);
        }
    }

    fn push_blocks<const N: usize>(
        &mut self,
        bytes: &[u8],
        place: impl Fn(usize) -> (usize, usize),
        decode: impl Fn([u8; N]) -> f32,
    ) {
        let mut values = [0.0; BLOCK];
        for block in elements::<N>(bytes).chunks(BLOCK) {
            for (value, raw) in values.iter_mut().zip(block) {
                *value = decode(*raw);
            }
            self.push_f32_block(&values[..block.len()], &place);
        }
    }

    fn push_f32_block(&mut self, values: &[f32], place: &impl Fn(usize) -> (usize, usize)) {
        let start = self.out.bits.len();
        self.out.bits.resize(start + values.len(), 0);
        let mut back = [0.0; BLOCK];
        let back = &mut back[..values.len()];
        let halves = self.out.bits[start..].reinterpret_cast_mut::<f16>();
        halves.convert_from_f32_slice(values);
        halves.convert_to_f32_slice(back);
        for (offset, (&value, &back)) in values.iter().zip(back.iter()).enumerate() {
            if !value.is_finite() {
                self.note_non_finite(place(start + offset), f64::from(value));
            }
            self.out.rounded += usize::from(back != value);
            self.out.overflowed += usize::from(back.is_infinite());
        }
    }

    fn push_f16(&mut self, bytes: &[u8], place: impl Fn(usize) -> (usize, usize)) {
        for raw in elements::<2>(bytes) {
            let value = f16::from_le_bytes(*raw);
            if !value.is_finite() {
                self.note_non_finite(place(self.out.bits.len()), value.to_f64());
            }
            self.out.bits.push(value.to_bits());
        }
    }

    fn push_f64(&mut self, bytes: &[u8], place: impl Fn(usize) -> (usize, usize)) {
        for raw in elements::<8>(bytes) {
            let value = f64::from_le_bytes(*raw);
            if !value.is_finite() {
                self.note_non_finite(place(self.out.bits.len()), value);
            }
            let bits = f64_to_f16_bits(value);
            let back = f16::from_bits(bits).to_f64();
            self.out.rounded += usize::from(back != value);
            self.out.overflowed += usize::from(back.is_infinite());
            self.out.bits.push(bits);
        }
    }

    fn note_non_finite(&mut self, (row, col): (usize, usize), value: f64) {
        let earlier = self
            .out
            .non_finite
            .is_none_or(|first| (row, col) < (first.row, first.col));
        if earlier {
            self.out.non_finite = Some(NonFinite { row, col, value });
        }
    }
}

fn elements<const N: usize>(bytes: &[u8]) -> &[[u8; N]] {
    let (whole, rest) = bytes.as_chunks::<N>();
    assert!(
        rest.is_empty(),
        "{} bytes are not whole elements of {N} bytes",
        bytes.len()
    );
    whole
}

/// Rounds once, straight from fp64. NaN gives a quiet NaN.
pub(crate) fn f64_to_f16_bits(value: f64) -> u16 {
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = value.abs();
    if value.is_nan() {
        return sign | 0x7e00;
    }
    // From 65536 on everything is infinite; below, the binade [2^e, 2^(e+1)) has steps of 2^(e-10), and all of the
    // subnormal range has the step of the lowest normal binade, e = -14.
    if magnitude >= 65536.0 {
        return sign | 0x7c00;
    }
    let biased = i32::try_from(magnitude.to_bits() >> 52).expect("an 11-bit exponent");
    let exponent = (biased - 1023).max(-14);
    let steps = (magnitude * f64::powi(2.0, 10 - exponent)).round_ties_even();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 <= steps <= 2048, an integer"
    )]
    let steps = steps as u16;
    let binade = u16::try_from(exponent + 14).expect("exponents -14 to 15");
    // steps carries the hidden bit, so it adds to the exponent field, and 2048 steps carry into the next binade.
    sign | ((binade << 10) + steps)
}
