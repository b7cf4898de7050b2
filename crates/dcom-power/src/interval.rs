//! A result with the ends of the interval that the coefficients leave it.

use std::iter::Sum;
use std::ops::{Add, Mul};

/// Lowest, nominal and highest value of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// With every coefficient at the end of its range that makes the result smallest.
    pub low: f64,
    /// With every coefficient at its value.
    pub nominal: f64,
    /// With every coefficient at the end that makes the result largest.
    pub high: f64,
}

impl Interval {
    /// From the values at the three corners.
    pub(crate) fn of(corners: [f64; 3]) -> Interval {
        let [low, nominal, high] = corners;
        Interval { low, nominal, high }
    }
}

impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        Interval {
            low: self.low + other.low,
            nominal: self.nominal + other.nominal,
            high: self.high + other.high,
        }
    }
}

impl Sum for Interval {
    fn sum<I: Iterator<Item = Interval>>(intervals: I) -> Interval {
        intervals.fold(Interval::default(), Add::add)
    }
}

impl Mul<f64> for Interval {
    type Output = Interval;
    /// By a factor that is not negative.
    fn mul(self, factor: f64) -> Interval {
        Interval {
            low: self.low * factor,
            nominal: self.nominal * factor,
            high: self.high * factor,
        }
    }
}
