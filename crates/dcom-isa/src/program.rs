//! Programs: instructions and the tables they refer to.

use dcom_arch::Arch;

use crate::layout::{Layout, Shape};
use crate::op::Instr;
use crate::operand::{Axis, Lay};

/// Where a matrix lives while it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory; streamed past the lanes through the bank ports.
    Memory,
    /// In the banks from row `row`, dealt by layout `layout` along `axis`.
    Banks {
        /// How it is cut.
        axis: Axis,
        /// Layout of the cut dimension.
        layout: Lay,
        /// First bank row.
        row: u32,
    },
    /// In the banks twice, once for either axis.
    BanksBoth {
        /// Layout over the rows of A.
        rows_layout: Lay,
        /// Layout over the columns of A.
        columns_layout: Lay,
        /// First bank row of the copy cut by rows.
        rows_row: u32,
        /// First bank row of the copy cut by columns.
        columns_row: u32,
    },
}

/// A matrix: an entry of the matrix table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixDecl {
    /// Rows (tokens, S).
    pub rows: u32,
    /// Columns (channels, H).
    pub columns: u32,
    /// Where it lives.
    pub store: Store,
}

impl MatrixDecl {
    /// Bank rows of a copy in the banks, cut along `axis`: one per beat of a pass over it. `shape` is that of the
    /// copy's layout.
    #[must_use]
    pub fn resident_beats(&self, arch: &Arch, axis: Axis, shape: &Shape) -> u64 {
        let (along, tile) = match axis {
            Axis::Rows => (self.columns, arch.cluster.lanes_x),
            Axis::Columns => (self.rows, arch.cluster.lanes_y),
        };
        shape.tile_beats * u64::from(along).div_ceil(tile)
    }
}

/// What a region of the cluster buffers holds. Every cluster has the region at the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferKind {
    /// The cluster's part of an fp16 vector.
    Vector,
    /// The cluster's part of a vector in accumulate precision (4 bytes each).
    Wide,
    /// A full fp16 copy of a vector of this length.
    Full(u32),
    /// Partial sums of a vector of this length, in accumulate precision (4 bytes each).
    Partial(u32),
    /// This many fp16 coefficients.
    Coefs(u32),
    /// An fp16 mantissa and an exponent.
    Scalar,
    /// The cluster's tiles of a strip of A: this many tile positions for each of its blocks.
    Tiles(u32),
}

impl BufferKind {
    /// Bytes that a region of this kind takes in every cluster; `shape` is that of its layout.
    #[must_use]
    pub fn bytes(self, shape: &Shape) -> u64 {
        match self {
            BufferKind::Vector => 2 * shape.local_len(),
            BufferKind::Wide => 4 * shape.local_len(),
            BufferKind::Full(n) | BufferKind::Coefs(n) => 2 * u64::from(n),
            BufferKind::Partial(n) => 4 * u64::from(n),
            BufferKind::Scalar => 4,
            BufferKind::Tiles(n) => {
                (2 * u64::from(n) * shape.tile_elements).saturating_mul(shape.local_blocks())
            }
        }
    }
}

/// A region of the cluster buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferDecl {
    /// What it holds.
    pub kind: BufferKind,
    /// The layout of a vector; otherwise the partitions that hold the region.
    pub layout: Lay,
    /// First buffer row (one fp16 element per lane each).
    pub row: u32,
}

/// A stack of vectors of one layout in the banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankDecl {
    /// Layout of the vectors.
    pub layout: Lay,
    /// Vectors.
    pub vectors: u16,
    /// First bank row (one beat of the port each).
    pub row: u32,
}

/// A region of the global broadcast memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalDecl {
    /// Words.
    pub words: u32,
    /// First word.
    pub word: u32,
}

/// A program: what a mapper writes and `verify` checks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// Vector layouts.
    pub layouts: Vec<Layout>,
    /// Matrices.
    pub matrices: Vec<MatrixDecl>,
    /// Regions of the cluster buffers.
    pub buffers: Vec<BufferDecl>,
    /// Stacks of vectors in the banks.
    pub banks: Vec<BankDecl>,
    /// Regions of the global broadcast memory.
    pub globals: Vec<GlobalDecl>,
    /// Equal channels that the memory bandwidth is divided into; a stream uses the channel
    /// `first / count` of its layout.
    pub channels: u16,
    /// Matrices arrive while others are streamed: streams leave the link's share of the memory bandwidth.
    pub overlap_ingest: bool,
    /// The instructions.
    pub instrs: Vec<Instr>,
}
