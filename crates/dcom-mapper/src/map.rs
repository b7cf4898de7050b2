//! The whole batch: prompts in flight, loops, overlap of arrival.

use dcom_arch::Arch;
use dcom_isa::opgraph::{
    GramSchmidt, OpGraph, Reorthogonalization, Size, block_golub_kahan, golub_kahan, one_read,
    randomized,
};
use dcom_isa::{Instr, Op, Phase, Program, Side};
use thiserror::Error;

use crate::layouts::{PromptLayouts, layouts};
use crate::lower::Lowering;
use crate::memory::Memory;
use crate::params::{Algorithm, Scheme, Windows, WorkloadParams};
use crate::product::Budget;
use crate::prompt::Prompt;

/// Most instructions of a program; each takes about 200 bytes while it is mapped and timed. Assumed: enough for one
/// prompt with 512 iterations.
const MOST_INSTRUCTIONS: u64 = 2_000_000;

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
        MapError {
            key,
            message: message.into(),
        }
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
    check_length(w)?;
    if w.rank > w.iterations {
        return Err(MapError::new(
            "workload.rank",
            format!(
                "rank {} needs at least as many iterations; workload.iterations = {}",
                w.rank, w.iterations
            ),
        ));
    }
    let iterations = w.iterations.min(w.rows).min(w.columns);
    let short = |n: u32| u16::try_from(n).expect("the schema allows at most 512");
    let (iterations, rank) = (short(iterations), short(w.rank.min(iterations)));
    let graph = op_graph(w, iterations, rank)?;

    let in_flight = w.prompts_in_flight.min(w.prompts);
    let (table, prompt_layouts) = layouts(arch, w, in_flight)?;
    let channels = match w.windows {
        Windows::Shared => 1,
        Windows::Disjoint => short(in_flight),
    };
    // Two sets of matrices when one arrives while the other is used; during a single group nothing arrives.
    let overlap_ingest = w.overlap_ingest && w.prompts > in_flight;
    let sets = if overlap_ingest { 2 } else { 1 };
    let program = Program {
        layouts: table,
        channels,
        overlap_ingest,
        ..Program::default()
    };
    let mut memory = Memory::new(arch, program)?;
    let windows = Spaces::new(w, &memory, &prompt_layouts);
    let mut prompts = Vec::new();
    for (number, layouts) in (0..in_flight).zip(&prompt_layouts) {
        windows.enter(&mut memory, number);
        prompts.push(Prompt::new(
            &mut memory,
            w,
            &graph,
            short(number),
            *layouts,
            sets,
        )?);
    }
    // Two products per prompt share what the prompts leave.
    let per_window = if windows.buffers == 1 { in_flight } else { 1 };
    let buffer_rows = (0..in_flight).map(|number| {
        windows.enter(&mut memory, number);
        memory.buffer_rows_left() / (2 * u64::from(per_window))
    });
    let buffer_rows = buffer_rows.min().expect("at least one prompt");
    let budget = Budget {
        buffer_rows,
        global_words: memory.global_words_left() / (2 * u64::from(in_flight)),
    };
    let mut lowerings = Vec::new();
    for (number, prompt) in (0..in_flight).zip(&prompts) {
        windows.enter(&mut memory, number);
        lowerings.push(Lowering::new(&mut memory, w, &graph, prompt, budget)?);
    }
    memory.check_tables()?;
    let mut batch = Batch {
        lowerings: &lowerings,
        instrs: lowerings
            .iter()
            .flat_map(Lowering::prologue)
            .copied()
            .collect(),
    };
    if sets == 1 {
        batch.one_after_the_other(w.prompts, in_flight)
    } else {
        batch.overlapped(w.prompts, in_flight)
    }
    let Batch { instrs, .. } = batch;
    Ok(Mapped {
        program: Program {
            instrs,
            ..memory.program
        },
        graph,
        iterations,
        rank,
    })
}

