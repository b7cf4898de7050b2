//! Inverse queries whose answers follow by hand or from looking at every point.

use dcom_config::Source;
use dcom_sweep::find::{Candidate, Certainty, Direction, Found, Quantity, Query, find};
use dcom_sweep::{Base, Metric, Space, SweepSpec, evaluate};

use super::root;

const ALL: usize = 1_000_000;

fn spec(axes: &[(&str, &str)]) -> SweepSpec {
    let mut text = format!(
        "name = \"t\"\narch = \"{0}/configs/arch/dcom-paper.toml\"\nworkload = \"{0}/configs/workloads/paper-fig12.toml\"\n",
        root().display()
    );
    for (key, values) in axes {
        text.push_str(&format!("[[axis]]\nkey = \"{key}\"\nvalues = [{values}]\n"));
    }
    SweepSpec::parse(Source::new("t.toml", text)).expect("legal")
}

fn query(minimize: &str, subject_to: &[&str]) -> Query {
    let subject_to: Vec<String> = subject_to.iter().map(|c| (*c).to_owned()).collect();
    Query::parse(minimize, &subject_to).expect("legal")
}

fn opened(spec: &SweepSpec) -> Space {
    Space::open(spec.clone(), &[]).expect("shipped")
}

fn ask(spec: &SweepSpec, query: &Query) -> Found {
    find(&opened(spec), query, ALL, || ()).expect("evaluates")
}

/// The best point by looking at every one: smallest objective, then time, then position.
fn naive(
    spec: &SweepSpec,
    objective: &str,
    holds: impl Fn(&Base, f64) -> bool,
) -> Option<(usize, f64)> {
    let space = opened(spec);
    let mut best: Option<(f64, f64, usize)> = None;
    for index in (0..spec.points()).filter(|i| space.contains(*i)) {
        let at = space.at(index).expect("in range");
        let index = usize::try_from(index).expect("small");
        let Ok(point) = evaluate(&at) else { continue };
        if !holds(&at, point.time_us_per_prompt) {
            continue;
        }
        let value = match Metric::find(objective) {
            Some(metric) => metric.of(&point),
            None => at.arch.memory_bandwidth,
        };
        let this = (value, point.time_us_per_prompt, index);
        if best.is_none_or(|b| this.partial_cmp(&b).expect("numbers").is_lt()) {
            best = Some(this);
        }
    }
    best.map(|(value, _, index)| (index, value))
}

fn of(candidate: &Option<Candidate>) -> Option<(usize, f64)> {
    candidate.as_ref().map(|c| (c.index, c.objective))
}

/// 19 products of 2^24 multiplications each on 128 lanes (two clusters) take 19 * 2^24 / 128 cycles = 2490 us at 1 GHz, above the 1549 us
/// of the layer; on four clusters 1245 us, and 112 us for A to arrive and 27 us for the small SVD are within what is left.
#[test]
fn four_clusters_hide_the_decomposition_behind_the_layer() {
    // Paths in a sweep file are relative to the repository.
    let path = root().join("configs/sweeps/smallest.toml");
    let mut spec = SweepSpec::read(&path).expect("shipped");
    spec.arch = root().join(&spec.arch);
    spec.workload = root().join(&spec.workload);
    let found = ask(&spec, &query("clusters", &["time_us_per_prompt <= 1549"]));
    let best = found.best.expect("there is one");
    assert_eq!(best.objective, 4.0);
    let time = best.point.time_us_per_prompt;
    assert!((1245.2 + 111.8 + 27.1..1549.0).contains(&time), "{time}");
    assert_eq!(found.certainty, Certainty::Ordered);
    assert!(
        found.evaluated < found.points,
        "{} evaluated",
        found.evaluated
    );
    assert!(
        found
            .runner_up
            .expect("there is a second")
            .point
            .time_us_per_prompt
            >= time
    );
}

#[test]
fn the_ordered_answer_is_that_of_every_point() {
    let spec = spec(&[
        ("array.columns", "2, 4, 8, 16"),
        ("mapping.clusters_per_partition", "8, 32, 512"),
        ("mapping.expansion_factor", "1, 8"),
    ]);
    let found = ask(&spec, &query("clusters", &["time_us_per_prompt <= 900"]));
    assert_eq!(
        of(&found.best),
        naive(&spec, "clusters", |_, time| time <= 900.0)
    );
    // g = 512 exists nowhere.
    assert_eq!(found.infeasible.0, 8);
    assert!(
        found
            .infeasible
            .1
            .expect("a reason")
            .contains("512 clusters per partition")
    );
    // Time is known only by simulation: every point is evaluated.
    let fastest = ask(&spec, &query("time_us_per_prompt", &["clusters < 256"]));
    assert_eq!(
        (fastest.certainty, fastest.evaluated),
        (
            Certainty::Exhaustive,
            usize::try_from(spec.points()).expect("small")
        )
    );
    let expected = naive(&spec, "time_us_per_prompt", |at, _| {
        at.arch.columns * at.arch.rows < 256
    });
    assert_eq!(of(&fastest.best), expected);
}

