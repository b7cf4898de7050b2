//! The arithmetic units alone: `rtl/tb/fp_units_tb`, and division and square root: `rtl/tb/fp_divide_tb`.

use std::ffi::OsString;

use crate::verilator::{Bench, CosimError, file_error};

/// Operands; the units of binary16 take the low half of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// First operand.
    pub a: u32,
    /// Second operand.
    pub b: u32,
    /// Exponent of the products, -64 to 64.
    pub exponent: i32,
    /// Exponent of the scaled value, of 21 bits.
    pub power: i32,
}

/// What the units make of a [`Pair`], as bit patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Results {
    /// a b 2^exponent in binary16.
    pub product: u16,
    /// a b 2^exponent in binary32, exact.
    pub exact: u32,
    /// a + b in binary16.
    pub sum16: u16,
    /// a + b in binary32.
    pub sum32: u32,
    /// The binary32 a rounded to binary16.
    pub rounded: u16,
    /// The binary16 a as binary32.
    pub widened: u32,
    /// a b in binary32.
    pub product32: u32,
    /// floor(log2 a) in binary32.
    pub logarithm: u32,
    /// a as a scalar: mantissa in binary16.
    pub mantissa: u16,
    /// a as a scalar: exponent.
    pub scale: i8,
    /// a as an exponent of products.
    pub integer: i8,
    /// a 2^power in binary16.
    pub scaled: u16,
}

/// What division and square root make of two operands, as bit patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotient {
    /// a / b in binary32.
    pub quotient: u32,
    /// Square root of a in binary32.
    pub root: u32,
}

const WORDS: usize = 12;

impl Bench {
    /// Results for every pair, in order, of units with `latency` registers.
    ///
    /// # Errors
    /// Files, or a bench that fails.
    pub fn units(&self, latency: u64, pairs: &[Pair]) -> Result<Vec<Results>, CosimError> {
        let words = pairs.iter().flat_map(|p| {
            let [exponent, power] = [p.exponent, p.power].map(i32::cast_unsigned);
            [p.a, p.b, exponent, power]
        });
        let words = self.words(latency, words)?;
        let (records, _) = words.as_chunks::<WORDS>();
        Ok(records.iter().map(Results::new).collect())
    }

    /// a / b and the root of a for every (a, b), in order, `cycles` after the start.
    ///
    /// # Errors
    /// Files, or a bench that fails.
    pub fn quotients(
        &self,
        cycles: u64,
        operands: &[(u32, u32)],
    ) -> Result<Vec<Quotient>, CosimError> {
        let words = self.words(cycles, operands.iter().flat_map(|&(a, b)| [a, b]))?;
        let (records, _) = words.as_chunks::<2>();
        let quotients = records
            .iter()
            .map(|&[quotient, root]| Quotient { quotient, root });
        Ok(quotients.collect())
    }

    /// Runs a bench that takes a number and a file of words and gives another one.
    fn words(&self, number: u64, words: impl Iterator<Item = u32>) -> Result<Vec<u32>, CosimError> {
        let (input, output) = (self.file("input.bin"), self.file("output.bin"));
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        std::fs::write(&input, bytes).map_err(|e| file_error(&input, e))?;
        let arguments: [OsString; 3] = [
            number.to_string().into(),
            input.into(),
            output.clone().into(),
        ];
        self.run(&arguments)?;
        let bytes = std::fs::read(&output).map_err(|e| file_error(&output, e))?;
        let (words, _) = bytes.as_chunks::<4>();
        Ok(words.iter().map(|w| u32::from_le_bytes(*w)).collect())
    }
}

impl Results {
    fn new(words: &[u32; WORDS]) -> Results {
        let half = |word: u32| u16::try_from(word).expect("ports of 16 bits");
        let byte = |word: u32| u8::try_from(word).expect("ports of 8 bits").cast_signed();
        let [
            product,
            exact,
            sum16,
            sum32,
            rounded,
            widened,
            product32,
            logarithm,
            mantissa,
            scale,
            integer,
            scaled,
        ] = *words;
        Results {
            product: half(product),
            exact,
            sum16: half(sum16),
            sum32,
            rounded: half(rounded),
            widened,
            product32,
            logarithm,
            mantissa: half(mantissa),
            scale: byte(scale),
            integer: byte(integer),
            scaled: half(scaled),
        }
    }
}