/// The algorithm of the workload.
fn op_graph(w: &WorkloadParams, iterations: u16, rank: u16) -> Result<OpGraph, MapError> {
    let short = |n: u32| u16::try_from(n).expect("the schema allows at most 512");
    if w.gram_schmidt_passes == 0 {
        let key = "mapping.gram_schmidt_passes";
        match w.algorithm {
            Algorithm::GolubKahan | Algorithm::OneRead if w.three_term => {}
            Algorithm::GolubKahan | Algorithm::OneRead => {
                return Err(MapError::new(
                    key,
                    "without Gram-Schmidt the three-term recurrence is what makes vectors orthogonal: mapping.three_term must be true",
                ));
            }
            Algorithm::Block | Algorithm::Randomized => {
                return Err(MapError::new(
                    key,
                    "blocks of vectors are made orthogonal by Gram-Schmidt: at least one pass",
                ));
            }
        }
    }
    let reorth = Reorthogonalization {
        three_term: w.three_term,
        scheme: match w.gram_schmidt {
            Scheme::Classical => GramSchmidt::Classical,
            Scheme::Modified => GramSchmidt::Modified,
        },
        passes: short(w.gram_schmidt_passes),
    };
    let size = Size {
        rows: w.rows,
        columns: w.columns,
        iterations,
        rank,
    };
    let start = w.start.kind();
    Ok(match w.algorithm {
        Algorithm::GolubKahan => golub_kahan(size, start, reorth),
        Algorithm::OneRead => one_read(size, start, reorth),
        Algorithm::Block => block_golub_kahan(size, start, reorth, short(w.block_size)),
        Algorithm::Randomized => randomized(size, reorth, short(w.power_iterations)),
    })
}

/// Refuses programs that would fill the memory before they are made.
fn check_length(w: &WorkloadParams) -> Result<(), MapError> {
    let iterations = u64::from(w.iterations.min(w.rows).min(w.columns));
    let in_flight = u64::from(w.prompts_in_flight.min(w.prompts));
    // Load, dot product, write, broadcast and correction per pair of vectors and pass; the rest grows with K alone.
    let bases = match w.algorithm {
        Algorithm::GolubKahan | Algorithm::Block => 1,
        Algorithm::OneRead => 2,
        Algorithm::Randomized => 1 + u64::from(w.power_iterations),
    };
    let prompt =
        bases * (5 * iterations * iterations * u64::from(w.gram_schmidt_passes) + 40 * iterations);
    // Two groups in the loop and two around it, or one and one.
    let groups = if w.overlap_ingest { 4 } else { 2 };
    let instructions = prompt * in_flight * u64::from(w.prompts).div_ceil(in_flight).min(groups);
    if instructions <= MOST_INSTRUCTIONS {
        return Ok(());
    }
    Err(MapError::new(
        "workload.iterations",
        format!(
            "the program would have about {instructions} instructions, at most {MOST_INSTRUCTIONS} are mapped; fewer of \
             workload.iterations, mapping.gram_schmidt_passes or mapping.prompts_in_flight make it shorter"
        ),
    ))
}

/// How many separate spaces there are in buffers and banks: one, or one per prompt in flight.
struct Spaces {
    buffers: usize,
    banks: usize,
}

impl Spaces {
    fn new(w: &WorkloadParams, memory: &Memory<'_>, prompts: &[PromptLayouts]) -> Spaces {
        if w.windows == Windows::Shared {
            return Spaces {
                buffers: 1,
                banks: 1,
            };
        }
        // The last bank of a window may be the first of the next; spread windows share all of them or none.
        let mut runs: Vec<_> = prompts
            .iter()
            .flat_map(|p| memory.shape(p.basis(Side::U)).banks.clone())
            .collect();
        runs.sort_by_key(|run| run.start);
        let apart = runs.windows(2).all(|pair| pair[0].end <= pair[1].start);
        Spaces {
            buffers: prompts.len(),
            banks: if apart { prompts.len() } else { 1 },
        }
    }

