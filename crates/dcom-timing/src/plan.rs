//! What each instruction reserves, reads and writes: computed once per program, replayed by the engine.

use std::ops::Range;

use dcom_arch::Arch;
use dcom_base::Rate;
use dcom_isa::{Lay, Verified};

use crate::activity::Activity;
use crate::cost;
use crate::resource::Resources;
use crate::unit::{UnitKind, Units};

/// Units `first..end` are used from `offset` after issue for `cycles` cycles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
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

/// The plan of one instruction. Ranges index the arenas of [`Plans`].
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) uses: Range<u32>,
    pub(crate) reads: Range<u32>,
    pub(crate) writes: Range<u32>,
    /// Offset from which sources may be overwritten.
    pub(crate) release: u64,
    /// Offset from which results may be used.
    pub(crate) done: u64,
    pub(crate) work: Work,
    /// All its work, the largest included.
    pub(crate) works: Range<u32>,
    /// Time that the instruction keeps units busy, and the unit that sets it.
    pub(crate) busy: u64,
    pub(crate) busy_unit: UnitKind,
    pub(crate) activity: Activity,
}

/// The plans of a program.
#[derive(Clone, Debug)]
pub(crate) struct Plans {
    pub(crate) plans: Vec<Plan>,
    pub(crate) uses: Vec<Use>,
    pub(crate) operands: Vec<u32>,
    works: Vec<Work>,
    pub(crate) units: Units,
    pub(crate) resources: Resources,
}

impl Plans {
    pub(crate) fn new(program: &Verified<'_>) -> Plans {
        let n = program.program().instrs.len();
        let mut plans = Plans {
            plans: Vec::with_capacity(n),
            uses: Vec::with_capacity(4 * n),
            operands: Vec::with_capacity(4 * n),
            works: Vec::with_capacity(2 * n),
            units: Units::new(program),
            resources: Resources::new(program.program(), program.arch()),
        };
        let rates = Rates::new(program);
        for (i, instr) in program.program().instrs.iter().enumerate() {
            let (uses, operands) = (index(plans.uses.len()), index(plans.operands.len()));
            let works = index(plans.works.len());
            let mut builder = Builder {
                program,
                arch: program.arch(),
                rates: &rates,
                units: &plans.units,
                resources: &plans.resources,
                uses: &mut plans.uses,
                operands: &mut plans.operands,
                works: &mut plans.works,
                writes: Vec::new(),
                layout: program.governing(i),
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
            if let Some(p) = instr.guard {
                builder.read(builder.resources.pred(p));
            }
            let done = cost::plan(&mut builder, &instr.op);
            let Builder {
                writes,
                release,
                work,
                busy,
                activity,
                ..
            } = builder;
            let longest = plans.uses[uses as usize..]
                .iter()
                .rev()
                .max_by_key(|u| u.cycles);
            let busy = busy
                .or(longest.map(|u| (u.cycles, plans.units.describe(u.first.into()).0)))
                .unwrap_or((work.cycles, work.unit));
            let reads = operands..index(plans.operands.len());
            plans.operands.extend(writes);
            let writes = reads.end..index(plans.operands.len());
            plans.plans.push(Plan {
                uses: uses..index(plans.uses.len()),
                reads,
                writes,
                release: release.unwrap_or(done),
                done,
                work,
                works: works..index(plans.works.len()),
                busy: busy.0,
                busy_unit: busy.1,
                activity,
            });
        }
        plans
    }

    pub(crate) fn uses(&self, plan: &Plan) -> &[Use] {
        &self.uses[plan.uses.start as usize..plan.uses.end as usize]
    }

    pub(crate) fn works(&self, plan: &Plan) -> &[Work] {
        &self.works[plan.works.start as usize..plan.works.end as usize]
    }

    pub(crate) fn operands(&self, range: &Range<u32>) -> &[u32] {
        &self.operands[range.start as usize..range.end as usize]
    }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("programs are shorter than 2^32 operands")
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

/// Collects the plan of one instruction.
pub(crate) struct Builder<'a, 'p> {
    pub(crate) program: &'a Verified<'p>,
    pub(crate) arch: &'a Arch,
    pub(crate) rates: &'a Rates,
    pub(crate) units: &'a Units,
    pub(crate) resources: &'a Resources,
    uses: &'a mut Vec<Use>,
    operands: &'a mut Vec<u32>,
    works: &'a mut Vec<Work>,
    writes: Vec<u32>,
    /// The layout that decides size and place.
    pub(crate) layout: Lay,
    release: Option<u64>,
    work: Work,
    busy: Option<(u64, UnitKind)>,
    pub(crate) activity: Activity,
}

impl Builder<'_, '_> {
    pub(crate) fn read(&mut self, resource: u32) {
        self.operands.push(resource);
    }

    pub(crate) fn write(&mut self, resource: u32) {
        self.writes.push(resource);
    }

    /// Uses a per-bank unit over the window of the governing layout.
    pub(crate) fn banks(&mut self, kind: UnitKind, offset: u64, cycles: u64) {
        for units in self.units.window(kind, self.layout) {
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
        let units = self.units.single(kind);
        self.push(units, offset, cycles);
    }

    /// Uses one memory channel or all of them.
    pub(crate) fn memory(&mut self, channel: Option<u16>, offset: u64, cycles: u64) {
        let units = self.units.memory(channel);
        self.push(units, offset, cycles);
    }

    fn push(&mut self, units: Range<u16>, offset: u64, cycles: u64) {
        self.uses.push(Use {
            first: units.start,
            end: units.end,
            offset,
            cycles,
        });
    }

    /// Sources may be overwritten from this offset; without a call, when the instruction is done.
    pub(crate) fn release(&mut self, offset: u64) {
        self.release = Some(offset);
    }

    /// Of the units that are busy together for `cycles`, `kind` is the one that the others wait for;
    /// without a call, the first of those that are busy longest.
    pub(crate) fn paced_by(&mut self, kind: UnitKind, cycles: u64) {
        self.busy = Some((cycles, kind));
    }

    /// The instruction does at least this much work on the unit, however the rest is built (see [`Plan`]).
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
