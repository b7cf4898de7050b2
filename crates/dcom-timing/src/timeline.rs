//! The timeline of a run in the Chrome trace format, which Perfetto opens.
//!
//! One microsecond of the trace is one cycle. One track per unit, with the instructions that use it,
//! and one track with every instruction from issue to done, in lanes so that they do not overlap.

use std::io::{self, Write};

use dcom_isa::Verified;
use serde_json::json;

use crate::engine::Run;

const ISSUE: u32 = 1;
const UNITS: u32 = 2;

/// Writes the simulated part of a run.
///
/// # Errors
/// What the writer says.
pub fn write_timeline(run: &Run, program: &Verified<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"unit\":\"1 us of the trace is 1 cycle\"}},\"traceEvents\":["
    )?;
    let name = |pid: u32, tid: usize, what: &str, name: &str| json!({"ph": "M", "pid": pid, "tid": tid, "name": what, "args": {"name": name}});
    write!(
        out,
        "{}",
        name(ISSUE, 0, "process_name", "instructions, issue to done")
    )?;
    write!(out, ",\n{}", name(UNITS, 0, "process_name", "units"))?;
    let units = &run.plans.units;
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for unit in 0..units.len() {
        let (kind, stands_for) = units.describe(unit);
        let nth = seen.entry(kind.name()).and_modify(|n| *n += 1).or_default();
        let label = match (kind.per_bank(), stands_for) {
            (true, n) => format!("{} {nth} ({n} banks)", kind.name()),
            (false, _) => format!("{} {nth}", kind.name()),
        };
        write!(out, ",\n{}", name(UNITS, unit, "thread_name", &label))?;
    }
    let mut lanes: Vec<u64> = Vec::new();
    for e in &run.executed {
        let instr = &program.program().instrs[e.instr as usize];
        let (issue, done) = (e.issue.0, e.done.0);
        let lane = lanes
            .iter()
            .position(|end| *end <= issue)
            .unwrap_or(lanes.len());
        if lane == lanes.len() {
            lanes.push(0);
            write!(
                out,
                ",\n{}",
                name(ISSUE, lane, "thread_name", &format!("in flight {lane}"))
            )?;
        }
        lanes[lane] = done;
        let args = json!({
            "instruction": instr.to_string(), "index": e.instr, "iteration": e.iteration, "skipped": e.skipped, "phase": instr.phase.name(),
        });
        let event = |pid: u32, tid: usize, start: u64, length: u64| json!({"ph": "X", "pid": pid, "tid": tid, "name": instr.op.mnemonic(), "cat": instr.phase.name(), "ts": start, "dur": length, "args": args});
        write!(out, ",\n{}", event(ISSUE, lane, issue, done - issue))?;
        if e.skipped {
            continue;
        }
        for u in run.plans.uses(run.plans.cost(e.instr as usize)) {
            for unit in u.first..u.end {
                write!(
                    out,
                    ",\n{}",
                    event(UNITS, unit.into(), issue + u.offset, u.cycles)
                )?;
            }
        }
    }
    writeln!(out, "]}}")
}