    fn enter(&self, memory: &mut Memory<'_>, prompt: u32) {
        memory.enter(prompt as usize, self.buffers, self.banks);
    }
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
            batch
                .instrs
                .extend(batch.ingest(0, 0, in_flight, in_flight));
            batch.compute_while(0, in_flight, &[]);
        });
        let rest = prompts % in_flight;
        if rest > 0 {
            self.instrs
                .extend(self.ingest(0, full * in_flight, rest, 0));
            self.compute_while(0, rest, &[]);
        }
    }

    /// Each group arrives, into the other set of matrices, while the one before is decomposed.
    fn overlapped(&mut self, prompts: u32, in_flight: u32) {
        let full = prompts / in_flight;
        let rest = prompts % in_flight;
        // Group 0 is there; an iteration takes groups 2t and 2t + 1 and leaves 2t + 2 there.
        let pairs = (full - 1) / 2;
        self.instrs.extend(self.ingest(0, 0, in_flight, 0));
        if pairs > 0 {
            self.repeat(pairs, |batch| {
                batch.compute_while(
                    0,
                    in_flight,
                    &batch.ingest(1, in_flight, in_flight, 2 * in_flight),
                );
                batch.compute_while(
                    1,
                    in_flight,
                    &batch.ingest(0, 2 * in_flight, in_flight, 2 * in_flight),
                );
            });
        }
        let mut group = 2 * pairs;
        let mut set = 0;
        loop {
            let size = |group: u32| {
                if group < full {
                    in_flight
                } else if group == full {
                    rest
                } else {
                    0
                }
            };
            let (here, next) = (size(group), size(group + 1));
            if here == 0 {
                break;
            }
            self.compute_while(
                set,
                here,
                &self.ingest(1 - set, (group + 1) * in_flight, next, 0),
            );
            group += 1;
            set = 1 - set;
        }
    }

    fn repeat(&mut self, count: u32, body: impl FnOnce(&mut Self)) {
        let head = self.instrs.len();
        if count > 1 {
            self.instrs.push(Instr {
                op: Op::Loop { count, length: 0 },
                guard: None,
                phase: Phase::Control,
            });
        }
        let start = self.instrs.len();
        body(self);
        if count > 1 {
            let length =
                u32::try_from(self.instrs.len() - start).expect("bodies are shorter than 2^32");
            self.instrs[head].op = Op::Loop { count, length };
        }
    }

    fn ingest(&self, set: usize, first: u32, prompts: u32, stride: u32) -> Vec<Instr> {
        let ingest = |(lowering, prompt): (&Lowering, u32)| {
            let op = Op::Ingest {
                matrix: lowering.matrix(set),
                prompt,
                stride,
            };
            Instr {
                op,
                guard: None,
                phase: Phase::Ingest,
            }
        };
        self.lowerings
            .iter()
            .zip(first..first + prompts)
            .map(ingest)
            .collect()
    }

    /// One instruction of each prompt in turn. The next prompts are sent for once the statistics
    /// unit has given the start vectors, evenly over the rest, since they come one after the other.
    fn compute_while(&mut self, set: usize, prompts: u32, next: &[Instr]) {
        let bodies: Vec<(&[Instr], &[Instr])> = self
            .lowerings
            .iter()
            .zip(0..prompts)
            .map(|(l, _)| l.body(set))
            .collect();
        self.take_turns(bodies.iter().map(|b| b.0), &[]);
        self.take_turns(bodies.iter().map(|b| b.1), next);
    }

    fn take_turns<'b>(
        &mut self,
        bodies: impl Iterator<Item = &'b [Instr]> + Clone,
        between: &[Instr],
    ) {
        let total: usize = bodies.clone().map(<[Instr]>::len).sum();
        self.instrs.reserve(total + between.len());
        let mut rest = bodies.clone();
        if let (Some(alone), None, true) = (rest.next(), rest.next(), between.is_empty()) {
            self.instrs.extend_from_slice(alone);
            return;
        }
        let longest = bodies.clone().map(<[Instr]>::len).max().unwrap_or_default();
        let mut between = between
            .iter()
            .enumerate()
            .map(|(n, instr)| (n * longest / between.len(), *instr))
            .peekable();
        for i in 0..longest {
            while let Some((_, instr)) = between.next_if(|(at, _)| *at == i) {
                self.instrs.push(instr);
            }
            self.instrs.extend(bodies.clone().filter_map(|b| b.get(i)));
        }
    }
}
