//! Outlier channels: a channel is one where enough of its elements are large (section 4 of the paper).

use dcom_tensor::Matrix;
use half::f16;

/// When a channel is an outlier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierRule {
    /// An element counts when its magnitude exceeds this.
    pub threshold: f64,
    /// A channel is an outlier when at least so many of its elements count.
    pub minimum_count: u32,
}

impl OutlierRule {
    /// The outlier channels of an activation (rows = tokens, columns = channels), ascending.
    #[must_use]
    pub fn channels(&self, activation: &Matrix) -> Vec<usize> {
        let mut counts = vec![0_u32; activation.cols()];
        for row in 0..activation.rows() {
            for (count, bits) in counts.iter_mut().zip(activation.row(row)) {
                *count += u32::from(magnitude(*bits) > self.threshold);
            }
        }
        let flagged = counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count >= self.minimum_count);
        flagged.map(|(channel, _)| channel).collect()
    }
}

/// The activation with some channels set to zero, so that the others keep their places.
#[must_use]
pub fn without_channels(activation: &Matrix, channels: &[usize]) -> Matrix {
    let columns = activation.cols();
    let mut data = activation.data().to_vec();
    for row in data.chunks_exact_mut(columns) {
        for channel in channels {
            row[*channel] = 0;
        }
    }
    Matrix::new(activation.rows(), columns, data).expect("the shape of a matrix")
}

/// |x| of a binary16 pattern.
pub(crate) fn magnitude(bits: u16) -> f64 {
    f64::from(f16::from_bits(bits)).abs()
}
