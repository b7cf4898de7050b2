//! Blocks of 16 independent values in whatever registers the processor has.
//!
//! All arithmetic is IEEE and each operation rounds by itself (nothing is fused), so the back ends
//! agree in every bit but NaN payloads. The processor's binary16 conversions are what makes the
//! back ends fast. Only this file has `unsafe`: a value of [`Avx2`] or [`Avx512`] exists only where
//! the processor was found to have the instructions.

use crate::format::{from_bits, round16};

/// Values per block: one AVX-512 register, two AVX2 registers.
pub(crate) const BLOCK: usize = 16;

/// Instructions that kernels run on; the default is the fastest this processor has.
#[derive(Clone, Copy, Debug)]
pub struct Backend(Isa);

#[derive(Clone, Copy, Debug)]
enum Isa {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Backend {
    /// Plain Rust, on any processor.
    pub const PORTABLE: Self = Self(Isa::Portable(Portable));

    /// All that this processor can run, fastest first; the last is [`Backend::PORTABLE`].
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            found.extend(x86::Avx512::detect().map(|isa| Self(Isa::Avx512(isa))));
            found.extend(x86::Avx2::detect().map(|isa| Self(Isa::Avx2(isa))));
        }
        found.push(Self::PORTABLE);
        found
    }

    /// "avx512", "avx2" or "portable".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Isa::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(_) => "avx512",
        }
    }

    /// Runs `kernel` compiled for this back end's instructions.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Isa::Portable(simd) => kernel.run(simd),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(simd) => x86::run_avx2(simd, kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(simd) => x86::run_avx512(simd, kernel),
        }
    }
}

impl Default for Backend {
    #[inline]
    fn default() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(isa) = x86::Avx512::detect() {
                return Self(Isa::Avx512(isa));
            }
            if let Some(isa) = x86::Avx2::detect() {
                return Self(Isa::Avx2(isa));
            }
        }
        Self::PORTABLE
    }
}

/// Work that is compiled once per back end. Implementations, and all they call, are
/// `#[inline(always)]`: code that isn't inlined into the back end's entry function is compiled for
/// the baseline processor.
pub(crate) trait Kernel {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Operations on blocks of [`BLOCK`] values, element by element.
pub(crate) trait Simd: Copy {
    type Block: Copy;
    fn splat(self, x: f32) -> Self::Block;
    fn load(self, values: &[f32; BLOCK]) -> Self::Block;
    fn store(self, block: Self::Block, out: &mut [f32; BLOCK]);
    /// Values of binary16 bit patterns.
    fn widen(self, bits: &[u16; BLOCK]) -> Self::Block;
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block;
    fn mul(self, a: Self::Block, b: Self::Block) -> Self::Block;
    /// [`crate::round16`] but for NaN payloads.
    fn round16(self, block: Self::Block) -> Self::Block;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Simd for Portable {
    type Block = [f32; BLOCK];

    #[inline(always)]
    fn splat(self, x: f32) -> Self::Block {
        [x; BLOCK]
    }
    #[inline(always)]
    fn load(self, values: &[f32; BLOCK]) -> Self::Block {
        *values
    }
    #[inline(always)]
    fn store(self, block: Self::Block, out: &mut [f32; BLOCK]) {
        *out = block;
    }
    #[inline(always)]
    fn widen(self, bits: &[u16; BLOCK]) -> Self::Block {
        bits.map(from_bits)
    }
    #[inline(always)]
    fn add(self, a: Self::Block, b: Self::Block) -> Self::Block {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::Block, b: Self::Block) -> Self::Block {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn round16(self, block: Self::Block) -> Self::Block {
        block.map(round16)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Kernel, Simd};

    #[derive(Clone, Copy, Debug)]
    pub(super) struct Avx2(());

    #[derive(Clone, Copy, Debug)]
    pub(super) struct Avx512(());

    impl Avx2 {
        #[inline]
        pub(super) fn detect() -> Option<Self> {
            (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c"))
                .then_some(Self(()))
        }
    }

    impl Avx512 {
        #[inline]
        pub(super) fn detect() -> Option<Self> {
            is_x86_feature_detected!("avx512f").then_some(Self(()))
        }
    }

    pub(super) fn run_avx2<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,f16c")]
        fn entry<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Avx2` exists only after its instructions were detected.
        unsafe { entry(simd, kernel) }
    }

    pub(super) fn run_avx512<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f")]
        fn entry<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: an `Avx512` exists only after its instructions were detected.
        unsafe { entry(simd, kernel) }
    }

    // Embedded in the instruction, so it isn't subject to the rounding mode of the environment.
    const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT;

    // SAFETY, for every `unsafe` in this impl: an `Avx2` exists only after its instructions were
    // detected, and the pointers come from references to arrays of the length that is read or
    // written.
    impl Simd for Avx2 {
        type Block = [__m256; 2];

        #[inline(always)]
        fn splat(self, x: f32) -> Self::Block {
            [unsafe { _mm256_set1_ps(x) }; 2]
        }
        #[inline(always)]
        fn load(self, values: &[f32; BLOCK]) -> Self::Block {
            unsafe {
                [
                    _mm256_loadu_ps(values.as_ptr()),
                    _mm256_loadu_ps(values.as_ptr().add(8)),
                ]
            }
        }
        #[inline(always)]
        fn store(self, [low, high]: Self::Block, out: &mut [f32; BLOCK]) {
            unsafe {
                _mm256_storeu_ps(out.as_mut_ptr(), low);
                _mm256_storeu_ps(out.as_mut_ptr().add(8), high);
            }
        }
        #[inline(always)]
        fn widen(self, bits: &[u16; BLOCK]) -> Self::Block {
            unsafe {
                [
                    _mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().cast())),
                    _mm256_cvtph_ps(_mm_loadu_si128(bits.as_ptr().add(8).cast())),
                ]
            }
        }
        #[inline(always)]
        fn add(self, a: Self::Block, b: Self::Block) -> Self::Block {
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn mul(self, a: Self::Block, b: Self::Block) -> Self::Block {
            unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn round16(self, [low, high]: Self::Block) -> Self::Block {
            unsafe {
                [
                    _mm256_cvtph_ps(_mm256_cvtps_ph::<NEAREST>(low)),
                    _mm256_cvtph_ps(_mm256_cvtps_ph::<NEAREST>(high)),
                ]
            }
        }
    }

    // SAFETY, for every `unsafe` in this impl: an `Avx512` exists only after its instructions were
    // detected, and the pointers come from references to arrays of the length that is read or
    // written.
    impl Simd for Avx512 {
        type Block = __m512;

        #[inline(always)]
        fn splat(self, x: f32) -> Self::Block {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        fn load(self, values: &[f32; BLOCK]) -> Self::Block {
            unsafe { _mm512_loadu_ps(values.as_ptr()) }
        }
        #[inline(always)]
        fn store(self, block: Self::Block, out: &mut [f32; BLOCK]) {
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), block) }
        }
        #[inline(always)]
        fn widen(self, bits: &[u16; BLOCK]) -> Self::Block {
            unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(bits.as_ptr().cast())) }
        }
        #[inline(always)]
        fn add(self, a: Self::Block, b: Self::Block) -> Self::Block {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        fn mul(self, a: Self::Block, b: Self::Block) -> Self::Block {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        fn round16(self, block: Self::Block) -> Self::Block {
            unsafe { _mm512_cvtph_ps(_mm512_cvtps_ph::<NEAREST>(block)) }
        }
    }
}
