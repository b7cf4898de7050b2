//! The engine: issue in order, operands by busy bits, units by the cycle from which they are free.
//!
//! All quantities are integers; ties between constraints go to the first in the order of
//! `docs/machine.md`: issue order, operands, units.

use std::ops::Range;

use dcom_base::{Cycle, Cycles};
use dcom_isa::{Op, Pred, Verified};
use thiserror::Error;

use crate::plan::{Plans, Use};
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

/// Iterations that were not simulated, since the one before left the machine as it had found it.
#[derive(Clone, Debug)]
pub(crate) struct Leap {
    /// The iteration that they repeat, as a range of executed instructions.
    pub(crate) body: Range<usize>,
    /// How many.
    pub(crate) times: u64,
    /// Time that they take together.
    pub(crate) cycles: u64,
}

/// A timed run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Cycles from the first possible issue to the last done.
    pub cycles: Cycles,
    /// Iterations of loops that were not simulated because the state of the machine had repeated.
    pub extrapolated_iterations: u64,
    /// Where they were left out, in order.
    pub(crate) leaps: Vec<Leap>,
    /// The instructions that were simulated, in order of issue.
    pub executed: Vec<Executed>,
    pub(crate) plans: Plans,
}

/// Units that an instruction reserves when it issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Their kind.
    pub unit: UnitKind,
    /// Banks, memory channels, or 0 of what exists once.
    pub which: Range<u64>,
    /// Cycles from the issue to the first one of use.
    pub offset: u64,
    /// Cycles of use.
    pub cycles: u64,
}

impl Run {
    /// The units that an instruction of the program reserves.
    pub fn reservations(&self, instr: usize) -> impl Iterator<Item = Reservation> {
        let uses = self.plans.uses(self.plans.cost(instr));
        uses.iter().map(|u| Reservation {
            unit: u.kind,
            which: self.plans.units.which(&(u.first..u.end)),
            offset: u.offset,
            cycles: u.cycles,
        })
    }

    /// Cycles from the issue of an instruction to when its sources may be overwritten.
    #[must_use]
    pub fn release(&self, instr: usize) -> Cycles {
        Cycles(self.plans.cost(instr).release)
    }
}

const NONE: u32 = u32::MAX;

/// Latest possible time; sums of a few such times fit 64 bits.
const MOST: u64 = 1 << 61;

/// Times a verified program.
///
/// # Errors
/// Too few outcomes of breakdown tests, or a run too long to count.
pub fn simulate(program: &Verified<'_>, options: Options<'_>) -> Result<Run, TimingError> {
    let plans = Plans::new(program);
    let mut engine = Engine::new(program, options, &plans);
    engine.run()?;
    let Engine {
        frontier,
        leaps,
        executed,
        ..
    } = engine;
    Ok(Run {
        cycles: Cycles(frontier),
        extrapolated_iterations: leaps.iter().map(|l| l.times).sum(),
        leaps,
        executed,
        plans,
    })
}

/// A unit: from when it is free, and which executed instruction used it last.
#[derive(Clone, Copy)]
struct UnitState {
    free: u64,
    user: u32,
}

/// A resource: from when it may be read and overwritten, and by whom it was written and read last.
#[derive(Clone, Copy)]
struct ResourceState {
    ready: u64,
    released: u64,
    writer: u32,
    reader: u32,
}

/// The earliest issue found so far, and the constraint that sets it.
#[derive(Clone, Copy)]
struct Earliest {
    issue: u64,
    limiter: u32,
    cause: Cause,
}

impl Earliest {
    /// A constraint that comes later takes over; of equal ones the first stays.
    #[inline]
    fn after(&mut self, time: u64, limiter: u32, cause: Cause) {
        if time > self.issue {
            *self = Earliest {
                issue: time,
                limiter,
                cause,
            };
        }
    }
}

struct Engine<'a, 'p> {
    program: &'a Verified<'p>,
    options: Options<'a>,
    plans: &'a Plans,
    /// The earliest issue of the next instruction.
    now: u64,
    /// The latest done so far, and the executed instruction that is done then.
    frontier: u64,
    last_done: u32,
    units: Vec<UnitState>,
    resources: Vec<ResourceState>,
    set: Vec<bool>,
    tests_seen: usize,
    iteration: u32,
    leaps: Vec<Leap>,
    executed: Vec<Executed>,
}

impl<'a, 'p> Engine<'a, 'p> {
    fn new(program: &'a Verified<'p>, options: Options<'a>, plans: &'a Plans) -> Engine<'a, 'p> {
        let predicates = usize::try_from(program.arch().sequencer.predicates).expect("at most 255");
        let unit = UnitState {
            free: 0,
            user: NONE,
        };
        let resource = ResourceState {
            ready: 0,
            released: 0,
            writer: NONE,
            reader: NONE,
        };
        Engine {
            program,
            options,
            plans,
            now: 0,
            frontier: 0,
            last_done: NONE,
            units: vec![unit; plans.units.len()],
            resources: vec![resource; plans.resource_count],
            set: vec![false; predicates],
            tests_seen: 0,
            iteration: 0,
            leaps: Vec::new(),
            // Most programs are one loop, of which two iterations are simulated.
            executed: Vec::with_capacity(2 * program.program().instrs.len()),
        }
    }

