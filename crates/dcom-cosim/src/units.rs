//! The arithmetic units alone: `rtl/tb/fp_units_tb`.

use crate::verilator::{Bench, CosimError, file_error};

/// Registers behind each unit in this bench.
pub const LATENCY: u64 = 3;

/// Operands; the units of binary16 take the low half of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// First operand.
    pub a: u32,
    /// Second operand.
    pub b: u32,
    /// Exponent of the products, -64 to 64.
    pub exponent: i32,
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
}

const WORDS: usize = 6;

impl Bench {
    /// Results for every pair, in order.
    ///
    /// # Errors
    /// Files, or a bench that fails.
    pub fn units(&self, pairs: &[Pair]) -> Result<Vec<Results>, CosimError> {
        let (input, output) = (self.file("input.bin"), self.file("output.bin"));
        let words = pairs
            .iter()
            .flat_map(|p| [p.a, p.b, p.exponent.cast_unsigned()]);
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        std::fs::write(&input, bytes).map_err(|e| file_error(&input, e))?;
        let paths = [input.into_os_string(), output.clone().into_os_string()];
        let latency = LATENCY.to_string().into();
        self.run(&[latency, paths[0].clone(), paths[1].clone()])?;
        let bytes = std::fs::read(&output).map_err(|e| file_error(&output, e))?;
        let (words, _) = bytes.as_chunks::<4>();
        let words: Vec<u32> = words.iter().map(|w| u32::from_le_bytes(*w)).collect();
        let (records, _) = words.as_chunks::<WORDS>();
        Ok(records.iter().map(Results::new).collect())
    }
}

impl Results {
    fn new(words: &[u32; WORDS]) -> Results {
        let half = |word: u32| u16::try_from(word).expect("ports of 16 bits");
        let [product, exact, sum16, sum32, rounded, widened] = *words;
        Results {
            product: half(product),
            exact,
            sum16: half(sum16),
            sum32,
            rounded: half(rounded),
            widened,
        }
    }
}
