//! The order of prompts: walked with loops, every prompt arrives once, in order, and is decomposed as it arrived.

use dcom_isa::{Mat, Op, Program};
use dcom_mapper::map;

use crate::random::{machine, workload};

/// What happens to prompts, in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Arrives(u32, Mat),
    /// The small SVD of the prompt that a matrix holds then.
    Decomposed(u32),
    Leaves(u32),
}

/// Runs the program's control flow.
fn walk(program: &Program) -> Vec<Event> {
    let mut events = Vec::new();
    let mut holds = vec![None; program.matrices.len()];
    let mut at = 0;
    while at < program.instrs.len() {
        let (body, count) = match program.instrs[at].op {
            Op::Loop { count, length } => (at + 1..at + 1 + length as usize, count),
            _ => (at..at + 1, 1),
        };
        for iteration in 0..count {
            for instr in &program.instrs[body.clone()] {
                match instr.op {
                    Op::Ingest {
                        matrix,
                        prompt,
                        stride,
                    } => {
                        let prompt = prompt + stride * iteration;
                        holds[matrix.index()] = Some(prompt);
                        events.push(Event::Arrives(prompt, matrix));
                    }
                    Op::Svd { matrix, .. } | Op::TSvd { matrix, .. } => events.push(
                        Event::Decomposed(holds[matrix.index()].expect("a prompt is there")),
                    ),
                    Op::Out {
                        matrix, index: 0, ..
                    } => events.push(Event::Leaves(
                        holds[matrix.index()].expect("a prompt is there"),
                    )),
                    _ => {}
                }
            }
        }
        at = body.end;
    }
    events
}

#[test]
fn every_prompt_is_served_once_and_in_order() {
    for prompts in 1..=9 {
        for in_flight in 1..=4 {
            for (overlap, windows) in [
                (true, "shared"),
                (false, "shared"),
                (true, "disjoint"),
                (false, "disjoint"),
            ] {
                let what = format!("B = {prompts}, F = {in_flight}, overlap {overlap}, {windows}");
                let arch = machine(
                    "small",
                    &[
                        ("cluster.buffer_bytes", "65536"),
                        ("broadcast.capacity_words", "4096"),
                    ],
                );
                let w = workload(
                    "paper-fig12",
                    &[
                        ("workload.rows", "8".to_owned()),
                        ("workload.columns", "8".to_owned()),
                        ("workload.iterations", "2".to_owned()),
                        ("workload.rank", "1".to_owned()),
                        ("workload.prompts", prompts.to_string()),
                        ("mapping.clusters_per_partition", "1".to_owned()),
                        ("mapping.expansion_factor", "1".to_owned()),
                        ("mapping.prompts_in_flight", in_flight.to_string()),
                        ("mapping.overlap_ingest", overlap.to_string()),
                        ("mapping.windows", windows.to_owned()),
                    ],
                );
                let mapped = map(&arch, &w).unwrap_or_else(|e| panic!("{what}: {e}"));
                let events = walk(&mapped.program);
                let all: Vec<u32> = (0..prompts).collect();
                let of = |kind: fn(&Event) -> Option<u32>| {
                    events.iter().filter_map(kind).collect::<Vec<_>>()
                };
                let arrivals = of(|e| {
                    if let Event::Arrives(p, _) = e {
                        Some(*p)
                    } else {
                        None
                    }
                });
                assert_eq!(arrivals, all, "{what}");
                assert_eq!(
                    of(|e| if let Event::Decomposed(p) = e {
                        Some(*p)
                    } else {
                        None
                    }),
                    all,
                    "{what}"
                );
                // One column of U and one of V.
                let mut leaves = of(|e| {
                    if let Event::Leaves(p) = e {
                        Some(*p)
                    } else {
                        None
                    }
                });
                leaves.sort_unstable();
                assert_eq!(
                    leaves,
                    all.iter().flat_map(|p| [*p, *p]).collect::<Vec<_>>(),
                    "{what}"
                );
                if overlap {
                    // The next prompts are on their way before the present ones are decomposed.
                    for p in in_flight.min(prompts)..prompts {
                        let at = |event: Event| events.iter().position(|e| *e == event);
                        let arrives = events
                            .iter()
                            .position(|e| matches!(e, Event::Arrives(q, _) if *q == p));
                        let group_before = (p / in_flight - 1) * in_flight;
                        assert!(
                            arrives < at(Event::Decomposed(group_before)),
                            "{what}: prompt {p}"
                        );
                    }
                }
            }
        }
    }
}
