//! Vectors to the numbers that a format can store.
//!
//! A scale per vector is searched on the grid 2^(k/16), rounded to bfloat16, and then refined by least squares as long as
//! the error falls. The grid is absolute, so the best scale of b bits, halved, is among the candidates for b + 1 bits,
//! whose numbers include those of b bits: more bits are never worse, but for the last refinement.

use crate::element::{Element, Overflow, exponent, power_of_two};
use crate::format::{BLOCK, Format, Scaling};

/// Candidates per factor of two.
const STEPS_PER_OCTAVE: i32 = 16;

/// The smallest candidate clips at 1/8 of the largest magnitude. Assumed: the best ternary scale of a normal vector of 10^5
/// values, the widest case here, clips at 0.3 of its maximum.
const OCTAVES: i32 = 3;

/// Least-squares refinements of the scale; they end sooner when the error no longer falls.
const REFINEMENTS: usize = 4;

/// Smallest and largest exponent of a bfloat16 scale; its subnormals are not used.
const SCALE_EXPONENTS: (i32, i32) = (-126, 127);

/// The code of E8M0 that stands for NaN (MX specification 1.0, section 5.4.1).
const E8M0_NAN: u8 = 0xff;

/// A block in an MX format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// E8M0: 2^(code - 127); 255 is NaN and makes every element NaN.
    pub scale: u8,
    /// The codes of the elements.
    pub codes: Vec<u8>,
}

/// Replaces finite values by the nearest that `format` stores with the scales it chooses.
///
/// # Panics
/// The slices differ in length, or a value is not finite.
pub fn quantize(format: Format, values: &[f32], out: &mut [f32]) {
    assert_eq!(values.len(), out.len(), "one result per value");
    assert!(
        values.iter().all(|x| x.is_finite()),
        "values must be finite"
    );
    let element = format.element();
    match format.scaling() {
        Scaling::Vector => {
            let scale = vector_scale(element, values);
            for (out, &x) in out.iter_mut().zip(values) {
                *out = narrow(element.round(f64::from(x) / scale) * scale);
            }
        }
        Scaling::Block => {
            for (values, out) in values.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
                let scale = power_of_two(block_exponent(element, values));
                for (out, &x) in out.iter_mut().zip(values) {
                    *out = narrow(element.round(f64::from(x) / scale) * scale);
                }
            }
        }
    }
}

/// The codes of a block of at most 32 values; a NaN or an infinity makes the scale, and so the block, NaN.
///
/// # Panics
/// More than 32 values.
#[must_use]
pub fn encode_block(element: Element, values: &[f32]) -> Block {
    assert!(values.len() <= BLOCK, "{} values", values.len());
    if values.iter().any(|x| !x.is_finite()) {
        return Block {
            scale: E8M0_NAN,
            codes: vec![0; values.len()],
        };
    }
    let shared = block_exponent(element, values);
    let scale = power_of_two(shared);
    let code = |&x: &f32| element.encode(f64::from(x) / scale, Overflow::Saturate);
    Block {
        scale: u8::try_from(shared + 127).expect("-127 to 127"),
        codes: values
            .iter()
            .map(|x| code(x).expect("finite values have a code"))
            .collect(),
    }
}

/// The values of a block.
#[must_use]
pub fn decode_block(element: Element, block: &Block) -> Vec<f64> {
    let scale = if block.scale == E8M0_NAN {
        f64::NAN
    } else {
        power_of_two(i32::from(block.scale) - 127)
    };
    let values = block.codes.iter();
    values.map(|&code| element.decode(code) * scale).collect()
}

/// floor(log2(max)) - emax, within E8M0 (MX specification 1.0, section 6.3). A block of zeros takes the smallest scale.
fn block_exponent(element: Element, values: &[f32]) -> i32 {
    let max = largest(values);
    (exponent(max) - element.max_exponent()).clamp(-127, 127)
}

/// The bfloat16 scale of least squared error among the candidates.
fn vector_scale(element: Element, values: &[f32]) -> f64 {
    let max = largest(values);
    if max == 0.0 {
        return 1.0;
    }
    let top = (max / element.max()).log2() * f64::from(STEPS_PER_OCTAVE);
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
    let top = top.ceil() as i32;
    let mut best = (f64::INFINITY, 1.0);
    for step in top - OCTAVES * STEPS_PER_OCTAVE..=top {
        let scale = bfloat16(f64::from(step) / f64::from(STEPS_PER_OCTAVE));
        let fit = Fit::new(element, values, scale);
        if fit.error < best.0 {
            best = (fit.error, scale);
        }
    }
    for _ in 0..REFINEMENTS {
        let fit = Fit::new(element, values, best.1);
        if fit.code_energy == 0.0 || fit.projection <= 0.0 {
            break;
        }
        let scale = bfloat16((fit.projection / fit.code_energy).log2());
        let error = Fit::new(element, values, scale).error;
        if error >= best.0 {
            break;
        }
        best = (error, scale);
    }
    best.1
}

/// What a scale does to a vector.
struct Fit {
    error: f64,
    projection: f64,
    code_energy: f64,
}

impl Fit {
    fn new(element: Element, values: &[f32], scale: f64) -> Fit {
        let mut fit = Fit {
            error: 0.0,
            projection: 0.0,
            code_energy: 0.0,
        };
        for &x in values {
            let x = f64::from(x);
            let code = element.round(x / scale);
            let difference = x - code * scale;
            fit.error += difference * difference;
            fit.projection += x * code;
            fit.code_energy += code * code;
        }
        fit
    }
}

/// 2^`log2` rounded to eight significant bits, within the normal numbers of bfloat16.
fn bfloat16(log2: f64) -> f64 {
    let (least, most) = SCALE_EXPONENTS;
    let scale = log2.clamp(f64::from(least), f64::from(most)).exp2();
    let unit = power_of_two(exponent(scale) - 7);
    ((scale / unit).round_ties_even() * unit).min(power_of_two(most))
}

fn largest(values: &[f32]) -> f64 {
    values
        .iter()
        .fold(0.0, |max, x| f64::from(x.abs()).max(max))
}

/// Exact for what the formats store, but for numbers below the normal range of fp32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 16 significant bits"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}
