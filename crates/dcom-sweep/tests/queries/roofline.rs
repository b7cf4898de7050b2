//! The floors by hand, and what the pages say about them.

use dcom_sweep::roofline::{a100_us, reads_us, roofline};

use super::paper;

/// 2 * 468 * 4096 B = 3 833 856 B at 2039 GB/s: 1.880 us; 3.55 s over 149 * 64 prompts: 372.3 us.
#[test]
fn floors_and_measured_times_follow_by_hand() {
    assert!((reads_us(468, 4096, 1.0, 2039.0) - 1.880_263).abs() < 1e-5);
    assert!((reads_us(4096, 4096, 19.0, 2039.0) - 312.668).abs() < 1e-2);
    assert!((a100_us(1).expect("in Table 2") - 372.27).abs() < 0.01);
    assert!(a100_us(2).is_none());
}

/// The simulated machine reads A for K products A v and K - 1 products A^T u, and is above each of its floors.
#[test]
fn the_simulated_machine_is_above_its_floors() {
    let result = roofline(&paper()).expect("evaluates");
    assert_eq!(result.rows.len(), 4);
    for row in &result.rows {
        let reads = 2.0 * f64::from(row.iterations) - 1.0;
        assert!(
            (row.simulated_reads - reads).abs() < 1e-9,
            "{} reads",
            row.simulated_reads
        );
        // A arrives before it is read: nothing overlaps in the paper's configuration.
        assert!(
            row.simulated_us > row.streamed_us + row.link_us,
            "{}",
            row.shape()
        );
        assert!(row.two_per_iteration_us > row.streamed_us);
    }
}

/// The baseline is far from its own roofline, and the page says so first.
#[test]
fn the_page_leads_with_the_slow_baseline() {
    let result = roofline(&paper()).expect("evaluates");
    let slow = &result.rows[0];
    // 372.3 us over 1.88 us.
    let distance = slow.distance(slow.a100_us.expect("Table 2"));
    assert!((distance - 198.0).abs() < 0.1, "{distance}");
    let page = result.markdown().expect("renders");
    let lead = page.lines().nth(2).expect("a first sentence");
    assert!(
        lead.starts_with("**The A100 as measured in Table 2 takes 198, 18, 15 times"),
        "{lead}"
    );
    for mark in ["given", "derived", "assumed", "fitted"] {
        assert!(page.contains(&format!("| {mark}")), "{mark}");
    }
}
