//! Memories: area, energy and leakage from capacity, width and ports.

use crate::coefficients::Coefficients;

/// What a memory is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Capacity of one macro, or of one that is cut into the largest macros.
    pub(crate) kib: f64,
    /// Bytes of a word.
    pub(crate) width_bytes: f64,
    /// Read and write ports.
    pub(crate) ports: f64,
}

impl Memory {
    fn macro_kib(&self, c: &Coefficients) -> f64 {
        self.kib.min(c.sram_macro_kib)
    }

    /// Area against that of the same memory with one port.
    fn port_factor(&self, c: &Coefficients) -> f64 {
        1.0 + (self.ports - 1.0) * c.sram_port_area
    }

    /// Macros without the place around them.
    pub(crate) fn area_um2(&self, c: &Coefficients) -> f64 {
        let m = self.macro_kib(c);
        let wide = (self.width_bytes / 16.0 - 1.0).max(0.0);
        self.kib / m
            * c.sram_area
            * m.powf(c.sram_area_exponent)
            * (1.0 + c.sram_width_area * wide * wide.sqrt() / m)
            * self.port_factor(c)
    }

    /// Ports make cells larger, and the lines along them longer by the root of it.
    pub(crate) fn read_fj_per_bit(&self, c: &Coefficients) -> f64 {
        let m = self.macro_kib(c);
        let bits = 8192.0 * m;
        let cells = c.sram_read * (m / c.sram_full_kib).sqrt().min(1.0);
        (cells + c.sram_read_wire * bits.sqrt()) * self.port_factor(c).sqrt()
    }

    pub(crate) fn write_fj_per_bit(&self, c: &Coefficients) -> f64 {
        self.read_fj_per_bit(c) * c.sram_write_factor
    }

    pub(crate) fn leakage_uw(&self, c: &Coefficients) -> f64 {
        self.kib * c.sram_leakage
    }
}
