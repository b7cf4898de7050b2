//! What a run took, for reports: phases, op classes, units, stalls, critical path, activity.

use dcom_isa::op::OPS;
use dcom_isa::{Phase, Verified};
use serde::Serialize;

use crate::activity::Activity;
use crate::engine::{Cause, Executed, Run};
use crate::plan::Plans;
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
        let account = Account::new(self, program);
        let critical_path = self.critical_path(program);
        Summary {
            cycles: self.cycles.0,
            time_us: self.cycles.microseconds(clock),
            method: if self.extrapolated_iterations == 0 {
                "simulated"
            } else {
                "extrapolated"
            },
            phases: account.phases(),
            utilization: self.utilization(program, &account),
            bottleneck: critical_path
                .first()
                .map_or_else(|| "none".to_owned(), |(name, _)| name.clone()),
            critical_path,
            activity: account.activity(&self.plans),
            ops: account.ops,
        }
    }

    /// Cycles per phase, in the order of [`Phase::ALL`].
    #[must_use]
    pub fn phases(&self, program: &Verified<'_>) -> Vec<(&'static str, u64)> {
        Account::new(self, program).phases()
    }

    /// The activity of the whole run.
    #[must_use]
    pub fn activity(&self) -> Activity {
        let mut total = Activity::default();
        for counted in self.counted() {
            if counted.executed.skipped {
                total.instructions += counted.times;
            } else {
                let instr = counted.executed.instr as usize;
                total += self.plans.cost(instr).activity * counted.times;
            }
        }
        total
    }

    /// The executed instructions in order, with how often each counts.
    fn counted(&self) -> impl Iterator<Item = Counted<'_>> {
        let (mut advanced, mut leaps) = (0, self.leaps.iter().peekable());
        self.executed.iter().enumerate().map(move |(id, executed)| {
            while let Some(leap) = leaps.next_if(|l| l.body.end <= id) {
                advanced += leap.cycles;
            }
            let repeated = leaps.peek().filter(|l| l.body.contains(&id));
            Counted {
                executed,
                times: 1 + repeated.map_or(0, |l| l.times),
                issue: executed.issue.0 - advanced,
                done: executed.done.0 - advanced,
            }
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "reporting")]
    fn utilization(&self, program: &Verified<'_>, account: &Account) -> Vec<UnitUse> {
        let mut busy = vec![0u64; self.plans.units.len()];
        for (cost, executed) in self.plans.costs.iter().zip(&account.costs) {
            for u in self.plans.uses(cost) {
                for unit in &mut busy[usize::from(u.first)..usize::from(u.end)] {
                    *unit += u.cycles * executed;
                }
            }
        }
        let cycles = self.cycles.0.max(1) as f64;
        let mut sums = [(0.0, 0.0f64); UnitKind::ALL.len()];
        for (unit, busy) in busy.iter().enumerate() {
            let (kind, stands_for) = self.plans.units.describe(unit);
            let (sum, busiest) = &mut sums[kind as usize];
            *sum += *busy as f64 * stands_for as f64;
            *busiest = busiest.max(*busy as f64);
        }
        let unit_use = |kind: UnitKind| {
            let total = match kind {
                UnitKind::Memory => u64::from(program.program().channels),
                kind if kind.per_bank() => program.arch().banks(),
                _ => 1,
            };
            let (sum, busiest) = sums[kind as usize];
            UnitUse {
                unit: kind.name(),
                utilization: sum / total as f64 / cycles,
                busiest: busiest / cycles,
                stall_cycles: account.unit_stalls[kind as usize],
            }
        };
        UnitKind::ALL.into_iter().map(unit_use).collect()
    }

    /// Walks back from the last result through what each instruction waited for. Time between two
    /// instructions belongs to the unit that paces the first one, as long as it is busy, and to the
    /// op's latency beyond.
    #[expect(clippy::cast_precision_loss, reason = "reporting")]
    fn critical_path(&self, program: &Verified<'_>) -> Vec<(String, f64)> {
        let Some((end, total)) = self.last_done() else {
            return Vec::new();
        };
        let mut units = [0u64; UnitKind::ALL.len()];
        let mut latencies = [0u64; OPS.len()];
        let mut issue_cycles = 0;
        let mut account = |instr: u32, time: u64| {
            let cost = self.plans.cost(instr as usize);
            let busy = cost.busy.min(time);
            units[cost.busy_unit as usize] += busy;
            latencies[program.program().instrs[instr as usize].op.position()] += time - busy;
        };
        // Times as if the iterations that were not simulated did not exist.
        let advanced = |id: usize| -> u64 {
            let before = self.leaps.iter().take_while(|l| l.body.end <= id);
            before.map(|l| l.cycles).sum()
        };
        let issue = |id: usize| self.executed[id].issue.0 - advanced(id);
        let last = &self.executed[end];
        account(last.instr, last.done.since(last.issue).0);
        let (mut at, mut issued) = (end, issue(end));
        while let Some(limiter) = self.executed.get(self.executed[at].limiter as usize) {
            let from = self.executed[at].limiter as usize;
            let before = issue(from);
            match self.executed[at].cause {
                Cause::Order => issue_cycles += issued - before,
                Cause::Operand | Cause::Release | Cause::Unit(_) => {
                    account(limiter.instr, issued - before);
                }
            }
            (at, issued) = (from, before);
        }
        let units = UnitKind::ALL.iter().zip(units);
        let latencies = OPS.iter().zip(latencies);
        let mut parts: Vec<(String, u64)> =
            units.map(|(kind, c)| (kind.name().to_owned(), c)).collect();
        parts.extend(
            latencies
                .filter(|(_, c)| *c > 0)
                .map(|(op, c)| (format!("latency of {}", op.mnemonic), c)),
        );
        parts.push(("issue".to_owned(), issue_cycles));
        parts.retain(|(_, c)| *c > 0);
        parts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let share = |(name, c): (String, u64)| (name, c as f64 / total.max(1) as f64);
        parts.into_iter().map(share).collect()
    }

    /// The instruction that is done last, the latest issued of several, and when; times as if the iterations that
    /// were not simulated did not exist.
    fn last_done(&self) -> Option<(usize, u64)> {
        let done = self.counted().map(|c| c.done).enumerate();
        done.max_by_key(|(_, done)| *done)
    }
}

