//! The order of sums, their padding and the sign of zero, against cases worked out by hand and the
//! naive twins.

use dcom_fp::{
    Accumulate, Lanes, PairwiseSum, canon32, corrected, corrected_in_place, dot, expanded_sum,
    expanded_sums, from_bits, round16, to_bits,
};
use proptest::prelude::*;

use crate::naive;

/// Any pattern, but with the zeros, subnormals, infinities and NaNs that uniform patterns rarely
/// show.
pub(crate) fn any16() -> impl Strategy<Value = u16> {
    prop_oneof![
        6 => (0x2000_u16..0x5000, any::<bool>()).prop_map(|(bits, negative)| bits | u16::from(negative) << 15),
        2 => any::<u16>(),
        1 => prop::sample::select(vec![0, 0x8000, 0x8000, 1, 0x8001, 0x3ff, 0x7bff, 0xfbff]),
        1 => (0_u16..0x400, any::<bool>()).prop_map(|(bits, negative)| bits | u16::from(negative) << 15),
    ]
}

/// Vectors that are mostly ordinary, sometimes all -0, sometimes with infinities and NaNs.
pub(crate) fn vector(len: usize) -> impl Strategy<Value = Vec<f32>> {
    let special = prop::sample::select(vec![0x7c00, 0xfc00, 0x7e00, 0, 0x8000]);
    prop_oneof![
        4 => prop::collection::vec((0_u16..0x5c00, any::<bool>()).prop_map(|(b, n)| b | u16::from(n) << 15), len),
        3 => prop::collection::vec(any16(), len),
        1 => prop::collection::vec(Just(0x8000), len),
        1 => prop::collection::vec(prop_oneof![9 => any16(), 1 => special], len),
    ]
    .prop_map(|bits| bits.into_iter().map(from_bits).collect())
}

pub(crate) fn any_mode() -> impl Strategy<Value = Accumulate> {
    prop::sample::select(Accumulate::ALL.to_vec())
}

#[test]
fn additions_with_padding_turn_minus_zero_into_zero() {
    for mode in Accumulate::ALL {
        let sign = |operands: &[f32]| mode.tree(operands).is_sign_negative();
        assert!(sign(&[-0.0]), "{mode}: one operand is not padded");
        assert!(sign(&[-0.0; 2]), "{mode}: two operands are not padded");
        assert!(!sign(&[-0.0; 3]), "{mode}: (-0 + -0) + (-0 + 0) = +0");
        assert!(sign(&[-0.0; 8]), "{mode}: eight operands are not padded");
        assert!(!sign(&[]), "{mode}: nothing is +0");
    }
}

#[test]
fn the_tree_adds_adjacent_pairs() {
    // 2048 + 1 is a tie to 2048 in binary16, so the order shows: (2048 + 1) + (1 + 1) = 2048 + 2.
    assert_eq!(Accumulate::M16A16.tree(&[2048.0, 1.0, 1.0, 1.0]), 2050.0);
    assert_eq!(Accumulate::M16A16.tree(&[1.0, 1.0, 2048.0, 1.0]), 2050.0);
    assert_eq!(Accumulate::M16A16.tree(&[2048.0, 1.0, 1.0]), 2048.0);
    assert_eq!(Accumulate::M16A32.tree(&[2048.0, 1.0, 1.0]), 2050.0);
}

#[test]
fn chunk_sums_pair_up_by_chunk_index() {
    // Five chunks: ((2048 + 1) + (1 + 1)) + ((1 + 0) + (0 + 0)); 2050 + 1 is a tie to 2052.
    let mut sums = PairwiseSum::new(Accumulate::M16A16, 1);
    [2048.0, 1.0, 1.0, 1.0, 1.0]
        .iter()
        .for_each(|chunk| sums.push(&[*chunk]));
    let mut out = [f32::NAN];
    sums.finish(&mut out);
    assert_eq!(out, [2052.0]);
}

