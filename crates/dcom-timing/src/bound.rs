//! The analytic lower bound: what the work takes at the rates of the machine, without latencies,
//! padding or waiting for units.
//!
//! Two bounds, and the larger holds: per unit, the work of all instructions divided over all units
//! of the kind; and the longest chain of instructions that must follow each other because one uses
//! what another writes, or overwrites what another uses.

use std::ops::Range;

use dcom_isa::{Op, Verified};

use crate::plan::Plans;
use crate::unit::UnitKind;

/// A lower bound on the cycles of a run in which every breakdown test passes.
#[derive(Clone, Debug)]
pub struct LowerBound {
    /// The bound (cycles).
    pub cycles: u64,
    /// The bound of each kind of unit that has any work (cycles).
    pub units: Vec<(UnitKind, u64)>,
    /// The bound of the longest dependent chain (cycles).
    pub chain: u64,
    /// Name of the unit that sets the bound, or `chain`.
    pub limiter: &'static str,
}

/// Computes the bound.
#[must_use]
pub fn lower_bound(program: &Verified<'_>) -> LowerBound {
    let plans = Plans::new(program);
    let mut units = [0u64; UnitKind::ALL.len()];
    let mut chain = Chain {
        ready: vec![0; plans.resource_count],
        released: vec![0; plans.resource_count],
        last: 0,
    };
    let instrs = &program.program().instrs;
    let mut at = 0;
    while at < instrs.len() {
        let (body, count) = match instrs[at].op {
            Op::Loop { count, length } => (at + 1..at + 1 + length as usize, count),
            _ => (at..at + 1, 1),
        };
        chain.repeat(&plans, body.clone(), count);
        for i in body.clone() {
            for work in plans.works(plans.cost(i)) {
                let total = &mut units[work.unit as usize];
                *total = total.saturating_add(work.amount.saturating_mul(count.into()));
            }
        }
        at = body.end;
    }
    for kind in UnitKind::ALL {
        let total = &mut units[kind as usize];
        *total = total.div_ceil(kind.work_per_cycle(program.arch()));
    }
    // A memory channel has its share of the bandwidth: channels work side by side.
    units[UnitKind::Memory as usize] /= u64::from(program.program().channels);
    // Round trips of the small SVD overlap between prompts.
    units[UnitKind::Svd as usize] = 0;
    let mut units: Vec<(UnitKind, u64)> = UnitKind::ALL.into_iter().zip(units).collect();
    units.retain(|(_, bound)| *bound > 0);
    let (mut limiter, mut cycles) = ("chain", chain.last);
    for (kind, bound) in &units {
        if *bound > cycles {
            (limiter, cycles) = (kind.name(), *bound);
        }
    }
    LowerBound {
        cycles,
        units,
        chain: chain.last,
        limiter,
    }
}

struct Chain {
    ready: Vec<u64>,
    released: Vec<u64>,
    last: u64,
}

impl Chain {
    /// Steps through a body `count` times, or until one more time moves everything by the same period.
    fn repeat(&mut self, plans: &Plans, body: Range<usize>, count: u32) {
        for iteration in 1..=count {
            let before = (self.ready.clone(), self.released.clone(), self.last);
            for instr in body.clone() {
                self.step(plans, instr);
            }
            let period = self.last - before.2;
            let repeats = |now: &[u64], then: &[u64]| {
                now.iter().zip(then).all(|(n, t)| n == t || n - t == period)
            };
            if repeats(&self.ready, &before.0) && repeats(&self.released, &before.1) {
                let ahead = period.saturating_mul(u64::from(count - iteration));
                let grow = |now: &mut [u64], then: &[u64]| {
                    let moved = now.iter_mut().zip(then).filter(|(n, t)| **n != **t);
                    moved.for_each(|(n, _)| *n = n.saturating_add(ahead));
                };
                grow(&mut self.ready, &before.0);
                grow(&mut self.released, &before.1);
                self.last = self.last.saturating_add(ahead);
                return;
            }
        }
    }

    fn step(&mut self, plans: &Plans, instr: usize) {
        let cost = plans.cost(instr);
        let (reads, writes) = plans.operands(instr);
        let mut start = 0;
        for &r in reads {
            start = start.max(self.ready[r as usize]);
        }
        for &w in writes {
            start = start
                .max(self.ready[w as usize])
                .max(self.released[w as usize]);
        }
        let end = start + cost.work.cycles;
        for &w in writes {
            self.ready[w as usize] = end;
        }
        // A source is in use for its work at least, or as long as the instruction holds it.
        let released = start + cost.work.cycles.min(cost.release);
        for &r in reads.iter().filter(|r| !plans.resources.travels(**r)) {
            self.released[r as usize] = self.released[r as usize].max(released);
        }
        self.last = self.last.max(end);
    }
}
