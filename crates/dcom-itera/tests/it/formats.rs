//! Every quantizer against brute force over the numbers that the specification's definition of its codes gives.

use dcom_itera::{BLOCK, Block, Element, Format, Overflow, decode_block, encode_block, quantize};
use proptest::prelude::*;

const ELEMENTS: [Element; 8] = [
    Element::Int { bits: 2 },
    Element::Int { bits: 3 },
    Element::Int { bits: 5 },
    Element::Int { bits: 8 },
    Element::E4M3,
    Element::E5M2,
    Element::E2M1,
    Element::Fixed8,
];

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounded to fp32 as the quantizer's output"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}

/// (code, value) of all finite numbers, straight from the definition: sign, exponent field, mantissa field.
fn numbers(element: Element) -> Vec<(u8, f64)> {
    let float = |exponent_bits: u32, mantissa_bits: u32, bias: i32, codes: u32| {
        let all = (0..codes).map(move |code| {
            let mantissa = f64::from(code % (1 << mantissa_bits)) / f64::from(1 << mantissa_bits);
            let field = (code >> mantissa_bits) as i32;
            let value = if field == 0 {
                mantissa * 2_f64.powi(1 - bias)
            } else {
                (1.0 + mantissa) * 2_f64.powi(field - bias)
            };
            (u8::try_from(code).expect("a code of 8 bits"), value)
        });
        let sign = 1_u8 << (exponent_bits + mantissa_bits);
        all.flat_map(move |(code, value)| [(code, value), (code | sign, -value)])
            .collect::<Vec<_>>()
    };
    match element {
        // S.1111.111 is NaN.
        Element::E4M3 => float(4, 3, 7, 127),
        // Exponent field 31 is infinity and NaN.
        Element::E5M2 => float(5, 2, 15, 31 * 4),
        Element::E2M1 => float(2, 1, 1, 8),
        Element::Int { bits } => {
            let max = (1_i32 << (bits - 1)) - 1;
            let mask = u8::MAX >> (8 - bits);
            (-max..=max)
                .map(|i| (i.to_le_bytes()[0] & mask, f64::from(i)))
                .collect()
        }
        Element::Fixed8 => (-127_i32..=127)
            .map(|i| (i.to_le_bytes()[0], f64::from(i) / 64.0))
            .collect(),
    }
}

/// The nearest of them; of two equally near, the even code. Beyond the largest number that is the largest.
fn nearest(element: Element, x: f64) -> f64 {
    let largest = numbers(element)
        .into_iter()
        .fold(0.0, |max, (_, x)| x.max(max));
    let x = x.clamp(-largest, largest);
    let mut best = (f64::INFINITY, 1, 0.0);
    for (code, value) in numbers(element) {
        let candidate = ((x - value).abs(), code & 1, value);
        if (candidate.0, candidate.1) < (best.0, best.1) {
            best = candidate;
        }
    }
    best.2
}

fn agrees(element: Element, x: f64) {
    let expected = nearest(element, x);
    let found = element.round(x);
    assert!(
        found == expected,
        "{element:?}: {x} became {found}, nearest is {expected}"
    );
    let code = element.encode(x, Overflow::Saturate).expect("finite");
    let decoded = element.decode(code);
    assert!(
        decoded == expected,
        "{element:?}: code {code:#x} of {x} is {decoded}"
    );
}

#[test]
fn every_code_means_what_the_definition_says_and_encodes_to_itself() {
    for element in ELEMENTS {
        for (code, value) in numbers(element) {
            assert!(element.decode(code) == value, "{element:?} {code:#x}");
            let back = element.encode(value, Overflow::Saturate).expect("finite");
            let zero = value == 0.0;
            assert!(
                back == code || zero,
                "{element:?} {value}: {back:#x}, not {code:#x}"
            );
        }
    }
}

#[test]
fn ties_subnormals_and_the_ends_round_as_defined() {
    for element in ELEMENTS {
        let mut values: Vec<f64> = numbers(element).into_iter().map(|(_, x)| x).collect();
        values.sort_by(f64::total_cmp);
        for pair in values.windows(2) {
            let middle = f64::midpoint(pair[0], pair[1]);
            for x in [pair[0], middle, middle.next_up(), middle.next_down()] {
                agrees(element, x);
            }
        }
        let max = element.max();
        assert!(values.last() == Some(&max), "{element:?}");
        for x in [
            max.next_up(),
            1.01 * max,
            2.0 * max,
            1e30,
            f64::MAX,
            5e-324,
            1e-30,
        ] {
            agrees(element, x);
            agrees(element, -x);
        }
    }
}

