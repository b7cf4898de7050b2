//! Machine, search and allocation against counts by hand and exhaustive enumeration.

use dcom_itera::{
    Comparison, Design, Format, FormatCurve, Layer, LayerCurve, Limits, Machine, Setting, Stored,
    allocate, designs, pareto_front, processing_element,
};
use proptest::prelude::*;

fn int(bits: u32) -> Format {
    Format::int(bits).expect("2 to 8")
}

fn close(found: f64, expected: f64) {
    assert!(
        (found / expected - 1.0).abs() < 1e-9,
        "{found}, expected {expected}"
    );
}

#[test]
fn a_whole_and_a_factored_layer_are_timed_by_hand() {
    let machine = Machine::new(8, 16, 2.0, 10.0).expect("positive");
    let layer = |stored| Layer {
        tokens: 20,
        outputs: 100,
        inputs: 64,
        stored,
    };
    // ceil(20 / 8) = 3 tiles of tokens, ceil(100 / 16) = 7 of outputs, 64 steps each, and 8 + 16 - 2 of skew.
    let whole = machine.run(&layer(Stored::Whole(int(4))));
    assert_eq!(whole.compute_cycles, 3 * 7 * 64 + 22);
    // 100 rows of 64 x 4 + 16 bits; 20 tokens of 64 x 8 + 16 bits in and 100 x 16 bits out.
    assert_eq!(whole.memory_bits, 27_200 + 20 * (528 + 1600));
    assert_eq!(whole.products, 128_000);
    // 1366 cycles at 2 GHz are 0.683 us; 69 760 bits at 10 GB/s are 0.872 us.
    close(whole.latency_us, 0.872);
    assert!(whole.memory_bound);

    let factored = machine.run(&layer(Stored::Factored {
        format: int(4),
        rank: 10,
    }));
    // 3 x 1 tiles of 64 steps, then 3 x 7 tiles of 10 steps, a skew each.
    assert_eq!(factored.compute_cycles, 3 * 64 + 22 + 3 * 7 * 10 + 22);
    // Ten vectors of 64 x 4 + 16 and ten of 100 x 4 + 16 bits.
    assert_eq!(factored.memory_bits, 2720 + 4160 + 20 * (528 + 1600));
    assert_eq!(factored.products, 20 * 10 * 164);

    let fast = Machine::new(8, 16, 2.0, 1000.0).expect("positive");
    close(fast.run(&layer(Stored::Whole(int(4)))).latency_us, 0.683);
}

#[test]
fn an_element_of_int8_is_the_sum_of_its_published_parts() {
    let element = processing_element(int(8));
    // Multiplier 282, 32-bit adder 137, 8 + 8 + 32 flip-flops of 4.522 um2; 200 + 100 + 48 x 8.1 fJ.
    close(element.area_um2.value, 282.0 + 137.0 + 48.0 * 4.522);
    close(element.energy_fj.value, 200.0 + 100.0 + 48.0 * 8.1);
    let machine = Machine::new(10, 10, 1.0, 1.0).expect("positive");
    close(machine.area_mm2(int(8)).value, 100.0 * 636.056e-6 / 0.7);
    for format in Format::all() {
        let element = processing_element(format);
        for range in [element.area_um2, element.energy_fj] {
            assert!(
                range.low <= range.value && range.value <= range.high,
                "{format}: {range:?}"
            );
        }
    }
}

#[test]
fn fewer_bits_make_smaller_and_thriftier_elements() {
    for bits in 2..8 {
        let (small, large) = (
            processing_element(int(bits)),
            processing_element(int(bits + 1)),
        );
        assert!(small.area_um2.value < large.area_um2.value);
        assert!(small.energy_fj.value < large.energy_fj.value);
    }
}

#[test]
fn machines_without_elements_or_bandwidth_are_refused() {
    let error = Machine::new(0, 4, 1.0, 1.0).expect_err("no rows");
    assert_eq!(
        error.to_string(),
        "rows of the array is 0, expected 1 to 1048576"
    );
    let error = Machine::new(4, 4, 1.0, f64::NAN).expect_err("NaN");
    assert!(
        error.to_string().contains("memory bandwidth [GB/s] is NaN"),
        "{error}"
    );
}

