//! The factors of a decomposition, A = U diag(s) V^T.

use thiserror::Error;

/// Rank-r factors of an S x H matrix: U is S x r, s has r values, V is H x r; U and V row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Factors {
    rows: usize,
    cols: usize,
    u: Vec<f32>,
    s: Vec<f32>,
    v: Vec<f32>,
}

/// Why factors do not fit together.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FactorsError {
    /// A factor has the wrong number of values.
    #[error("factor {factor} has {found} values, {rows} rows of rank {rank} need {rows} x {rank}")]
    Length {
        /// `u` or `v`.
        factor: &'static str,
        /// Rows the factor must have.
        rows: usize,
        /// Rank: the number of values in s.
        rank: usize,
        /// Values given.
        found: usize,
    },
    /// A dimension or the rank is zero.
    #[error(
        "factors of a {rows} x {cols} matrix of rank {rank} are empty; all three must be at least 1"
    )]
    Empty {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// Number of values in s.
        rank: usize,
    },
    /// There are not as many vectors as values in s, or vectors of one factor differ in length.
    #[error("factor {factor} has columns of lengths {lengths:?}, expected {rank} of one length")]
    Columns {
        /// `u` or `v`.
        factor: &'static str,
        /// Length of each column given.
        lengths: Vec<usize>,
        /// Rank: the number of values in s.
        rank: usize,
    },
}

impl Factors {
    /// Takes row-major `u` (`rows` x r) and `v` (`cols` x r), where r is the length of `s`.
    pub fn new(
        rows: usize,
        cols: usize,
        u: Vec<f32>,
        s: Vec<f32>,
        v: Vec<f32>,
    ) -> Result<Self, FactorsError> {
        let rank = s.len();
        if rows == 0 || cols == 0 || rank == 0 {
            return Err(FactorsError::Empty { rows, cols, rank });
        }
        for (factor, rows, values) in [("u", rows, &u), ("v", cols, &v)] {
            if rows.checked_mul(rank) != Some(values.len()) {
                return Err(FactorsError::Length {
                    factor,
                    rows,
                    rank,
                    found: values.len(),
                });
            }
        }
        Ok(Self {
            rows,
            cols,
            u,
            s,
            v,
        })
    }

    /// Takes the singular vectors one by one: `u[i]` and `v[i]` belong to `s[i]`.
    pub fn from_columns(u: &[Vec<f32>], s: Vec<f32>, v: &[Vec<f32>]) -> Result<Self, FactorsError> {
        let rank = s.len();
        for (factor, columns) in [("u", u), ("v", v)] {
            let lengths = columns.iter().map(Vec::len).collect::<Vec<_>>();
            if lengths.len() != rank || lengths.windows(2).any(|pair| pair[0] != pair[1]) {
                return Err(FactorsError::Columns {
                    factor,
                    lengths,
                    rank,
                });
            }
        }
        let (rows, cols) = (u.first().map_or(0, Vec::len), v.first().map_or(0, Vec::len));
        Self::new(rows, cols, interleaved(u), s, interleaved(v))
    }

    /// Rows of the decomposed matrix: tokens S.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the decomposed matrix: channels H.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Rank r.
    pub fn rank(&self) -> usize {
        self.s.len()
    }

    /// Left singular vectors, S x r row-major.
    pub fn u(&self) -> &[f32] {
        &self.u
    }

    /// Singular values.
    pub fn s(&self) -> &[f32] {
        &self.s
    }

    /// Right singular vectors, H x r row-major.
    pub fn v(&self) -> &[f32] {
        &self.v
    }
}

fn interleaved(columns: &[Vec<f32>]) -> Vec<f32> {
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows)
        .flat_map(|row| columns.iter().map(move |column| column[row]))
        .collect()
}
