//! The arithmetic units alone, on corner cases and on random pairs.

use dcom_cosim::{Bench, LATENCY, Pair, Random, Results};
use dcom_fp::{add16, canon32, from_bits, mul16, to_bits};

use crate::{cache, verilator};

/// Random pairs; `DCOM_COSIM_PAIRS` in the environment asks for another number.
const PAIRS: u64 = 1_000_000;

/// Pairs per run of the bench.
const BATCH: u64 = 500_000;

/// Magnitudes around every boundary of binary16; each is taken with both signs.
const CORNERS16: &[u16] = &[
    0x0000, 0x0001, 0x0002, 0x0003, 0x01ff, 0x0200, 0x03fe, 0x03ff, 0x0400, 0x0401, 0x07ff, 0x0800,
    0x0801, 0x1000, 0x13ff, 0x1400, 0x1401, 0x2bff, 0x2c00, 0x3555, 0x37ff, 0x3800, 0x3801, 0x3bff,
    0x3c00, 0x3c01, 0x3dff, 0x3e00, 0x3fff, 0x4000, 0x4200, 0x63ff, 0x6400, 0x6401, 0x77ff, 0x7800,
    0x7bfe, 0x7bff, 0x7c00, 0x7c01, 0x7dff, 0x7e00, 0x7fff,
];

/// Magnitudes around every boundary of binary32 and of its rounding to binary16.
const CORNERS32: &[u32] = &[
    0x0000_0000,
    0x0000_0001,
    0x0000_0002,
    0x0000_0003,
    0x003f_ffff,
    0x0040_0000,
    0x007f_fffe,
    0x007f_ffff,
    0x0080_0000,
    0x0080_0001,
    0x00ff_ffff,
    0x0100_0000,
    0x0100_0001,
    0x0c00_0000,
    0x32ff_ffff,
    0x3300_0000,
    0x3300_0001,
    0x337f_ffff,
    0x3380_0000,
    0x3380_0001,
    0x33bf_ffff,
    0x33c0_0000,
    0x33c0_0001,
    0x3800_0000,
    0x387f_c000,
    0x387f_dfff,
    0x387f_e000,
    0x387f_e001,
    0x387f_ffff,
    0x3880_0000,
    0x3880_1000,
    0x3880_3000,
    0x3f7f_ffff,
    0x3f80_0000,
    0x3f80_0001,
    0x3f80_0fff,
    0x3f80_1000,
    0x3f80_1001,
    0x3f80_3000,
    0x3fff_ffff,
    0x4000_0000,
    0x477f_e000,
    0x477f_efff,
    0x477f_f000,
    0x477f_f001,
    0x477f_ffff,
    0x4780_0000,
    0x4b7f_ffff,
    0x4b80_0000,
    0x4b80_0001,
    0x4c00_0000,
    0x7e80_0000,
    0x7eff_ffff,
    0x7f00_0000,
    0x7f7f_fffe,
    0x7f7f_ffff,
    0x7f80_0000,
    0x7f80_0001,
    0x7fbf_ffff,
    0x7fc0_0000,
    0x7fff_ffff,
];

#[test]
fn units_agree() {
    let Some(verilator) = verilator() else {
        return;
    };
    let directory = cache().join("fp_units");
    let bench = verilator.build("fp_units_tb", &[("LATENCY", LATENCY)], &directory);
    let bench = bench.unwrap_or_else(|e| panic!("{e}"));
    let corners = corner_pairs();
    compare(&bench, &corners);
    let wanted = std::env::var("DCOM_COSIM_PAIRS")
        .map_or(PAIRS, |n| n.parse().expect("DCOM_COSIM_PAIRS is a number"));
    let mut random = Random::new(7);
    let mut left = wanted;
    while left > 0 {
        let batch = left.min(BATCH);
        let pairs: Vec<Pair> = (0..batch).map(|_| random_pair(&mut random)).collect();
        compare(&bench, &pairs);
        left -= batch;
    }
    eprintln!(
        "arithmetic units: {} corner pairs and {wanted} random pairs agree",
        corners.len()
    );
}

fn compare(bench: &Bench, pairs: &[Pair]) {
    let results = bench.units(pairs).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(results.len(), pairs.len(), "results of the bench");
    for (pair, result) in pairs.iter().zip(&results) {
        assert_eq!(*result, expected(pair), "{pair:x?}");
    }
}

fn expected(pair: &Pair) -> Results {
    let half = |word: u32| u16::try_from(word & 0xffff).expect("16 bits");
    let (a, b) = (half(pair.a), half(pair.b));
    // 22 significant bits and an exponent within -112 to 95: exact in binary32.
    let power = f32::from_bits((127 + pair.exponent).cast_unsigned() << 23);
    let exact = from_bits(a) * from_bits(b) * power;
    let product = to_bits(exact);
    assert!(
        pair.exponent != 0 || product == mul16(a, b),
        "two ways to the same product"
    );
    Results {
        product,
        exact: canon32(exact),
        sum16: add16(a, b),
        sum32: canon32(f32::from_bits(pair.a) + f32::from_bits(pair.b)),
        rounded: to_bits(f32::from_bits(pair.a)),
        widened: canon32(from_bits(a)),
    }
}

fn corner_pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    let signed16: Vec<u32> = CORNERS16
        .iter()
        .flat_map(|&c| [c.into(), u32::from(c) | 0x8000])
        .collect();
    let signed32: Vec<u32> = CORNERS32
        .iter()
        .flat_map(|&c| [c, c | 0x8000_0000])
        .collect();
    for &a in &signed16 {
        for &b in &signed16 {
            pairs.extend([-64, -24, -14, -1, 0, 1, 10, 24, 64].map(|exponent| Pair {
                a,
                b,
                exponent,
            }));
        }
    }
    for &a in &signed32 {
        pairs.extend(signed32.iter().map(|&b| Pair { a, b, exponent: 0 }));
    }
    pairs
}

/// All patterns; and operands of like magnitude, for additions that cancel and products near the boundaries.
fn random_pair(random: &mut Random) -> Pair {
    let bits32 = |random: &mut Random| u32::try_from(random.below(1 << 32)).expect("32 bits");
    let (a, b) = (bits32(random), bits32(random));
    let exponent = |random: &mut Random, range: u64| {
        i32::try_from(random.below(2 * range + 1)).expect("small")
            - i32::try_from(range).expect("small")
    };
    match random.below(4) {
        0 => Pair { a, b, exponent: 0 },
        1 => Pair {
            a,
            b,
            exponent: exponent(random, 64),
        },
        // The exponent of b differs by little from that of a, in both formats.
        2 => {
            let near32 = (a & 0x7f80_0000)
                .wrapping_add((b % 56) << 23)
                .wrapping_sub(28 << 23)
                & 0x7f80_0000;
            let near16 = (a & 0x7c00)
                .wrapping_add(((b >> 8) % 28) << 10)
                .wrapping_sub(14 << 10)
                & 0x7c00;
            Pair {
                a,
                b: b & 0x807f_83ff | near32 | near16,
                exponent: exponent(random, 30),
            }
        }
        // b is -a but for a few low bits.
        _ => {
            let (low16, low32) = (b >> 16 & 0xff >> (b >> 24 & 7), b & 0xffff >> (b >> 28));
            Pair {
                a,
                b: (a ^ 0x8000_8000 ^ low16).wrapping_add(low32 << 8 & 0x7f_0000),
                exponent: exponent(random, 4),
            }
        }
    }
}
