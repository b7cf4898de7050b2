//! The timeline: valid JSON, no two events of a track at the same time, the same end as the run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Bench;

/// Process number of the units; the other one is the instructions from issue to done.
const UNITS: u64 = 2;

fn trace(bench: &Bench) -> Vec<Value> {
    bench.ok(&[
        "timeline",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "-o",
        "t.json",
    ]);
    let text = std::fs::read_to_string(bench.path("t.json")).expect("a trace");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    json["traceEvents"].as_array().expect("a list").clone()
}

fn number(event: &Value, key: &str) -> u64 {
    event[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} of {event}"))
}

#[test]
fn tracks_do_not_overlap() {
    let events = trace(&Bench::new());
    let mut tracks = BTreeMap::<(u64, u64), Vec<(u64, u64)>>::new();
    for event in events.iter().filter(|e| e["ph"] == "X") {
        let (start, length) = (number(event, "ts"), number(event, "dur"));
        tracks
            .entry((number(event, "pid"), number(event, "tid")))
            .or_default()
            .push((start, start + length));
    }
    assert!(tracks.len() > 10, "{} tracks", tracks.len());
    for ((pid, tid), mut spans) in tracks {
        spans.sort_unstable();
        for pair in spans.windows(2) {
            assert!(
                pair[0].1 <= pair[1].0,
                "track {pid}/{tid}: {pair:?} overlap"
            );
        }
        let named = |e: &&Value| {
            e["ph"] == "M"
                && e["name"] == "thread_name"
                && number(e, "pid") == pid
                && number(e, "tid") == tid
        };
        assert_eq!(
            events.iter().filter(named).count(),
            1,
            "track {pid}/{tid} has one name"
        );
    }
}

#[test]
fn the_trace_ends_with_the_run() {
    let bench = Bench::new();
    let events = trace(&bench);
    let cycles = bench.json(&[
        "run",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--json",
    ])["cycles"]
        .clone();
    let ends = events
        .iter()
        .filter(|e| e["ph"] == "X")
        .map(|e| number(e, "ts") + number(e, "dur"));
    assert_eq!(ends.max(), cycles.as_u64());
}

#[test]
fn units_work_while_their_instruction_is_in_flight() {
    let events = trace(&Bench::new());
    let spans = |units: bool| {
        let chosen = events
            .iter()
            .filter(move |e| e["ph"] == "X" && (number(e, "pid") == UNITS) == units);
        chosen.map(|e| {
            let key = (number(&e["args"], "index"), number(&e["args"], "iteration"));
            (key, (number(e, "ts"), number(e, "ts") + number(e, "dur")))
        })
    };
    let instructions: BTreeMap<_, _> = spans(false).collect();
    for (key, (start, end)) in spans(true) {
        let (issue, done) = instructions[&key];
        assert!(
            issue <= start && end <= done,
            "instruction {key:?}: unit {start}..{end}, in flight {issue}..{done}"
        );
    }
}
