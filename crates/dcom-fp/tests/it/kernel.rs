//! The matrix-vector kernel, on every back end that this processor runs, against its definition.

use dcom_fp::{Accumulate, Backend, MAX_EXPONENT, MatVec, canon32, from_bits};
use proptest::prelude::*;

use crate::naive;
use crate::random::SplitMix;
use crate::trees::{any_mode, any16, vector};

/// Compares each output in `o` over `k` with the naive definition, on all back ends.
fn check(matrix: MatVec<'_>, k: std::ops::Range<usize>, o: std::ops::Range<usize>, x: &[f32]) {
    let column = |o: usize| k.clone().map(move |k| matrix.a[k * matrix.stride + o]);
    let naive = |o| {
        naive::matvec_output(
            matrix.mode,
            matrix.tree_width,
            column(o),
            x,
            matrix.exponent,
        )
    };
    let expected: Vec<u32> = o.clone().map(|o| canon32(naive(o))).collect();
    for backend in Backend::available() {
        let mut out = vec![f32::NAN; o.len()];
        matrix.run_on(backend, k.clone(), o.clone(), x, &mut out);
        let actual: Vec<u32> = out.into_iter().map(canon32).collect();
        assert_eq!(
            actual,
            expected,
            "{} {} {}",
            backend.name(),
            matrix.mode,
            matrix.tree_width
        );
    }
}

#[test]
fn the_default_back_end_is_the_first_available() {
    assert_eq!(Backend::default().name(), Backend::available()[0].name());
    assert_eq!(
        Backend::available().last().map(|backend| backend.name()),
        Some("portable")
    );
}

#[test]
fn every_tree_width_and_number_of_chunks_is_padded_as_defined() {
    // All products -0: the sign of the sum shows each addition of padding, and each one missed.
    let a = [0x8000; 70];
    let x = [1.0; 70];
    for mode in Accumulate::ALL {
        for tree_width in (1..=20).chain([31, 32, 33, 64, 65]) {
            for len in 0..=70 {
                check(
                    MatVec {
                        mode,
                        tree_width,
                        a: &a,
                        stride: 1,
                        exponent: 0,
                    },
                    0..len,
                    0..1,
                    &x[..len],
                );
            }
        }
    }
}

#[test]
fn outputs_beyond_one_panel_are_summed_alike() {
    let (rows, columns) = (37, 4500);
    let mut random = SplitMix(4096);
    // Exponents around 1, so that sums round but stay finite.
    let mut next = || random.pair16().0 & 0x8fff | 0x3000;
    let a: Vec<u16> = std::iter::repeat_with(&mut next)
        .take(rows * columns)
        .collect();
    let x: Vec<f32> = std::iter::repeat_with(|| from_bits(next()))
        .take(rows)
        .collect();
    for mode in Accumulate::ALL {
        for tree_width in [4, 8, 16, 24] {
            let matrix = MatVec {
                mode,
                tree_width,
                a: &a,
                stride: columns,
                exponent: -1,
            };
            check(matrix, 0..rows, 0..columns, &x);
            check(matrix, 3..rows, 1..columns - 5, &x[3..]);
        }
    }
}

#[test]
#[should_panic(expected = "end at 12 of 11")]
fn a_range_outside_the_matrix_is_refused() {
    let matrix = MatVec {
        mode: Accumulate::X32,
        tree_width: 4,
        a: &[0; 11],
        stride: 4,
        exponent: 0,
    };
    matrix.run(0..3, 0..4, &[0.0; 3], &mut [0.0; 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn kernel_equals_its_definition(
        mode in any_mode(),
        tree_width in 1..=20_usize,
        exponent in prop_oneof![3 => -3..4_i32, 1 => -MAX_EXPONENT..=MAX_EXPONENT],
        (rows, columns) in (0..90_usize, 0..70_usize),
        (skipped_rows, skipped_columns, gap) in (0..3_usize, 0..3_usize, 0..3_usize),
        pool in prop::collection::vec(any16(), 257),
        x in vector(90),
    ) {
        let stride = skipped_columns + columns + gap;
        // Repeating a pool of 257 (prime) values is faster than drawing all, and gives each column
        // other neighbours.
        let a: Vec<u16> = pool.into_iter().cycle().take((skipped_rows + rows) * stride).collect();
        let matrix = MatVec { mode, tree_width, a: &a, stride, exponent };
        check(matrix, skipped_rows..skipped_rows + rows, skipped_columns..skipped_columns + columns, &x[..rows]);
    }
}
