//! Factors: never better than the best of a rank, and as good where theory says so.

use dcom_reference::{Dense, Truncated, best_rank_errors, truncated_lanczos, truncated_svd};

use crate::support::cases;

/// ||A - U diag(s) V^T|| / ||A||, entry by entry; 0 for the zero matrix.
fn error(a: &Dense, factors: &Truncated) -> f64 {
    let mut squares = 0.0;
    for row in 0..a.rows() {
        for (col, value) in a.row(row).iter().enumerate() {
            let terms =
                (0..factors.s.len()).map(|i| factors.u[i][row] * factors.s[i] * factors.v[i][col]);
            squares += (value - terms.sum::<f64>()).powi(2);
        }
    }
    if squares == 0.0 {
        0.0
    } else {
        squares.sqrt() / a.frobenius()
    }
}

fn best(a: &Dense, rank: usize) -> f64 {
    best_rank_errors(a.clone(), &[rank]).unwrap().errors[0].relative_frobenius
}

#[test]
fn the_truncated_svd_has_the_best_error() {
    for case in cases() {
        let a = &case.matrix;
        for rank in [1, 3, 10] {
            let found = truncated_svd(a, rank).unwrap();
            assert_eq!(
                found.s.len(),
                rank.min(a.rows()).min(a.cols()),
                "{}",
                case.name
            );
            assert!(found.s.is_sorted_by(|x, y| x >= y), "{}", case.name);
            let (error, best) = (error(a, &found), best(a, rank));
            assert!(
                (error - best).abs() < 1e-12,
                "{} at {rank}: {error}, best {best}",
                case.name
            );
        }
    }
}

#[test]
fn lanczos_is_never_better_and_in_the_end_as_good() {
    for case in cases() {
        let a = &case.matrix;
        let found = truncated_lanczos(a, 3, 8).unwrap();
        assert!(error(a, &found) >= best(a, 3) - 1e-12, "{}", case.name);
    }
    let case = cases()
        .into_iter()
        .find(|case| case.name == "gauss_64x48")
        .unwrap();
    let a = &case.matrix;
    let few = error(a, &truncated_lanczos(a, 3, 4).unwrap());
    let all = error(a, &truncated_lanczos(a, 3, 48).unwrap());
    assert!((all - best(a, 3)).abs() < 1e-10, "{all}");
    assert!(
        few > all + 1e-3,
        "{few} with four iterations, {all} with all"
    );
}

/// Rows that cancel leave no mean token to start from; the longest one serves.
#[test]
fn a_mean_of_zero_is_no_obstacle() {
    let a = Dense::new(2, 3, vec![1.0, 2.0, 3.0, -1.0, -2.0, -3.0]).unwrap();
    let found = truncated_lanczos(&a, 2, 2).unwrap();
    assert!(error(&a, &found) < 1e-12, "it has rank 1");
    let zero = Dense::new(2, 3, vec![0.0; 6]).unwrap();
    assert!(truncated_lanczos(&zero, 1, 2).unwrap().s.is_empty());
}
