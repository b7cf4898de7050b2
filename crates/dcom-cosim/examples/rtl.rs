//! Debugging: random cases on one build.
#![allow(clippy::print_stdout, clippy::print_stderr)]
use std::path::{Path, PathBuf};
use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_cosim::{compare, package, random::RandomCase, Bench, Data, Issued, Room};
use dcom_timing::{simulate, Options};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let path = Path::new("configs/arch/small.toml");
    let mut params = ArchParams::parse(Source::read(path).unwrap()).unwrap();
    for (k, v) in [("cluster.buffer_bytes", "8192"), ("bank.capacity_bytes", "16384"), ("svd.round_trip_cycles", "200"), ("sequencer.buffer_regions", "64")] { params.set(k, v).unwrap(); }
    for kv in args.iter().filter(|a| a.contains('=')) { let (k, v) = kv.split_once('=').unwrap(); params.set(k, v).unwrap(); }
    let arch = Arch::new(&params).unwrap();
    if args[1] == "package" { print!("{}", package(&arch, &Room::default())); return; }
    let bench = Bench::at(PathBuf::from(&args[1]));
    let (from, to): (u64, u64) = (args[2].parse().unwrap(), args[3].parse().unwrap());
    let (mut same, mut skipped, mut bad) = (0, 0, 0);
    for seed in from..to {
        let case = RandomCase::new(&arch, seed);
        let text = case.program.to_string();
        let verified = match case.program.verify(&arch) { Ok(v) => v, Err(e) => { skipped += 1; if args.iter().any(|a| a == "-v") { println!("{seed}: {e}"); } continue } };
        let (outcome, state) = dcom_exec::execute_with_state(&verified, &case.prompts, &case.host_vectors).unwrap();
        let data = Data { prompts: &case.prompts, host_vectors: &case.host_vectors };
        let run = match bench.machine(&format!("case{}", if to - from == 1 { seed } else { 0 }), &verified, data, &outcome, 1_000_000) {
            Ok(r) => r, Err(e) => { bad += 1; println!("{seed}: {e}"); continue } };
        let timed = simulate(&verified, Options { tests: Some(&outcome.trace.passed), full: true }).unwrap();
        let expected: Vec<Issued> = timed.executed.iter().map(|e| Issued { instr: e.instr, iteration: e.iteration, skipped: e.skipped, issue: e.issue.0, done: e.done.0 }).collect();
        let v = compare::values(&verified, &outcome, &state, &run);
        let c = compare::cycles(&verified, &expected, &run);
        if v.is_ok() && c.is_ok() { same += 1; } else { bad += 1;
            if let Err(d) = v { println!("{seed}: values: {d}"); }
            if let Err(d) = c { println!("{seed}: cycles: {d}"); } }
        if args.iter().any(|a| a == "-p") { println!("{text}"); }
    }
    println!("same {same} skipped {skipped} bad {bad}");
}
