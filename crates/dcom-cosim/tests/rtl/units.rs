//! The arithmetic units alone, on corner cases and on random pairs.

use dcom_cosim::{Bench, Pair, Quotient, Random, Results};
use dcom_fp::{MAX_EXPONENT, add16, canon32, from_bits, mul16, round16, to_bits};

use crate::{cache, verilator};

/// Random pairs for each latency of the pipelined units; `DCOM_COSIM_PAIRS` in the environment asks for another number.
const PAIRS: u64 = 400_000;

/// Of those, one in so many goes to division and square root, which take a pair in 14 cycles and more.
const DIVIDED: u64 = 8;

/// Registers of the pipelined units: adders and multipliers place theirs differently for each number.
const LATENCIES: [u64; 3] = [1, 2, 3];

/// Cycles of division and square root: the fewest they can do with, and more.
const DIVIDE_CYCLES: [u64; 2] = [14, 17];

/// Pairs per run of the bench.
const BATCH: u64 = 500_000;

/// Magnitudes around every boundary of binary16; each is taken with both signs.
const CORNERS16: &[u16] = &[
    0x0000, 0x0001, 0x0002, 0x0003, 0x01ff, 0x0200, 0x03fe, 0x03ff, 0x0400, 0x0401, 0x07ff, 0x0800,
    0x0801, 0x1000, 0x13ff, 0x1400, 0x1401, 0x2bff, 0x2c00, 0x3555, 0x37ff, 0x3800, 0x3801, 0x3bff,
    0x3c00, 0x3c01, 0x3dff, 0x3e00, 0x3fff, 0x4000, 0x4200, 0x63ff, 0x6400, 0x6401, 0x77ff, 0x7800,
    0x7bfe, 0x7bff, 0x7c00, 0x7c01, 0x7dff, 0x7e00, 0x7fff,
];

/// Magnitudes around every boundary of binary32, of its rounding to binary16 and of its use as an exponent.
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
    // 2^-75, whose square is half the smallest subnormal, and the root of the smallest normal.
    0x19ff_ffff,
    0x1a00_0000,
    0x1a00_0001,
    0x1fff_ffff,
    0x2000_0000,
    0x2000_0001,
    // Exponents of a scalar: limit at 2^-64 and 2^64, mantissas that round up to 2.
    0x1f7f_efff,
    0x1f7f_f000,
    0x1f80_0000,
    0x5f7f_ffff,
    0x5f80_0000,
    0x5f80_0001,
    0x5fff_efff,
    0x5fff_f000,
    0x6000_0000,
    // 0.5, 1.5, 3 and 10: halfway products, periodic quotients.
    0x3f00_0000,
    0x3fc0_0000,
    0x4040_0000,
    0x4120_0000,
    0x4000_0001,
    0x00c0_0001,
    // Exponents of products: limit at 40.
    0x421f_ffff,
    0x4220_0000,
    0x4223_ffff,
    0x4224_0000,
    0x427f_ffff,
    0x4280_0000,
];

/// Powers of two that a value is scaled by: within binary16, at its ends, and the largest that the statistics unit has.
const POWERS: [i32; 14] = [
    -65_684, -300, -149, -40, -25, -24, -1, 0, 1, 15, 100, 149, 300, 65_535,
];

#[test]
fn units_agree() {
    let Some(verilator) = verilator() else {
        return;
    };
    let corners = corner_pairs();
    let wanted = random_pairs();
    for latency in LATENCIES {
        let directory = cache().join(format!("fp_units_{latency}"));
        let bench = verilator.build("fp_units_tb", &[("LATENCY", latency)], &directory);
        let bench = bench.unwrap_or_else(|e| panic!("{e}"));
        compare(&bench, latency, &corners);
        let mut random = Random::new(7 * latency);
        for batch in batches(wanted) {
            let pairs: Vec<Pair> = (0..batch).map(|_| random_pair(&mut random)).collect();
            compare(&bench, latency, &pairs);
        }
    }
    eprintln!(
        "arithmetic units: {} corner pairs and {wanted} random pairs agree at each latency of {LATENCIES:?}",
        corners.len()
    );
}

