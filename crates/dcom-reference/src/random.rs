//! Seeded random numbers that are the same on every platform: integer arithmetic only.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// An independent stream for one row or column, so that they can be filled in any order.
    pub(crate) fn stream(seed: u64, purpose: u64, index: usize) -> Self {
        let index = u64::try_from(index).expect("usize is at most 64 bits");
        let mut mixed = Self::new(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
        mixed.state = mixed.bits() ^ index.wrapping_mul(0xa076_1d64_78bd_642f);
        mixed.state = mixed.bits();
        mixed
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of mean 0 and variance 1, nearly normal: the sum of eight uniform 16-bit numbers. Excess kurtosis -0.15,
    /// never beyond 4.9. Logarithms and cosines, which true normal numbers need, differ between C libraries.
    pub(crate) fn normal(&mut self) -> f32 {
        // Eight uniform integers on 0..65536: mean 8 x 32767.5, standard deviation 65536 sqrt(8 / 12).
        const MEAN: f32 = 262_140.0;
        const SCALE: f32 = 1.224_744_9 / 65_536.0;
        let (first, second) = (self.bits(), self.bits());
        let halves = |x: u64| (x & 0x0000_ffff_0000_ffff) + ((x >> 16) & 0x0000_ffff_0000_ffff);
        let sums = halves(first) + halves(second);
        let sum = u32::try_from((sums & 0xffff_ffff) + (sums >> 32)).expect("at most 8 x 65535");
        #[expect(clippy::cast_precision_loss, reason = "below 2^19")]
        let sum = sum as f32;
        (sum - MEAN) * SCALE
    }

    /// A number in 0..`bound`, for a `bound` far below 2^32.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("usize is at most 64 bits");
        assert!(
            0 < bound && bound < 1 << 31,
            "bound {bound} is outside 1 to 2^31"
        );
        usize::try_from(((self.bits() >> 32) * bound) >> 32).expect("below the bound")
    }
}
