//! Single operations against the integer oracle.

use dcom_fp::{
    Accumulate, MAX_EXPONENT, add16, canon32, from_bits, mul16, round16, sub16, to_bits,
};

use crate::oracle::{BINARY16, BINARY32, Format, Number, product, scaled};
use crate::random::SplitMix;

const RANDOM_PAIRS: usize = 10_000_000;

fn narrow(bits: u32) -> u16 {
    u16::try_from(bits).expect("16 bits")
}

/// Positive patterns at which something changes, and their neighbours; with both signs 2 * 40.
fn corners() -> Vec<u16> {
    let positive = [
        0x0000, 0x0001, 0x0002, 0x0003, 0x0010, 0x01ff, 0x0200, 0x03fe,
        0x03ff, // zero and subnormals
        0x0400, 0x0401, 0x07ff, 0x0800, // around the smallest normals
        0x1000, 0x1400, 0x13ff,
        0x2000, // squares around the smallest subnormal and half of it
        0x2bff, 0x2c00, 0x2c01, 0x3800, 0x3801, 0x3bff, 0x3c00, 0x3c01, 0x3c02, 0x3dff,
        0x3e00, // around 1/16, 1/2, 1
        0x4000, 0x4200, 0x4bff, 0x4c00, 0x4c01, // 2, 3, and around 16: ulp ratios of sums
        0x5bff, 0x5c00, // squares around the overflow threshold
        0x6400, 0x67ff, 0x6800, // 1024, where the ulp is 1, and 2048
        0x7800, 0x7bfe, 0x7bff, 0x7c00, 0x7c01, 0x7e00, 0x7fff, // large, infinity, NaNs
    ];
    positive
        .iter()
        .flat_map(|bits| [*bits, bits | 0x8000])
        .collect()
}

fn check_pair(a: u16, b: u16) {
    let wide = |f: fn(Format, u32, u32) -> u32| narrow(f(BINARY16, a.into(), b.into()));
    assert_eq!(mul16(a, b), wide(Format::mul), "{a:#06x} * {b:#06x}");
    assert_eq!(add16(a, b), wide(Format::add), "{a:#06x} + {b:#06x}");
    assert_eq!(sub16(a, b), wide(Format::sub), "{a:#06x} - {b:#06x}");
}

#[test]
fn oracle_agrees_with_cases_worked_out_by_hand() {
    let case = |f: fn(Format, u32, u32) -> u32, a: u32, b: u32| f(BINARY16, a, b);
    assert_eq!(case(Format::add, 0x3c00, 0x3c00), 0x4000, "1 + 1 = 2");
    assert_eq!(
        case(Format::add, 0x6800, 0x3c00),
        0x6800,
        "2048 + 1 is a tie and 2048 is even"
    );
    assert_eq!(
        case(Format::add, 0x6801, 0x3c00),
        0x6802,
        "2050 + 1 is a tie and 2052 is even"
    );
    assert_eq!(
        case(Format::add, 0x7bff, 0x4bff),
        0x7bff,
        "65504 + 15.99 stays"
    );
    assert_eq!(
        case(Format::add, 0x7bff, 0x4c00),
        0x7c00,
        "65504 + 16 = 65520 overflows"
    );
    assert_eq!(
        case(Format::mul, 0x0001, 0x3800),
        0x0000,
        "half the smallest subnormal is a tie and 0 is even"
    );
    assert_eq!(
        case(Format::mul, 0x0003, 0x3800),
        0x0002,
        "1.5 units are a tie and 2 is even"
    );
    assert_eq!(case(Format::sub, 0x3c00, 0x3c00), 0x0000, "1 - 1 = +0");
    assert_eq!(case(Format::sub, 0x8000, 0x0000), 0x8000, "-0 - +0 = -0");
    assert_eq!(case(Format::add, 0x7c00, 0xfc00), 0x7e00, "inf - inf");
    assert_eq!(case(Format::mul, 0x7c00, 0x8000), 0x7e00, "inf * 0");
    assert_eq!(
        BINARY32.add(0x7f7f_ffff, 0x7300_0000),
        0x7f80_0000,
        "the largest plus half an ulp overflows"
    );
    assert_eq!(
        BINARY32.sub(0x3f80_0000, 0x0000_0001),
        0x3f80_0000,
        "1 - 2^-149 = 1"
    );
}