fn setting() -> Setting {
    Setting {
        tokens: 64,
        outputs: 96,
        inputs: 96,
        clock_ghz: 1.0,
        memory_gb_per_s: 100.0,
    }
}

fn all_designs() -> Vec<Design> {
    let curve = |bits: u32, whole: f64| FormatCurve {
        format: int(bits),
        whole,
        factored: (0..=96)
            .map(|r| (1.0 - f64::from(r) / 96.0).max(0.5 * whole))
            .collect(),
    };
    designs(
        &[curve(2, 0.5), curve(4, 0.1), curve(8, 0.01)],
        &setting(),
        4,
    )
    .expect("in range")
}

#[test]
fn the_front_is_what_no_design_beats() {
    let all = all_designs();
    let front = pareto_front(all.iter());
    let key = |d: &Design| [d.error, d.run.latency_us];
    let beats = |a: &Design, b: &Design| {
        let (a, b) = (key(a), key(b));
        (0..2).all(|i| a[i] <= b[i]) && a != b
    };
    for kept in &front {
        assert!(!all.iter().any(|other| beats(other, kept)), "{kept:?}");
    }
    for left_out in &all {
        assert!(
            front
                .iter()
                .any(|kept| beats(kept, left_out) || key(kept) == key(left_out)),
            "{left_out:?}"
        );
    }
}

#[test]
fn factors_are_compared_at_no_larger_error_within_the_limits() {
    let all = all_designs();
    let limits = Limits {
        error: 0.5,
        area_mm2: 0.2,
        elements: 256,
    };
    let comparison = Comparison::new(&all, &limits).expect("quantization only fits");
    let factored = comparison.factored.expect("rank 48 has an error of 0.5");
    for design in [comparison.whole, factored] {
        assert!(design.error <= 0.5 && design.area_mm2 <= 0.2);
        assert!(design.machine.rows * design.machine.columns <= 256);
    }
    let expected = 1.0 - factored.run.latency_us / comparison.whole.run.latency_us;
    close(comparison.reduction().expect("both exist"), expected);
    let none = Limits {
        error: 0.001,
        ..limits
    };
    assert!(Comparison::new(&all, &none).is_none());
}

proptest! {
    /// Convex curves and terms of one size: the greedy choice is optimal, as enumeration of all choices confirms.
    #[test]
    fn ranks_of_convex_curves_are_optimal(
        rates in prop::collection::vec((0.3_f64..0.95, 0.1_f64..10.0), 3), budget in 0_u64..12,
    ) {
        let layers: Vec<LayerCurve> = rates
            .iter()
            .map(|&(rate, sensitivity)| LayerCurve {
                errors: (0..=5).map(|r| rate.powi(r)).collect(),
                sensitivity,
                bits_per_rank: 7,
            })
            .collect();
        let loss = |ranks: &[usize]| -> f64 {
            layers.iter().zip(ranks).map(|(layer, &rank)| layer.loss(rank)).sum()
        };
        let found = allocate(&layers, budget * 7 + 3).expect("valid");
        prop_assert!(found.iter().sum::<usize>() as u64 <= budget);
        let mut best = f64::INFINITY;
        for a in 0..=5 {
            for b in 0..=5 {
                for c in 0..=5 {
                    if (a + b + c) as u64 <= budget {
                        best = best.min(loss(&[a, b, c]));
                    }
                }
            }
        }
        prop_assert!(loss(&found) <= best * (1.0 + 1e-12), "{} against {best}", loss(&found));
    }
}

#[test]
fn a_flat_start_does_not_hide_what_comes_after() {
    // Four terms are useless alone and decisive together.
    let late = LayerCurve {
        errors: vec![1.0, 1.0, 1.0, 1.0, 0.0],
        sensitivity: 1.0,
        bits_per_rank: 1,
    };
    let early = LayerCurve {
        errors: vec![1.0, 0.95, 0.94],
        sensitivity: 1.0,
        bits_per_rank: 1,
    };
    assert_eq!(allocate(&[late.clone(), early.clone()], 4), Ok(vec![4, 0]));
    assert_eq!(allocate(&[late, early], 3), Ok(vec![0, 2]));
}
