//! Whole-number arithmetic with stated rounding.

/// `n / d`, rounded up. `d` must not be zero.
#[must_use]
pub const fn ceil_div(n: u64, d: u64) -> u64 {
    n.div_ceil(d)
}

/// Levels of a binary tree over `n` leaves: the smallest `l` with `2^l >= n`; 0 for 0 and 1.
#[must_use]
pub const fn log2_ceil(n: u64) -> u64 {
    if n <= 1 {
        0
    } else {
        (u64::BITS - (n - 1).leading_zeros()) as u64
    }
}

/// An exact transfer rate: `bytes / cycles` bytes per clock cycle.
///
/// Rates of memories and links are seldom whole numbers of bytes per cycle; kept as a fraction,
/// the time of a transfer is an integer that hardware can count as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    bytes: u64,
    cycles: u64,
}

impl Rate {
    /// A rate of `bytes` bytes in `cycles` cycles, both at least 1.
    #[must_use]
    pub fn new(bytes: u64, cycles: u64) -> Rate {
        assert!(
            bytes > 0 && cycles > 0,
            "a rate needs bytes and cycles: {bytes} / {cycles}"
        );
        Rate { bytes, cycles }
    }

    /// Longest time of one transfer; longer ones count as this long, and runs that contain one are refused.
    pub const MOST_CYCLES: u64 = 1 << 60;

    /// Cycles that `bytes` bytes take, rounded up to whole cycles; at most [`Rate::MOST_CYCLES`].
    #[must_use]
    pub fn cycles_for(self, bytes: u64) -> u64 {
        let product = u128::from(bytes) * u128::from(self.cycles);
        u64::try_from(product.div_ceil(u128::from(self.bytes)))
            .map_or(Rate::MOST_CYCLES, |c| c.min(Rate::MOST_CYCLES))
    }

    /// The rate that is left when `taken` is reserved for another stream, if any is left.
    #[must_use]
    pub fn minus(self, taken: Rate) -> Option<Rate> {
        let (mine, other) = (self.bytes * taken.cycles, taken.bytes * self.cycles);
        (mine > other).then(|| Rate::new(mine - other, self.cycles * taken.cycles))
    }

    /// The rate of one of `parts` equal channels.
    #[must_use]
    pub fn split(self, parts: u64) -> Rate {
        Rate::new(self.bytes, self.cycles * parts)
    }

    /// Bytes, in [`Rate::cycles`] cycles.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// Cycles that [`Rate::bytes`] bytes take.
    #[must_use]
    pub fn cycles(self) -> u64 {
        self.cycles
    }

    /// Bytes per cycle, for reports.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "reporting only")]
    pub fn bytes_per_cycle(self) -> f64 {
        self.bytes as f64 / self.cycles as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_levels() {
        let levels: Vec<u64> = [0, 1, 2, 3, 4, 5, 8, 9]
            .iter()
            .map(|&n| log2_ceil(n))
            .collect();
        assert_eq!(levels, [0, 0, 1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn transfer_times_are_exact_and_rounded_up() {
        // 2039 bytes in 1 cycle: 4078 bytes take 2 cycles, one byte more takes 3.
        let hbm = Rate::new(2039, 1);
        assert_eq!([4078, 4079, 0].map(|b| hbm.cycles_for(b)), [2, 3, 0]);
        // A third of a byte per cycle.
        assert_eq!(Rate::new(1, 3).cycles_for(5), 15);
    }

    #[test]
    fn reserving_and_splitting_bandwidth() {
        // 10 bytes per cycle less 5 bytes in 2 cycles leaves 7.5: 15 bytes take 2 cycles.
        let left = Rate::new(10, 1)
            .minus(Rate::new(5, 2))
            .expect("some is left");
        assert_eq!(left.cycles_for(15), 2);
        assert_eq!(Rate::new(1, 1).minus(Rate::new(2, 1)), None);
        assert_eq!(Rate::new(8, 1).split(4).cycles_for(8), 4);
    }
}
