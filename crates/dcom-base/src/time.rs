//! Instants and durations, in clock cycles of the machine.
//!
//! `Cycle` is an instant, `Cycles` a duration: the sum of two instants does not compile.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};

/// An instant: cycles since the first instruction may issue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cycle(pub u64);

/// A duration in clock cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cycles(pub u64);

impl Cycle {
    /// The first cycle of a run.
    pub const ZERO: Cycle = Cycle(0);

    /// The time from `earlier` to `self`, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Cycle) -> Cycles {
        Cycles(self.0.saturating_sub(earlier.0))
    }

    /// The latest issue instant that lets something at `offset` after it happen at `self`.
    #[must_use]
    pub fn back(self, offset: Cycles) -> Cycle {
        Cycle(self.0.saturating_sub(offset.0))
    }
}

impl Cycles {
    /// No time at all.
    pub const ZERO: Cycles = Cycles(0);

    /// The duration in microseconds at a clock in MHz.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "reporting only; exact below 2^53 cycles"
    )]
    pub fn microseconds(self, clock_mhz: f64) -> f64 {
        self.0 as f64 / clock_mhz
    }
}

impl Add<Cycles> for Cycle {
    type Output = Cycle;
    fn add(self, rhs: Cycles) -> Cycle {
        Cycle(self.0 + rhs.0)
    }
}

impl Add for Cycles {
    type Output = Cycles;
    fn add(self, rhs: Cycles) -> Cycles {
        Cycles(self.0 + rhs.0)
    }
}

impl Sub for Cycles {
    type Output = Cycles;
    fn sub(self, rhs: Cycles) -> Cycles {
        assert!(
            self.0 >= rhs.0,
            "negative duration: {} - {} cycles",
            self.0,
            rhs.0
        );
        Cycles(self.0 - rhs.0)
    }
}

impl Mul<u64> for Cycles {
    type Output = Cycles;
    fn mul(self, rhs: u64) -> Cycles {
        Cycles(self.0 * rhs)
    }
}

impl AddAssign for Cycles {
    fn add_assign(&mut self, rhs: Cycles) {
        self.0 += rhs.0;
    }
}

impl Sum for Cycles {
    fn sum<I: Iterator<Item = Cycles>>(iter: I) -> Cycles {
        Cycles(iter.map(|c| c.0).sum())
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cycles", self.0)
    }
}
