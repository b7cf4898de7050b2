//! The engine: issue in order, operands by busy bits, units by the cycle from which they are free.
//!
//! All quantities are integers; ties between constraints go to the first in the order of
//! `docs/machine.md`: issue order, operands, units.

use dcom_base::{Cycle, Cycles};
use dcom_isa::{Op, Verified};
use thiserror::Error;

use crate::plan::{Plan, Plans};
use crate::unit::UnitKind;

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// For each breakdown test in the order of execution, whether it passed; all pass if absent.
    pub tests: Option<&'a [bool]>,
    /// Simulate every iteration of every loop, also where the state of the machine repeats exactly.
    pub full: bool,
}

/// A run that cannot be timed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TimingError {
    /// The program runs more breakdown tests than there are outcomes.
    #[error("the program runs more breakdown tests than the {0} whose outcomes are given")]
    TooFewTests(usize),
    /// Cycle counts would not fit.
    #[error("the run takes more than 2^61 cycles, 73 years at 1 GHz")]
    TooLong,
}

/// Why an instruction issued no earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// One instruction per cycle, in order.
    Order,
    /// An operand was not written yet.
    Operand,
    /// A destination was still in use.
    Release,
    /// A unit was busy.
    Unit(UnitKind),
}

/// One executed instruction.
#[derive(Clone, Copy, Debug)]
pub struct Executed {
    /// Index in the program.
    pub instr: u32,
    /// Iteration of its loop, from 0.
    pub iteration: u32,
    /// When it issued.
    pub issue: Cycle,
    /// When its results could be used; the cycle after issue if it was skipped.
    pub done: Cycle,
    /// Its guard was set.
    pub skipped: bool,
    /// The executed instruction that it waited for last.
    pub(crate) limiter: u32,
    pub(crate) cause: Cause,
}

/// A timed run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Cycles from the first possible issue to the last done.
    pub cycles: Cycles,
    /// Iterations of loops that were not simulated because the state of the machine had repeated.
    pub extrapolated_iterations: u64,
    /// Executed instructions from which on time was advanced by extrapolation, and by how much in all.
    pub(crate) jumps: Vec<(usize, u64)>,
    /// The instructions that were simulated, in order of issue.
    pub executed: Vec<Executed>,
    /// Times that each instruction of the program was executed, and of these skipped.
    pub(crate) counts: Vec<(u64, u64)>,
    /// Frontier cycles per instruction of the program.
    pub(crate) frontier: Vec<u64>,
    /// Stall cycles: waiting for operands per writing instruction, for units per kind.
    pub(crate) operand_stalls: Vec<u64>,
    pub(crate) unit_stalls: [u64; UnitKind::ALL.len()],
    pub(crate) plans: Plans,
}

const NONE: u32 = u32::MAX;

/// Times a verified program.
///
/// # Errors
/// Too few outcomes of breakdown tests, or a run too long to count.
pub fn simulate(program: &Verified<'_>, options: Options<'_>) -> Result<Run, TimingError> {
    let mut engine = Engine::new(program, options);
    engine.run(
        &program
            .program()
            .instrs
            .iter()
            .map(|i| i.op)
            .collect::<Vec<_>>(),
    )?;
    Ok(engine.finish())
}

/// What changes while a program runs. `now` is the earliest issue of the next instruction.
#[derive(Clone)]
struct State {
    now: u64,
    frontier: u64,
    free: Vec<u64>,
    ready: Vec<u64>,
    released: Vec<u64>,
}

impl State {
    /// The state relative to now: what can still constrain the future, and nothing else.
    fn relative(&self) -> Vec<u64> {
        let times = self.free.iter().chain(&self.ready).chain(&self.released);
        times
            .chain([&self.frontier])
            .map(|t| t.saturating_sub(self.now))
            .collect()
    }

    fn shift(&mut self, by: u64) {
        let times = self
            .free
            .iter_mut()
            .chain(&mut self.ready)
            .chain(&mut self.released);
        times
            .chain([&mut self.now, &mut self.frontier])
            .for_each(|t| *t += by);
    }
}

struct Engine<'a, 'p> {
    program: &'a Verified<'p>,
    options: Options<'a>,
    plans: Plans,
    state: State,
    /// Executed instruction that last used a unit, wrote a resource, read it.
    last_user: Vec<u32>,
    writer: Vec<u32>,
    reader: Vec<u32>,
    /// Executed instruction that is done at the frontier.
    last_done: u32,
    set: Vec<bool>,
    tests_seen: usize,
    iteration: u32,
    extrapolated: u64,
    jumps: Vec<(usize, u64)>,
    executed: Vec<Executed>,
    counts: Vec<(u64, u64)>,
    frontier: Vec<u64>,
    operand_stalls: Vec<u64>,
    unit_stalls: [u64; UnitKind::ALL.len()],
}

