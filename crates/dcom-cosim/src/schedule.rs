//! Time in a run of the RTL beside the timing model: when instructions issue and are done, which units they reserve, and when
//! the datapath really uses them.
//!
//! The sequencer of the RTL announces when an instruction will be done; what it announces has no meaning unless the datapath
//! keeps it. So the bench also tells in which cycles the units are in use: from the first cycle of a reservation to the last, and
//! never outside of one.

use std::collections::BTreeMap;
use std::ops::Range;

use dcom_arch::BankPorts;
use dcom_isa::{BufferKind, Op, Verified};
use dcom_timing::{Executed, Reservation, Run as Timed, UnitKind};

use crate::case::Run;
use crate::compare::{Compared, Divergence};

/// One executed instruction. Cycles count from the first possible issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Index in the program.
    pub instr: u32,
    /// Iteration of its loop.
    pub iteration: u32,
    /// Its guard was set.
    pub skipped: bool,
    /// When it issued.
    pub issue: u64,
    /// When its results could be used.
    pub done: u64,
    /// Its units: bit i is `UnitKind::ALL[i]`.
    pub units: u32,
}

/// From this cycle on, these units are in use, or registers are written at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The cycle.
    pub cycle: u64,
    /// Five bits per bank, in the order of `UnitKind`; then those of [`Observed`].
    pub(crate) units: u64,
}

/// What is observed beside the units of the banks, in the order of its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Observed {
    /// Input of the partition network.
    Network,
    /// Words for the global broadcast memory.
    GlobalWrite,
    /// Words from it, which come a read latency after the use of its port.
    GlobalRead,
    /// The statistics unit.
    Statistics,
    /// A register of partial sums is written.
    Part,
    /// A scalar register is written.
    Scalar,
    /// A predicate is written.
    Predicate,
    /// The last word of a small SVD is written.
    Svd,
}

impl Observed {
    const ALL: [Observed; 8] = [
        Observed::Network,
        Observed::GlobalWrite,
        Observed::GlobalRead,
        Observed::Statistics,
        Observed::Part,
        Observed::Scalar,
        Observed::Predicate,
        Observed::Svd,
    ];
}

/// What the sequencer plans for an instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Cycles from the issue to when its sources may be overwritten.
    pub release: u64,
    /// By number of the unit: offset, cycles, and the banks or channels as bits.
    pub uses: BTreeMap<usize, (u64, u64, u64)>,
}

/// Compares issue, done and units of every executed instruction, what is planned for every instruction, and the use of units.
///
/// # Errors
/// The first difference, in that order.
pub(crate) fn compare(
    program: &Verified<'_>,
    timed: &Timed,
    run: &Run,
) -> Result<Compared, Box<Divergence>> {
    let schedule = Schedule {
        program,
        timed,
        run,
    };
    schedule.issues()?;
    schedule.plans()?;
    schedule.uses()?;
    Ok(Compared {
        instructions: timed.executed.len() as u64,
        values: 0,
    })
}

struct Schedule<'a> {
    program: &'a Verified<'a>,
    timed: &'a Timed,
    run: &'a Run,
}

type Check = Result<(), Box<Divergence>>;

