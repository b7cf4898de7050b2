//! Who waits for whom.

use dcom_llm::schedule::{Job, Jobs, ScheduleError, run};
use petgraph::algo;
use petgraph::graph::NodeIndex;
use proptest::prelude::*;

fn job(name: &str, machine: usize, us: f64) -> Job {
    Job {
        name: name.to_owned(),
        machine,
        us,
        memory_share: 0.0,
        takes_share: 0.0,
    }
}

fn machines(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("m{index}")).collect()
}

/// Two prompts through GPU (3), D-com (5), GPU (2). The GPU has 0..3, 3..6, waits for D-com until 8, 8..10, waits from 10 to 13, 13..15.
#[test]
fn two_prompts_by_hand() {
    let mut jobs = Jobs::new();
    for prompt in 0..2 {
        let before = jobs.add_node(job(&format!("before {prompt}"), 0, 3.0));
        let decompose = jobs.add_node(job(&format!("decompose {prompt}"), 1, 5.0));
        let after = jobs.add_node(job(&format!("after {prompt}"), 0, 2.0));
        jobs.add_edge(before, decompose, ());
        jobs.add_edge(decompose, after, ());
    }
    let schedule = run(&jobs, &machines(2)).expect("runs");
    assert_eq!(schedule.us, 15.0);
    let gpu = &schedule.machines[0];
    assert_eq!(
        (gpu.busy_us, gpu.waited_us.as_slice(), gpu.done_us),
        (10.0, [0.0, 5.0].as_slice(), 0.0)
    );
    // D-com waits for the first prompt, then has the second ready, and is done at 13.
    let dcom = &schedule.machines[1];
    assert_eq!(
        (dcom.busy_us, dcom.waited_us.as_slice(), dcom.done_us),
        (10.0, [3.0, 0.0].as_slice(), 2.0)
    );
    let order: Vec<&str> = schedule
        .spans
        .iter()
        .map(|span| span.name.as_str())
        .collect();
    assert_eq!(
        order,
        [
            "before 0",
            "before 1",
            "decompose 0",
            "after 0",
            "decompose 1",
            "after 1"
        ]
    );
}

/// A GPU job of 10 us, 60 % bound by memory, beside 4 us of D-com that take half of the bandwidth: one us of work takes
/// 0.4 + 0.6 / 0.5 = 1.6 us for 4 us, so 2.5 are done, 7.5 remain: 11.5 us.
#[test]
fn shared_memory_slows_what_is_bound_by_it() {
    let mut jobs = Jobs::new();
    jobs.add_node(Job {
        memory_share: 0.6,
        ..job("layer", 0, 10.0)
    });
    jobs.add_node(Job {
        takes_share: 0.5,
        ..job("decompose", 1, 4.0)
    });
    let schedule = run(&jobs, &machines(2)).expect("runs");
    assert!((schedule.us - 11.5).abs() < 1e-12);
    assert!((schedule.machines[0].slowed_us - 1.5).abs() < 1e-12);
}

#[test]
fn jobs_that_cannot_run_are_refused() {
    let mut jobs = Jobs::new();
    let (a, b) = (
        jobs.add_node(job("a", 0, 1.0)),
        jobs.add_node(job("b", 0, 1.0)),
    );
    jobs.add_edge(a, b, ());
    jobs.add_edge(b, a, ());
    assert!(matches!(
        run(&jobs, &machines(1)),
        Err(ScheduleError::Cycle(_))
    ));
    let mut jobs = Jobs::new();
    jobs.add_node(job("c", 0, f64::NAN));
    assert!(matches!(
        run(&jobs, &machines(1)),
        Err(ScheduleError::Time(..))
    ));
    let mut jobs = Jobs::new();
    jobs.add_node(job("d", 3, 1.0));
    assert_eq!(
        run(&jobs, &machines(1)),
        Err(ScheduleError::Machine("d".to_owned(), 3, 1))
    );
}

prop_compose! {
    /// Up to 40 jobs on up to 4 machines; every job waits for some before it.
    fn any_jobs()(list in prop::collection::vec((0usize..4, 1u32..50, prop::collection::vec(0usize..40, 0..3)), 1..40)) -> Jobs {
        let mut jobs = Jobs::new();
        for (index, (machine, us, after)) in list.iter().enumerate() {
            let node = jobs.add_node(job(&index.to_string(), *machine, f64::from(*us)));
            for before in after.iter().filter(|before| **before < index) {
                jobs.update_edge(NodeIndex::new(*before), node, ());
            }
        }
        jobs
    }
}

proptest! {
    /// Every job runs once, after all it waits for, alone on its machine; no run is shorter than its longest chain or its
    /// busiest machine, nor longer than all jobs in a row; every machine's time is work, waiting or being done.
    #[test]
    fn schedules_are_legal(jobs in any_jobs()) {
        let schedule = run(&jobs, &machines(4)).expect("runs");
        prop_assert_eq!(schedule.spans.len(), jobs.node_count());
        let span = |name: &str| schedule.spans.iter().find(|span| span.name == name).expect("it ran");
        for edge in jobs.edge_indices() {
            let (before, after) = jobs.edge_endpoints(edge).expect("an edge");
            prop_assert!(span(&jobs[before].name).end_us <= span(&jobs[after].name).start_us);
        }
        let mut longest = vec![0.0f64; jobs.node_count()];
        for node in algo::toposort(&jobs, None).expect("no cycle") {
            let before = jobs.neighbors_directed(node, petgraph::Direction::Incoming);
            let before = before.map(|other| longest[other.index()]).fold(0.0, f64::max);
            longest[node.index()] = before + jobs[node].us;
        }
        let chain = longest.iter().copied().fold(0.0, f64::max);
        let all: f64 = jobs.node_weights().map(|job| job.us).sum();
        prop_assert!(schedule.us >= chain - 1e-9 && schedule.us <= all + 1e-9);
        for (index, machine) in schedule.machines.iter().enumerate() {
            let mut spans: Vec<_> = schedule.spans.iter().filter(|span| span.machine == index).collect();
            spans.sort_by(|a, b| a.start_us.total_cmp(&b.start_us));
            prop_assert!(spans.windows(2).all(|pair| pair[0].end_us <= pair[1].start_us));
            let waited: f64 = machine.waited_us.iter().sum();
            prop_assert!((machine.busy_us + waited + machine.done_us - schedule.us).abs() < 1e-6);
        }
    }
}
