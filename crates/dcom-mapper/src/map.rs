//! The whole batch: prompts in flight, loops, overlap of arrival.

use std::ops::Range;

use dcom_arch::Arch;
use dcom_isa::opgraph::{GramSchmidt, OpGraph, Reorthogonalization, golub_kahan};
use dcom_isa::{Instr, Op, Phase, Program};
use thiserror::Error;

use crate::layouts::layouts;
use crate::lower::Lowering;
use crate::memory::Memory;
use crate::params::{Scheme, Windows, WorkloadParams};

/// A mapping that the machine cannot hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct MapError {
    /// The parameter to change.
    pub key: &'static str,
    /// What does not fit.
    pub message: String,
}

impl MapError {
    pub(crate) fn new(key: &'static str, message: impl Into<String>) -> MapError {
        MapError { key, message: message.into() }
    }
}

/// A mapped workload.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The program for the whole batch.
    pub program: Program,
    /// The algorithm that it runs for every prompt.
    pub graph: OpGraph,
    /// Columns of V after clamping to the smaller side of A.
    pub iterations: u16,
    /// Rank after clamping.
    pub rank: u16,
}

/// Maps a workload onto a machine.
///
/// # Errors
/// The parameter, of the machine or the workload, that stands in the way.
pub fn map(arch: &Arch, w: &WorkloadParams) -> Result<Mapped, MapError> {
    if w.rank > w.iterations {
        return Err(MapError::new(
            "workload.rank",
            format!("rank {} needs at least as many iterations; workload.iterations = {}", w.rank, w.iterations),
        ));
    }
    let iterations = w.iterations.min(w.rows).min(w.columns);
    let short = |n: u32| u16::try_from(n).expect("the schema allows at most 512");
    let (iterations, rank) = (short(iterations), short(w.rank.min(iterations)));
    if w.gram_schmidt_passes == 0 && !w.three_term {
        return Err(MapError::new(
            "mapping.gram_schmidt_passes",
            "without Gram-Schmidt the three-term recurrence is what makes vectors orthogonal: mapping.three_term must be true",
        ));
    }
    let reorth = Reorthogonalization {
        three_term: w.three_term,
        scheme: match w.gram_schmidt {
            Scheme::Classical => GramSchmidt::Classical,
            Scheme::Modified => GramSchmidt::Modified,
        },
        passes: short(w.gram_schmidt_passes),
    };
    let graph = golub_kahan(w.rows, w.columns, iterations, rank, w.start.kind(), reorth);

    let in_flight = w.prompts_in_flight.min(w.prompts);
    let (table, prompt_layouts) = layouts(arch, w, in_flight)?;
    let channels = match w.windows {
        Windows::Shared => 1,
        Windows::Disjoint => short(in_flight),
    };
    let program = Program { layouts: table, channels, overlap_ingest: w.overlap_ingest, ..Program::default() };
    let mut memory = Memory::new(arch, program)?;
    // Two sets of matrices when one arrives while the other is used.
    let sets = if w.overlap_ingest && w.prompts > in_flight { 2 } else { 1 };
    let mut lowerings = Vec::new();
    for (prompt, layouts) in prompt_layouts.iter().enumerate() {
        let prompt = short(u32::try_from(prompt).expect("at most 64 prompts in flight"));
        lowerings.push(Lowering::new(&mut memory, w, &graph, prompt, *layouts, sets)?);
    }
    let mut batch = Batch { lowerings: &lowerings, instrs: Vec::new() };
    if sets == 1 { batch.one_after_the_other(w.prompts, in_flight) } else { batch.overlapped(w.prompts, in_flight) }
    let Batch { instrs, .. } = batch;
    Ok(Mapped { program: Program { instrs, ..memory.program }, graph, iterations, rank })
}

/// Writes the instruction stream of a batch.
struct Batch<'a> {
    lowerings: &'a [Lowering],
    instrs: Vec<Instr>,
}

impl Batch<'_> {
    /// Groups of prompts in flight, each group arriving when the one before is done.
    fn one_after_the_other(&mut self, prompts: u32, in_flight: u32) {
        let full = prompts / in_flight;
        self.repeat(full, |batch| {
            batch.ingest(0, 0, in_flight, in_flight);
            batch.compute(0, in_flight);
        });
        let rest = prompts % in_flight;
        if rest > 0 {
            self.ingest(0, full * in_flight, rest, 0);
            self.compute(0, rest);
        }
    }

    /// Each group arrives, into the other set of matrices, while the one before is decomposed.
    fn overlapped(&mut self, prompts: u32, in_flight: u32) {
        let full = prompts / in_flight;
        let rest = prompts % in_flight;
        // Group 0 is there; an iteration takes groups 2t and 2t + 1 and leaves 2t + 2 there.
        let pairs = (full - 1) / 2;
        self.ingest(0, 0, in_flight, 0);
        if pairs > 0 {
            self.repeat(pairs, |batch| {
                batch.ingest(1, in_flight, in_flight, 2 * in_flight);
                batch.compute(0, in_flight);
                batch.ingest(0, 2 * in_flight, in_flight, 2 * in_flight);
                batch.compute(1, in_flight);
            });
        }
        let mut group = 2 * pairs;
        let mut set = 0;
        loop {
            let size = |group: u32| if group < full { in_flight } else if group == full { rest } else { 0 };
            let (here, next) = (size(group), size(group + 1));
            if here == 0 {
                break;
            }
            if next > 0 {
                self.ingest(1 - set, (group + 1) * in_flight, next, 0);
            }
            self.compute(set, here);
            group += 1;
            set = 1 - set;
        }
    }

    fn repeat(&mut self, count: u32, body: impl FnOnce(&mut Self)) {
        let head = self.instrs.len();
        if count > 1 {
            self.instrs.push(Instr { op: Op::Loop { count, length: 0 }, guard: None, phase: Phase::Control });
        }
        let start = self.instrs.len();
        body(self);
        if count > 1 {
            let length = u32::try_from(self.instrs.len() - start).expect("bodies are shorter than 2^32");
            self.instrs[head].op = Op::Loop { count, length };
        }
    }

    fn ingest(&mut self, set: usize, first: u32, prompts: u32, stride: u32) {
        for (lowering, prompt) in self.lowerings.iter().zip(first..first + prompts) {
            let op = Op::Ingest { matrix: lowering.matrix(set), prompt, stride };
            self.instrs.push(Instr { op, guard: None, phase: Phase::Ingest });
        }
    }

    /// One instruction of each prompt in turn.
    fn compute(&mut self, set: usize, prompts: u32) {
        let bodies: Vec<&[Instr]> = self.lowerings.iter().zip(0..prompts).map(|(l, _)| l.body(set)).collect();
        let longest: Range<usize> = 0..bodies.iter().map(|b| b.len()).max().unwrap_or_default();
        for i in longest {
            self.instrs.extend(bodies.iter().filter_map(|b| b.get(i)));
        }
    }
}
