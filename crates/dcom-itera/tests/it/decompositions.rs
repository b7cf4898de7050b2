//! Decompositions against what mathematics says of them.

use dcom_itera::{
    Format, IteraError, Options, Svd, Weight, factor_bits, itera, quantize_weight, relative_error,
    svd_then_quantize, weight_bits,
};
use proptest::prelude::*;

/// SplitMix64 as uniform numbers on -1 to 1.
fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z >> 40) as f32) / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Noise plus a few strong directions, as weights have.
fn weight(rows: usize, cols: usize, seed: u64) -> Weight {
    let mut data = random(seed, rows * cols);
    for k in 0..4 {
        let (a, b) = (random(seed + 10 + k, rows), random(seed + 20 + k, cols));
        for (row, a) in data.chunks_exact_mut(cols).zip(&a) {
            for (x, b) in row.iter_mut().zip(&b) {
                *x += 4.0 / (k + 1) as f32 * a * b;
            }
        }
    }
    Weight::new(rows, cols, data).expect("finite")
}

fn exact_rank(rows: usize, cols: usize, rank: u64) -> Weight {
    let mut data = vec![0.0; rows * cols];
    for k in 0..rank {
        let (a, b) = (random(k + 100, rows), random(k + 200, cols));
        for (row, a) in data.chunks_exact_mut(cols).zip(&a) {
            for (x, b) in row.iter_mut().zip(&b) {
                *x += a * b;
            }
        }
    }
    Weight::new(rows, cols, data).expect("finite")
}

fn int(bits: u32) -> Option<Format> {
    Some(Format::int(bits).expect("2 to 8"))
}

fn run(weight: &Weight, options: &Options) -> dcom_itera::Decomposition {
    itera(weight, options, &mut |_| {}).expect("converges")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_error_is_below_the_best_of_its_rank_and_the_first_unquantized_ones_reach_it(
        rows in 1..40_usize, cols in 1..40_usize, seed in any::<u32>(),
    ) {
        let weight = weight(rows, cols, u64::from(seed));
        let best = Svd::new(&weight).expect("converges").best_errors();
        let rank = rows.min(cols);
        for format in [None, int(2), int(4), Some("mxfp4".parse().expect("known"))] {
            let found = run(&weight, &Options::new(rank, format));
            for (k, error) in found.errors.iter().enumerate() {
                // fp32 residuals: relative rounding of 1e-6 at most.
                prop_assert!(*error >= best[k] - 2e-6, "rank {k}: {error} below {}", best[k]);
                if format.is_none() {
                    // A pair stops at a change of 1e-3; with close singular values it is then still mixed with its neighbours.
                    prop_assert!(*error <= best[k] * 1.01 + 1e-2, "rank {k}: {error} against {}", best[k]);
                }
            }
        }
    }

    #[test]
    fn without_quantization_the_residual_never_grows(seed in any::<u32>()) {
        let weight = weight(40, 60, u64::from(seed));
        let found = run(&weight, &Options::new(40, None));
        for pair in found.errors.windows(2) {
            prop_assert!(pair[1] <= pair[0], "{} after {}", pair[1], pair[0]);
        }
        prop_assert!(found.worst_residual <= 1e-3);
    }

    #[test]
    fn more_bits_are_never_worse(seed in any::<u32>()) {
        let weight = weight(48, 64, u64::from(seed));
        let errors = |bits| {
            let found = run(&weight, &Options::new(32, int(bits)));
            (quantize_weight(&weight, Format::int(bits).expect("known")).0, found.error())
        };
        let all: Vec<(f64, f64)> = (2..=8).map(errors).collect();
        for pair in all.windows(2) {
            prop_assert!(pair[1].0 < pair[0].0, "quantization only: {pair:?}");
            // At rank 32 of 48 most of the error is that of the rank: two formats may round to the same within 1 %.
            prop_assert!(pair[1].1 < 1.01 * pair[0].1, "iterative: {pair:?}");
        }
    }
}

#[test]
fn a_matrix_of_exact_low_rank_is_recovered() {
    for rank in [1, 3, 7] {
        let weight = exact_rank(50, 80, rank as u64);
        let found = run(&weight, &Options::new(20, None));
        assert_eq!(
            found.terms.len(),
            rank,
            "the residual is rounding noise after {rank} terms"
        );
        assert!(found.error() < 5e-6, "{}", found.error());
        assert!(relative_error(&weight, &found.product(rank)) < 5e-6);
    }
}

#[test]
fn the_reported_error_is_that_of_the_terms() {
    let weight = weight(64, 96, 5);
    let options = Options {
        refit_sweeps: 2,
        ..Options::new(24, int(3))
    };
    let found = run(&weight, &options);
    let direct = relative_error(&weight, &found.product(24));
    assert!(
        (direct - found.error()).abs() < 1e-5,
        "{direct} {}",
        found.error()
    );
    let plain = run(&weight, &Options::new(24, int(3)));
    let direct = relative_error(&weight, &plain.product(24));
    assert!(
        (direct - plain.error()).abs() < 1e-5,
        "{direct} {}",
        plain.error()
    );
    assert_eq!(
        plain.errors, found.errors,
        "the refit comes after the terms"
    );
}

#[test]
fn the_refit_only_helps_and_iterating_beats_rounding_afterwards() {
    let weight = weight(96, 96, 8);
    let svd = Svd::new(&weight).expect("converges");
    let options = Options {
        refit_sweeps: 3,
        ..Options::new(48, int(3))
    };
    let found = run(&weight, &options);
    let before = *found.errors.last().expect("errors");
    let mut last = before;
    for &error in &found.refit_errors {
        assert!(error <= last + 1e-6, "{error} after {last}");
        last = error;
    }
    assert!(last < 0.995 * before, "{last} of {before}");
    let rounded = svd_then_quantize(&weight, &svd, int(3), 48, &mut |_| {}).expect("in range");
    assert!(
        before < rounded.error(),
        "{before} against {}",
        rounded.error()
    );
}

#[test]
fn storage_is_counted_by_hand() {
    // Two vectors of 3 bits per element and 16 per scale: 10 (3 x (64 + 96) + 32).
    assert_eq!(factor_bits(int(3), 64, 96, 10), 5120);
    assert_eq!(factor_bits(None, 64, 96, 10), 51200);
    // 64 rows of 96 x 4 + 16.
    assert_eq!(weight_bits(Format::int(4).expect("known"), 64, 96), 25600);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let weight = weight(130, 70, 3);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads")
            .install(|| run(&weight, &Options::new(30, int(4))))
    };
    assert_eq!(with(1), with(5));
}

#[test]
fn what_is_no_weight_is_refused() {
    let error = Weight::new(2, 2, vec![1.0, f32::NAN, 0.0, 0.0]).expect_err("NaN");
    assert_eq!(
        error.to_string(),
        "NaN at row 0, column 1; all values must be finite"
    );
    assert!(matches!(
        Weight::new(2, 3, vec![1.0]),
        Err(IteraError::Shape { .. })
    ));
    assert!(matches!(
        Weight::new(1, 1, vec![0.0]),
        Err(IteraError::Zero { .. })
    ));
    let weight = weight(4, 6, 1);
    let error = itera(&weight, &Options::new(5, None), &mut |_| {}).expect_err("too large");
    assert_eq!(error.to_string(), "the rank is 5, expected 1 to 4");
}