    fn run(&mut self) -> Result<(), TimingError> {
        let instrs = &self.program.program().instrs;
        let mut at = 0;
        while at < instrs.len() {
            self.step(at)?;
            at += 1;
            if let Op::Loop { count, length } = instrs[at - 1].op {
                let body = at..at + length as usize;
                at = body.end;
                self.repeat(body, count)?;
            }
        }
        Ok(())
    }

    fn repeat(&mut self, body: Range<usize>, count: u32) -> Result<(), TimingError> {
        let may_leap = !self.options.full && self.options.tests.is_none();
        let mut before = None;
        for iteration in 0..count {
            self.iteration = iteration;
            let (from, started) = (self.executed.len(), self.now);
            for at in body.clone() {
                self.step(at)?;
            }
            let left = u64::from(count - 1 - iteration);
            if !may_leap || left == 0 {
                continue;
            }
            let state = self.relative();
            if before.as_ref() == Some(&state) {
                let period = self.now - started;
                let cycles = period.checked_mul(left).filter(|c| *c < MOST);
                self.leap(Leap {
                    body: from..self.executed.len(),
                    times: left,
                    cycles: cycles.ok_or(TimingError::TooLong)?,
                });
                break;
            }
            before = Some(state);
        }
        self.iteration = 0;
        Ok(())
    }

    /// The state relative to now: what can still constrain the future, and nothing else.
    fn relative(&self) -> Vec<u64> {
        let mut times = Vec::with_capacity(self.units.len() + 2 * self.resources.len() + 1);
        let mut add = |time: u64| times.push(time.saturating_sub(self.now));
        self.units.iter().for_each(|u| add(u.free));
        for r in &self.resources {
            add(r.ready);
            add(r.released);
        }
        add(self.frontier);
        times
    }

    fn leap(&mut self, leap: Leap) {
        self.units.iter_mut().for_each(|u| u.free += leap.cycles);
        for r in &mut self.resources {
            r.ready += leap.cycles;
            r.released += leap.cycles;
        }
        self.now += leap.cycles;
        self.frontier += leap.cycles;
        self.leaps.push(leap);
    }

    fn step(&mut self, at: usize) -> Result<(), TimingError> {
        let instr = &self.program.program().instrs[at];
        let id = u32::try_from(self.executed.len()).map_err(|_| TimingError::TooLong)?;
        let (reads, writes) = self.plans.operands(at);
        let mut earliest = Earliest {
            issue: self.now,
            limiter: id.wrapping_sub(1),
            cause: Cause::Order,
        };
        if self.is_skipped(instr.guard) {
            // The predicate is the first operand.
            self.after_operands(&mut earliest, &reads[..1], &[]);
            self.commit(at, earliest, earliest.issue + 1, true);
            return Ok(());
        }
        let cost = self.plans.cost(at);
        let uses = self.plans.uses(cost);
        self.after_operands(&mut earliest, reads, writes);
        self.after_units(&mut earliest, uses);
        self.execute(&instr.op, &mut earliest)?;

        let (release, done) = (
            earliest.issue + cost.release,
            earliest.issue + cost.done.max(1),
        );
        for u in uses {
            let state = UnitState {
                free: earliest.issue + u.offset + u.cycles,
                user: id,
            };
            self.units[usize::from(u.first)..usize::from(u.end)].fill(state);
        }
        for &r in reads {
            let resource = &mut self.resources[r as usize];
            if release > resource.released && !self.plans.resources.travels(r) {
                (resource.released, resource.reader) = (release, id);
            }
        }
        for &r in writes {
            let resource = &mut self.resources[r as usize];
            (resource.ready, resource.writer) = (done, id);
        }
        if done >= MOST {
            return Err(TimingError::TooLong);
        }
        self.commit(at, earliest, done, false);
        Ok(())
    }

    fn is_skipped(&self, guard: Option<Pred>) -> bool {
        guard.is_some_and(|p| self.set[p.index()])
    }

    fn after_operands(&self, earliest: &mut Earliest, reads: &[u32], writes: &[u32]) {
        for &r in reads {
            let r = &self.resources[r as usize];
            earliest.after(r.ready, r.writer, Cause::Operand);
        }
        for &r in writes {
            let r = &self.resources[r as usize];
            earliest.after(r.ready, r.writer, Cause::Operand);
            earliest.after(r.released, r.reader, Cause::Release);
        }
    }

    fn after_units(&self, earliest: &mut Earliest, uses: &[Use]) {
        for u in uses {
            for unit in &self.units[usize::from(u.first)..usize::from(u.end)] {
                let time = unit.free.saturating_sub(u.offset);
                earliest.after(time, unit.user, Cause::Unit(u.kind));
            }
        }
    }

    /// What an op does to the sequencer itself.
    fn execute(&mut self, op: &Op, earliest: &mut Earliest) -> Result<(), TimingError> {
        match op {
            Op::Bar {} => earliest.after(self.frontier, self.last_done, Cause::Operand),
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
        Ok(())
    }

    fn commit(&mut self, at: usize, earliest: Earliest, done: u64, skipped: bool) {
        let id = u32::try_from(self.executed.len()).expect("checked before the step");
        self.executed.push(Executed {
            instr: u32::try_from(at).expect("programs are shorter than 2^32"),
            iteration: self.iteration,
            issue: Cycle(earliest.issue),
            done: Cycle(done),
            skipped,
            limiter: earliest.limiter,
            cause: earliest.cause,
        });
        if done > self.frontier {
            (self.frontier, self.last_done) = (done, id);
        }
        self.now = earliest.issue + 1;
    }
}
