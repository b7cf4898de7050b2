//! What a parameter buys, where that follows by hand.

use dcom_sweep::explain::{Explanation, Lever, Role, Step, explain};

use super::paper;

fn lever<'a>(explanation: &'a Explanation, key: &str) -> &'a Lever {
    let found = explanation.levers.iter().find(|l| l.key == key);
    found.unwrap_or_else(|| panic!("{key} is explained"))
}

/// Prompts follow each other, so the round trip of the small SVD (27063 cycles at 1 GHz) stands whole in every prompt's time:
/// doubling it adds 27.063 us, halving it (13531) takes 13.532 us off, and the next value at least 1 % away is 27063 + 270.
#[test]
fn a_latency_that_nothing_hides_counts_in_full() {
    let explanation = explain(&paper()).expect("evaluates");
    let time = explanation.point.time_us_per_prompt;
    let svd = lever(&explanation, "svd.round_trip_cycles");
    let at = |step| svd.change(step).expect("feasible");
    for (step, us) in [
        (Step::Double, 27.063),
        (Step::Halve, -13.532),
        (Step::Up, 0.27),
        (Step::Down, -0.27),
    ] {
        let there = at(step).time_us_per_prompt;
        assert!(
            (there - time - us).abs() < 1e-9,
            "{step:?}: {there} from {time}"
        );
    }
    let expected = ((time + 27.063) / time).ln() / 2.0_f64.ln();
    let elasticity = at(Step::Double).elasticity.expect("a ratio of 2");
    assert!((elasticity - expected).abs() < 1e-9, "{elasticity}");
}

/// A is 2 * 4096 * 4096 = 33554432 B: 111849 cycles at 300 B per cycle, 223697 at 150, both rounded up. The statistics unit takes
/// 256 elements per cycle, 65536 cycles, and is not in the way. Nothing overlaps, so the difference is in the time.
#[test]
fn a_slower_link_costs_what_a_takes_longer_to_arrive() {
    let explanation = explain(&paper()).expect("evaluates");
    let halved = lever(&explanation, "link.bandwidth_gb_per_s").change(Step::Halve);
    let longer =
        halved.expect("feasible").time_us_per_prompt - explanation.point.time_us_per_prompt;
    // The factors leave over the link as well: ten vectors of 4096 fp16 on both sides, 20 * 8192 B, at most 28 cycles each
    // at 300 B per cycle and 55 at 150.
    let arrival = (223_697.0 - 111_849.0) / 1e3;
    let departure = 20.0 * (55.0 - 28.0) / 1e3;
    assert!(
        (arrival..=arrival + departure + 0.01).contains(&longer),
        "{longer} us longer"
    );
}

/// A choice has its alternatives, a value at the end of its range no neighbour beyond, and what cannot be built says why.
#[test]
fn neighbours_are_all_there_or_say_why_not() {
    let explanation = explain(&paper()).expect("evaluates");
    let accumulate = lever(&explanation, "cluster.accumulate");
    let names: Vec<&str> = accumulate
        .neighbours
        .iter()
        .map(|n| n.value.as_str())
        .collect();
    assert_eq!(names, ["m16a16", "x32"]);
    // 1..=16 columns per bank: halving 1 is 0, which the schema does not have.
    let columns = lever(&explanation, "bank.columns");
    assert!(columns.change(Step::Down).is_none() && columns.change(Step::Halve).is_none());
    assert!(columns.change(Step::Up).is_some());
    // 33.5 MB of A in 8 MiB of banks.
    let residency = lever(&explanation, "mapping.residency");
    let reason = residency.neighbours[0]
        .outcome
        .as_ref()
        .expect_err("does not fit");
    assert!(reason.contains("the banks are too small"), "{reason}");
    // From zero there is a change, but no elasticity.
    let exposed = lever(&explanation, "memory.exposed_latency_cycles");
    assert_eq!(exposed.neighbours.len(), 1);
    assert!(
        exposed
            .change(Step::Up)
            .expect("feasible")
            .elasticity
            .is_none()
    );
}

/// With the banks' ports at 2048 GB/s and the memory at 2039, doubling either alone buys next to nothing, both together a third.
#[test]
fn balanced_walls_are_named_as_a_pair() {
    let explanation = explain(&paper()).expect("evaluates");
    let mut wanted = ["bank.port_elements", "memory.bandwidth_gb_per_s"];
    wanted.sort_unstable();
    let pair = explanation.pairs.iter().find(|p| {
        let mut keys = p.keys;
        keys.sort_unstable();
        keys == wanted
    });
    for key in wanted {
        let alone = lever(&explanation, key)
            .change(Step::Double)
            .expect("feasible");
        assert!(alone.relative > -0.01, "{key}: {}", alone.relative);
    }
    // 19 products at 16457 cycles each of 466.8 us: half of them is 156.3 us, 33.5 %.
    assert!((pair.expect("named").relative + 0.335).abs() < 0.005);
}

#[test]
fn sentences_quote_what_was_simulated() {
    let explanation = explain(&paper()).expect("evaluates");
    let [whither, distance, advice] = explanation.sentences();
    let time = format!("{:.1} us per prompt", explanation.point.time_us_per_prompt);
    assert!(
        whither.contains(&time) && whither.contains("the memory unit"),
        "{whither}"
    );
    let bound = format!("lower bound of {:.1} us", explanation.bound_us_per_prompt());
    assert!(distance.contains(&bound), "{distance}");
    let best = explanation
        .decisions()
        .next()
        .expect("there are parameters");
    assert!(advice.contains(best.key), "{advice}");
    assert!(
        !advice.contains("workload.rows"),
        "a smaller problem is no advice: {advice}"
    );
    assert!(explanation.decisions().all(|l| l.role != Role::Problem));
}
