//! A seeded generator for the tests that need more values than a property test draws.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Two independent binary16 patterns, all equally likely.
    pub(crate) fn pair16(&mut self) -> (u16, u16) {
        let bits = self.next().to_le_bytes();
        (
            u16::from_le_bytes([bits[0], bits[1]]),
            u16::from_le_bytes([bits[2], bits[3]]),
        )
    }

    /// Two independent binary32 patterns, all equally likely.
    pub(crate) fn pair32(&mut self) -> (u32, u32) {
        let bits = self.next();
        (
            u32::try_from(bits >> 32).expect("32 bits"),
            u32::try_from(bits & 0xffff_ffff).expect("32 bits"),
        )
    }
}
