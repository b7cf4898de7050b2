//! What each instruction reserves, reads and writes: computed once per program, replayed by the engine.

use std::ops::Range;

use dcom_arch::Arch;
use dcom_base::Rate;
use dcom_isa::{Lay, Shape, Verified};
use rustc_hash::FxHashMap;

use crate::activity::Activity;
use crate::cost;
use crate::job::Job;
use crate::operands::Operands;
use crate::resource::Resources;
use crate::unit::{UnitKind, Units};

/// Units `first..end`, all of one kind, are used from `offset` after issue for `cycles` cycles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    pub(crate) kind: UnitKind,
    pub(crate) first: u16,
    pub(crate) end: u16,
    pub(crate) offset: u64,
    pub(crate) cycles: u64,
}

/// Least work of an instruction, on the unit where it takes longest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Time that it takes on an ideal machine, where all units of the kind take part.
    pub(crate) cycles: u64,
    pub(crate) unit: UnitKind,
    /// In units of [`UnitKind::work_per_cycle`], so that a sum over instructions is exact.
    pub(crate) amount: u64,
}

/// What a job takes. Ranges index the arenas of [`Plans`].
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    uses: Range<u32>,
    /// Offset from which sources may be overwritten.
    pub(crate) release: u64,
    /// Offset from which results may be used.
    pub(crate) done: u64,
    pub(crate) work: Work,
    /// All its work, the largest included.
    works: Range<u32>,
    /// Time that the job keeps units busy, and the unit that sets it.
    pub(crate) busy: u64,
    pub(crate) busy_unit: UnitKind,
    pub(crate) activity: Activity,
}

/// The plan of one instruction: its cost, and its operands, reads before writes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    cost: u32,
    reads: u32,
    writes: u32,
    end: u32,
}

/// The plans of a program.
#[derive(Clone, Debug)]
pub(crate) struct Plans {
    plans: Vec<Plan>,
    pub(crate) costs: Vec<Cost>,
    uses: Vec<Use>,
    works: Vec<Work>,
    operands: Vec<u32>,
    pub(crate) units: Units,
    pub(crate) resources: Resources,
    /// The resources in use, not all there are: resetting and comparing state costs time.
    pub(crate) resource_count: usize,
}

impl Plans {
    pub(crate) fn new(program: &Verified<'_>) -> Plans {
        let n = program.program().instrs.len();
        let mut plans = Plans {
            plans: Vec::with_capacity(n),
            costs: Vec::new(),
            uses: Vec::new(),
            works: Vec::new(),
            operands: Vec::with_capacity(4 * n),
            units: Units::new(program),
            resources: Resources::new(program.program(), program.arch()),
            resource_count: 0,
        };
        let rates = Rates::new(program);
        // Only looked up, so that no order of a map reaches a result.
        let mut known: FxHashMap<Job, u32> = FxHashMap::default();
        let mut written = Vec::new();
        for instr in 0..n {
            let reads = index(plans.operands.len());
            let mut operands = Operands {
                resources: &plans.resources,
                reads: &mut plans.operands,
                writes: &mut written,
            };
            operands.add(program, instr);
            let writes = index(plans.operands.len());
            plans.operands.append(&mut written);
            let job = Job::of(program, instr);
            let cost = *known
                .entry(job)
                .or_insert_with(|| plans.add_cost(program, &rates, job));
            plans.plans.push(Plan {
                cost,
                reads,
                writes,
                end: index(plans.operands.len()),
            });
        }
        let highest = plans.operands.iter().max();
        plans.resource_count = highest.map_or(0, |r| *r as usize + 1);
        plans
    }

    /// Plans a job; returns the number of its cost.
    fn add_cost(&mut self, program: &Verified<'_>, rates: &Rates, job: Job) -> u32 {
        let (uses, works) = (index(self.uses.len()), index(self.works.len()));
        let mut builder = Builder {
            program,
            arch: program.arch(),
            rates,
            units: &self.units,
            uses: &mut self.uses,
            works: &mut self.works,
            release: None,
            work: Work {
                cycles: 0,
                unit: UnitKind::Scalar,
                amount: 0,
            },
            busy: None,
            activity: Activity {
                instructions: 1,
                ..Activity::default()
            },
        };
        let done = cost::plan(&mut builder, job);
        let Builder {
            release,
            work,
            busy,
            activity,
            ..
        } = builder;
        let uses = uses..index(self.uses.len());
        let longest = self.uses[range(&uses)]
            .iter()
            .rev()
            .max_by_key(|u| u.cycles);
        let (busy, busy_unit) = busy
            .or(longest.map(|u| (u.cycles, u.kind)))
            .unwrap_or((work.cycles, work.unit));
        self.costs.push(Cost {
            uses,
            release: release.unwrap_or(done),
            done,
            work,
            works: works..index(self.works.len()),
            busy,
            busy_unit,
            activity,
        });
        index(self.costs.len() - 1)
    }

