//! IEEE 754 binary16 on top of `f32`: rounding to the grid, bit patterns, and single operations on
//! bit patterns.
//!
//! Everything is branch-free integer and `f32` arithmetic, so that LLVM vectorizes loops over it on
//! any target. Assumes the default floating-point environment (round to nearest even, no flush to
//! zero), which Rust guarantees.

const SIGN32: u32 = 0x8000_0000;
const EXPONENT32: u32 = 0x7f80_0000;
const SIGN16: u32 = 0x8000;
const INFINITY16: u32 = 0x7c00;

/// Biased binary32 exponent field of 2^`exponent`.
const fn exponent_field(exponent: i32) -> u32 {
    ((127 + exponent) as u32) << 23
}

/// `x` rounded once to the binary16 grid: nearest, ties to even, gradual underflow, infinity from
/// 65520 on. The sign of zero is kept, NaN stays NaN.
#[must_use]
#[inline(always)]
pub fn round16(x: f32) -> f32 {
    // Adding a power of two 2^13 above x's own leaves 24 - 13 = 11 significand bits of x in the
    // sum, and the addition rounds the rest to nearest even; subtracting it again is exact. Below
    // 2^-14 the grid is uniform, so the power stops falling there; above 2^16 every result is
    // infinity and the power only must not overflow.
    let magnitude = x.to_bits() & !SIGN32;
    let own = (magnitude & EXPONENT32).clamp(exponent_field(-14), exponent_field(16));
    let anchor = f32::from_bits(own + (13 << 23));
    let rounded = (f32::from_bits(magnitude) + anchor) - anchor;
    let rounded = if rounded >= 65536.0 {
        f32::INFINITY
    } else {
        rounded
    };
    f32::from_bits(rounded.to_bits() | (x.to_bits() & SIGN32))
}

/// Binary16 bit pattern of `x`, rounded as by [`round16`] if it is not on the grid. Every NaN
/// becomes 0x7e00.
#[must_use]
#[inline(always)]
pub fn to_bits(x: f32) -> u16 {
    let value = round16(x);
    let magnitude = value.to_bits() & !SIGN32;
    // 0.5 has the spacing of binary16 subnormals, 2^-24, so the sum's significand counts them.
    let subnormal = (f32::from_bits(magnitude) + 0.5)
        .to_bits()
        .wrapping_sub(exponent_field(-1));
    let normal = (magnitude >> 13).wrapping_sub(112 << 10);
    let finite = if magnitude < exponent_field(-14) {
        subnormal
    } else {
        normal
    };
    let signed = if magnitude < EXPONENT32 {
        finite
    } else {
        INFINITY16
    } | ((value.to_bits() & SIGN32) >> 16);
    // By bits, as in `canon32`.
    (if magnitude > EXPONENT32 {
        0x7e00
    } else {
        signed
    } & 0xffff) as u16
}

/// Value of the binary16 bit pattern `bits`; exact.
#[must_use]
#[inline(always)]
pub fn from_bits(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    // A subnormal's field counts units of 2^-24: placed below the significand of 2^-14 it adds to
    // 2^-14.
    let smallest_normal = exponent_field(-14);
    let subnormal = f32::from_bits(magnitude + smallest_normal) - f32::from_bits(smallest_normal);
    let normal = magnitude + (112 << 23);
    let finite = if magnitude < (1 << 23) {
        subnormal.to_bits()
    } else {
        normal
    };
    let value = if magnitude < (INFINITY16 << 13) {
        finite
    } else {
        magnitude | EXPONENT32
    };
    f32::from_bits(value | ((u32::from(bits) & SIGN16) << 16))
}

/// Binary32 bit pattern of `x`, with every NaN as 0x7fc00000.
#[must_use]
#[inline]
pub fn canon32(x: f32) -> u32 {
    // By bits: the sign and payload of a NaN are unspecified to the compiler, which has removed a test by `is_nan`.
    let bits = x.to_bits();
    if bits & !SIGN32 > EXPONENT32 {
        0x7fc0_0000
    } else {
        bits
    }
}

// One operation in binary32 and one rounding to binary16 equal a single correctly rounded binary16
// operation: double rounding is innocuous for +, -, * when the wider precision is at least 2p + 2
// (Figueroa, "When is double rounding innocuous?", 1995), and 24 >= 2 * 11 + 2. Subnormal results
// are no exception: a sum below 2^-14 is a multiple of 2^-24 and exact, and the product of two
// 11-bit significands is exact in binary32 at any magnitude.

/// Binary16 product of two bit patterns, correctly rounded; NaN is 0x7e00.
#[must_use]
#[inline]
pub fn mul16(a: u16, b: u16) -> u16 {
    to_bits(from_bits(a) * from_bits(b))
}

/// Binary16 sum of two bit patterns, correctly rounded; NaN is 0x7e00.
#[must_use]
#[inline]
pub fn add16(a: u16, b: u16) -> u16 {
    to_bits(from_bits(a) + from_bits(b))
}

/// Binary16 difference `a` - `b` of two bit patterns, correctly rounded; NaN is 0x7e00.
#[must_use]
#[inline]
pub fn sub16(a: u16, b: u16) -> u16 {
    to_bits(from_bits(a) - from_bits(b))
}