/// An executed instruction, with times as if the iterations that were not simulated did not exist.
struct Counted<'a> {
    executed: &'a Executed,
    /// How often it counts: once, or as often as its iteration is repeated.
    times: u64,
    issue: u64,
    done: u64,
}

/// What a run adds up to: every executed instruction counts once, those of an iteration that others repeat as often as
/// these.
struct Account {
    /// By op; those that were not executed are left out.
    ops: Vec<OpClassCycles>,
    /// Cycles by phase.
    phases: [u64; Phase::ALL.len()],
    /// Times that each cost was paid.
    costs: Vec<u64>,
    /// Skipped instructions.
    skipped: u64,
    /// Cycles for which issue waited for units.
    unit_stalls: [u64; UnitKind::ALL.len()],
}

impl Account {
    fn new(run: &Run, program: &Verified<'_>) -> Account {
        let instrs = &program.program().instrs;
        let mut account = Account {
            ops: OPS
                .iter()
                .map(|o| OpClassCycles::none(o.mnemonic))
                .collect(),
            phases: [0; Phase::ALL.len()],
            costs: vec![0; run.plans.costs.len()],
            skipped: 0,
            unit_stalls: [0; UnitKind::ALL.len()],
        };
        let (mut now, mut frontier) = (0, 0);
        for counted in run.counted() {
            let Counted {
                executed, times, ..
            } = counted;
            let instr = &instrs[executed.instr as usize];
            let op = &mut account.ops[instr.op.position()];
            op.executed += times;
            if executed.skipped {
                op.skipped += times;
                account.skipped += times;
            } else {
                account.costs[run.plans.cost_number(executed.instr as usize)] += times;
            }
            let extension = counted.done.saturating_sub(frontier);
            frontier += extension;
            op.cycles += extension * times;
            account.phases[instr.phase as usize] += extension * times;
            let stall = (counted.issue - now) * times;
            now = counted.issue + 1;
            match executed.cause {
                Cause::Order => {}
                Cause::Operand | Cause::Release => {
                    let writer = run.executed[executed.limiter as usize].instr;
                    account.ops[instrs[writer as usize].op.position()].stall_cycles += stall;
                }
                Cause::Unit(kind) => account.unit_stalls[kind as usize] += stall,
            }
        }
        account.ops.retain(|o| o.executed > 0);
        account
    }

    fn phases(&self) -> Vec<(&'static str, u64)> {
        let names = Phase::ALL.iter().map(|(_, name)| *name);
        names.zip(self.phases).collect()
    }

    fn activity(&self, plans: &Plans) -> Activity {
        let mut total = Activity::default();
        for (cost, executed) in plans.costs.iter().zip(&self.costs) {
            total += cost.activity * *executed;
        }
        total.instructions += self.skipped;
        total
    }
}

impl OpClassCycles {
    fn none(op: &'static str) -> OpClassCycles {
        OpClassCycles {
            op,
            executed: 0,
            skipped: 0,
            cycles: 0,
            stall_cycles: 0,
        }
    }
}