#[test]
fn an_emptied_accumulator_starts_afresh() {
    let mut sums = PairwiseSum::new(Accumulate::M16A32, 2);
    let mut out = [f32::NAN; 2];
    sums.finish(&mut out);
    assert_eq!(out, [0.0; 2]);
    (0..3).for_each(|_| sums.push(&[1.0, 2.0]));
    sums.finish(&mut out);
    assert_eq!(out, [3.0, 6.0]);
    sums.push(&[4.0, -0.0]);
    sums.finish(&mut out);
    assert_eq!(out.map(f32::to_bits), [4.0, -0.0].map(f32::to_bits));
}

#[test]
fn masked_lanes_add_zero_to_the_last_chunk() {
    // A lone product -0 meets the +0 of the other lane; on a single lane it doesn't.
    let dot = |x, y| dot(Accumulate::M16A32, Lanes { x, y }, &[-0.0], &[1.0]).is_sign_negative();
    assert!(dot(1, 1));
    assert!(!dot(2, 1));
    assert!(!dot(1, 3));
}

#[test]
fn the_correction_rounds_as_the_hardware_does() {
    // 1 - (2^-12 + 2^-24): half an ulp (2^-11 below 1) and a bit, rounded down; in binary32 the bit
    // survives.
    let sum = 2.0_f32.powi(-12) + 2.0_f32.powi(-24);
    assert_eq!(
        corrected(Accumulate::M16A32, 1.0, sum),
        1.0 - 2.0_f32.powi(-11)
    );
    assert_eq!(
        corrected(Accumulate::M16A16, 1.0, round16(sum)),
        1.0,
        "binary16 has lost the bit: a tie to 1"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn tree_equals_its_definition(mode in any_mode(), operands in (0..80_usize).prop_flat_map(vector)) {
        prop_assert_eq!(canon32(mode.tree(&operands)), canon32(naive::tree(mode, &operands)));
    }

    #[test]
    fn pairwise_sum_equals_the_tree_over_chunks(
        mode in any_mode(),
        (width, chunks) in (1..5_usize, 0..40_usize),
        values in vector(160),
    ) {
        let chunks: Vec<&[f32]> = values.chunks(width).take(chunks).collect();
        let mut sums = PairwiseSum::new(mode, width);
        chunks.iter().for_each(|chunk| sums.push(chunk));
        let mut out = vec![f32::NAN; width];
        sums.finish(&mut out);
        for (i, out) in out.iter().enumerate() {
            let operands: Vec<f32> = chunks.iter().map(|chunk| chunk[i]).collect();
            prop_assert_eq!(canon32(*out), canon32(naive::tree(mode, &operands)));
        }
    }

    #[test]
    fn dot_equals_its_definition(
        mode in any_mode(),
        (x, y) in (1..10_usize, 1..10_usize),
        (a, b) in (0..300_usize).prop_flat_map(|len| (vector(len), vector(len))),
    ) {
        let lanes = Lanes { x, y };
        prop_assert_eq!(canon32(dot(mode, lanes, &a, &b)), canon32(naive::dot(mode, lanes, &a, &b)));
    }

    #[test]
    fn expanded_sums_equal_their_definition(
        mode in any_mode(),
        lanes_x in 1..20_usize,
        coefficients in (0..70_usize).prop_flat_map(vector),
        v in (0..40_usize).prop_flat_map(|len| prop::collection::vec(any16(), len)),
    ) {
        let mut sums = vec![f32::NAN; v.len()];
        expanded_sums(mode, lanes_x, &coefficients, &v, &mut sums);
        for (v, sum) in v.iter().zip(sums) {
            let repeated = vec![from_bits(*v); coefficients.len()];
            let expected = canon32(naive::row_dot(mode, lanes_x, &coefficients, &repeated, 0));
            prop_assert_eq!(canon32(sum), expected);
            prop_assert_eq!(canon32(expanded_sum(mode, lanes_x, &coefficients, from_bits(*v))), expected);
        }
    }

    #[test]
    fn corrected_in_place_equals_corrected(
        mode in any_mode(),
        (z, sums) in (0..50_usize).prop_flat_map(|len| (vector(len), vector(len))),
    ) {
        let mut result = z.clone();
        corrected_in_place(mode, &mut result, &sums);
        for ((result, z), sum) in result.into_iter().zip(z).zip(sums) {
            prop_assert_eq!(to_bits(result), to_bits(corrected(mode, z, sum)));
        }
    }
}