/// 64 bandwidths on two lines: bisection evaluates a handful of points of each and gives the answer of all 128.
#[test]
fn bisection_gives_the_answer_of_every_point() {
    let values: Vec<String> = (1..=64).map(|i| format!("{}.0", 40 * i)).collect();
    let spec = spec(&[
        ("mapping.expansion_factor", "4, 8"),
        ("memory.bandwidth_gb_per_s", &values.join(", ")),
    ]);
    let found = ask(
        &spec,
        &query("memory.bandwidth_gb_per_s", &["time_us_per_prompt <= 500"]),
    );
    assert_eq!(
        of(&found.best),
        naive(&spec, "memory.bandwidth_gb_per_s", |_, time| time <= 500.0)
    );
    assert!(
        matches!(found.certainty, Certainty::Bisected { .. }),
        "{:?}",
        found.certainty
    );
    // Two ends, six halvings, two neighbours.
    assert!(found.evaluated <= 2 * 10, "{} evaluated", found.evaluated);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    let (best, second) = (found.best.expect("one"), found.runner_up.expect("two"));
    assert_eq!(second.objective, best.objective + 40.0);
}

/// With A arriving over the same memory a faster link is a slower memory: nothing is declared, every cheaper point is evaluated.
#[test]
fn nothing_is_assumed_where_rates_interfere() {
    let values: Vec<String> = (1..=20).map(|i| format!("{}.0", 50 * i)).collect();
    let spec = spec(&[
        ("mapping.overlap_ingest", "true"),
        ("link.bandwidth_gb_per_s", &values.join(", ")),
    ]);
    let found = ask(
        &spec,
        &query("link.bandwidth_gb_per_s", &["time_us_per_prompt <= 415"]),
    );
    assert!(
        matches!(found.certainty, Certainty::Ordered | Certainty::Exhaustive),
        "{:?}",
        found.certainty
    );
    // An offset may let an instruction issue earlier: no declaration.
    let time = Quantity::find("time_us_per_prompt").expect("a metric");
    assert_eq!(time.direction("cluster.multiply_cycles"), None);
    assert_eq!(time.direction("bank.port_elements"), None);
    assert_eq!(
        time.direction("svd.round_trip_cycles"),
        Some(Direction::Rises)
    );
    assert_eq!(
        time.direction("memory.bandwidth_gb_per_s"),
        Some(Direction::Falls)
    );
    let energy = Quantity::find("multiplications").expect("a metric");
    assert_eq!(energy.direction("memory.bandwidth_gb_per_s"), None);
}

/// A line on which a point cannot be built is evaluated in full, and the answer says so.
#[test]
fn a_contradiction_is_noted_and_the_line_evaluated_in_full() {
    let values: Vec<String> = (1..=16).map(|i| format!("{}.0", 200 * i)).collect();
    let spec = spec(&[
        ("mapping.clusters_per_partition", "32, 512"),
        ("memory.bandwidth_gb_per_s", &values.join(", ")),
    ]);
    let found = ask(
        &spec,
        &query("memory.bandwidth_gb_per_s", &["time_us_per_prompt <= 600"]),
    );
    assert_eq!(
        of(&found.best),
        naive(&spec, "memory.bandwidth_gb_per_s", |_, time| time <= 600.0)
    );
    assert!(
        found.notes[0].contains("cannot be built"),
        "{:?}",
        found.notes
    );
    assert_eq!(found.infeasible.0, 16);
}

