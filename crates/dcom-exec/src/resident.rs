//! A prompt that has arrived.

use std::cell::OnceCell;

use dcom_tensor::Matrix;
use rayon::prelude::*;

use crate::statistics::Statistics;

/// Edge of the square tiles that are transposed: 32 binary16 values are one cache line.
const TILE: usize = 32;

/// Which of the two products of A.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Product {
    /// A x
    Plain,
    /// A^T x
    Transposed,
}

/// The contents of a matrix of the program.
pub(crate) struct Resident<'a> {
    pub(crate) prompt: usize,
    pub(crate) statistics: Statistics,
    matrix: &'a Matrix,
    transposed: OnceCell<Vec<u16>>,
}

/// A with the summation index first: element (k, o) is at `bits[k * stride + o]`.
#[derive(Clone, Copy)]
pub(crate) struct KMajor<'a> {
    pub(crate) bits: &'a [u16],
    /// Outputs.
    pub(crate) stride: usize,
}

impl<'a> Resident<'a> {
    pub(crate) fn new(prompt: usize, matrix: &'a Matrix, ingest_width: usize) -> Resident<'a> {
        Resident {
            prompt,
            statistics: Statistics::new(matrix, ingest_width),
            matrix,
            transposed: OnceCell::new(),
        }
    }

    /// The copy of A that `product` streams: vector units run over outputs, so the summation index has to be the row.
    pub(crate) fn k_major(&self, product: Product) -> KMajor<'_> {
        match product {
            Product::Plain => {
                let bits = self.transposed.get_or_init(|| transposed(self.matrix));
                KMajor {
                    bits,
                    stride: self.matrix.rows(),
                }
            }
            Product::Transposed => KMajor {
                bits: self.matrix.data(),
                stride: self.matrix.cols(),
            },
        }
    }

    /// Gives the memory back that [`Product::Plain`] needs.
    pub(crate) fn forget_transposed(&mut self) {
        self.transposed.take();
    }
}

fn transposed(matrix: &Matrix) -> Vec<u16> {
    let (rows, columns, from) = (matrix.rows(), matrix.cols(), matrix.data());
    let mut to = vec![0; from.len()];
    to.par_chunks_mut(TILE * rows)
        .enumerate()
        .for_each(|(strip, to)| {
            let (first, width) = (strip * TILE, to.len() / rows);
            for top in (0..rows).step_by(TILE) {
                let height = TILE.min(rows - top);
                // Through a small array: columns of a matrix whose width is a power of two share few cache sets.
                let mut tile = [[0; TILE]; TILE];
                for (i, row) in from[top * columns..]
                    .chunks(columns)
                    .take(height)
                    .enumerate()
                {
                    for (j, &value) in row[first..first + width].iter().enumerate() {
                        tile[j][i] = value;
                    }
                }
                for (row, tile) in to.chunks_mut(rows).zip(&tile) {
                    row[top..top + height].copy_from_slice(&tile[..height]);
                }
            }
        });
    to
}
