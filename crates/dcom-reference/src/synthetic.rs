//! Seeded activations that look like those of Llama-2-7B (H = 4096), for sizes of which no recording is at hand.
//!
//! x_ij = gain_j std (sqrt(0.12) mean_j + sqrt(0.53) sum_k c_k a_ik b_kj + sqrt(0.35) noise_ij), then outliers. Each
//! assumption is a constant below with its source; several are fitted so that a 468 x 4096 matrix matches the table
//! "Llama-like synthetic activations" of the project's numerics study. All random numbers come from integer arithmetic,
//! so a seed gives the same matrix on every platform and with any number of threads.

use dcom_tensor::{Matrix, MatrixError};
use rayon::prelude::*;

use crate::random::Random;

/// Which point of a Llama layer the activation imitates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// After RMSNorm: the input of the q, k, v and ffn up projections.
    PostNorm,
    /// The residual stream, without massive entries.
    Residual,
    /// The residual stream of layers 2 to 30, with massive entries in two tokens.
    ResidualMassive,
}

/// Share of the base energy in the mean token. Assumed: that of MiniLM activations.
const MEAN_ENERGY: f32 = 0.12;

/// Share of the base energy in the white tail. Assumed, as above.
const WHITE_ENERGY: f32 = 0.35;

/// Number of terms of the low-rank part, whose singular values fall as i^-0.5. The exponent is assumed (MiniLM); the cut
/// at 256 is a choice of speed, the terms beyond would be hidden by the white tail.
const TERMS: usize = 256;

/// Channel count of Llama-2-7B, to which channel positions refer.
const LLAMA_CHANNELS: usize = 4096;

/// Strong channels: few and shared by all tokens (Dettmers et al., LLM.int8(), arXiv 2208.07339). Number and gain
/// assumed.
const STRONG_CHANNELS: usize = 6;
const STRONG_GAIN: f32 = 12.0;

/// Mild channels: 3 % with a gain of 3. Assumed.
const MILD_PERCENT: usize = 3;
const MILD_GAIN: f32 = 3.0;

/// Channels of the massive entries (Sun et al., arXiv 2402.17762: Llama-2-7B).
const MASSIVE_CHANNELS: [usize; 2] = [1415, 2533];

/// Massive entries of the first token and of the first delimiter. Range 500 to 2600 as in Sun et al.; the values are
/// proportional and fitted to ||A||_F = 3277 and the best rank-1 error of 0.185.
const MASSIVE: [[f32; 2]; 2] = [[2600.0, -780.0], [1660.0, -498.0]];

/// The first delimiter comes this many tokens after the start at the latest. Assumed.
const DELIMITER_WITHIN: usize = 24;

/// Rows and columns of a tile of the low-rank product.
pub(crate) const TILE_ROWS: usize = 4;
const TILE_COLS: usize = 256;

/// What differs between the post-norm activation and the residual stream.
struct Scale {
    /// Standard deviation of an ordinary channel. Residual: 0.35, given; post-norm: fitted to its median.
    std: f32,
    /// A strong channel is this constant times its gain, the sign being the channel's ...
    strong_constant: f32,
    /// ... plus this share of the base times its gain. Both fitted to sigma_1, ||A||_F and the maximum.
    strong_share: f32,
}

impl Variant {
    fn scale(self) -> Scale {
        match self {
            Self::PostNorm => Scale {
                std: 0.315,
                strong_constant: 0.93,
                strong_share: 0.3,
            },
            Self::Residual | Self::ResidualMassive => Scale {
                std: 0.35,
                strong_constant: 1.2,
                strong_share: 0.39,
            },
        }
    }
}

/// What the parts of the matrix use their random streams for.
pub(crate) enum Stream {
    Channels = 1,
    Mean = 2,
    Left = 3,
    Right = 4,
    Noise = 5,
    Delimiter = 6,
}

/// Makes a `rows` x `cols` activation; both at least 1. Fewer than 4096 channels keep the share of outlier channels.
pub fn llama_like(
    rows: usize,
    cols: usize,
    seed: u64,
    variant: Variant,
) -> Result<Matrix, MatrixError> {
    if rows == 0 || cols == 0 {
        return Err(MatrixError::Empty { rows, cols });
    }
    let terms = TERMS.min(rows).min(cols);
    let right = right_factor(terms, cols, seed, 1.0 - MEAN_ENERGY - WHITE_ENERGY);
    let channels = Channels::new(cols, seed, &variant.scale());
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
                for (x, channel) in row.iter_mut().zip(&channels.all) {
                    let base = channel.mean + *x + WHITE_ENERGY.sqrt() * noise.normal();
                    *x = channel.constant + channel.gain * base;
                }
            }
        });
    if variant == Variant::ResidualMassive {
        add_massive(&mut values, rows, cols, seed);
    }
    Ok(Matrix::from_f32(rows, cols, &values)?.matrix)
}