#[test]
fn operations_are_correctly_rounded_on_all_pairs_of_corner_values() {
    let corners = corners();
    assert!(corners.len() >= 60);
    for a in &corners {
        for b in &corners {
            check_pair(*a, *b);
        }
    }
}

#[test]
fn operations_are_correctly_rounded_on_random_pairs() {
    let mut random = SplitMix(16);
    for _ in 0..RANDOM_PAIRS {
        let (a, b) = random.pair16();
        check_pair(a, b);
    }
}

#[test]
fn binary32_addition_is_correctly_rounded() {
    let mut random = SplitMix(32);
    let check = |a: u32, b: u32| {
        let sum = canon32(Accumulate::M16A32.add(f32::from_bits(a), f32::from_bits(b)));
        assert_eq!(sum, BINARY32.add(a, b), "{a:#010x} + {b:#010x}");
    };
    for _ in 0..RANDOM_PAIRS / 4 {
        let (a, b) = random.pair32();
        check(a, b);
        // Random exponents are mostly far apart: also a partner within 2^32 of a.
        let near = (a & 0x7f80_0000).saturating_sub((b & 0x1f) << 23) | (b & 0x807f_ffff);
        check(a, near);
    }
}

/// The executor's division, square root and product are those of `f32`.
#[test]
fn binary32_products_quotients_and_roots_are_correctly_rounded() {
    assert_eq!(BINARY32.div(0x3f80_0000, 0x4040_0000), 0x3eaa_aaab, "1 / 3");
    assert_eq!(
        BINARY32.div(0x0000_0003, 0x4000_0000),
        0x0000_0002,
        "1.5 smallest subnormals are a tie and 2 is even"
    );
    assert_eq!(BINARY32.sqrt(0x4000_0000), 0x3fb5_04f3, "root of 2");
    assert_eq!(BINARY32.sqrt(0x0000_0001), 0x1a35_04f3, "root of 2^-149");
    assert_eq!(BINARY32.sqrt(0x8000_0000), 0x8000_0000, "root of -0");
    let check = |a: u32, b: u32| {
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        assert_eq!(canon32(x * y), BINARY32.mul(a, b), "{a:#010x} * {b:#010x}");
        assert_eq!(canon32(x / y), BINARY32.div(a, b), "{a:#010x} / {b:#010x}");
        assert_eq!(canon32(x.sqrt()), BINARY32.sqrt(a), "root of {a:#010x}");
    };
    let mut random = SplitMix(23);
    for _ in 0..RANDOM_PAIRS / 8 {
        let (a, b) = random.pair32();
        check(a, b);
        // Both within a factor of four of the ends of the range: results that are subnormal or overflow.
        check(a & 0x80ff_ffff, b & 0x807f_ffff | 0x7f00_0000);
        check(a & 0x80ff_ffff, b & 0x80ff_ffff | 0x3f00_0000);
        check(a | 0x4000_0000, b & 0x807f_ffff | 0x3f00_0000);
    }
}

#[test]
fn round16_rounds_every_grid_value_midpoint_and_neighbour_as_the_oracle_does() {
    for bits in 0..=u16::MAX {
        let value = from_bits(bits);
        let exact = BINARY16.decode(bits.into());
        assert_eq!(
            canon32(value),
            BINARY32.encode(exact),
            "{bits:#06x} widened"
        );
        assert_eq!(
            canon32(round16(value)),
            canon32(value),
            "{bits:#06x} is on the grid"
        );
        let expected = if exact == Number::NaN { 0x7e00 } else { bits };
        assert_eq!(to_bits(value), expected, "{bits:#06x} there and back");
        // The midpoint to the next value, in binary32, and the values around both.
        for center in [value.to_bits(), value.to_bits().wrapping_add(1 << 12)] {
            for near in [center.wrapping_sub(1), center, center.wrapping_add(1)] {
                check_round16(near);
            }
        }
        // Midpoints of subnormals are not 2^12 apart in binary32.
        if let Number::Finite {
            negative,
            magnitude,
            exponent,
        } = exact
        {
            let midpoint = Number::Finite {
                negative,
                magnitude: 2 * magnitude + 1,
                exponent: exponent - 1,
            };
            let center = BINARY32.encode(midpoint);
            [center - 1, center, center + 1]
                .into_iter()
                .for_each(check_round16);
        }
    }
}