impl Schedule<'_> {
    fn place(&self, i: usize, executed: &Executed) -> String {
        let instr = &self.program.program().instrs[executed.instr as usize];
        format!("executed instruction {i}, `{instr}`")
    }

    fn expected(&self, executed: &Executed) -> Issued {
        let reserved = self.timed.reservations(executed.instr as usize);
        let units = reserved.fold(0, |units, r| units | 1 << r.unit as u32);
        Issued {
            instr: executed.instr,
            iteration: executed.iteration,
            skipped: executed.skipped,
            issue: executed.issue.0,
            done: executed.done.0,
            units: if executed.skipped { 0 } else { units },
        }
    }

    /// With one port for reads and writes, both are the same unit.
    fn merged(&self, unit: usize) -> usize {
        let shared = self.program.arch().bank.ports == BankPorts::Shared;
        if shared && unit == UnitKind::WritePort as usize {
            UnitKind::Port as usize
        } else {
            unit
        }
    }

    fn found(&self, issued: &Issued) -> Issued {
        let numbers = (0..UnitKind::ALL.len()).filter(|n| issued.units >> n & 1 == 1);
        Issued {
            units: numbers.fold(0, |units, n| units | 1 << self.merged(n)),
            ..*issued
        }
    }

    fn issues(&self) -> Check {
        let expected: Vec<Issued> = self
            .timed
            .executed
            .iter()
            .map(|e| self.expected(e))
            .collect();
        for i in 0..expected.len().max(self.run.issued.len()) {
            let found = self.run.issued.get(i).map(|issued| self.found(issued));
            let (e, f) = (expected.get(i), found.as_ref());
            if e == f {
                continue;
            }
            let at = e.or(f).map_or(0, |issued| issued.instr);
            return Err(Box::new(Divergence {
                place: format!(
                    "executed instruction {i}, `{}`",
                    self.program.program().instrs[at as usize]
                ),
                expected: show(e),
                found: show(f),
            }));
        }
        Ok(())
    }

    fn plans(&self) -> Check {
        let channels = self.program.program().channels;
        for (i, instr) in self.program.program().instrs.iter().enumerate() {
            let mut expected = Planned {
                release: self.timed.release(i).0,
                uses: BTreeMap::new(),
            };
            for r in self.timed.reservations(i) {
                let which: u64 = r.which.clone().map(|n| 1 << n).sum();
                let used = expected.uses.entry(r.unit as usize);
                used.or_insert((r.offset, r.cycles, 0)).2 |= which;
            }
            let mut found = Planned::default();
            if let Some(plan) = self.run.plans.get(i) {
                found.release = plan.release;
                let uses = plan.uses.iter();
                found.uses = uses.map(|(n, used)| (self.merged(*n), *used)).collect();
            }
            // A build may have more channels than a program.
            if let Some((.., which)) = found.uses.get_mut(&(UnitKind::Memory as usize)) {
                *which &= (1 << channels) - 1;
            }
            if expected != found {
                return Err(Box::new(Divergence {
                    place: format!("plan of instruction {i}, `{instr}`"),
                    expected: format!("{expected:x?}"),
                    found: format!("{found:x?}"),
                }));
            }
        }
        Ok(())
    }

    /// The bits of a reservation's units, and how long after the use they are seen. None for what the bench does not observe.
    fn observed(&self, reservation: &Reservation) -> Option<(u64, u64)> {
        let arch = self.program.arch();
        let single = |observed: Observed| 1 << self.single(observed);
        Some(match reservation.unit {
            unit if unit.per_bank() => {
                let mut kinds: u64 = 1 << unit as u64;
                if unit == UnitKind::Port && arch.bank.ports == BankPorts::Shared {
                    kinds |= 1 << UnitKind::WritePort as u64;
                }
                (
                    reservation
                        .which
                        .clone()
                        .map(|bank| kinds << (5 * bank))
                        .sum(),
                    0,
                )
            }
            UnitKind::Network => (single(Observed::Network), 0),
            UnitKind::GlobalWrite => (single(Observed::GlobalWrite), 0),
            UnitKind::GlobalRead => (single(Observed::GlobalRead), arch.broadcast.read_cycles),
            UnitKind::Statistics => (single(Observed::Statistics), 0),
            // Transfers are paced by rates, and what the scalar unit and the small SVD do is seen at its end.
            _ => return None,
        })
    }

    /// Reserved cycles of a unit are one instruction's alone, so its first and its last use are known.
    fn uses(&self) -> Check {
        let mut reserved: BTreeMap<u64, Vec<Range<u64>>> = BTreeMap::new();
        for (i, executed) in self.timed.executed.iter().enumerate() {
            if executed.skipped {
                continue;
            }
            let op = &self.program.program().instrs[executed.instr as usize].op;
            for r in self.timed.reservations(executed.instr as usize) {
                let Some((bits, late)) = self.observed(&r) else {
                    continue;
                };
                let from = executed.issue.0 + r.offset + late;
                let to = from + r.cycles;
                for (which, cycle, holds) in [
                    ("first", from, starts_at_once(op, r.unit)),
                    ("last", to - 1, self.ends_at_once(op, r.unit)),
                ] {
                    if holds && self.active(cycle) & bits == 0 {
                        return Err(Box::new(Divergence {
                            place: format!("{which} use by {}", self.place(i, executed)),
                            expected: format!("{} in cycle {}", r.unit.name(), cycle - late),
                            found: "no use then".to_owned(),
                        }));
                    }
                }
                for bit in (0..u64::BITS.into()).filter(|b| bits >> b & 1 == 1) {
                    reserved.entry(bit).or_default().push(from..to);
                }
            }
            self.write(i, executed, op, &mut reserved)?;
        }
        self.strays(&reserved)
    }

    /// Registers are written in the cycle before they can be read; those of partial sums one cycle earlier.
    fn write(
        &self,
        i: usize,
        executed: &Executed,
        op: &Op,
        reserved: &mut BTreeMap<u64, Vec<Range<u64>>>,
    ) -> Check {
        let Some((register, before)) = register(op) else {
            return Ok(());
        };
        let cycle = executed.done.0 - before;
        let bit = self.single(register);
        if self.active(cycle) >> bit & 1 == 0 {
            return Err(Box::new(Divergence {
                place: format!("last write by {}", self.place(i, executed)),
                expected: format!("{register:?} in cycle {cycle}"),
                found: "no write then".to_owned(),
            }));
        }
        // A register of partial sums is written round by round.
        let from = match register {
            Observed::Part => executed.issue.0,
            _ => cycle,
        };
        reserved.entry(bit).or_default().push(from..cycle + 1);
        Ok(())
    }

    /// Nothing is used that no instruction has reserved.
    fn strays(&self, reserved: &BTreeMap<u64, Vec<Range<u64>>>) -> Check {
        let activity = &self.run.activity;
        let ends = activity.iter().skip(1).map(|a| a.cycle);
        let end = std::iter::once(self.timed.cycles.0);
        for bit in 0..=self.single(Observed::Svd) {
            let spans = &union(reserved.get(&bit).map_or(&[][..], Vec::as_slice));
            for (active, end) in activity.iter().zip(ends.clone().chain(end.clone())) {
                let found =
                    (active.units >> bit & 1 == 1).then(|| uncovered(spans, active.cycle, end));
                if let Some(cycle) = found.flatten() {
                    return Err(Box::new(Divergence {
                        place: format!("cycle {cycle}"),
                        expected: format!("nothing that uses {}", self.name(bit)),
                        found: "a use".to_owned(),
                    }));
                }
            }
        }
        Ok(())
    }

    /// Number of the bit of what exists once.
    fn single(&self, observed: Observed) -> u64 {
        5 * self.program.arch().banks() + observed as u64
    }

    fn name(&self, bit: u64) -> String {
        match bit.checked_sub(5 * self.program.arch().banks()) {
            None => format!(
                "{} of bank {}",
                UnitKind::ALL[usize::try_from(bit % 5).expect("small")].name(),
                bit / 5
            ),
            Some(single) => format!(
                "{:?}",
                Observed::ALL[usize::try_from(single).expect("small")]
            ),
        }
    }

    /// Whether an op uses a unit in the last cycle of its reservation. Products that leave partial sums may end with cycles in
    /// which a sum that was read is on its way back.
    fn ends_at_once(&self, op: &Op, unit: UnitKind) -> bool {
        let (Op::MvN { y, .. } | Op::MvT { y, .. } | Op::TMvN { y, .. } | Op::TMvT { y, .. }) = op
        else {
            return true;
        };
        let kind = &self.program.program().buffers[y.index()].kind;
        !(matches!(unit, UnitKind::Lanes | UnitKind::Result)
            && matches!(kind, BufferKind::Partial(_)))
    }

    fn active(&self, cycle: u64) -> u64 {
        let after = self.run.activity.partition_point(|a| a.cycle <= cycle);
        let before = after.checked_sub(1).map(|i| self.run.activity[i]);
        before.map_or(0, |a| a.units)
    }
}

