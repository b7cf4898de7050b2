//! The machine that multiplies: an output-stationary array of processing elements behind a memory of some bandwidth.
//!
//! Array: `rows` x `columns` elements. A tile of as many tokens x outputs stays in the accumulators while the inner dimension
//! streams through, one step per cycle; the tiles of a product follow each other without a gap (accumulators are double-buffered), and
//! the skew of rows + columns - 2 cycles is paid once per product. So M x K times K x N takes
//! ceil(M / rows) ceil(N / columns) K + rows + columns - 2 cycles (SCALE-Sim, arXiv 1811.02883, without its drain per tile).
//!
//! Memory: weights are read once, inputs read once in the format of the activations, outputs written once in 16 bits; what lies between the
//! two products of a factored layer stays on the chip. That needs a buffer for one operand and is the least traffic possible, for
//! quantization-only and factored layers alike. The layer takes the longer of arithmetic and traffic, which overlap.

use crate::error::IteraError;
use crate::estimate::Estimate;
use crate::format::Format;
use crate::pe::{activation_format, processing_element};

/// Bits of an output. Assumed: fp16 or a partial requantization of that size.
const OUTPUT_BITS: u64 = 16;

/// Energy of a bit from or to memory \[fJ\]. HBM2, O'Connor et al., MICRO 2017: 3.9 pJ; range: GDDR5's 14 pJ of the same
/// paper, and assumed half for the low end.
const MEMORY_BIT_FJ: Estimate = Estimate::new(1950.0, 3900.0, 14000.0);

/// Part of the placed area that cells cover. Assumed, as in `configs/tech/generic45.toml`.
const PLACEMENT: (f64, f64, f64) = (0.8, 0.7, 0.6);

/// An array of processing elements for weights of one format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// Tokens at a time.
    pub rows: u64,
    /// Outputs at a time.
    pub columns: u64,
    /// Clock \[GHz\].
    pub clock_ghz: f64,
    /// Memory bandwidth \[GB/s\].
    pub memory_gb_per_s: f64,
}

/// How the weight of a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// One quantized matrix.
    Whole(Format),
    /// Two quantized factors.
    Factored {
        /// The format of both.
        format: Format,
        /// Their rank.
        rank: u64,
    },
}

/// y = x W^T for a number of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Tokens M.
    pub tokens: u64,
    /// Rows of W.
    pub outputs: u64,
    /// Columns of W.
    pub inputs: u64,
    /// The weight.
    pub stored: Stored,
}

/// What a layer costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Cycles of the array.
    pub compute_cycles: u64,
    /// Traffic \[bit\].
    pub memory_bits: u64,
    /// Multiplications.
    pub products: u64,
    /// The longer of both \[us\].
    pub latency_us: f64,
    /// Whether that is the memory.
    pub memory_bound: bool,
    /// Of arithmetic and memory \[uJ\].
    pub energy_uj: Estimate,
}

impl Stored {
    /// The format of what is stored.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Stored::Whole(format) | Stored::Factored { format, .. } => format,
        }
    }
}

impl Machine {
    /// Checks a machine.
    ///
    /// # Errors
    /// A side of zero.
    pub fn new(
        rows: u64,
        columns: u64,
        clock_ghz: f64,
        memory_gb_per_s: f64,
    ) -> Result<Machine, IteraError> {
        for (what, side) in [
            ("rows of the array", rows),
            ("columns of the array", columns),
        ] {
            if !(1..=1 << 20).contains(&side) {
                return Err(IteraError::Range {
                    what,
                    min: 1,
                    max: 1 << 20,
                    found: usize::try_from(side).unwrap_or(usize::MAX),
                });
            }
        }
        for (what, value) in [
            ("clock [GHz]", clock_ghz),
            ("memory bandwidth [GB/s]", memory_gb_per_s),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(IteraError::NotPositive { what, value });
            }
        }
        Ok(Machine {
            rows,
            columns,
            clock_ghz,
            memory_gb_per_s,
        })
    }

    /// Placed area of the array for weights of `format` \[mm^2\].
    #[must_use]
    pub fn area_mm2(&self, format: Format) -> Estimate {
        let cells = processing_element(format).area_um2 * (real(self.rows * self.columns) * 1e-6);
        let (low, value, high) = PLACEMENT;
        Estimate::new(cells.low / low, cells.value / value, cells.high / high)
    }

    /// Times a layer.
    #[must_use]
    pub fn run(&self, layer: &Layer) -> Run {
        let Layer {
            tokens,
            outputs,
            inputs,
            stored,
        } = *layer;
        let format = stored.format();
        let (compute_cycles, products, weight_bits) = match stored {
            Stored::Whole(_) => (
                self.product_cycles(tokens, inputs, outputs),
                tokens * inputs * outputs,
                outputs * storage(format, inputs),
            ),
            Stored::Factored { rank, .. } => (
                self.product_cycles(tokens, inputs, rank)
                    + self.product_cycles(tokens, rank, outputs),
                tokens * rank * (inputs + outputs),
                rank * (storage(format, inputs) + storage(format, outputs)),
            ),
        };
        let activation = storage(activation_format(format), inputs);
        let memory_bits = weight_bits + tokens * (activation + outputs * OUTPUT_BITS);
        let compute_us = real(compute_cycles) / self.clock_ghz * 1e-3;
        let memory_us = real(memory_bits) / 8.0 / self.memory_gb_per_s * 1e-3;
        let arithmetic = processing_element(format).energy_fj * (real(products) * 1e-9);
        Run {
            compute_cycles,
            memory_bits,
            products,
            latency_us: compute_us.max(memory_us),
            memory_bound: memory_us > compute_us,
            energy_uj: arithmetic + MEMORY_BIT_FJ * (real(memory_bits) * 1e-9),
        }
    }

    /// Cycles of M x K times K x N.
    fn product_cycles(&self, m: u64, k: u64, n: u64) -> u64 {
        m.div_ceil(self.rows) * n.div_ceil(self.columns) * k + self.rows + self.columns - 2
    }
}

fn storage(format: Format, len: u64) -> u64 {
    format.storage_bits(usize::try_from(len).expect("a dimension of a matrix in memory"))
}

/// Counts far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
