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

/// A kind of unit: its logic in one stage, its result, and what a further stage adds.
struct Kind {
    area_um2: f64,
    energy_fj: f64,
    width: f64,
    stage_area_um2: f64,
    stage_bits: f64,
}

impl Kind {
    fn unit(&self, c: &Coefficients, cycles: f64) -> Unit {
        let cuts = (cycles - 1.0).max(0.0);
        let registers = self.stage_bits * cuts;
        Unit {
            cells: Cells::logic(self.area_um2 + self.stage_area_um2 * cuts)
                + Cells::registers(self.width + registers),
            energy_fj: self.energy_fj + registers * c.register_write,
        }
    }
}

impl Unit {
    /// A multiplier of a lane.
    pub(crate) fn multiplier(c: &Coefficients, mode: Accumulate, cycles: f64) -> Unit {
        let kind = match mode {
            Accumulate::M16A16 | Accumulate::M16A32 => Kind {
                area_um2: c.multiply16_area,
                energy_fj: c.multiply16_energy,
                width: 16.0,
                stage_area_um2: c.multiply16_stage_area,
                stage_bits: c.multiply_stage_bits,
            },
            Accumulate::X32 => Kind {
                area_um2: c.multiply32_area,
                energy_fj: c.multiply32_energy,
                width: EXACT_BITS,
                stage_area_um2: c.multiply32_stage_area,
                stage_bits: c.multiply_stage_bits,
            },
        };
        kind.unit(c, cycles)
    }

    /// An adder in accumulate precision.
    pub(crate) fn adder(c: &Coefficients, mode: Accumulate, cycles: f64) -> Unit {
        let kind = match mode {
            Accumulate::M16A16 => Kind {
                area_um2: c.add16_area,
                energy_fj: c.add16_energy,
                width: 16.0,
                stage_area_um2: c.add16_stage_area,
                stage_bits: c.add16_stage_bits,
            },
            Accumulate::M16A32 | Accumulate::X32 => Kind {
                area_um2: c.add32_area,
                energy_fj: c.add32_energy,
                width: 32.0,
                stage_area_um2: c.add32_stage_area,
                stage_bits: c.add32_stage_bits,
            },
        };
        kind.unit(c, cycles)
    }
}

/// Registers of an exact product. Derived: `multiply_exact_1` of `reports/synth/units.csv`; two of the 32 bits are always zero.
const EXACT_BITS: f64 = 30.0;

/// Bits of a sum.
pub(crate) fn word_bits(mode: Accumulate) -> f64 {
    match mode {
        Accumulate::M16A16 => 16.0,
        Accumulate::M16A32 | Accumulate::X32 => 32.0,
    }
}
