//! IEEE 754 binary16 and binary32 in integers, written from the standard's definition: an operation
//! gives the exact result rounded once. No floating-point instruction is used.

/// A binary interchange format.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// Significand bits, the hidden one included.
    precision: i32,
    /// Largest exponent of a finite number; the smallest of a normal one is 1 - `emax`.
    emax: i32,
    quiet_nan: u32,
}

pub(crate) const BINARY16: Format = Format {
    precision: 11,
    emax: 15,
    quiet_nan: 0x7e00,
};
pub(crate) const BINARY32: Format = Format {
    precision: 24,
    emax: 127,
    quiet_nan: 0x7fc0_0000,
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Number {
    NaN,
    Infinite {
        negative: bool,
    },
    /// `magnitude` * 2^`exponent`.
    Finite {
        negative: bool,
        magnitude: u128,
        exponent: i32,
    },
}

impl Format {
    pub(crate) fn decode(self, bits: u32) -> Number {
        let fraction_bits = self.precision - 1;
        let all_ones = u32::try_from(2 * self.emax + 1).expect("positive");
        let fraction = bits & ((1 << fraction_bits) - 1);
        let field = (bits >> fraction_bits) & all_ones;
        let negative = bits >> fraction_bits > all_ones;
        let smallest = 1 - self.emax - fraction_bits;
        if field == all_ones {
            return if fraction == 0 {
                Number::Infinite { negative }
            } else {
                Number::NaN
            };
        }
        if field == 0 {
            return Number::Finite {
                negative,
                magnitude: fraction.into(),
                exponent: smallest,
            };
        }
        let magnitude = u128::from(fraction | 1 << fraction_bits);
        Number::Finite {
            negative,
            magnitude,
            exponent: smallest + i32::try_from(field).expect("small") - 1,
        }
    }

    /// Rounds to nearest, ties to even.
    pub(crate) fn encode(self, number: Number) -> u32 {
        let fraction_bits = self.precision - 1;
        let infinity = u32::try_from(2 * self.emax + 1).expect("positive") << fraction_bits;
        let sign = |negative: bool| {
            u32::from(negative) << (fraction_bits + infinity.count_ones().cast_signed())
        };
        let (negative, magnitude, exponent) = match number {
            Number::NaN => return self.quiet_nan,
            Number::Infinite { negative } => return sign(negative) | infinity,
            Number::Finite {
                negative,
                magnitude,
                exponent,
            } => (negative, magnitude, exponent),
        };
        if magnitude == 0 {
            return sign(negative);
        }
        // The unit in the last place of the result, from the leading bit but never below the
        // subnormals'.
        let leading = exponent + magnitude.ilog2().cast_signed();
        let mut unit = leading.max(1 - self.emax) - fraction_bits;
        let mut significand = shift_to_nearest_even(magnitude, exponent - unit);
        if significand == 1 << self.precision {
            significand >>= 1;
            unit += 1;
        }
        if unit + fraction_bits > self.emax {
            return sign(negative) | infinity;
        }
        let significand = u32::try_from(significand).expect("fits the precision");
        let hidden = 1 << fraction_bits;
        if significand < hidden {
            return sign(negative) | significand;
        }
        let field = u32::try_from(unit + fraction_bits + self.emax).expect("a normal exponent");
        sign(negative) | field << fraction_bits | (significand - hidden)
    }

    pub(crate) fn add(self, a: u32, b: u32) -> u32 {
        self.encode(sum(self.decode(a), self.decode(b)))
    }

    pub(crate) fn sub(self, a: u32, b: u32) -> u32 {
        self.encode(sum(self.decode(a), negated(self.decode(b))))
    }

    pub(crate) fn mul(self, a: u32, b: u32) -> u32 {
        self.encode(product(self.decode(a), self.decode(b)))
    }

    pub(crate) fn div(self, a: u32, b: u32) -> u32 {
        self.encode(quotient(self.decode(a), self.decode(b)))
    }

    pub(crate) fn sqrt(self, a: u32) -> u32 {
        self.encode(root(self.decode(a)))
    }
}

/// A number that rounds as the exact quotient does, for operands of at most 24 significand bits.
fn quotient(a: Number, b: Number) -> Number {
    use Number::{Finite, Infinite, NaN};
    // More bits of the quotient than any rounding looks at; what is left over is in the lowest bit.
    const PLACES: i32 = 64;
    match (a, b) {
        (NaN, _) | (_, NaN) | (Infinite { .. }, Infinite { .. }) => NaN,
        (Infinite { negative: a }, Finite { negative: b, .. }) => Infinite { negative: a != b },
        (Finite { negative: a, .. }, Infinite { negative: b }) => Finite {
            negative: a != b,
            magnitude: 0,
            exponent: 0,
        },
        (
            Finite {
                negative: a,
                magnitude: ma,
                exponent: ea,
            },
            Finite {
                negative: b,
                magnitude: mb,
                exponent: eb,
            },
        ) => match (ma, mb) {
            (0, 0) => NaN,
            (_, 0) => Infinite { negative: a != b },
            _ => {
                let (whole, rest) = ((ma << PLACES) / mb, (ma << PLACES) % mb);
                Finite {
                    negative: a != b,
                    magnitude: whole << 1 | u128::from(rest != 0),
                    exponent: ea - eb - PLACES - 1,
                }
            }
        },
    }
}

/// A number that rounds as the exact square root does, for an operand of at most 24 significand bits.
fn root(a: Number) -> Number {
    match a {
        Number::Infinite { negative: false } => a,
        Number::Finite { magnitude: 0, .. } => a,
        Number::Finite {
            negative: false,
            magnitude,
            exponent,
        } => {
            let places = 80 + exponent.rem_euclid(2);
            let whole = (magnitude << places).isqrt();
            Number::Finite {
                negative: false,
                magnitude: whole << 1 | u128::from(whole * whole != magnitude << places),
                exponent: (exponent - places) / 2 - 1,
            }
        }
        Number::NaN | Number::Infinite { .. } | Number::Finite { .. } => Number::NaN,
    }
}

/// Exact product.
pub(crate) fn product(a: Number, b: Number) -> Number {
    use Number::{Finite, Infinite, NaN};
    match (a, b) {
        (NaN, _) | (_, NaN) => NaN,
        (Infinite { negative: a }, Infinite { negative: b }) => Infinite { negative: a != b },
        (
            Infinite { negative: a },
            Finite {
                negative: b,
                magnitude,
                ..
            },
        )
        | (
            Finite {
                negative: b,
                magnitude,
                ..
            },
            Infinite { negative: a },
        ) => {
            if magnitude == 0 {
                NaN
            } else {
                Infinite { negative: a != b }
            }
        }
        (
            Finite {
                negative: a,
                magnitude: ma,
                exponent: ea,
            },
            Finite {
                negative: b,
                magnitude: mb,
                exponent: eb,
            },
        ) => Finite {
            negative: a != b,
            magnitude: ma * mb,
            exponent: ea + eb,
        },
    }
}

/// `number` * 2^`exponent`, exact.
pub(crate) fn scaled(number: Number, by: i32) -> Number {
    match number {
        Number::NaN | Number::Infinite { .. } => number,
        Number::Finite {
            negative,
            magnitude,
            exponent,
        } => Number::Finite {
            negative,
            magnitude,
            exponent: exponent + by,
        },
    }
}

fn negated(number: Number) -> Number {
    match number {
        Number::NaN => Number::NaN,
        Number::Infinite { negative } => Number::Infinite {
            negative: !negative,
        },
        Number::Finite {
            negative,
            magnitude,
            exponent,
        } => Number::Finite {
            negative: !negative,
            magnitude,
            exponent,
        },
    }
}

/// A number that rounds as the exact sum does, for operands of at most 24 significand bits.
fn sum(a: Number, b: Number) -> Number {
    use Number::{Finite, Infinite, NaN};
    let (a, b) = match (a, b) {
        (NaN, _) | (_, NaN) => return NaN,
        (Infinite { negative: a }, Infinite { negative: b }) if a != b => return NaN,
        (infinite @ Infinite { .. }, _) | (_, infinite @ Infinite { .. }) => return infinite,
        (
            Finite {
                negative: na,
                magnitude: ma,
                exponent: ea,
            },
            Finite {
                negative: nb,
                magnitude: mb,
                exponent: eb,
            },
        ) => ((na, ma, ea), (nb, mb, eb)),
    };
    let (high, low) = if a.2 >= b.2 { (a, b) } else { (b, a) };
    // 64 places hold every alignment in which the lower operand can reach the higher one's rounding
    // position; below that only whether something is there matters, which the lowest bit remembers.
    const PLACES: i32 = 64;
    let shift = (high.2 - low.2).min(PLACES);
    let (dropped, exponent) = (high.2 - low.2 - shift, low.2.max(high.2 - PLACES));
    let low_magnitude = match u32::try_from(dropped).expect("not negative") {
        0 => low.1,
        dropped => {
            let kept = low.1.checked_shr(dropped).unwrap_or_default();
            let sticky = low.1 != kept.checked_shl(dropped).unwrap_or_default();
            kept | u128::from(sticky)
        }
    };
    // A zero decodes with the lowest exponent there is, so it never displaces the other operand.
    let signed = |negative: bool, magnitude: u128| {
        let magnitude = i128::try_from(magnitude).expect("at most 88 bits");
        if negative { -magnitude } else { magnitude }
    };
    let exact = signed(high.0, high.1 << shift) + signed(low.0, low_magnitude);
    // An exact zero is +0 unless both operands are -0 (round to nearest).
    let negative = if exact == 0 { a.0 && b.0 } else { exact < 0 };
    Finite {
        negative,
        magnitude: exact.unsigned_abs(),
        exponent,
    }
}

/// `magnitude` * 2^`shift` as an integer, to nearest, ties to even.
fn shift_to_nearest_even(magnitude: u128, shift: i32) -> u128 {
    if shift >= 0 {
        return magnitude << shift;
    }
    let dropped = shift.unsigned_abs();
    // Anything further out is below half a unit; 120 still leaves room for the comparison with
    // half.
    if dropped > 120 {
        assert!(magnitude.ilog2() < 119);
        return 0;
    }
    let kept = magnitude >> dropped;
    let (remainder, half) = (magnitude - (kept << dropped), 1 << (dropped - 1));
    kept + u128::from(remainder > half || (remainder == half && kept & 1 == 1))
}
