//! Memories: area, energy and leakage from capacity, width and ports.

use crate::coefficients::Coefficients;

/// What a memory is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Capacity; more than the largest macro is put beside each other.
    pub(crate) kib: f64,
    /// Bytes of a word.
    pub(crate) width_bytes: f64,
    /// Read and write ports.
    pub(crate) ports: f64,
}

/// Smallest macro (KiB) and narrowest word (B) into which a wide memory is cut: the least that the coefficients come from.
const SMALLEST_KIB: f64 = 1.0;
const NARROWEST_BYTES: f64 = 16.0;

/// Above this the width costs more area than half the capacity per macro does: 1.3 x 0.065 = 2^(1 - 0.882) - 1, with the
/// coefficients measured at 15 nm.
const WORTH_CUTTING: f64 = 0.065;

/// Macros that make up a memory.
#[derive(Clone, Copy, Debug)]
struct Macros {
    count: f64,
    kib: f64,
    area_um2: f64,
}

impl Memory {
    /// One macro per word, or words cut over 2, 4, 8 ... macros beside each other while that pays. The cut depends on sizes
    /// alone, so that every result rises with every coefficient.
    fn macros(&self, c: &Coefficients) -> Macros {
        let mut cuts = 1.0;
        while self.width_bytes / cuts >= 2.0 * NARROWEST_BYTES
            && self.kib / cuts >= 2.0 * SMALLEST_KIB
            && self.wide(cuts) / (self.kib / cuts).min(c.sram_macro_kib) > WORTH_CUTTING
        {
            cuts *= 2.0;
        }
        self.cut(cuts, c)
    }

    /// What the width of a word adds to the area of a macro, before its coefficient.
    fn wide(&self, cuts: f64) -> f64 {
        let wide = (self.width_bytes / cuts / NARROWEST_BYTES - 1.0).max(0.0);
        wide * wide.sqrt()
    }

    fn cut(&self, cuts: f64, c: &Coefficients) -> Macros {
        let kib = (self.kib / cuts).min(c.sram_macro_kib);
        Macros {
            count: self.kib / kib,
            kib,
            area_um2: c.sram_area
                * kib.powf(c.sram_area_exponent)
                * (1.0 + c.sram_width_area * self.wide(cuts) / kib),
        }
    }

    /// Area against that of the same memory with one port.
    fn port_factor(&self, c: &Coefficients) -> f64 {
        1.0 + (self.ports - 1.0) * c.sram_port_area
    }

    /// Macros without the place around them.
    pub(crate) fn area_um2(&self, c: &Coefficients) -> f64 {
        let macros = self.macros(c);
        macros.count * macros.area_um2 * self.port_factor(c)
    }

    /// Ports make cells larger, and the lines along them longer by the root of it.
    pub(crate) fn read_fj_per_bit(&self, c: &Coefficients) -> f64 {
        let kib = self.macros(c).kib;
        let cells = c.sram_read * (kib / c.sram_full_kib).sqrt().min(1.0);
        (cells + c.sram_read_wire * (8192.0 * kib).sqrt()) * self.port_factor(c).sqrt()
    }

    pub(crate) fn write_fj_per_bit(&self, c: &Coefficients) -> f64 {
        self.read_fj_per_bit(c) * c.sram_write_factor
    }

    pub(crate) fn leakage_uw(&self, c: &Coefficients) -> f64 {
        self.kib * c.sram_leakage
    }
}
