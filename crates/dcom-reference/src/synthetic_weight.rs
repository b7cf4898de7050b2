//! Seeded weight matrices for sizes of which no trained one is at hand, such as 4096 x 4096 of Llama-2-7B.
//!
//! w_ij = 0.02 (sqrt(1 - WHITE) sum_k c_k a_ik b_kj + sqrt(WHITE) noise_ij) with c_k^2 proportional to 1/k: a head whose singular
//! values fall as k^-0.5 upon the bulk of a random matrix, the shape that trained weights have (Martin and Mahoney, JMLR 22
//! (2021) 165). Random numbers come from integer arithmetic, so a seed gives the same matrix on every platform and with any
//! number of threads.

use dcom_tensor::{Matrix, MatrixError};
use rayon::prelude::*;

use crate::random::Random;
use crate::synthetic::{Stream, TILE_ROWS, add_product, left_factor, right_factor};

/// Standard deviation. Assumed: that of Llama's initialization, `initializer_range` of its published configurations.
const STD: f32 = 0.02;

/// Share of the energy in the bulk. Assumed: the head then holds a little less than half of the energy.
const WHITE: f32 = 0.55;

/// Terms of the head: a sixteenth of the smaller side, as many as stand out of the bulk. Assumed.
const TERMS_SHARE: usize = 16;

/// Keeps the streams apart from those of an activation with the same seed.
const PURPOSE: u64 = 0x7765_6967_6874_7321;

/// Makes a `rows` x `cols` weight, rows = outputs; both at least 1.
///
/// # Errors
/// An empty shape.
pub fn llama_like_weight(rows: usize, cols: usize, seed: u64) -> Result<Matrix, MatrixError> {
    if rows == 0 || cols == 0 {
        return Err(MatrixError::Empty { rows, cols });
    }
    let seed = seed ^ PURPOSE;
    let terms = rows.min(cols).div_ceil(TERMS_SHARE);
    let right = right_factor(terms, cols, seed, 1.0 - WHITE);
    let mut values = vec![0.0_f32; rows * cols];
    values
        .par_chunks_mut(TILE_ROWS * cols)
        .enumerate()
        .for_each(|(group, out)| {
            let first = group * TILE_ROWS;
            let left = left_factor(first, out.len() / cols, terms, seed);
            add_product(out, &left, &right, cols, terms);
            for (offset, row) in out.chunks_exact_mut(cols).enumerate() {
                let mut noise = Random::stream(seed, Stream::Noise as u64, first + offset);
                for x in row {
                    *x = STD * (*x + WHITE.sqrt() * noise.normal());
                }
            }
        });
    Ok(Matrix::from_f32(rows, cols, &values)?.matrix)
}
