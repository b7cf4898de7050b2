//! The float64 Golub-Kahan-Lanczos process against long-double results of an independent implementation.

use dcom_reference::{Bidiagonalization, Dense, Status, golub_kahan_f64, small_svd};
use serde_json::Value;

use crate::support::{cases, floats, size};

#[test]
fn every_reference_bidiagonalization_is_reproduced() {
    let (mut compared, mut exhausted_elsewhere) = (0, 0);
    for case in cases() {
        let sigma_1 = floats(&case.reference["singular_values"])[0];
        for (start_name, expected) in case.reference["gkl"].as_object().unwrap() {
            let label = format!("{} from {start_name}", case.name);
            let start = start_vector(&case.matrix, start_name);
            let columns = expected.get("K_requested").map_or(1, size);
            // The tolerance of the reference run.
            let found = golub_kahan_f64(case.matrix.clone(), &start, columns, 1e-13).unwrap();
            let status = status_name(found.status);
            if status == "start_zero" {
                assert_eq!(expected["status"], "start_zero", "{label}");
                continue;
            }
            // The recurrence amplifies roundings by an amount that depends on matrix and start. The reference states how
            // far its own float64 run is from its long-double one; another order of summation may be a few times that.
            let noise = expected["f64_cgs2_max_dev_rel_sigma1"].as_f64().unwrap();
            let tolerance = sigma_1 * (10.0 * noise + 1e-13);
            if expected["status"] == status {
                assert_eq!(found.v.len(), size(&expected["columns_V"]), "{label}");
                assert_eq!(found.u.len(), size(&expected["columns_U"]), "{label}");
            } else {
                // After exhaustion the amplified rounding of an alpha may lie above or below 1e-13: the reference states
                // where its float64 run stopped. Entries only one of the runs has must be such noise.
                assert_eq!(expected["f64_status"], status, "{label}");
                exhausted_elsewhere += 1;
            }
            let beyond = 1e-11 * sigma_1;
            assert_close(
                &found.alpha,
                &floats(&expected["alpha"]),
                tolerance,
                beyond,
                &format!("{label}: alpha"),
            );
            assert_close(
                &found.beta,
                &floats(&expected["beta"]),
                tolerance,
                beyond,
                &format!("{label}: beta"),
            );
            if let Some(ritz) = expected.get("ritz_singular_values") {
                // Singular values of B move by at most the change of B, a matrix with two entries per row.
                assert_close(
                    &ritz_values(&found),
                    &floats(ritz),
                    2.0 * tolerance,
                    beyond,
                    &format!("{label}: Ritz values"),
                );
            }
            assert!(
                relation_error(&case.matrix, &found) <= 1e-13 * sigma_1.max(1.0),
                "{label}: A V = U B"
            );
            compared += 1;
        }
    }
    assert_eq!(
        compared,
        15 * 4 - 1,
        "all but the zero start of the zero matrix"
    );
    assert!(
        exhausted_elsewhere <= 3,
        "only rankdef7 has f64_status other than status"
    );
}

#[test]
fn a_start_that_does_not_fit_is_refused() {
    let a = Dense::new(2, 3, vec![1.0; 6]).unwrap();
    let message = |start: &[f64], columns| {
        golub_kahan_f64(a.clone(), start, columns, 1e-12)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message(&[1.0; 2], 1),
        "the start vector has 2 values, expected 3"
    );
    assert_eq!(
        message(&[1.0; 3], 0),
        "the number of columns is 0, expected 1 to 3"
    );
    assert_eq!(
        message(&[1.0; 3], 4),
        "the number of columns is 4, expected 1 to 3"
    );
    assert!(message(&[1.0, f64::NAN, 1.0], 1).starts_with("the start vector has NaN at row 1"));
}

fn start_vector(a: &Dense, name: &str) -> Vec<f64> {
    match name {
        "ones" => vec![1.0; a.cols()],
        "mean" => (0..a.cols())
            .map(|col| (0..a.rows()).map(|row| a.row(row)[col]).sum())
            .collect(),
        "e1" => (0..a.cols())
            .map(|col| if col == 0 { 1.0 } else { 0.0 })
            .collect(),
        "alt" => (0..a.cols())
            .map(|col| if col % 2 == 0 { 1.0 } else { -1.0 })
            .collect(),
        other => panic!("unknown start {other}"),
    }
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Complete => "ok",
        Status::BetaBreakdown => "beta_breakdown",
        Status::AlphaBreakdown => "alpha_breakdown",
        Status::StartInNullSpace => "start_null",
        Status::StartZero => "start_zero",
    }
}

/// Singular values of B, which has as many rows as U and columns as V; a missing row is a row of zeros.
fn ritz_values(found: &Bidiagonalization) -> Vec<f64> {
    let size = found.v.len();
    let mut b = vec![0.0; size * size];
    for (j, alpha) in found.alpha.iter().enumerate() {
        b[j * size + j] = *alpha;
    }
    for (j, beta) in found.beta.iter().enumerate() {
        b[j * size + j + 1] = *beta;
    }
    let mut values = small_svd(&b, size).unwrap().s;
    values.truncate(found.u.len());
    values
}

/// Largest entry of A v_j - alpha_j u_j - beta_{j-1} u_{j-1}.
fn relation_error(a: &Dense, found: &Bidiagonalization) -> f64 {
    let mut worst = 0.0_f64;
    for j in 0..found.u.len() {
        for row in 0..a.rows() {
            let mut left: f64 = a.row(row).iter().zip(&found.v[j]).map(|(x, y)| x * y).sum();
            left -= found.alpha[j] * found.u[j][row];
            if j > 0 {
                left -= found.beta[j - 1] * found.u[j - 1][row];
            }
            worst = worst.max(left.abs());
        }
    }
    worst
}

/// Common entries agree within `tolerance`, entries that only one side has are at most `beyond`.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, beyond: f64, label: &str) {
    let common = found.len().min(expected.len());
    for (i, (x, y)) in found.iter().zip(expected).enumerate() {
        assert!(
            (x - y).abs() <= tolerance,
            "{label} [{i}]: {x} and {y} differ by more than {tolerance:e}"
        );
    }
    for extra in found[common..].iter().chain(&expected[common..]) {
        assert!(
            *extra <= beyond,
            "{label}: {extra} is in one result only and above {beyond:e}"
        );
    }
}

#[test]
fn the_references_are_not_trivially_met() {
    // The comparison above must notice a wrong recurrence: an alpha changed in the eleventh digit is one.
    let case = cases()
        .into_iter()
        .find(|case| case.name == "gauss_64x48")
        .unwrap();
    let expected: &Value = &case.reference["gkl"]["ones"];
    let mut alpha = floats(&expected["alpha"]);
    let found = golub_kahan_f64(
        case.matrix.clone(),
        &start_vector(&case.matrix, "ones"),
        16,
        1e-13,
    )
    .unwrap();
    alpha[3] *= 1.0 + 1e-11;
    assert!((found.alpha[3] - alpha[3]).abs() > 14.0 * 1e-12);
}
