//! Seeded random numbers, and the values that vectors and matrices of the tests get.

use dcom_tensor::Matrix;

/// A linear congruential sequence (Knuth's MMIX constants), of which the upper half is used.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..4 {
            random.below(2);
        }
        random
    }

    /// Uniform in `0..n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) % n
    }

    /// Uniform in `low..=high`.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// One of `of`.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("small")]
    }
}

/// Which values vectors and matrices get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Around 1, so that sums round but do not overflow.
    Tame,
    /// Any finite bit pattern: subnormals, both zeros, cancellations, massive outliers.
    Finite,
    /// Now and then an infinity as well, or a NaN, quiet or signaling, with any payload.
    Any,
}

impl Values {
    fn bits(self, random: &mut Random) -> u16 {
        let sign = random.pick(&[0, 0x8000]);
        let special = if self == Values::Tame {
            100
        } else {
            random.below(100)
        };
        let magnitude = match special {
            0 if self == Values::Any => 0x7c00,
            1 if self == Values::Any => random.pick(&[0x7e00, 0x7c01, 0x7d55, 0x7fff]),
            0..10 => 0,
            10..20 => random.below(0x400),
            20..40 => random.below(0x7c00),
            _ => random.within(0x3000, 0x4400),
        };
        sign | u16::try_from(magnitude).expect("15 bits")
    }

    /// Elements in a row. Now and then one is the one before with the other sign, which cancels it.
    pub(crate) fn list(self, random: &mut Random, len: u64) -> Vec<u16> {
        let mut list: Vec<u16> = Vec::new();
        for _ in 0..len {
            let before = list
                .last()
                .filter(|_| self != Values::Tame && random.below(8) == 0);
            list.push(match before {
                Some(bits) => bits ^ 0x8000,
                None => self.bits(random),
            });
        }
        list
    }

    /// A random matrix.
    #[must_use]
    pub fn matrix(self, random: &mut Random, rows: u64, columns: u64) -> Matrix {
        let data = self.list(random, rows * columns);
        let size = |n| usize::try_from(n).expect("small");
        Matrix::new(size(rows), size(columns), data).expect("sizes agree")
    }
}