/// Every key that is declared monotone is so in the shipped machine, over a wide range, on three mappings.
#[test]
fn declared_directions_hold() {
    let keys = [
        (
            "memory.bandwidth_gb_per_s",
            "100.0, 500.0, 1000.0, 2000.0, 2039.0, 2040.0, 2048.0, 5000.0, 1000000.0",
        ),
        (
            "link.bandwidth_gb_per_s",
            "10.0, 100.0, 299.0, 300.0, 301.0, 512.0, 513.0, 1000.0, 100000.0",
        ),
        (
            "cluster.buffer_write_cycles",
            "1, 2, 3, 4, 5, 8, 13, 21, 50",
        ),
        ("bank.write_cycles", "1, 2, 3, 4, 5, 8, 13, 21, 50"),
        ("scalar.simple_cycles", "1, 2, 3, 4, 5, 8, 13, 21, 50"),
        ("scalar.divide_cycles", "1, 2, 3, 8, 13, 15, 16, 30, 50"),
        ("scalar.sqrt_cycles", "1, 2, 3, 8, 13, 15, 16, 30, 50"),
        (
            "svd.round_trip_cycles",
            "0, 1, 100, 5000, 27063, 30000, 100000, 200000, 1000000",
        ),
        (
            "svd.millicycles_per_k3",
            "0, 1, 100, 5000, 27063, 30000, 100000, 200000, 1000000",
        ),
        ("sequencer.decode_cycles", "1, 2, 3, 4, 5, 8, 13, 21, 50"),
    ];
    let time = Quantity::find("time_us_per_prompt").expect("a metric");
    for (key, values) in keys {
        for (rows, prompts, placement) in [
            ("4096", "1", "compact"),
            ("468", "3", "spread"),
            ("100", "4", "compact"),
        ] {
            let spec = spec(&[(key, values)]);
            let space = opened(&spec);
            let times: Vec<f64> = (0..spec.points())
                .map(|index| {
                    let mut at = space.at(index).expect("in range");
                    at.set("workload.rows", rows).expect("in range");
                    at.set("mapping.prompts_in_flight", prompts)
                        .expect("in range");
                    at.set("mapping.placement", placement).expect("in range");
                    evaluate(&at).expect("feasible").time_us_per_prompt
                })
                .collect();
            let falls = time.direction(key) == Some(Direction::Falls);
            let sorted = times
                .windows(2)
                .all(|t| if falls { t[0] >= t[1] } else { t[0] <= t[1] });
            assert!(sorted, "{key} with {prompts} prompts of {rows}: {times:?}");
        }
    }
}

/// With a budget below the space the answer is called searched; it is a point that satisfies the constraints all the same.
#[test]
fn beyond_the_budget_it_is_searched() {
    let spec = spec(&[
        ("array.columns", "2, 4, 8, 16"),
        ("mapping.clusters_per_partition", "8, 16, 32"),
        ("mapping.expansion_factor", "1, 2, 4, 8, 16"),
    ]);
    let space = opened(&spec);
    let question = query("time_us_per_prompt", &["banks <= 8"]);
    let found = find(&space, &question, 40, || ()).expect("evaluates");
    assert_eq!(found.certainty, Certainty::Searched);
    assert!(found.evaluated <= 40 && !found.certainty.is_exact());
    let again = find(&space, &question, 40, || ()).expect("evaluates");
    assert_eq!(of(&found.best), of(&again.best));
    assert!(found.best.expect("one of them").point.machine.banks <= 8);
}

/// Nothing takes 1 us: the nearest point is the fastest one, 466.8 us, which misses by 465.8 times the bound.
#[test]
fn an_impossible_wish_names_the_nearest_point() {
    let spec = spec(&[("mapping.expansion_factor", "1, 8")]);
    let found = ask(&spec, &query("clusters", &["time_us_per_prompt <= 1"]));
    assert!(found.best.is_none() && found.runner_up.is_none());
    let (nearest, miss) = found.nearest.expect("the fastest");
    assert_eq!(nearest.settings[0].1, "8");
    assert!((miss - (nearest.point.time_us_per_prompt - 1.0)).abs() < 1e-9);
}

#[test]
fn wrong_questions_name_the_remedy() {
    let wrong = |minimize: &str, constraint: &str| {
        Query::parse(minimize, &[constraint.to_owned()])
            .expect_err("wrong")
            .to_string()
    };
    assert_eq!(
        wrong("cluster", "clusters <= 1"),
        "`cluster` is neither a metric nor a numeric key; did you mean `clusters`?"
    );
    assert!(
        wrong("clusters", "time_us_per_promt <= 1").contains("did you mean `time_us_per_prompt`?")
    );
    for text in [
        "time_us_per_prompt",
        "time_us_per_prompt <= fast",
        "<= 3",
        "time_us <= inf",
        "time_us = 3",
    ] {
        assert!(
            wrong("clusters", text).contains("is no constraint"),
            "{text}"
        );
    }
}

/// What `where` leaves out is no answer, and neither is what breaks the sweep's own constraint.
#[test]
fn the_sweeps_own_conditions_hold() {
    let axes = "[[axis]]\nkey = \"array.columns\"\nvalues = [2, 4, 8, 16]\n";
    let with = |conditions: &str| {
        let text = format!(
            "name = \"t\"\narch = \"{0}/configs/arch/dcom-paper.toml\"\nworkload = \"{0}/configs/workloads/paper-fig12.toml\"\n{conditions}\n{axes}",
            root().display()
        );
        let spec = SweepSpec::parse(Source::new("t.toml", text)).expect("legal");
        let found = ask(&spec, &query("clusters", &[]));
        (of(&found.best).map(|(_, clusters)| clusters), found.points)
    };
    // 16 rows: 32, 64, 128 and 256 clusters.
    assert_eq!(with(""), (Some(32.0), 4));
    assert_eq!(with("where = \"array.columns > 2\""), (Some(64.0), 3));
    assert_eq!(with("constraint = \"banks >= 8\""), (Some(128.0), 4));
}
