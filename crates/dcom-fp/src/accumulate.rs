//! The three accumulation modes: where products and sums are rounded, and the reduction tree over a
//! set of operands.
//!
//! Source: the numerics study behind `docs/machine.md` (modes m16a16, m16a32, x32).

use std::fmt;
use std::str::FromStr;

use crate::format::round16;

/// Largest magnitude of the power-of-two exponent of a product.
///
/// Derived: with |exponent| <= 40 a scaled operand lies in 2^-64 to 2^56 and a product in 2^-88 to
/// 2^72, inside the binary32 normal range, so that scaling is exact and a product of two 11-bit
/// significands needs no rounding.
pub const MAX_EXPONENT: i32 = 40;

/// Where the lanes and the adder trees round.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Accumulate {
    /// Products rounded to binary16, every sum rounded to binary16.
    M16A16,
    /// Products rounded to binary16, sums in binary32.
    M16A32,
    /// Exact products (they fit binary32), sums in binary32.
    X32,
}

/// A name that is none of the accumulation modes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown accumulation mode {0:?}; expected m16a16, m16a32 or x32")]
pub struct ParseAccumulateError(String);

impl Accumulate {
    /// All modes, in the order of increasing accuracy.
    pub const ALL: [Self; 3] = [Self::M16A16, Self::M16A32, Self::X32];

    /// Whether products are rounded to binary16.
    #[must_use]
    #[inline]
    pub const fn rounds_products(self) -> bool {
        match self {
            Self::M16A16 | Self::M16A32 => true,
            Self::X32 => false,
        }
    }

    /// Whether sums are rounded to binary16.
    #[must_use]
    #[inline]
    pub const fn rounds_sums(self) -> bool {
        match self {
            Self::M16A16 => true,
            Self::M16A32 | Self::X32 => false,
        }
    }

    /// `a` * `b` * 2^`exponent` for `a` and `b` on the binary16 grid: rounded once to binary16 in
    /// the m16 modes, exact in x32.
    ///
    /// # Panics
    /// If |`exponent`| exceeds [`MAX_EXPONENT`].
    #[must_use]
    #[inline]
    pub fn product(self, a: f32, b: f32, exponent: i32) -> f32 {
        let exact = a * power_of_two(exponent) * b;
        if self.rounds_products() {
            round16(exact)
        } else {
            exact
        }
    }

    /// `a` + `b`: one binary16 addition in m16a16 (`a` and `b` on the binary16 grid), one binary32
    /// addition otherwise.
    #[must_use]
    #[inline(always)]
    pub fn add(self, a: f32, b: f32) -> f32 {
        if self.rounds_sums() {
            round16(a + b)
        } else {
            a + b
        }
    }

    /// Sum of `operands` by a tree of adjacent pairs, zero-padded to the next power of two.
    ///
    /// The additions of +0 are performed: three operands give (a + b) + (c + 0), so a lone -0 in a
    /// padded pair becomes +0. One operand is returned as it is; no operand gives +0.
    #[must_use]
    pub fn tree(self, operands: &[f32]) -> f32 {
        self.tree_in_place(&mut operands.to_vec())
    }

    /// [`Accumulate::tree`] without an allocation; `operands` is overwritten with partial sums.
    #[must_use]
    #[inline(always)]
    pub fn tree_in_place(self, operands: &mut [f32]) -> f32 {
        let mut len = operands.len();
        while len > 1 {
            len = self.tree_level(&mut operands[..len]);
        }
        operands.first().copied().unwrap_or(0.0)
    }

    /// One level of the tree: the sums of adjacent pairs move to the front; returns how many there
    /// are.
    #[inline(always)]
    fn tree_level(self, operands: &mut [f32]) -> usize {
        const PAIRS: usize = 16;
        let pairs = operands.len() / 2;
        let blocks = pairs / PAIRS;
        // Through a local array, because LLVM doesn't vectorize a loop that overwrites what it
        // reads.
        for block in 0..blocks {
            let mut sums = [0.0; PAIRS];
            let (operand_pairs, _) = operands[2 * PAIRS * block..][..2 * PAIRS].as_chunks::<2>();
            for (sum, [left, right]) in sums.iter_mut().zip(operand_pairs) {
                *sum = self.add(*left, *right);
            }
            operands[PAIRS * block..][..PAIRS].copy_from_slice(&sums);
        }
        for pair in blocks * PAIRS..pairs {
            operands[pair] = self.add(operands[2 * pair], operands[2 * pair + 1]);
        }
        if !operands.len().is_multiple_of(2) {
            operands[pairs] = self.add(operands[2 * pairs], 0.0);
        }
        operands.len().div_ceil(2)
    }
}

impl fmt::Display for Accumulate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::M16A16 => "m16a16",
            Self::M16A32 => "m16a32",
            Self::X32 => "x32",
        })
    }
}

impl FromStr for Accumulate {
    type Err = ParseAccumulateError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "m16a16" => Ok(Self::M16A16),
            "m16a32" => Ok(Self::M16A32),
            "x32" => Ok(Self::X32),
            _ => Err(ParseAccumulateError(name.to_owned())),
        }
    }
}

/// 2^`exponent`, exact.
///
/// # Panics
/// If |`exponent`| exceeds [`MAX_EXPONENT`].
#[inline]
pub(crate) fn power_of_two(exponent: i32) -> f32 {
    assert!(
        exponent.abs() <= MAX_EXPONENT,
        "product exponent {exponent} is outside -{MAX_EXPONENT}..={MAX_EXPONENT}"
    );
    f32::from_bits((127 + exponent).cast_unsigned() << 23)
}
