//! The checks that make a [`Program`] a [`Verified`] one.
//!
//! Invariants of a verified program on its machine:
//! 1. every layout fits the machine; tables are within the limits of the sequencer;
//! 2. regions of buffers, banks and global memory lie within their memory and do not overlap, but for
//!    those of windows without a common cluster or bank; matrices in memory fit it together;
//! 3. every operand names an entry of its table, of the kind that the op takes, and lengths agree;
//! 4. vectors of one operation have one layout; full copies, coefficients and scalars live on the
//!    same window of partitions as the vectors they meet;
//! 5. whatever is read has been written before, in program order (a guarded write counts: memory
//!    and registers start as zero); partial-sum registers do not live across the head of a loop;
//! 6. loops lie within the program, run at least once and do not nest;
//! 7. the memory channel of a stream (`first / count` of its layout) is one of the program's;
//! 8. products over tiles know which strip of which matrix a region holds: its load is not guarded, neither the head
//!    of a loop nor the next matrix in its place comes between.

use std::fmt;

use dcom_arch::Arch;
use thiserror::Error;

use crate::check::Checker;
use crate::layout::Shape;
use crate::operand::{Axis, Buf, Lay};
use crate::program::Program;
use crate::tables::check_tables;

/// Why a program does not run on a machine.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct VerifyError {
    /// Where: a table entry or an instruction as text.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A program that passed [`Program::verify`], with the machine it was verified for.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
    program: Program,
    arch: &'a Arch,
    shapes: Vec<Shape>,
    governing: Vec<Lay>,
}

impl<'a> Verified<'a> {
    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The machine it was verified for.
    #[must_use]
    pub fn arch(&self) -> &'a Arch {
        self.arch
    }

    /// The shape of a layout.
    #[must_use]
    pub fn shape(&self, layout: Lay) -> &Shape {
        &self.shapes[layout.index()]
    }

    /// The layout that decides the size and place of an instruction's work; layout 0 where none does.
    #[must_use]
    pub fn governing(&self, instr: usize) -> Lay {
        self.governing[instr]
    }

    /// The shape of the vector or the window in a buffer region.
    #[must_use]
    pub fn buffer_shape(&self, buffer: Buf) -> &Shape {
        self.shape(self.program.buffers[buffer.index()].layout)
    }

    /// Elements `[first_tile, end_tile)` tiles cover along a dimension of `len` elements.
    #[must_use]
    pub fn strip(
        &self,
        axis: Axis,
        len: u32,
        first_tile: u32,
        end_tile: u32,
    ) -> std::ops::Range<u32> {
        strip(self.arch, axis, len, first_tile, end_tile)
    }
}

/// Elements that tile positions cover; a tile is `lanes_x` long along rows, `lanes_y` along columns.
pub(crate) fn strip(
    arch: &Arch,
    axis: Axis,
    len: u32,
    first_tile: u32,
    end_tile: u32,
) -> std::ops::Range<u32> {
    let width = match axis {
        Axis::Rows => arch.cluster.lanes_x,
        Axis::Columns => arch.cluster.lanes_y,
    };
    let clip = |tile: u32| {
        u32::try_from((u64::from(tile) * width).min(len.into())).expect("clipped to 32 bits")
    };
    clip(first_tile)..clip(end_tile)
}

impl Program {
    /// Checks every invariant listed at the top of this module.
    ///
    /// # Errors
    /// The first violation.
    pub fn verify(self, arch: &Arch) -> Result<Verified<'_>, VerifyError> {
        let shapes = check_tables(&self, arch)?;
        let governing = Checker::new(&self, arch, &shapes).run()?;
        Ok(Verified {
            program: self,
            arch,
            shapes,
            governing,
        })
    }
}

pub(crate) fn fail<T>(
    place: impl Into<String>,
    message: impl Into<String>,
) -> Result<T, VerifyError> {
    Err(VerifyError {
        place: place.into(),
        message: message.into(),
    })
}
