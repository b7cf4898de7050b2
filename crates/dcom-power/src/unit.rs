//! Arithmetic units: logic and registers by pipeline depth, and the energy of an operation.

use dcom_fp::Accumulate;

use crate::coefficients::Coefficients;

/// Logic and registers; the sum of what is built.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cells {
    /// Without registers.
    pub(crate) logic_um2: f64,
    /// Flip-flops.
    pub(crate) registers: f64,
}

impl Cells {
    pub(crate) fn logic(um2: f64) -> Cells {
        Cells {
            logic_um2: um2,
            registers: 0.0,
        }
    }

    pub(crate) fn registers(bits: f64) -> Cells {
        Cells {
            logic_um2: 0.0,
            registers: bits,
        }
    }

    pub(crate) fn area_um2(&self, c: &Coefficients) -> f64 {
        self.logic_um2 + self.registers * c.register_area
    }
}

impl std::ops::Add for Cells {
    type Output = Cells;
    fn add(self, other: Cells) -> Cells {
        Cells {
            logic_um2: self.logic_um2 + other.logic_um2,
            registers: self.registers + other.registers,
        }
    }
}

impl std::ops::Mul<f64> for Cells {
    type Output = Cells;
    fn mul(self, count: f64) -> Cells {
        Cells {
            logic_um2: self.logic_um2 * count,
            registers: self.registers * count,
        }
    }
}

/// A unit with an output register, and cuts before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    pub(crate) cells: Cells,
    /// Energy of one operation, all its registers included.
    pub(crate) energy_fj: f64,
}

impl Unit {
    fn new(c: &Coefficients, logic: f64, energy: f64, width: f64, stage: f64, cycles: f64) -> Unit {
        let cuts = stage * (cycles - 1.0).max(0.0);
        Unit {
            cells: Cells::logic(logic) + Cells::registers(width + cuts),
            energy_fj: energy + cuts * c.register_write,
        }
    }

    /// A multiplier of a lane.
    pub(crate) fn multiplier(c: &Coefficients, mode: Accumulate, cycles: f64) -> Unit {
        let (logic, energy, width) = match mode {
            Accumulate::M16A16 | Accumulate::M16A32 => {
                (c.multiply16_area, c.multiply16_energy, 16.0)
            }
            Accumulate::X32 => (c.multiply32_area, c.multiply32_energy, 32.0),
        };
        Unit::new(c, logic, energy, width, c.multiply_stage_bits, cycles)
    }

    /// An adder in accumulate precision.
    pub(crate) fn adder(c: &Coefficients, mode: Accumulate, cycles: f64) -> Unit {
        match word_bits(mode) {
            16.0 => Unit::new(
                c,
                c.add16_area,
                c.add16_energy,
                16.0,
                c.add16_stage_bits,
                cycles,
            ),
            _ => Unit::new(
                c,
                c.add32_area,
                c.add32_energy,
                32.0,
                c.add32_stage_bits,
                cycles,
            ),
        }
    }
}

/// Bits of a sum.
pub(crate) fn word_bits(mode: Accumulate) -> f64 {
    match mode {
        Accumulate::M16A16 => 16.0,
        Accumulate::M16A32 | Accumulate::X32 => 32.0,
    }
}
