//! Units that instructions contend for, and their numbering.
//!
//! Units that exist once per bank are kept once per *class*: a set of neighbouring banks that every
//! layout of the program uses together, so that their state is always the same.

use std::ops::Range;

use dcom_arch::{Arch, BankPorts};
use dcom_isa::{Lay, Verified};

/// A kind of unit. The order is that of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitKind {
    /// A bank's port (its read port if it has two).
    Port,
    /// A bank's write port; the same unit as `Port` if it has one.
    WritePort,
    /// The lanes of a bank's clusters, with the buffers' read ports.
    Lanes,
    /// The buffers' write port on the column bus.
    Fill,
    /// The buffers' write port behind the lanes.
    Result,
    /// A channel of the memory that A is streamed from.
    Memory,
    /// The partition network's input.
    Network,
    /// The link, towards the machine.
    LinkIn,
    /// The link, towards the host.
    LinkOut,
    /// The statistics unit.
    Statistics,
    /// The write side of the global broadcast memory.
    GlobalWrite,
    /// The read side of the global broadcast memory.
    GlobalRead,
    /// The scalar unit.
    Scalar,
    /// The small SVD.
    Svd,
}

impl UnitKind {
    /// All kinds, in the order of reports.
    pub const ALL: [UnitKind; 14] = [
        UnitKind::Port,
        UnitKind::WritePort,
        UnitKind::Lanes,
        UnitKind::Fill,
        UnitKind::Result,
        UnitKind::Memory,
        UnitKind::Network,
        UnitKind::LinkIn,
        UnitKind::LinkOut,
        UnitKind::Statistics,
        UnitKind::GlobalWrite,
        UnitKind::GlobalRead,
        UnitKind::Scalar,
        UnitKind::Svd,
    ];

    /// Name in reports, as in `docs/machine.md`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            UnitKind::Port => "port",
            UnitKind::WritePort => "write_port",
            UnitKind::Lanes => "lanes",
            UnitKind::Fill => "fill",
            UnitKind::Result => "result",
            UnitKind::Memory => "memory",
            UnitKind::Network => "network",
            UnitKind::LinkIn => "link_in",
            UnitKind::LinkOut => "link_out",
            UnitKind::Statistics => "statistics",
            UnitKind::GlobalWrite => "global_write",
            UnitKind::GlobalRead => "global_read",
            UnitKind::Scalar => "scalar",
            UnitKind::Svd => "svd",
        }
    }

    /// Work that all units of the kind together can do in a cycle: elements for lanes and ports, cycles for others.
    pub(crate) fn work_per_cycle(self, arch: &Arch) -> u64 {
        match self {
            UnitKind::Lanes => arch.lanes() * arch.clusters(),
            UnitKind::Port | UnitKind::WritePort => arch.bank.port_elements * arch.banks(),
            _ => 1,
        }
    }

    /// Whether there is one per bank.
    #[must_use]
    pub fn per_bank(self) -> bool {
        self <= UnitKind::Result
    }
}

/// The units of a program's run: numbers, names, and how many real units each stands for.
#[derive(Clone, Debug)]
pub(crate) struct Units {
    /// Boundaries of the classes: class i has the banks `edges[i]..edges[i + 1]`.
    edges: Vec<u64>,
    /// Runs of classes that each layout's window covers.
    windows: Vec<Vec<Range<u16>>>,
    classes: u16,
    channels: u16,
    shared_port: bool,
}

impl Units {
    pub(crate) fn new(program: &Verified<'_>) -> Units {
        let arch = program.arch();
        let layouts = program.program().layouts.len();
        let banks = |l: usize| program.shape(layout(l)).banks.iter();
        let mut edges: Vec<u64> = vec![0, arch.banks()];
        edges.extend(
            (0..layouts)
                .flat_map(banks)
                .flat_map(|run| [run.start, run.end]),
        );
        edges.sort_unstable();
        edges.dedup();
        let at = |edge: u64| {
            u16::try_from(edges.partition_point(|e| *e < edge)).expect("at most 1024 banks")
        };
        let windows = (0..layouts)
            .map(|l| banks(l).map(|run| at(run.start)..at(run.end)).collect())
            .collect();
        Units {
            windows,
            classes: u16::try_from(edges.len() - 1).expect("at most 1024 banks"),
            edges,
            channels: program.program().channels,
            shared_port: arch.bank.ports == BankPorts::Shared,
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first_single()) + usize::from(self.channels) + 8
    }

    fn first_single(&self) -> u16 {
        5 * self.classes
    }

    /// Units of a per-bank kind over the window of a layout, as runs of neighbours.
    pub(crate) fn window(&self, kind: UnitKind, layout: Lay) -> impl Iterator<Item = Range<u16>> {
        assert!(kind.per_bank(), "{kind:?} exists once");
        let kind = if kind == UnitKind::WritePort && self.shared_port {
            UnitKind::Port
        } else {
            kind
        };
        let base = kind as u16 * self.classes;
        self.windows[layout.index()]
            .iter()
            .map(move |run| base + run.start..base + run.end)
    }

    /// All memory channels, or one of them.
    pub(crate) fn memory(&self, channel: Option<u16>) -> Range<u16> {
        let base = self.first_single();
        match channel {
            Some(channel) => base + channel..base + channel + 1,
            None => base..base + self.channels,
        }
    }

    /// The unit of a kind that exists once.
    pub(crate) fn single(&self, kind: UnitKind) -> Range<u16> {
        let after_memory = kind as u16 - UnitKind::Network as u16;
        let unit = self.first_single() + self.channels + after_memory;
        unit..unit + 1
    }

    /// The real units of a kind that a run of units stands for: banks, channels, or 0.
    pub(crate) fn which(&self, units: &Range<u16>) -> Range<u64> {
        let single = self.first_single();
        let edge = |unit: u16| self.edges[usize::from(unit % self.classes)];
        if units.start < single {
            edge(units.start)..self.edges[usize::from((units.end - 1) % self.classes) + 1]
        } else if units.start < single + self.channels {
            u64::from(units.start - single)..u64::from(units.end - single)
        } else {
            0..1
        }
    }

    /// Kind of a unit, and how many real units it stands for.
    pub(crate) fn describe(&self, unit: usize) -> (UnitKind, u64) {
        let unit = u16::try_from(unit).expect("units are numbered in 16 bits");
        let single = self.first_single();
        if unit < single {
            let class = usize::from(unit % self.classes);
            (
                UnitKind::ALL[usize::from(unit / self.classes)],
                self.edges[class + 1] - self.edges[class],
            )
        } else if unit < single + self.channels {
            (UnitKind::Memory, 1)
        } else {
            (
                UnitKind::ALL
                    [usize::from(unit - single - self.channels) + UnitKind::Network as usize],
                1,
            )
        }
    }
}

/// The n-th layout.
pub(crate) fn layout(n: usize) -> Lay {
    Lay(u16::try_from(n).expect("layouts are numbered in 16 bits"))
}