    /// Number of an instruction's cost.
    pub(crate) fn cost_number(&self, instr: usize) -> usize {
        self.plans[instr].cost as usize
    }

    pub(crate) fn cost(&self, instr: usize) -> &Cost {
        &self.costs[self.cost_number(instr)]
    }

    pub(crate) fn uses(&self, cost: &Cost) -> &[Use] {
        &self.uses[range(&cost.uses)]
    }

    pub(crate) fn works(&self, cost: &Cost) -> &[Work] {
        &self.works[range(&cost.works)]
    }

    /// Resources that an instruction reads, and those that it writes.
    pub(crate) fn operands(&self, instr: usize) -> (&[u32], &[u32]) {
        let plan = self.plans[instr];
        let operands = &self.operands[plan.reads as usize..plan.end as usize];
        operands.split_at((plan.writes - plan.reads) as usize)
    }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("programs are shorter than 2^32 operands")
}

fn range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// Transfer rates as the program divides them.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// One memory channel, for streams.
    pub channel: Rate,
    /// The memory, as far as ingest may use it.
    pub ingest: Rate,
    /// The link, per direction.
    pub link: Rate,
    /// Whether ingest has its own share of the memory bandwidth.
    pub overlap_ingest: bool,
}

impl Rates {
    /// The rates of a program on its machine.
    #[must_use]
    pub fn new(program: &Verified<'_>) -> Rates {
        let (memory, link) = (program.arch().memory.rate, program.arch().link.rate);
        let overlap_ingest = program.program().overlap_ingest;
        // Where the memory is not faster than the link, either has half of it.
        let half = memory.split(2);
        let (streams, ingest) = match (overlap_ingest, memory.minus(link)) {
            (false, _) => (memory, memory),
            (true, Some(rest)) => (rest, memory),
            (true, None) => (half, half),
        };
        Rates {
            channel: streams.split(program.program().channels.into()),
            ingest,
            link,
            overlap_ingest,
        }
    }
}

/// Collects the cost of one job.
pub(crate) struct Builder<'a, 'p> {
    pub(crate) program: &'a Verified<'p>,
    pub(crate) arch: &'a Arch,
    pub(crate) rates: &'a Rates,
    units: &'a Units,
    uses: &'a mut Vec<Use>,
    works: &'a mut Vec<Work>,
    release: Option<u64>,
    work: Work,
    busy: Option<(u64, UnitKind)>,
    pub(crate) activity: Activity,
}

impl<'a> Builder<'a, '_> {
    pub(crate) fn shape(&self, layout: Lay) -> &'a Shape {
        self.program.shape(layout)
    }

    /// Uses a per-bank unit over the window of a layout.
    pub(crate) fn banks(&mut self, kind: UnitKind, layout: Lay, offset: u64, cycles: u64) {
        for units in self.units.window(kind, layout) {
            self.push(units, offset, cycles);
        }
    }

    /// Uses a per-bank unit over the windows of several layouts, each bank's once.
    pub(crate) fn banks_of(
        &mut self,
        kind: UnitKind,
        layouts: impl Iterator<Item = Lay>,
        offset: u64,
        cycles: u64,
    ) {
        let mut units: Vec<u16> = layouts
            .flat_map(|l| self.units.window(kind, l))
            .flatten()
            .collect();
        units.sort_unstable();
        units.dedup();
        for run in units.chunk_by(|a, b| a + 1 == *b) {
            self.push(run[0]..run[run.len() - 1] + 1, offset, cycles);
        }
    }

    /// Uses a unit that exists once.
    pub(crate) fn single(&mut self, kind: UnitKind, offset: u64, cycles: u64) {
        self.push(self.units.single(kind), offset, cycles);
    }

    /// Uses one memory channel or all of them.
    pub(crate) fn memory(&mut self, channel: Option<u16>, offset: u64, cycles: u64) {
        self.push(self.units.memory(channel), offset, cycles);
    }

    fn push(&mut self, units: Range<u16>, offset: u64, cycles: u64) {
        self.uses.push(Use {
            kind: self.units.describe(units.start.into()).0,
            first: units.start,
            end: units.end,
            offset,
            cycles,
        });
    }

    /// Sources may be overwritten from this offset; without a call, when the job is done.
    pub(crate) fn release(&mut self, offset: u64) {
        self.release = Some(offset);
    }

    /// Of the units that are busy together for `cycles`, `kind` is the one that the others wait for;
    /// without a call, the first of those that are busy longest.
    pub(crate) fn paced_by(&mut self, kind: UnitKind, cycles: u64) {
        self.busy = Some((cycles, kind));
    }

    /// The job has at least this much work for the unit, however the rest is built (see [`Work`]).
    pub(crate) fn work(&mut self, kind: UnitKind, amount: u64) {
        let work = Work {
            cycles: amount.div_ceil(kind.work_per_cycle(self.arch)),
            unit: kind,
            amount,
        };
        self.works.push(work);
        if work.cycles > self.work.cycles {
            self.work = work;
        }
    }
}
