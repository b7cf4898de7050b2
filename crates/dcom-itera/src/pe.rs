//! Area and energy of a processing element: a multiplier, an accumulator, registers.
//!
//! Source unless said otherwise: Horowitz, "Computing's energy problem", ISSCC 2014, 45 nm at 0.9 V, with the areas of the same
//! table as given by Dally, "High-performance hardware for machine learning", NIPS tutorial 2015. It ends at 8 bits; below, the
//! multiplier is scaled with its bits, which is an assumption with a range.

use crate::element::Element;
use crate::estimate::Estimate;
use crate::format::{BLOCK, Format, Scaling};

/// 8 x 8 bit multiplier. Given.
const MULTIPLY8: Cost = Cost::exact(282.0, 200.0);

/// Area of a b x b multiplier over b. Value derived: ln(3495 / 282) / ln 4, from 8 to 32 bits. Low: b^2 cells of a carry-save
/// array. High: assumed 1, as if wiring and the final adder were all.
const MULTIPLY_AREA_EXPONENT: (f64, f64, f64) = (2.0, 1.816, 1.0);

/// Energy of a b x b multiplier over b. Value derived: ln(3.1 / 0.2) / ln 4. Low: as its area. High: assumed as above.
const MULTIPLY_ENERGY_EXPONENT: (f64, f64, f64) = (2.0, 1.977, 1.0);

/// 8-bit integer adder, for exponents. Given.
const ADD8: Cost = Cost::exact(36.0, 30.0);

/// 32-bit integer adder, the accumulator of integers. Given.
const ADD32: Cost = Cost::exact(137.0, 100.0);

/// fp32 adder. Given.
const ADD_FP32: Cost = Cost::exact(4184.0, 900.0);

/// Accumulator of floating-point products. Value: an fp16 adder (given). Low: products aligned to a 32-bit integer sum, with an
/// fp16 adder's third for the shifter (assumed). High: an fp32 adder (given).
const ADD_FLOAT: Cost = Cost {
    area_um2: Estimate::new(137.0 + 453.0, 1360.0, 4184.0),
    energy_fj: Estimate::new(100.0 + 133.0, 400.0, 900.0),
};

/// A flip-flop: DFF_X1, high DFFR_X1, of the NanGate 45 nm open cell library; energy of a write, derived in
/// `configs/tech/generic45.toml`.
const REGISTER_BIT: Cost = Cost {
    area_um2: Estimate::new(4.522, 4.522, 5.32),
    energy_fj: Estimate::new(5.5, 8.1, 9.8),
};

/// Bits of an accumulator. Assumed: as wide as the adder, for sums of 4096 products of 8 bits.
const ACCUMULATOR_BITS: f64 = 32.0;

/// Area and energy of something that does one operation per cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// \[um^2\], before placement.
    pub area_um2: Estimate,
    /// Per operation \[fJ\].
    pub energy_fj: Estimate,
}

impl Cost {
    const fn exact(area_um2: f64, energy_fj: f64) -> Cost {
        Cost {
            area_um2: Estimate::exact(area_um2),
            energy_fj: Estimate::exact(energy_fj),
        }
    }

    fn times(self, factor: f64) -> Cost {
        Cost {
            area_um2: self.area_um2 * factor,
            energy_fj: self.energy_fj * factor,
        }
    }

    fn plus(self, other: Cost) -> Cost {
        Cost {
            area_um2: self.area_um2 + other.area_um2,
            energy_fj: self.energy_fj + other.energy_fj,
        }
    }
}

/// What the activations are in when weights have this format: eight bits of the same family. Assumed, as the W4A8 and the like
/// of quantization studies.
#[must_use]
pub fn activation_format(weight: Format) -> Format {
    let name = match (weight.element(), weight.scaling()) {
        (Element::Int { .. }, _) | (Element::Fixed8, Scaling::Vector) => "int8",
        (Element::Fixed8, Scaling::Block) => "mxint8",
        (Element::E5M2, Scaling::Vector) => "fp8_e5m2",
        (Element::E5M2, Scaling::Block) => "mxfp8_e5m2",
        (Element::E4M3 | Element::E2M1, Scaling::Vector) => "fp8_e4m3",
        (Element::E4M3 | Element::E2M1, Scaling::Block) => "mxfp8_e4m3",
    };
    name.parse().expect("a known format")
}

/// A processing element for weights of one format and activations of [`activation_format`].
#[must_use]
pub fn processing_element(weight: Format) -> Cost {
    let (a, b) = (weight.element(), activation_format(weight).element());
    let integers = a.exponent_bits() == 0 && b.exponent_bits() == 0;
    let exponent_bits = a.exponent_bits().max(b.exponent_bits());
    let accumulator = if integers { ADD32 } else { ADD_FLOAT };
    let registers = f64::from(a.bits() + b.bits()) + ACCUMULATOR_BITS;
    let mut cost = multiplier(a.significand_bits(), b.significand_bits())
        .plus(ADD8.times(f64::from(exponent_bits) / 8.0))
        .plus(accumulator)
        .plus(REGISTER_BIT.times(registers));
    if weight.scaling() == Scaling::Block {
        // Every 32 products the sum of a block is scaled and added in fp32, by a unit that 32 elements share.
        let share = 1.0 / f64::from(u32::try_from(BLOCK).expect("32"));
        cost = cost.plus(ADD_FP32.plus(ADD8).times(share));
    }
    cost
}

/// An a x b bit multiplier: as a square one of the geometric mean.
fn multiplier(a: u32, b: u32) -> Cost {
    let ratio = (f64::from(a) * f64::from(b)).sqrt() / 8.0;
    let scaled = |at_8: Estimate, (low, value, high): (f64, f64, f64)| {
        // Above eight bits, which no format has, low and high would trade places.
        Estimate::new(
            at_8.value * ratio.powf(low),
            at_8.value * ratio.powf(value),
            at_8.value * ratio.powf(high),
        )
    };
    Cost {
        area_um2: scaled(MULTIPLY8.area_um2, MULTIPLY_AREA_EXPONENT),
        energy_fj: scaled(MULTIPLY8.energy_fj, MULTIPLY_ENERGY_EXPONENT),
    }
}