#[derive(Clone)]
struct Channel {
    constant: f32,
    gain: f32,
    mean: f32,
}

struct Channels {
    all: Vec<Channel>,
}

impl Channels {
    fn new(cols: usize, seed: u64, scale: &Scale) -> Self {
        let mut mean = Random::stream(seed, Stream::Mean as u64, 0);
        let mut all = (0..cols)
            .map(|_| Channel {
                constant: 0.0,
                gain: scale.std,
                mean: MEAN_ENERGY.sqrt() * mean.normal(),
            })
            .collect::<Vec<_>>();
        let mut pick = Random::stream(seed, Stream::Channels as u64, 0);
        let strong = (STRONG_CHANNELS * cols).div_ceil(LLAMA_CHANNELS);
        let mild = MILD_PERCENT * cols / 100;
        for (index, channel) in distinct(&mut pick, strong + mild, cols)
            .into_iter()
            .enumerate()
        {
            let channel = &mut all[channel];
            if index < strong {
                let sign = if pick.below(2) == 0 { -1.0 } else { 1.0 };
                channel.constant = sign * scale.strong_constant * STRONG_GAIN * scale.std;
                channel.gain *= scale.strong_share * STRONG_GAIN;
            } else {
                channel.gain *= MILD_GAIN;
            }
        }
        Self { all }
    }
}

/// The first `count` of a random permutation of 0..`bound`, or all of it.
fn distinct(random: &mut Random, count: usize, bound: usize) -> Vec<usize> {
    let mut all = (0..bound).collect::<Vec<_>>();
    let count = count.min(bound);
    for i in 0..count {
        all.swap(i, i + random.below(bound - i));
    }
    all.truncate(count);
    all
}

/// c_k b_kj, terms x cols, with c_k^2 proportional to 1/k and of sum `energy`.
pub(crate) fn right_factor(terms: usize, cols: usize, seed: u64, energy: f32) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    let energies = (1..=terms).map(|k| 1.0 / k as f32).collect::<Vec<_>>();
    let unit = energy / energies.iter().sum::<f32>();
    let mut out = vec![0.0; terms * cols];
    out.par_chunks_mut(cols).enumerate().for_each(|(k, row)| {
        let mut random = Random::stream(seed, Stream::Right as u64, k);
        let weight = (unit * energies[k]).sqrt();
        row.iter_mut().for_each(|x| *x = weight * random.normal());
    });
    out
}

/// a_ik of `count` rows from `first` on.
pub(crate) fn left_factor(first: usize, count: usize, terms: usize, seed: u64) -> Vec<f32> {
    let rows = (first..first + count).map(|row| Random::stream(seed, Stream::Left as u64, row));
    rows.flat_map(|mut random| (0..terms).map(move |_| random.normal()))
        .collect()
}

/// `out` += `left` `right`, tile by tile; the terms of each element are added in order.
pub(crate) fn add_product(out: &mut [f32], left: &[f32], right: &[f32], cols: usize, terms: usize) {
    let rows = out.len() / cols;
    for start in (0..cols).step_by(TILE_COLS) {
        let width = TILE_COLS.min(cols - start);
        let mut tile = [[0.0_f32; TILE_COLS]; TILE_ROWS];
        for k in 0..terms {
            let right = &right[k * cols + start..][..width];
            for (row, tile) in tile[..rows].iter_mut().enumerate() {
                let weight = left[row * terms + k];
                for (x, y) in tile[..width].iter_mut().zip(right) {
                    *x += weight * y;
                }
            }
        }
        for (row, tile) in tile[..rows].iter().enumerate() {
            out[row * cols + start..][..width].copy_from_slice(&tile[..width]);
        }
    }
}

fn add_massive(values: &mut [f32], rows: usize, cols: usize, seed: u64) {
    let mut tokens = vec![0];
    if rows > 1 {
        let within = DELIMITER_WITHIN.min(rows - 1);
        tokens.push(1 + Random::stream(seed, Stream::Delimiter as u64, 0).below(within));
    }
    for (token, entries) in tokens.into_iter().zip(MASSIVE) {
        for (channel, entry) in MASSIVE_CHANNELS.into_iter().zip(entries) {
            values[token * cols + channel * cols / LLAMA_CHANNELS] = entry;
        }
    }
}
