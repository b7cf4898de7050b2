//! The coefficients as plain numbers: at a corner of their ranges, or drawn from them.
//!
//! Every result of this crate rises with every coefficient but the utilizations, with which it falls; the tests check it. So
//! two evaluations bound a result.

use dcom_config::Coefficient;

use crate::technology::Technology;

/// Which end of the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corner {
    Low,
    Nominal,
    High,
}

impl Corner {
    pub(crate) const ALL: [Corner; 3] = [Corner::Low, Corner::Nominal, Corner::High];
}

macro_rules! coefficients {
    (rising { $($rising:ident)* } falling { $($falling:ident)* }) => {
        /// One number per coefficient. Dynamic energies and leakage are already those of the operating point.
        #[derive(Clone, Debug)]
        pub(crate) struct Coefficients {
            $(pub(crate) $rising: f64,)*
            $(pub(crate) $falling: f64,)*
            pub(crate) sram_area_exponent: f64,
            pub(crate) sram_macro_kib: f64,
            pub(crate) sram_full_kib: f64,
        }

        impl Coefficients {
            fn choose(t: &Technology, mut choose: impl FnMut(Coefficient, bool) -> f64) -> Coefficients {
                Coefficients {
                    $($rising: choose(t.$rising, true),)*
                    $($falling: choose(t.$falling, false),)*
                    sram_area_exponent: t.sram_area_exponent,
                    sram_macro_kib: t.sram_macro_kib,
                    sram_full_kib: t.sram_full_kib,
                }
                .at_operating_point(t)
            }
        }
    };
}

coefficients! {
    rising {
        multiply16_area multiply16_stage_area multiply16_energy
        multiply32_area multiply32_stage_area multiply32_energy multiply_stage_bits
        add16_area add16_stage_area add16_energy add16_stage_bits
        add32_area add32_stage_area add32_energy add32_stage_bits
        widen_area round_area mux_area logic_energy logic_leakage leakage_exponent
        register_area register_write register_clock
        sram_area sram_width_area sram_port_area sram_read sram_read_wire sram_write_factor sram_leakage
        wire_energy wire_area
        cluster_control_area sequencer_area instruction_energy divider_area
        memory_energy link_energy gpu_instruction gpu_step
    }
    falling { placement_utilization sram_utilization }
}

impl Coefficients {
    pub(crate) fn corner(technology: &Technology, corner: Corner) -> Coefficients {
        // Below the temperature of the coefficients a larger exponent means less leakage.
        let colder = technology.operating_temperature_c < technology.temperature_c;
        Coefficients::choose(technology, |c, rising| {
            let rising = rising ^ (colder && c == technology.leakage_exponent);
            match (corner, rising) {
                (Corner::Nominal, _) => c.value,
                (Corner::Low, true) | (Corner::High, false) => c.low,
                (Corner::High, true) | (Corner::Low, false) => c.high,
            }
        })
    }

    /// Every coefficient drawn from its own triangular distribution with its value as the mode; `uniform` gives numbers in
    /// 0..1.
    pub(crate) fn draw(technology: &Technology, mut uniform: impl FnMut() -> f64) -> Coefficients {
        Coefficients::choose(technology, |c, _| {
            let (width, rise) = (c.high - c.low, c.value - c.low);
            let u = uniform();
            if width == 0.0 {
                c.value
            } else if u < rise / width {
                c.low + (u * width * rise).sqrt()
            } else {
                c.high - ((1.0 - u) * width * (c.high - c.value)).sqrt()
            }
        })
    }

    /// Dynamic energy goes with the square of the voltage (the charge of a capacitance), leakage power with the voltage and
    /// the exponential of the temperature.
    fn at_operating_point(mut self, t: &Technology) -> Coefficients {
        let volts = t.operating_voltage_v / t.voltage_v;
        let dynamic = [
            &mut self.multiply16_energy,
            &mut self.multiply32_energy,
            &mut self.add16_energy,
            &mut self.add32_energy,
            &mut self.logic_energy,
            &mut self.register_write,
            &mut self.register_clock,
            &mut self.sram_read,
            &mut self.sram_read_wire,
            &mut self.wire_energy,
            &mut self.instruction_energy,
            &mut self.gpu_instruction,
        ];
        dynamic.into_iter().for_each(|e| *e *= volts * volts);
        let kelvin = t.operating_temperature_c - t.temperature_c;
        let leakage = volts * (self.leakage_exponent * kelvin).exp();
        self.logic_leakage *= leakage;
        self.sram_leakage *= leakage;
        self
    }
}
