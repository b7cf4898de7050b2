//! What a run took, for reports: phases, op classes, units, stalls, critical path, activity.

use dcom_isa::{Phase, Verified};
use serde::Serialize;

use crate::activity::Activity;
use crate::engine::{Cause, Run};
use crate::unit::UnitKind;

/// Use of one kind of unit.
#[derive(Clone, Debug, Serialize)]
pub struct UnitUse {
    /// Name, as in `docs/machine.md`.
    pub unit: &'static str,
    /// Busy cycles divided by the cycles of the run, mean over all units of the kind.
    pub utilization: f64,
    /// The same for the busiest one.
    pub busiest: f64,
    /// Cycles for which issue waited for this kind of unit.
    pub stall_cycles: u64,
}

/// Time of one op.
#[derive(Clone, Debug, Serialize)]
pub struct OpClassCycles {
    /// Mnemonic.
    pub op: &'static str,
    /// Times executed.
    pub executed: u64,
    /// Times skipped after a breakdown.
    pub skipped: u64,
    /// Cycles by which it moved the end of the run; these sum to the run.
    pub cycles: u64,
    /// Cycles for which issue waited for its results.
    pub stall_cycles: u64,
}

/// The whole account of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Cycles of the run.
    pub cycles: u64,
    /// The same in microseconds.
    pub time_us: f64,
    /// `simulated` in full, or `extrapolated` over loop iterations whose state repeated exactly.
    pub method: &'static str,
    /// Cycles per phase; they sum to the run.
    pub phases: Vec<(&'static str, u64)>,
    /// Cycles per op; they sum to the run.
    pub ops: Vec<OpClassCycles>,
    /// Units.
    pub utilization: Vec<UnitUse>,
    /// What the critical path consists of: shares of the simulated time by name, largest first.
    pub critical_path: Vec<(String, f64)>,
    /// The largest part of the critical path.
    pub bottleneck: String,
    /// Activity counters.
    pub activity: Activity,
}

impl Run {
    /// Sums up a run of `program`.
    #[must_use]
    pub fn summary(&self, program: &Verified<'_>) -> Summary {
        let arch = program.arch();
        #[expect(clippy::cast_precision_loss, reason = "reporting")]
        let clock = arch.clock_mhz as f64;
        let critical_path = self.critical_path(program);
        Summary {
            cycles: self.cycles.0,
            time_us: self.cycles.microseconds(clock),
            method: if self.extrapolated_iterations == 0 {
                "simulated"
            } else {
                "extrapolated"
            },
            phases: self.phases(program),
            ops: self.ops(program),
            utilization: self.utilization(program),
            bottleneck: critical_path
                .first()
                .map_or_else(|| "none".to_owned(), |(name, _)| name.clone()),
            critical_path,
            activity: self.activity(),
        }
    }

    /// Cycles per phase, in the order of [`Phase::ALL`].
    #[must_use]
    pub fn phases(&self, program: &Verified<'_>) -> Vec<(&'static str, u64)> {
        let mut cycles = [0u64; Phase::ALL.len()];
        for (instr, frontier) in program.program().instrs.iter().zip(&self.frontier) {
            cycles[instr.phase as usize] += frontier;
        }
        Phase::ALL
            .iter()
            .zip(cycles)
            .map(|((_, name), c)| (*name, c))
            .collect()
    }

    /// The activity of the whole run.
    #[must_use]
    pub fn activity(&self) -> Activity {
        let mut total = Activity::default();
        for (plan, (executed, skipped)) in self.plans.plans.iter().zip(&self.counts) {
            total += plan.activity * (executed - skipped);
            total.instructions += skipped;
        }
        total
    }

    /// The activity of each phase, in the order of [`Phase::ALL`]; they sum to [`Run::activity`].
    #[must_use]
    pub fn phase_activity(&self, program: &Verified<'_>) -> Vec<(&'static str, Activity)> {
        let mut phases = Phase::ALL.map(|(_, name)| (name, Activity::default()));
        let instrs = program.program().instrs.iter();
        for ((instr, plan), (executed, skipped)) in instrs.zip(&self.plans.plans).zip(&self.counts)
        {
            let activity = &mut phases[instr.phase as usize].1;
            *activity += plan.activity * (executed - skipped);
            activity.instructions += skipped;
        }
        phases.into()
    }

