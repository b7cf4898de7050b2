//! Area of a machine, and energy of its runs: the results, each with its interval.

use dcom_arch::Arch;
use dcom_timing::Activity;

use crate::cluster::to_f64;
use crate::coefficients::{Coefficients, Corner};
use crate::interval::Interval;
use crate::machine::{COMPONENTS, Component, Machine};
use crate::technology::Technology;

/// A machine in a technology, ready to turn activity into energy.
#[derive(Clone, Debug)]
pub struct PowerModel {
    /// At the low, nominal and high corner.
    corners: [Machine; 3],
    clock_hz: f64,
}

/// Placed area of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// By component (um2).
    pub parts: Vec<(Component, Interval)>,
    /// All of it (um2).
    pub total_um2: Interval,
}

/// Energy of one component over a run (J).
#[derive(Clone, Debug, PartialEq)]
pub struct PartEnergy {
    /// Which.
    pub component: Component,
    /// By its activity.
    pub dynamic_j: Interval,
    /// By its registers' clock.
    pub clock_j: Interval,
    /// By leakage over the time of the run.
    pub leakage_j: Interval,
}

impl PartEnergy {
    /// All three.
    #[must_use]
    pub fn total_j(&self) -> Interval {
        self.dynamic_j + self.clock_j + self.leakage_j
    }
}

/// Energy of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Energy {
    /// The chip, by component.
    pub parts: Vec<PartEnergy>,
    /// The chip (J).
    pub chip_j: Interval,
    /// Traffic of the memory that A is streamed from, not on the chip (J).
    pub memory_j: Interval,
    /// Traffic of the link, not on the chip (J).
    pub link_j: Interval,
    /// Time of the run (s).
    pub time_s: f64,
}

impl Energy {
    /// Chip, memory and link (J).
    #[must_use]
    pub fn total_j(&self) -> Interval {
        self.chip_j + self.memory_j + self.link_j
    }

    /// Average power of the chip (W); zero for a run without time.
    #[must_use]
    pub fn chip_w(&self) -> Interval {
        if self.time_s > 0.0 {
            self.chip_j * (1.0 / self.time_s)
        } else {
            Interval::default()
        }
    }

    /// A kind of energy over all components (J).
    #[must_use]
    pub fn sum(&self, kind: fn(&PartEnergy) -> Interval) -> Interval {
        self.parts.iter().map(kind).sum()
    }
}

impl PowerModel {
    /// Evaluates machine and technology.
    #[must_use]
    pub fn new(arch: &Arch, technology: &Technology) -> PowerModel {
        PowerModel {
            corners: Corner::ALL.map(|corner| {
                Machine::new(arch, technology, &Coefficients::corner(technology, corner))
            }),
            clock_hz: to_f64(arch.clock_mhz) * 1e6,
        }
    }

    /// The area by component.
    #[must_use]
    pub fn area(&self) -> Area {
        Area {
            parts: self.by_component(|machine| machine.area_um2).collect(),
            total_um2: self.total_area_um2(),
        }
    }

    /// The whole area (um2).
    #[must_use]
    pub fn total_area_um2(&self) -> Interval {
        self.interval(|machine| machine.area_um2.iter().sum())
    }

    /// Leakage power of the chip (W).
    #[must_use]
    pub fn leakage_w(&self) -> Interval {
        self.interval(|machine| machine.leakage_uw.iter().sum::<f64>() * 1e-6)
    }

    /// Energy of a run of so many cycles.
    #[must_use]
    pub fn energy(&self, activity: &Activity, cycles: u64) -> Energy {
        let time_s = to_f64(cycles) / self.clock_hz;
        let cycles = to_f64(cycles);
        let dynamic = self.by_component(|machine| machine.dynamic_fj(activity));
        let clock = self.by_component(|machine| machine.clock_fj);
        let leakage = self.by_component(|machine| machine.leakage_uw);
        let parts: Vec<PartEnergy> = dynamic
            .zip(clock.zip(leakage))
            .map(
                |((component, dynamic), ((_, clock), (_, leakage)))| PartEnergy {
                    component,
                    dynamic_j: dynamic * 1e-15,
                    clock_j: clock * (cycles * 1e-15),
                    leakage_j: leakage * (time_s * 1e-6),
                },
            )
            .collect();
        let (memory_j, link_j) = self.external_j(activity);
        Energy {
            chip_j: parts.iter().map(PartEnergy::total_j).sum(),
            parts,
            memory_j,
            link_j,
            time_s,
        }
    }

    /// Memory and link (J).
    fn external_j(&self, a: &Activity) -> (Interval, Interval) {
        let memory_bits = 8.0 * (to_f64(a.memory_read_bytes) + to_f64(a.memory_write_bytes));
        let link_bits = 8.0 * (to_f64(a.link_in_bytes) + to_f64(a.link_out_bytes));
        (
            self.interval(|machine| machine.memory_pj_per_bit * memory_bits * 1e-12),
            self.interval(|machine| machine.link_pj_per_bit * link_bits * 1e-12),
        )
    }

    fn interval(&self, value: impl Fn(&Machine) -> f64) -> Interval {
        Interval::of(self.corners.each_ref().map(value))
    }

    fn by_component(
        &self,
        values: impl Fn(&Machine) -> [f64; COMPONENTS],
    ) -> impl Iterator<Item = (Component, Interval)> {
        let corners = self.corners.each_ref().map(values);
        Component::ALL.iter().map(move |component| {
            let at = *component as usize;
            (
                *component,
                Interval::of(corners.each_ref().map(|corner| corner[at])),
            )
        })
    }
}