#[test]
fn division_and_root_agree() {
    let Some(verilator) = verilator() else {
        return;
    };
    let corners = signed32();
    let corners: Vec<_> = corners
        .iter()
        .flat_map(|&a| corners.iter().map(move |&b| (a, b)))
        .collect();
    let wanted = random_pairs() / DIVIDED;
    for cycles in DIVIDE_CYCLES {
        let directory = cache().join(format!("fp_divide_{cycles}"));
        let bench = verilator.build("fp_divide_tb", &[("CYCLES", cycles)], &directory);
        let bench = bench.unwrap_or_else(|e| panic!("{e}"));
        compare_quotients(&bench, cycles, &corners);
        let mut random = Random::new(cycles);
        for batch in batches(wanted) {
            let operands: Vec<_> = (0..batch).map(|_| random_operands(&mut random)).collect();
            compare_quotients(&bench, cycles, &operands);
        }
    }
    eprintln!(
        "division and root: {} corner pairs and {wanted} random pairs agree at each of {DIVIDE_CYCLES:?} cycles",
        corners.len()
    );
}

fn random_pairs() -> u64 {
    std::env::var("DCOM_COSIM_PAIRS")
        .map_or(PAIRS, |n| n.parse().expect("DCOM_COSIM_PAIRS is a number"))
}

/// `wanted` in numbers of at most a batch.
fn batches(wanted: u64) -> impl Iterator<Item = u64> {
    let starts = (0..wanted).step_by(usize::try_from(BATCH).expect("a small number"));
    starts.map(move |start| BATCH.min(wanted - start))
}

fn compare(bench: &Bench, latency: u64, pairs: &[Pair]) {
    let results = bench
        .units(latency, pairs)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(results.len(), pairs.len(), "results of the bench");
    for (pair, result) in pairs.iter().zip(&results) {
        assert_eq!(*result, expected(pair), "latency {latency}: {pair:x?}");
    }
}

fn compare_quotients(bench: &Bench, cycles: u64, operands: &[(u32, u32)]) {
    let results = bench
        .quotients(cycles, operands)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(results.len(), operands.len(), "results of the bench");
    for (&(a, b), result) in operands.iter().zip(&results) {
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        let expected = Quotient {
            quotient: canon32(x / y),
            root: canon32(x.sqrt()),
        };
        assert_eq!(*result, expected, "{cycles} cycles: {a:#010x}, {b:#010x}");
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the conversion to an integer saturates and is clamped; that to binary32 is exact but where binary16 has ended"
)]
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
    let x = f32::from_bits(pair.a);
    let (mantissa, scale) = scalar(x);
    // Beyond binary16 after a scaling by 2^+-300, whatever x is; binary64 takes that exactly.
    let scaled = f64::from(x) * 2.0_f64.powi(pair.power.clamp(-300, 300));
    Results {
        product,
        exact: canon32(exact),
        sum16: add16(a, b),
        sum32: canon32(f32::from_bits(pair.a) + f32::from_bits(pair.b)),
        rounded: to_bits(x),
        widened: canon32(from_bits(a)),
        product32: canon32(x * f32::from_bits(pair.b)),
        logarithm: logarithm(x).to_bits(),
        mantissa,
        scale,
        integer: i8::try_from((x as i32).clamp(-MAX_EXPONENT, MAX_EXPONENT)).expect("small"),
        scaled: to_bits(scaled as f32),
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 149")]
/// floor(log2 x) by comparing with powers of two; 0 where there is none.
fn logarithm(x: f32) -> f32 {
    if !(x > 0.0 && x.is_finite()) {
        return 0.0;
    }
    let least = (-149..=127)
        .rev()
        .find(|&e| f64::from(x) >= 2.0_f64.powi(e));
    least.expect("the smallest subnormal is 2^-149") as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an integer; 24 significant bits"
)]
/// x as a mantissa in binary16 and a power of two within 2^-64 to 2^64 (docs/machine.md, "Values").
fn scalar(x: f32) -> (u16, i8) {
    if x == 0.0 || !x.is_finite() {
        return (to_bits(x), 0);
    }
    let exponent = logarithm(x.abs()) as i32;
    // Exact in binary64, and 24 significant bits.
    let mantissa = round16((f64::from(x) / 2.0_f64.powi(exponent)) as f32);
    let carries = mantissa.abs() == 2.0;
    let exponent = (exponent + i32::from(carries)).clamp(-64, 64);
    let mantissa = if carries { mantissa / 2.0 } else { mantissa };
    (to_bits(mantissa), i8::try_from(exponent).expect("clamped"))
}