    fn ops(&self, program: &Verified<'_>) -> Vec<OpClassCycles> {
        let mut ops: Vec<OpClassCycles> = dcom_isa::op::OPS
            .iter()
            .map(|o| OpClassCycles {
                op: o.mnemonic,
                executed: 0,
                skipped: 0,
                cycles: 0,
                stall_cycles: 0,
            })
            .collect();
        for (i, instr) in program.program().instrs.iter().enumerate() {
            let class = ops
                .iter_mut()
                .find(|o| o.op == instr.op.mnemonic())
                .expect("every op is in the list");
            class.executed += self.counts[i].0;
            class.skipped += self.counts[i].1;
            class.cycles += self.frontier[i];
            class.stall_cycles += self.operand_stalls[i];
        }
        ops.retain(|o| o.executed > 0);
        ops
    }

    #[expect(clippy::cast_precision_loss, reason = "reporting")]
    fn utilization(&self, program: &Verified<'_>) -> Vec<UnitUse> {
        let n = self.plans.units.len();
        let mut busy = vec![0u64; n];
        for (plan, (executed, skipped)) in self.plans.plans.iter().zip(&self.counts) {
            for u in self.plans.uses(plan) {
                for unit in u.first..u.end {
                    busy[usize::from(unit)] += u.cycles * (executed - skipped);
                }
            }
        }
        let cycles = self.cycles.0.max(1) as f64;
        let mut result = Vec::new();
        for kind in UnitKind::ALL {
            let total = match kind {
                UnitKind::Memory => u64::from(program.program().channels),
                kind if kind.per_bank() => program.arch().banks(),
                _ => 1,
            };
            let (mut sum, mut busiest) = (0.0, 0.0f64);
            for (unit, busy) in busy.iter().enumerate() {
                let (k, stands_for) = self.plans.units.describe(unit);
                if k == kind {
                    sum += *busy as f64 * stands_for as f64;
                    busiest = busiest.max(*busy as f64);
                }
            }
            result.push(UnitUse {
                unit: kind.name(),
                utilization: sum / total as f64 / cycles,
                busiest: busiest / cycles,
                stall_cycles: self.unit_stalls[kind as usize],
            });
        }
        result
    }

    /// Walks back from the last result through what each instruction waited for. Time between two
    /// instructions belongs to the unit that paces the first one, as long as it is busy, and to the
    /// op's latency beyond.
    #[expect(clippy::cast_precision_loss, reason = "reporting")]
    fn critical_path(&self, program: &Verified<'_>) -> Vec<(String, f64)> {
        // Times as if the iterations that were not simulated did not exist.
        let issue = |id: usize| self.executed[id].issue.0 - self.advanced(id);
        let Some(end) = (0..self.executed.len())
            .max_by_key(|id| self.executed[*id].done.0 - self.advanced(*id))
        else {
            return Vec::new();
        };
        let mut units = [0u64; UnitKind::ALL.len()];
        let mut latency = std::collections::BTreeMap::<&'static str, u64>::new();
        let mut issue_cycles = 0;
        let mut account = |instr: u32, time: u64| {
            let plan = self.plan(instr);
            let busy = plan.busy.min(time);
            units[plan.busy_unit as usize] += busy;
            *latency
                .entry(program.program().instrs[instr as usize].op.mnemonic())
                .or_default() += time - busy;
        };
        let last = &self.executed[end];
        account(last.instr, last.done.since(last.issue).0);
        let mut at = end;
        while let Some(limiter) = self.executed.get(self.executed[at].limiter as usize) {
            let from = self.executed[at].limiter as usize;
            let time = issue(at) - issue(from);
            match self.executed[at].cause {
                Cause::Order => issue_cycles += time,
                Cause::Operand | Cause::Release | Cause::Unit(_) => account(limiter.instr, time),
            }
            at = from;
        }
        let total = (last.done.0 - self.advanced(end)).max(1) as f64;
        let mut parts: Vec<(String, u64)> = UnitKind::ALL
            .iter()
            .zip(units)
            .map(|(k, c)| (k.name().to_owned(), c))
            .collect();
        parts.extend(
            latency
                .into_iter()
                .map(|(op, c)| (format!("latency of {op}"), c)),
        );
        parts.push(("issue".to_owned(), issue_cycles));
        parts.retain(|(_, c)| *c > 0);
        parts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        parts
            .into_iter()
            .map(|(name, c)| (name, c as f64 / total))
            .collect()
    }
}
