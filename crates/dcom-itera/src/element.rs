//! Number formats of single elements: what each code means, and the nearest code of a number.
//!
//! Source: OCP 8-bit Floating Point Specification (OFP8) 1.0 for E4M3 and E5M2; OCP Microscaling Formats (MX)
//! Specification 1.0, section 5.3, for E2M1 and the INT8 element. All arithmetic is float64, in which every step here
//! is exact: results are the nearest representable number, ties to the even code.

/// The format of one element, without its scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// Symmetric integers of 2 to 8 bits: the most negative two's complement code is not used.
    Int {
        /// Bits with the sign.
        bits: u32,
    },
    /// 1-4-3 bits, bias 7, no infinities, NaN is S.1111.111, largest 448.
    E4M3,
    /// 1-5-2 bits, bias 15, IEEE-like infinities and NaN, largest 57344.
    E5M2,
    /// 1-2-1 bits, bias 1, neither infinities nor NaN, largest 6.
    E2M1,
    /// The element of MXINT8: two's complement in units of 2^-6; -2 is not used, so that the range is symmetric (the
    /// specification allows this).
    Fixed8,
}

/// What becomes of a number beyond the largest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The largest number of its sign, for infinities as well.
    Saturate,
    /// Infinity where the format has one, else NaN; formats with neither saturate.
    Propagate,
}

/// Fields of a floating-point element.
struct Float {
    mantissa_bits: u32,
    bias: i32,
    max: f64,
}

const FIXED8_UNIT: f64 = 1.0 / 64.0;

