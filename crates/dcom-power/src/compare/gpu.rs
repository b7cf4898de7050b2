//! An A100-class core on the machine's work. Sizes are given by the NVIDIA A100 whitepaper (2020).

use dcom_fp::Accumulate;

use super::{Designs, Evaluated, GpuCore};
use crate::cluster::to_f64;
use crate::coefficients::Coefficients;
use crate::sram::Memory;
use crate::unit::{Cells, Unit};

/// Memory per multiplier (KiB). Given: 256 KiB registers and 192 KiB L1 in each of 108 SMs with 1024 multipliers, 40 MiB L2.
const KIB: f64 = (108.0 * (256.0 + 192.0) + 40960.0) / (108.0 * 1024.0);

/// A register file bank and an L2 slice (KiB). Given: 64 KiB registers per quarter SM, 512 KiB per L2 slice.
const REGISTER_KIB: f64 = 64.0;
const L2_KIB: f64 = 512.0;

impl Designs<'_> {
    pub(super) fn gpu(&self, core: &GpuCore, c: &Coefficients) -> Evaluated {
        let multipliers = to_f64(core.multipliers);
        let multiplier = Unit::multiplier(
            c,
            Accumulate::X32,
            to_f64(self.arch.cluster.multiply_cycles),
        );
        let adder = Unit::adder(c, Accumulate::X32, to_f64(self.arch.cluster.add32_cycles));
        // Two operands and a sum are latched before the multiplier.
        let lane = multiplier.cells + adder.cells + Cells::registers(64.0);
        let kib = KIB * multipliers;
        let (registers, l2) = (memory(REGISTER_KIB), memory(L2_KIB));
        let cells_um2 = lane.area_um2(c) * multipliers;
        let area_um2 = cells_um2 / c.placement_utilization
            + registers.area_um2(c) * kib / REGISTER_KIB / c.sram_utilization;
        let side_mm = area_um2.sqrt() * 1e-3;

        let products = to_f64(self.work.matrix_products) + to_f64(self.work.vector_products);
        // Two fused multiply-adds share an instruction (HFMA2), whose energy holds its operands; the result is written.
        let product = multiplier.energy_fj
            + adder.energy_fj
            + 16.0 * registers.write_fj_per_bit(c)
            + c.gpu_instruction * 1e3 / 2.0;
        // Every element comes through L2 and across the die.
        let fetched = to_f64(self.work.matrix_products) + 2.0 * to_f64(self.work.vector_products);
        let fetch = 16.0 * (l2.read_fj_per_bit(c) + side_mm * c.wire_energy);
        let time_s = self.seconds(self.matrix_cycles(multipliers) + to_f64(self.work.other_cycles))
            + to_f64(self.work.steps) * c.gpu_step * 1e-6;
        let cycles = time_s * to_f64(self.arch.clock_mhz) * 1e6;
        let clock = lane.registers * multipliers * c.register_clock;
        let leakage = cells_um2 * c.logic_leakage * 1e-3 + kib * c.sram_leakage;
        Evaluated {
            area_um2,
            chip_j: (products * product + fetched * fetch + clock * cycles) * 1e-15
                + leakage * 1e-6 * time_s,
            time_s,
        }
    }
}

fn memory(kib: f64) -> Memory {
    Memory {
        kib,
        width_bytes: 128.0,
        ports: 2.0,
    }
}
