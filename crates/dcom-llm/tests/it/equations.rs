//! Equations 8 to 12 and the order of a chain.

use dcom_llm::{
    cheapest_order, compression_activation, compression_weight, compute_reduction_both,
    compute_reduction_input, weight_rank_bound,
};

fn near(value: f64, expected: f64) {
    assert!(
        (value / expected - 1.0).abs() < 1e-12,
        "{value} is not {expected}"
    );
}

/// S = 100, r2 = 4: 25.
#[test]
fn equation_8() {
    near(compute_reduction_input(100, 4), 25.0);
}

/// S = 100, D = 60, W = 40; r = 5 x 4, p = 3 x 2: 240000 over 4 60 3 + 4 3 2 + 5 4 2 = 784.
#[test]
fn equation_9() {
    near(
        compute_reduction_both([100, 60, 40], [5, 4], [3, 2]),
        240_000.0 / 784.0,
    );
}

/// 100 x 60 with a 5 x 4 core: 6000 over 500 + 20 + 240.
#[test]
fn equation_10() {
    near(compression_activation([100, 60], [5, 4]), 6000.0 / 760.0);
}

/// D = W = n: ((2n)^2 + 4 n^2)^(1/2) / 2 - n = (sqrt 2 - 1) n; at that rank equation 12 is 1.
#[test]
fn equation_11_is_where_equation_12_is_one() {
    near(weight_rank_bound(1000, 1000), (2f64.sqrt() - 1.0) * 1000.0);
    // D = 3, W = 4: (sqrt(49 + 48) - 7) / 2 = 1.4244, between the ranks 1 (12 / 8) and 2 (12 / 18).
    near(weight_rank_bound(3, 4), (97f64.sqrt() - 7.0) / 2.0);
    assert!(compression_weight([3, 4], [1, 1]) > 1.0 && compression_weight([3, 4], [2, 2]) < 1.0);
}

/// 60 x 40 with a 3 x 2 core: 2400 over 180 + 6 + 80.
#[test]
fn equation_12() {
    near(compression_weight([60, 40], [3, 2]), 2400.0 / 266.0);
}

/// Equation 4: V W first, then the core, then U. (2 x 10)(10 x 10) = 200, (2 x 2)(2 x 10) = 40, (100 x 2)(2 x 10) = 2000.
#[test]
fn equation_4_is_the_cheapest_order() {
    let (cost, order) = cheapest_order(&[100, 2, 2, 10, 10]);
    assert_eq!(cost, 2240);
    assert_eq!(order, [(2, 3), (1, 3), (0, 3)]);
}

/// Equation 5 with p < r: V U_W first, then the weight's core, the activation's core, V_W, and U last.
#[test]
fn equation_5_is_the_cheapest_order() {
    // U 100 x 3, S_I 3 x 3, V 3 x 50, U_W 50 x 2, S_W 2 x 2, V_W 2 x 40
    let (cost, order) = cheapest_order(&[100, 3, 3, 50, 2, 2, 40]);
    // 3 50 2 + 3 2 2 + 3 3 2 = 330 for S*, then either (3 2 40 + 100 3 40) = 12240 or (100 3 2 + 100 2 40) = 8600.
    assert_eq!(cost, 330 + 8600);
    assert_eq!(order.last(), Some(&(0, 5)));
    assert!(order.contains(&(2, 3)));
}