impl Element {
    /// Bits of a code.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Int { bits } => bits,
            Self::E4M3 | Self::E5M2 | Self::Fixed8 => 8,
            Self::E2M1 => 4,
        }
    }

    /// The largest number.
    #[must_use]
    pub fn max(self) -> f64 {
        match self {
            Self::Int { bits } => f64::from((1_u32 << (bits - 1)) - 1),
            Self::Fixed8 => 127.0 * FIXED8_UNIT,
            Self::E4M3 | Self::E5M2 | Self::E2M1 => self.float().max,
        }
    }

    /// floor(log2) of the largest number: `emax` of the MX specification.
    #[must_use]
    pub fn max_exponent(self) -> i32 {
        exponent(self.max())
    }

    /// Significant bits of a factor in a multiplier: integers with their sign, floats with their hidden bit.
    #[must_use]
    pub fn significand_bits(self) -> u32 {
        match self {
            Self::Int { .. } | Self::Fixed8 => self.bits(),
            Self::E4M3 | Self::E5M2 | Self::E2M1 => self.float().mantissa_bits + 1,
        }
    }

    /// Bits of the exponent field; none of integers.
    #[must_use]
    pub fn exponent_bits(self) -> u32 {
        match self {
            Self::Int { .. } | Self::Fixed8 => 0,
            Self::E4M3 | Self::E5M2 | Self::E2M1 => self.bits() - self.significand_bits(),
        }
    }

    /// The nearest number, ties to even, saturating. NaN stays NaN.
    #[must_use]
    pub fn round(self, x: f64) -> f64 {
        match self {
            Self::Int { .. } => {
                let max = self.max();
                nearest_integer(x.clamp(-max, max))
            }
            Self::Fixed8 => {
                let max = self.max();
                nearest_integer(x.clamp(-max, max) / FIXED8_UNIT) * FIXED8_UNIT
            }
            Self::E4M3 | Self::E5M2 | Self::E2M1 => {
                let float = self.float();
                float.nearest(x.clamp(-float.max, float.max)).copysign(x)
            }
        }
    }

    /// The code of the nearest number; none for a NaN that the format cannot express.
    #[must_use]
    pub fn encode(self, x: f64, overflow: Overflow) -> Option<u8> {
        match self {
            Self::Int { .. } | Self::Fixed8 => {
                if x.is_nan() {
                    return None;
                }
                let unit = if self == Self::Fixed8 {
                    FIXED8_UNIT
                } else {
                    1.0
                };
                #[expect(clippy::cast_possible_truncation, reason = "within -127 to 127")]
                let code = (self.round(x) / unit) as i8;
                let mask = u8::MAX >> (8 - self.bits());
                Some(code.cast_unsigned() & mask)
            }
            Self::E4M3 | Self::E5M2 | Self::E2M1 => self.encode_float(x, overflow),
        }
    }

    fn encode_float(self, x: f64, overflow: Overflow) -> Option<u8> {
        let float = self.float();
        let sign = u8::from(x.is_sign_negative()) << (self.bits() - 1);
        let special = match self {
            Self::E4M3 => Some((0x7f, 0x7f)),
            Self::E5M2 => Some((0x7c, 0x7e)),
            Self::E2M1 | Self::Int { .. } | Self::Fixed8 => None,
        };
        if x.is_nan() {
            return special.map(|(_, nan)| sign | nan);
        }
        let beyond = x.is_infinite() || float.nearest(x) > float.max;
        if let (true, Overflow::Propagate, Some((infinity, _))) = (beyond, overflow, special) {
            return Some(sign | infinity);
        }
        let magnitude = self.round(x).abs();
        let mantissa = 1_i32 << float.mantissa_bits;
        let min_exponent = 1 - float.bias;
        let exponent = exponent(magnitude).max(min_exponent);
        // A normal number's significand has the hidden bit, which carries into the exponent field.
        #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
        let significand = (magnitude / power_of_two(exponent) * f64::from(mantissa)) as i32;
        let code = (exponent - min_exponent) * mantissa + significand;
        Some(sign | u8::try_from(code).expect("a finite code has at most seven bits"))
    }

    /// What a code means. Bits beyond those of the format are ignored.
    #[must_use]
    pub fn decode(self, code: u8) -> f64 {
        let unused = 8 - self.bits();
        match self {
            Self::Int { .. } => f64::from((code << unused).cast_signed() >> unused),
            Self::Fixed8 => f64::from(code.cast_signed()) * FIXED8_UNIT,
            Self::E4M3 | Self::E5M2 | Self::E2M1 => {
                let float = self.float();
                let negative = code >> (self.bits() - 1) & 1 == 1;
                let mantissa = code & ((1 << float.mantissa_bits) - 1);
                let field = (code << unused << 1) >> (1 + unused + float.mantissa_bits);
                let magnitude = match (self, field, mantissa) {
                    (Self::E4M3, 15, 7) => f64::NAN,
                    (Self::E5M2, 31, 0) => f64::INFINITY,
                    (Self::E5M2, 31, _) => f64::NAN,
                    (_, 0, _) => f64::from(mantissa) * float.quantum(1 - float.bias),
                    _ => {
                        let significand = (1 << float.mantissa_bits) + u32::from(mantissa);
                        f64::from(significand) * float.quantum(i32::from(field) - float.bias)
                    }
                };
                if negative { -magnitude } else { magnitude }
            }
        }
    }

    fn float(self) -> Float {
        let (mantissa_bits, bias, max) = match self {
            Self::E4M3 => (3, 7, 448.0),
            Self::E5M2 => (2, 15, 57344.0),
            Self::E2M1 => (1, 1, 6.0),
            Self::Int { .. } | Self::Fixed8 => unreachable!("{self:?} has no exponent"),
        };
        Float {
            mantissa_bits,
            bias,
            max,
        }
    }
}

impl Float {
    /// Distance of neighbours whose exponent is `exponent`.
    fn quantum(&self, exponent: i32) -> f64 {
        power_of_two(exponent - self.mantissa_bits.cast_signed())
    }

    /// The nearest magnitude, ties to even, as if exponents had no upper end.
    fn nearest(&self, x: f64) -> f64 {
        let magnitude = x.abs();
        let quantum = self.quantum(exponent(magnitude).max(1 - self.bias));
        nearest_integer(magnitude / quantum) * quantum
    }
}

/// Ties to even, for |x| < 2^51: the sum has a unit of 1 in its last place. Unlike `round_ties_even`, this needs no
/// library call on a processor without SSE 4.1, and is a vector instruction on all.
fn nearest_integer(x: f64) -> f64 {
    const MAGIC: f64 = 1.5 * (1_u64 << 52) as f64;
    (x + MAGIC) - MAGIC
}

/// floor(log2(x)) of a normal number above zero; less than -1022 for smaller ones.
pub(crate) fn exponent(x: f64) -> i32 {
    let field = x.to_bits() >> 52 & 0x7ff;
    i32::try_from(field).expect("11 bits") - 1023
}

/// 2^`exponent`, -1022 to 1023.
pub(crate) fn power_of_two(exponent: i32) -> f64 {
    let field = u64::try_from(exponent + 1023).expect("a normal number");
    f64::from_bits(field << 52)
}