/// Whether an op uses a unit in the first cycle of its reservation. What is paced by memory or link may start later, and so does what
/// takes the end of a sum.
fn starts_at_once(op: &Op, unit: UnitKind) -> bool {
    match op {
        Op::Ingest { .. } | Op::LdT { .. } | Op::MvN { .. } | Op::MvT { .. } => false,
        Op::TMvN { .. } | Op::TMvT { .. } | Op::Corr { .. } | Op::CSum { .. } | Op::Comb { .. } => {
            unit != UnitKind::Result
        }
        Op::GReduce { .. } => unit != UnitKind::Fill,
        _ => true,
    }
}

/// The register that an op writes, and how long before it is done.
fn register(op: &Op) -> Option<(Observed, u64)> {
    match op {
        Op::Dot { .. } => Some((Observed::Part, 2)),
        Op::Sum { .. }
        | Op::Ldi { .. }
        | Op::Mul { .. }
        | Op::Div { .. }
        | Op::Max { .. }
        | Op::Sqrt { .. }
        | Op::Log2 { .. }
        | Op::Stat { .. } => Some((Observed::Scalar, 1)),
        Op::Brk { .. } | Op::Clr { .. } => Some((Observed::Predicate, 1)),
        Op::Svd { .. } | Op::TSvd { .. } => Some((Observed::Svd, 1)),
        _ => None,
    }
}

/// The same cycles in spans that are in order and apart.
fn union(spans: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable_by_key(|span| span.start);
    let mut apart: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for span in sorted {
        match apart.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

/// The first cycle from `cycle` to `end` in none of the spans, which are in order and apart.
fn uncovered(spans: &[Range<u64>], cycle: u64, end: u64) -> Option<u64> {
    let next = spans.partition_point(|span| span.end <= cycle);
    let free = match spans.get(next) {
        Some(span) if span.start <= cycle => span.end,
        _ => cycle,
    };
    (free < end).then_some(free)
}

fn show(issued: Option<&Issued>) -> String {
    match issued {
        Some(i) => format!(
            "instruction {} iteration {} {} at {}, done at {}, units {:#x}",
            i.instr,
            i.iteration,
            if i.skipped { "skipped" } else { "issued" },
            i.issue,
            i.done,
            i.units
        ),
        None => "nothing".to_owned(),
    }
}