#[test]
fn infinity_and_nan_follow_the_specification() {
    use Overflow::{Propagate, Saturate};
    // OFP8 1.0, table 2: E4M3 has NaN at S.1111.111 and no infinity, E5M2 infinity at S.11111.00.
    let (e4m3, e5m2, e2m1) = (Element::E4M3, Element::E5M2, Element::E2M1);
    let infinity = f64::INFINITY;
    assert_eq!(e4m3.encode(infinity, Saturate), Some(0x7e));
    assert_eq!(e4m3.encode(-infinity, Propagate), Some(0xff));
    assert_eq!(e5m2.encode(infinity, Saturate), Some(0x7b));
    assert_eq!(e5m2.encode(-infinity, Propagate), Some(0xfc));
    assert_eq!(
        e2m1.encode(infinity, Propagate),
        Some(0x7),
        "6: there is no infinity"
    );
    assert_eq!(e2m1.encode(f64::NAN, Saturate), None);
    assert_eq!(Element::Int { bits: 4 }.encode(f64::NAN, Saturate), None);
    assert_eq!(
        Element::Int { bits: 4 }.encode(-infinity, Saturate),
        Some(0b1001)
    );
    assert!(
        e4m3.decode(e4m3.encode(f64::NAN, Saturate).expect("has NaN"))
            .is_nan()
    );
    assert!(
        e5m2.decode(e5m2.encode(f64::NAN, Saturate).expect("has NaN"))
            .is_nan()
    );
    assert!(e5m2.decode(0x7c).is_infinite());
    // Half a unit beyond the largest number rounds back to it in E4M3 (even), and away in E5M2 (odd).
    assert_eq!(e4m3.encode(464.0, Propagate), Some(0x7e));
    assert_eq!(e4m3.encode(464.0_f64.next_up(), Propagate), Some(0x7f));
    assert_eq!(e5m2.encode(61440.0, Propagate), Some(0x7c));
    assert_eq!(e5m2.encode(61440.0_f64.next_down(), Propagate), Some(0x7b));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_numbers_go_to_the_nearest(bits in any::<f32>(), small in -600.0..600.0_f64) {
        for element in ELEMENTS {
            if bits.is_finite() {
                agrees(element, f64::from(bits));
            }
            agrees(element, small);
            agrees(element, small / 300.0);
        }
    }

    /// Section 6.3 of the MX specification, step by step, against the block quantizer.
    #[test]
    fn blocks_take_the_scale_of_their_largest_value(
        values in prop::collection::vec(-1e3_f32..1e3, 1..=BLOCK),
        exponent in -140..100_i32,
    ) {
        let values: Vec<f32> = values.iter().map(|x| x * 2_f32.powi(exponent)).collect();
        let formats = [("mxint8", 0), ("mxfp8_e4m3", 8), ("mxfp8_e5m2", 15), ("mxfp4", 2)];
        for (name, emax) in formats {
            let format: Format = name.parse().expect("known");
            let element = format.element();
            let max = values.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
            // floor(log2(max)) by comparison, without a logarithm.
            let floor = (-149..128).rev().find(|&e| 2_f64.powi(e) <= f64::from(max));
            let shared = floor.map_or(-127, |floor| (floor - emax).clamp(-127, 127));
            let scale = 2_f64.powi(shared);
            let block = encode_block(element, &values);
            prop_assert_eq!(i32::from(block.scale), shared + 127);
            let expected: Vec<f64> =
                values.iter().map(|&x| nearest(element, f64::from(x) / scale) * scale).collect();
            prop_assert_eq!(decode_block(element, &block), expected.clone());
            let mut out = vec![0.0; values.len()];
            quantize(format, &values, &mut out);
            let narrow: Vec<f32> = expected.iter().map(|&x| narrow(x)).collect();
            prop_assert_eq!(out, narrow);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Against a dense grid of scales that are not rounded to bfloat16; with 8 bits and few values luck would decide.
    #[test]
    fn the_scale_of_a_vector_is_nearly_the_best(values in prop::collection::vec(-1.0_f32..1.0, 200)) {
        for bits in [2, 4, 8] {
            let element = Element::Int { bits };
            let mut out = vec![0.0; values.len()];
            quantize(Format::int(bits).expect("known"), &values, &mut out);
            let error: f64 = values.iter().zip(&out).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            // Half a unit in the last place of bfloat16, squared, of every value.
            let energy: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
            let rounding = energy * 2_f64.powi(-18);
            let max = values.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
            let best = (1..=400)
                .map(|step| f64::from(max) / element.max() * f64::from(step) / 400.0)
                .map(|scale| {
                    let each = values.iter().map(|&x| {
                        let x = f64::from(x);
                        (x - element.round(x / scale) * scale).powi(2)
                    });
                    each.sum::<f64>()
                })
                .fold(f64::INFINITY, f64::min);
            prop_assert!(error <= 1.05 * best + rounding, "int{}: {} against {}", bits, error, best);
        }
    }
}

#[test]
fn a_nan_or_an_infinity_makes_its_block_nan() {
    for x in [f32::NAN, f32::INFINITY] {
        let block = encode_block(Element::E2M1, &[1.0, x]);
        assert_eq!(block.scale, 0xff);
        assert!(
            decode_block(Element::E2M1, &block)
                .iter()
                .all(|x| x.is_nan())
        );
    }
    let zeros = encode_block(Element::E4M3, &[0.0; 3]);
    assert_eq!(
        zeros,
        Block {
            scale: 0,
            codes: vec![0; 3]
        }
    );
}

#[test]
fn storage_counts_elements_and_scales() {
    // 100 elements: one bfloat16 scale, or four blocks with eight bits each.
    for (name, bits) in [
        ("int2", 216),
        ("int5", 516),
        ("fp4", 416),
        ("fp8_e5m2", 816),
        ("mxint8", 832),
        ("mxfp4", 432),
    ] {
        let format: Format = name.parse().expect("known");
        assert_eq!(format.storage_bits(100), bits, "{name}");
    }
}

#[test]
fn names_round_trip_and_misspelt_ones_get_a_suggestion() {
    for format in Format::all() {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "mxfp8_e3m4"
        .parse::<Format>()
        .expect_err("unknown")
        .to_string();
    assert!(error.contains("did you mean `mxfp8_e4m3`?"), "{error}");
    let error = "int9".parse::<Format>().expect_err("unknown").to_string();
    assert!(error.contains("int2, int3"), "{error}");
}
