//! Seeded random operands: every class of values that the arithmetic treats differently.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// A number from `low` to `high`.
    pub(crate) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn chance(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let n = self.below(from.len() as u64);
        &from[usize::try_from(n).expect("an index")]
    }

    pub(crate) fn bits16(&mut self) -> u16 {
        u16::try_from(self.next() >> 48).expect("16 bits")
    }

    pub(crate) fn bits32(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).expect("32 bits")
    }

    /// A value of random sign and fraction with an exponent field from `low` to `high`.
    fn between(&mut self, low: u64, high: u64) -> u16 {
        let exponent = u16::try_from(self.within(low, high)).expect("5 bits");
        self.bits16() & 0x83ff | exponent << 10
    }
}

/// What the elements of a vector are like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// 2^-6 to 2: sums of products stay finite.
    Moderate,
    /// Small powers of two and their negatives: sums cancel exactly, ties are frequent.
    Cancelling,
    /// Subnormals and zeros of both signs.
    Tiny,
    /// Moderate, with a few activations in the thousands.
    Massive,
    /// -0 everywhere, and moderate values above zero: sums that are -0 until something that is missing adds +0.
    NegativeZero,
    Positive,
    /// All finite patterns.
    Finite,
    /// Moderate, with infinities and NaN here and there.
    Special,
}

impl Profile {
    /// Mostly such that results are finite.
    pub(crate) fn random(random: &mut Random) -> Profile {
        match random.below(20) {
            0..6 => Profile::Moderate,
            6..10 => Profile::Cancelling,
            10..12 => Profile::Tiny,
            12..14 => Profile::Massive,
            14..16 => Profile::NegativeZero,
            16..18 => Profile::Positive,
            18 => Profile::Finite,
            _ => Profile::Special,
        }
    }

    pub(crate) fn element(self, random: &mut Random) -> u16 {
        match self {
            Profile::Moderate => random.between(9, 15),
            Profile::Cancelling => *random.pick(&[
                0x3c00, 0xbc00, 0x3c00, 0xbc00, 0x3800, 0xb800, 0x4000, 0xc000, 0x1400, 0x9400,
                0x0000, 0x8000, 0x3c01, 0xbc01,
            ]),
            Profile::Tiny => match random.below(4) {
                0 => *random.pick(&[0x0000, 0x8000]),
                _ => random.between(0, 1),
            },
            Profile::Massive if random.chance(24) => random.between(26, 28),
            Profile::Massive => random.between(5, 14),
            Profile::NegativeZero => 0x8000,
            Profile::Positive => random.between(9, 15) & 0x7fff,
            Profile::Finite => random.between(0, 30),
            Profile::Special if random.chance(40) => {
                *random.pick(&[0x7c00, 0xfc00, 0x7e00, 0xfe00, 0x7c01, 0xffff])
            }
            Profile::Special => random.between(9, 15),
        }
    }
}