#[test]
fn round16_rounds_random_values_as_the_oracle_does() {
    let mut random = SplitMix(1632);
    for _ in 0..RANDOM_PAIRS / 2 {
        let (any, b) = random.pair32();
        check_round16(any);
        // Most binary32 values lie outside binary16's range: exponents -26 to 17 are what matters.
        check_round16((b & 0x807f_ffff) | (101 + (any >> 8) % 44) << 23);
    }
}

fn check_round16(bits: u32) {
    let value = f32::from_bits(bits);
    let expected = narrow(BINARY16.encode(BINARY32.decode(bits)));
    assert_eq!(to_bits(value), expected, "{bits:#010x}");
    assert_eq!(
        canon32(round16(value)),
        canon32(from_bits(expected)),
        "{bits:#010x}"
    );
}

#[test]
fn products_scale_and_round_once() {
    let mut random = SplitMix(40);
    let corners = corners();
    let pairs = corners
        .iter()
        .flat_map(|a| corners.iter().map(|b| (*a, *b)));
    let random_pairs: Vec<(u16, u16)> = (0..100_000).map(|_| random.pair16()).collect();
    for (a, b) in pairs.chain(random_pairs) {
        let exponent = i32::try_from(random.next() % 81).expect("small") - MAX_EXPONENT;
        for exponent in [exponent, -MAX_EXPONENT, -14, -1, 0, 3, MAX_EXPONENT] {
            let exact = scaled(
                product(BINARY16.decode(a.into()), BINARY16.decode(b.into())),
                exponent,
            );
            let rounded = canon32(from_bits(narrow(BINARY16.encode(exact))));
            for (mode, expected) in [
                (Accumulate::M16A16, rounded),
                (Accumulate::M16A32, rounded),
                (Accumulate::X32, BINARY32.encode(exact)),
            ] {
                let actual = canon32(mode.product(from_bits(a), from_bits(b), exponent));
                assert_eq!(
                    actual, expected,
                    "{mode}: {a:#06x} * {b:#06x} * 2^{exponent}"
                );
            }
        }
    }
}

#[test]
fn x32_products_of_finite_values_are_exact() {
    let mut random = SplitMix(22);
    for _ in 0..100_000 {
        let (a, b) = random.pair16();
        for exponent in [-MAX_EXPONENT, MAX_EXPONENT] {
            let exact = scaled(
                product(BINARY16.decode(a.into()), BINARY16.decode(b.into())),
                exponent,
            );
            let Number::Finite {
                negative,
                magnitude,
                exponent: unit,
            } = exact
            else {
                continue;
            };
            let actual = Accumulate::X32.product(from_bits(a), from_bits(b), exponent);
            let Number::Finite {
                negative: actual_negative,
                magnitude: actual,
                exponent: actual_unit,
            } = BINARY32.decode(actual.to_bits())
            else {
                panic!("{a:#06x} * {b:#06x} * 2^{exponent} = {actual}");
            };
            let low = unit.min(actual_unit);
            let at = |magnitude: u128, unit: i32| {
                if magnitude == 0 {
                    0
                } else {
                    magnitude << (unit - low)
                }
            };
            assert_eq!(
                (negative, at(magnitude, unit)),
                (actual_negative, at(actual, actual_unit))
            );
        }
    }
}

#[test]
#[should_panic(expected = "product exponent 41 is outside -40..=40")]
fn a_product_exponent_out_of_range_is_refused() {
    let product = Accumulate::X32.product(1.0, 1.0, MAX_EXPONENT + 1);
    panic!("gave {product}");
}

#[test]
fn modes_are_read_and_printed_by_name() {
    for (mode, name) in Accumulate::ALL.into_iter().zip(["m16a16", "m16a32", "x32"]) {
        assert_eq!(mode.to_string(), name);
        assert_eq!(name.parse(), Ok(mode));
    }
    let error = "fp16".parse::<Accumulate>().expect_err("no such mode");
    assert_eq!(
        error.to_string(),
        "unknown accumulation mode \"fp16\"; expected m16a16, m16a32 or x32"
    );
}