fn signed32() -> Vec<u32> {
    let signs = |&c: &u32| [c, c | 0x8000_0000];
    CORNERS32.iter().flat_map(signs).collect()
}

fn corner_pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    let signed16: Vec<u32> = CORNERS16
        .iter()
        .flat_map(|&c| [c.into(), u32::from(c) | 0x8000])
        .collect();
    let signed32 = signed32();
    for &a in &signed16 {
        for &b in &signed16 {
            pairs.extend([-64, -24, -14, -1, 0, 1, 10, 24, 64].map(|exponent| Pair {
                a,
                b,
                exponent,
                power: 0,
            }));
        }
    }
    for &a in &signed32 {
        let pair = |b, power| Pair {
            a,
            b,
            exponent: 0,
            power,
        };
        pairs.extend(signed32.iter().map(|&b| pair(b, 0)));
        pairs.extend(POWERS.map(|power| pair(a, power)));
    }
    pairs
}

/// All patterns; and operands whose quotient or root lies close to the middle between two values.
fn random_operands(random: &mut Random) -> (u32, u32) {
    let bits = |random: &mut Random| u32::try_from(random.below(1 << 32)).expect("32 bits");
    let (a, b) = (bits(random), bits(random));
    // 25 significant bits, the last one set: halfway.
    let middle = f64::from((a | 0x0100_0001) & 0x01ff_ffff);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded: close is what is wanted"
    )]
    match random.below(4) {
        0 => (a, b),
        1 => (
            ((middle * f64::from(f32::from_bits(b))) as f32).to_bits(),
            b,
        ),
        2 => (((middle * middle) as f32).to_bits(), b),
        // Quotients near the ends of the range.
        _ => (
            a & 0x80ff_ffff,
            b & 0x80ff_ffff | 0x7e00_0000 ^ (a & 0x0100_0000),
        ),
    }
}

/// All patterns; and operands of like magnitude, for additions that cancel and products near the boundaries.
fn random_pair(random: &mut Random) -> Pair {
    let bits32 = |random: &mut Random| u32::try_from(random.below(1 << 32)).expect("32 bits");
    let (a, b) = (bits32(random), bits32(random));
    // So that a 2^power is mostly within binary16 or close to it.
    let power =
        127 - (a >> 23 & 0xff).cast_signed() + i32::try_from(random.below(60)).expect("small") - 35;
    let exponent = |random: &mut Random, range: u64| {
        i32::try_from(random.below(2 * range + 1)).expect("small")
            - i32::try_from(range).expect("small")
    };
    match random.below(4) {
        0 => Pair {
            a,
            b,
            exponent: 0,
            power,
        },
        1 => Pair {
            a,
            b,
            exponent: exponent(random, 64),
            power,
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
                power,
            }
        }
        // b is -a but for a few low bits.
        _ => {
            let (low16, low32) = (b >> 16 & 0xff >> (b >> 24 & 7), b & 0xffff >> (b >> 28));
            Pair {
                a,
                b: (a ^ 0x8000_8000 ^ low16).wrapping_add(low32 << 8 & 0x7f_0000),
                exponent: exponent(random, 4),
                power,
            }
        }
    }
}