/// The totals that grow with every iteration, for extrapolation.
struct Totals {
    counts: Vec<(u64, u64)>,
    frontier: Vec<u64>,
    operand_stalls: Vec<u64>,
    unit_stalls: [u64; UnitKind::ALL.len()],
}

impl<'a, 'p> Engine<'a, 'p> {
    fn new(program: &'a Verified<'p>, options: Options<'a>) -> Engine<'a, 'p> {
        let plans = Plans::new(program);
        let (units, resources) = (plans.units.len(), plans.resources.len());
        let n = program.program().instrs.len();
        let predicates = usize::try_from(program.arch().sequencer.predicates).expect("at most 255");
        Engine {
            program,
            options,
            state: State {
                now: 0,
                frontier: 0,
                free: vec![0; units],
                ready: vec![0; resources],
                released: vec![0; resources],
            },
            last_user: vec![NONE; units],
            writer: vec![NONE; resources],
            reader: vec![NONE; resources],
            last_done: NONE,
            set: vec![false; predicates],
            tests_seen: 0,
            iteration: 0,
            extrapolated: 0,
            jumps: Vec::new(),
            executed: Vec::with_capacity(n),
            counts: vec![(0, 0); n],
            frontier: vec![0; n],
            operand_stalls: vec![0; n],
            unit_stalls: [0; UnitKind::ALL.len()],
            plans,
        }
    }

