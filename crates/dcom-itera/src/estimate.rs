//! Numbers that are known to a range.

use std::ops::{Add, Mul};

/// A value with the low and high end of what it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Low end.
    pub low: f64,
    /// The value to use.
    pub value: f64,
    /// High end.
    pub high: f64,
}

impl Estimate {
    pub(crate) const fn new(low: f64, value: f64, high: f64) -> Estimate {
        Estimate { low, value, high }
    }

    /// A published figure without a range.
    pub(crate) const fn exact(value: f64) -> Estimate {
        Estimate::new(value, value, value)
    }
}

impl Add for Estimate {
    type Output = Estimate;

    fn add(self, other: Estimate) -> Estimate {
        Estimate::new(
            self.low + other.low,
            self.value + other.value,
            self.high + other.high,
        )
    }
}

impl Mul<f64> for Estimate {
    type Output = Estimate;

    fn mul(self, factor: f64) -> Estimate {
        Estimate::new(self.low * factor, self.value * factor, self.high * factor)
    }
}
