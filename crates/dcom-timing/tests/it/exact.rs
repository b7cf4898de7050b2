//! Exact cycles, derived by hand in the comments of `programs/*.dcom`.
//!
//! An instruction followed by `; @ ISSUE DONE` must issue and be done then, counted from the issue of the latest `bar`
//! before it (a bar's own: from the one before); `|` separates the iterations of a loop. A line `; machine: key=value ...`
//! replaces parameters, `; tests: pass fail ...` gives the outcomes of breakdown tests.
//!
//! The machine is `configs/arch/small.toml` with every latency a prime of its own and every width different, so that a
//! wrong term shows.

use std::path::PathBuf;

use dcom_isa::{Op, assemble};
use dcom_timing::{Options, simulate};

use crate::random::machine;

/// Short names as in `docs/machine.md`, section 3. With m16a16, A is the fp16 addition and F the fp32 addition.
const MACHINE: &[(&str, &str)] = &[
    ("cluster.accumulate", "m16a16"),
    ("cluster.lanes_x", "8"),             // X = 3 A = 87
    ("cluster.lanes_y", "4"),             // Y = 2 A = 58
    ("sequencer.decode_cycles", "3"),     // D = s
    ("cluster.buffer_read_cycles", "5"),  // br
    ("cluster.buffer_write_cycles", "7"), // bw
    ("bank.read_cycles", "11"),           // kr
    ("bank.write_cycles", "13"),          // kw
    ("broadcast.read_cycles", "17"),      // gr
    ("broadcast.write_cycles", "19"),     // gw
    ("cluster.multiply_cycles", "23"),    // M
    ("cluster.add16_cycles", "29"),       // A
    ("cluster.add32_cycles", "31"),       // F
    ("network.hop_cycles", "37"),         // a level of the partition network takes hop + A = 66
    ("scalar.simple_cycles", "41"),
    ("scalar.divide_cycles", "43"),
    ("scalar.sqrt_cycles", "47"),
    ("memory.exposed_latency_cycles", "53"),
    ("link.latency_cycles", "59"),
    ("svd.round_trip_cycles", "61"),
    ("svd.millicycles_per_k3", "1500"),
    ("cluster.buffer_read_elements", "3"),
    ("cluster.ingest_elements", "3"),
    ("bank.port_elements", "8"),
    ("network.width_words", "3"),
    ("broadcast.width_words", "5"),
    ("broadcast.write_ports", "2"),
    ("ingest.width_elements", "7"),
    ("link.bandwidth_gb_per_s", "2"), // 2 bytes per cycle at 1 GHz
    ("memory.bandwidth_gb_per_s", "3.5"), // 3.5 bytes per cycle
    ("cluster.buffer_bytes", "8192"),
];

fn files() -> Vec<PathBuf> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// What an instruction line says about its executions: (issue, done) each.
fn expectation(line: &str) -> Option<Vec<(u64, u64)>> {
    let (_, times) = line.split_once("; @")?;
    let pair = |text: &str| {
        let times: Vec<u64> = text
            .split_whitespace()
            .map(|n| n.parse().unwrap_or_else(|_| panic!("`{line}`: {n}")))
            .collect();
        let [issue, done] = times[..] else {
            panic!("`{line}`: issue and done")
        };
        (issue, done)
    };
    Some(times.split('|').map(pair).collect())
}

#[test]
fn programs_take_the_cycles_derived_by_hand() {
    let mut wrong = String::new();
    let mut checked = std::collections::BTreeSet::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("the file is there");
        let directive = |name: &str| {
            text.lines()
                .filter_map(|l| l.strip_prefix(name))
                .flat_map(str::split_whitespace)
                .collect::<Vec<_>>()
        };
        let mut set = MACHINE.to_vec();
        set.extend(
            directive("; machine:")
                .into_iter()
                .map(|kv| kv.split_once('=').expect("key=value")),
        );
        let tests: Vec<bool> = directive("; tests:")
            .into_iter()
            .map(|t| t == "pass")
            .collect();
        let arch = machine("small", &set);
        let program = assemble(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let verified = program
            .verify(&arch)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let options = Options {
            tests: (!tests.is_empty()).then_some(&tests),
            full: true,
        };
        let run =
            simulate(&verified, options).unwrap_or_else(|e| panic!("{}: {e}", path.display()));

        let instrs = &verified.program().instrs;
        let mut times: Vec<Vec<(u64, u64)>> = vec![Vec::new(); instrs.len()];
        let mut bar = 0;
        for e in &run.executed {
            let at = e.instr as usize;
            times[at].push((e.issue.0 - bar, e.done.0 - bar));
            if matches!(instrs[at].op, Op::Bar {}) && !e.skipped {
                bar = e.issue.0;
            }
        }
        let is_instr = |l: &&str| !l.trim().is_empty() && !l.starts_with([';', '.']);
        for (at, line) in text.lines().filter(is_instr).enumerate() {
            let Some(expected) = expectation(line) else {
                continue;
            };
            checked.insert(instrs[at].op.mnemonic());
            if times[at] != expected {
                wrong += &format!(
                    "{}: `{line}` {:?}\n",
                    path.file_name().expect("a file").display(),
                    times[at]
                );
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let missing: Vec<_> = dcom_isa::op::OPS
        .iter()
        .map(|o| o.mnemonic)
        .filter(|m| !checked.contains(m))
        .collect();
    assert!(
        missing.is_empty(),
        "no exact time is checked for {missing:?}"
    );
}