    fn run(&mut self, ops: &[Op]) -> Result<(), TimingError> {
        let mut at = 0;
        while at < ops.len() {
            self.step(at, &ops[at])?;
            at += 1;
            if let Op::Loop { count, length } = ops[at - 1] {
                let body = at..at + length as usize;
                self.repeat(ops, body.clone(), count)?;
                at = body.end;
            }
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        ops: &[Op],
        body: std::ops::Range<usize>,
        count: u32,
    ) -> Result<(), TimingError> {
        let may_extrapolate = !self.options.full && self.options.tests.is_none();
        let mut before: Option<(Vec<u64>, u64, Totals)> = None;
        let mut iteration = 0;
        while iteration < count {
            self.iteration = iteration;
            for at in body.clone() {
                self.step(at, &ops[at])?;
            }
            iteration += 1;
            if !may_extrapolate || iteration == count {
                continue;
            }
            let relative = self.state.relative();
            if let Some((earlier, then, totals)) = &before
                && *earlier == relative
            {
                let left = u64::from(count - iteration);
                let period = self.state.now - then;
                let shift = period
                    .checked_mul(left)
                    .filter(|s| *s < 1 << 61)
                    .ok_or(TimingError::TooLong)?;
                self.extrapolate(totals, left);
                self.state.shift(shift);
                let earlier = self.jumps.last().map_or(0, |j| j.1);
                self.jumps.push((self.executed.len(), earlier + shift));
                self.extrapolated += left;
                break;
            }
            before = Some((relative, self.state.now, self.totals()));
        }
        self.iteration = 0;
        Ok(())
    }

    fn totals(&self) -> Totals {
        Totals {
            counts: self.counts.clone(),
            frontier: self.frontier.clone(),
            operand_stalls: self.operand_stalls.clone(),
            unit_stalls: self.unit_stalls,
        }
    }

    /// Repeats what the latest iteration added `times` more times.
    fn extrapolate(&mut self, before: &Totals, times: u64) {
        let grow = |now: &mut u64, then: u64| *now += (*now - then) * times;
        for (now, then) in self.counts.iter_mut().zip(&before.counts) {
            grow(&mut now.0, then.0);
            grow(&mut now.1, then.1);
        }
        for (now, then) in self.frontier.iter_mut().zip(&before.frontier) {
            grow(now, *then);
        }
        for (now, then) in self.operand_stalls.iter_mut().zip(&before.operand_stalls) {
            grow(now, *then);
        }
        for (now, then) in self.unit_stalls.iter_mut().zip(&before.unit_stalls) {
            grow(now, *then);
        }
    }

    fn step(&mut self, at: usize, op: &Op) -> Result<(), TimingError> {
        let plan = &self.plans.plans[at];
        let id = u32::try_from(self.executed.len()).map_err(|_| TimingError::TooLong)?;
        let guard = self.program.program().instrs[at].guard;
        let skipped = guard.is_some_and(|p| self.set[p.index()]);

        let mut issue = self.state.now;
        let (mut limiter, mut cause) = (id.wrapping_sub(1), Cause::Order);
        let reads = self.plans.operands(&plan.reads);
        let reads = if skipped { &reads[..1] } else { reads };
        for &r in reads {
            let ready = self.state.ready[r as usize];
            if ready > issue {
                (issue, limiter, cause) = (ready, self.writer[r as usize], Cause::Operand);
            }
        }
        if skipped {
            self.commit(at, issue, issue + 1, true, limiter, cause);
            return Ok(());
        }
        for &r in self.plans.operands(&plan.writes) {
            let (ready, released) = (
                self.state.ready[r as usize],
                self.state.released[r as usize],
            );
            if ready > issue {
                (issue, limiter, cause) = (ready, self.writer[r as usize], Cause::Operand);
            }
            if released > issue {
                (issue, limiter, cause) = (released, self.reader[r as usize], Cause::Release);
            }
        }
        for u in self.plans.uses(plan) {
            for unit in u.first..u.end {
                let earliest = self.state.free[usize::from(unit)].saturating_sub(u.offset);
                if earliest > issue {
                    let kind = self.plans.units.describe(usize::from(unit)).0;
                    (issue, limiter, cause) = (
                        earliest,
                        self.last_user[usize::from(unit)],
                        Cause::Unit(kind),
                    );
                }
            }
        }
        match op {
            Op::Bar {} if self.state.frontier > issue => {
                (issue, limiter, cause) = (self.state.frontier, self.last_done, Cause::Operand);
            }
            Op::Brk { p, .. } => {
                let passed = match self.options.tests {
                    None => true,
                    Some(tests) => *tests
                        .get(self.tests_seen)
                        .ok_or(TimingError::TooFewTests(self.tests_seen))?,
                };
                self.tests_seen += 1;
                self.set[p.index()] |= !passed;
            }
            Op::Clr { p } => self.set[p.index()] = false,
            _ => {}
        }

        for u in &self.plans.uses[plan.uses.start as usize..plan.uses.end as usize] {
            let free = issue + u.offset + u.cycles;
            self.state.free[usize::from(u.first)..usize::from(u.end)].fill(free);
            self.last_user[usize::from(u.first)..usize::from(u.end)].fill(id);
        }
        let (release, done) = (issue + plan.release, issue + plan.done.max(1));
        for &r in &self.plans.operands[plan.reads.start as usize..plan.reads.end as usize] {
            if release > self.state.released[r as usize] && !self.plans.resources.travels(r) {
                self.state.released[r as usize] = release;
                self.reader[r as usize] = id;
            }
        }
        for &r in &self.plans.operands[plan.writes.start as usize..plan.writes.end as usize] {
            self.state.ready[r as usize] = done;
            self.writer[r as usize] = id;
        }
        if done >= 1 << 61 {
            return Err(TimingError::TooLong);
        }
        self.commit(at, issue, done, false, limiter, cause);
        Ok(())
    }

    fn commit(
        &mut self,
        at: usize,
        issue: u64,
        done: u64,
        skipped: bool,
        limiter: u32,
        cause: Cause,
    ) {
        let stall = issue - self.state.now;
        match cause {
            Cause::Order => {}
            Cause::Operand | Cause::Release => {
                let writer = self.executed[limiter as usize].instr;
                self.operand_stalls[writer as usize] += stall;
            }
            Cause::Unit(kind) => self.unit_stalls[kind as usize] += stall,
        }
        self.executed.push(Executed {
            instr: u32::try_from(at).expect("programs are shorter than 2^32"),
            iteration: self.iteration,
            issue: Cycle(issue),
            done: Cycle(done),
            skipped,
            limiter,
            cause,
        });
        self.counts[at].0 += 1;
        self.counts[at].1 += u64::from(skipped);
        if done > self.state.frontier {
            self.frontier[at] += done - self.state.frontier;
            self.state.frontier = done;
            self.last_done =
                u32::try_from(self.executed.len() - 1).expect("fewer than 2^32 executed");
        }
        self.state.now = issue + 1;
    }

    fn finish(self) -> Run {
        Run {
            cycles: Cycles(self.state.frontier),
            extrapolated_iterations: self.extrapolated,
            jumps: self.jumps,
            executed: self.executed,
            counts: self.counts,
            frontier: self.frontier,
            operand_stalls: self.operand_stalls,
            unit_stalls: self.unit_stalls,
            plans: self.plans,
        }
    }
}

impl Run {
    /// Time by which extrapolation had advanced before an executed instruction issued.
    pub(crate) fn advanced(&self, executed: usize) -> u64 {
        self.jumps
            .iter()
            .rev()
            .find(|(from, _)| *from <= executed)
            .map_or(0, |j| j.1)
    }

    pub(crate) fn plan(&self, instr: u32) -> &Plan {
        &self.plans.plans[instr as usize]
    }
}
