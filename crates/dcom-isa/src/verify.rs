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
//! 7. the memory channel of a stream (`first / count` of its layout) is one of the program's.

use std::{fmt, iter};

use dcom_arch::Arch;
use thiserror::Error;

use crate::check::Checker;
use crate::layout::{MAX_LEN, Shape};
use crate::operand::{Axis, Buf, Lay};
use crate::program::{MatrixDecl, Program, Store};

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

/// A region of some memory, for the overlap check: regions in different places never overlap.
struct Region {
    name: String,
    start: u64,
    len: u64,
    place: Vec<std::ops::Range<u64>>,
}

impl Region {
    fn meets(&self, other: &Region) -> bool {
        self.place.iter().any(|a| {
            other
                .place
                .iter()
                .any(|b| a.start < b.end && b.start < a.end)
        })
    }
}

fn check_regions(mut regions: Vec<Region>, capacity: u64, what: &str) -> Result<(), VerifyError> {
    for r in &regions {
        if r.start + r.len > capacity {
            return fail(
                &r.name,
                format!(
                    "{what} {}..{}: there are only {capacity}",
                    r.start,
                    r.start + r.len
                ),
            );
        }
    }
    regions.sort_by_key(|r| r.start);
    for (i, r) in regions.iter().enumerate() {
        let reaching = regions[i + 1..]
            .iter()
            .take_while(|other| other.start < r.start + r.len);
        for other in reaching {
            if r.meets(other) {
                return fail(
                    &other.name,
                    format!("{what} {} overlap {}", other.start, r.name),
                );
            }
        }
    }
    Ok(())
}

fn check_tables(program: &Program, arch: &Arch) -> Result<Vec<Shape>, VerifyError> {
    let limits = [
        ("layouts", program.layouts.len(), arch.sequencer.layouts),
        (
            "buffer regions",
            program.buffers.len(),
            arch.sequencer.buffer_regions,
        ),
        (
            "global regions",
            program.globals.len(),
            arch.sequencer.global_regions,
        ),
        (
            "bank vectors",
            program.banks.iter().map(|b| usize::from(b.vectors)).sum(),
            arch.sequencer.bank_vectors,
        ),
    ];
    for (what, used, limit) in limits {
        if used as u64 > limit {
            return fail(
                "tables",
                format!("{used} {what}: the sequencer has {limit}"),
            );
        }
    }
    if program.layouts.is_empty() {
        return fail("tables", "a program needs at least one layout");
    }
    if program.channels == 0 {
        return fail(".machine", "channels = 0: must be at least 1");
    }
    let mut shapes = Vec::with_capacity(program.layouts.len());
    for (i, layout) in program.layouts.iter().enumerate() {
        shapes.push(
            layout
                .check(arch)
                .or_else(|m| fail(format!(".layout l{i}"), m))?,
        );
    }
    let shape_of = |place: &str, layout: Lay| match shapes.get(layout.index()) {
        Some(shape) => Ok(shape),
        None => fail(
            place,
            format!("{layout}: there are {} layouts", shapes.len()),
        ),
    };

    let mut regions = Vec::new();
    for (i, b) in program.buffers.iter().enumerate() {
        let name = format!(".buffer b{i}");
        let shape = shape_of(&name, b.layout)?;
        let bytes = b.kind.bytes(shape);
        if bytes == 0 {
            return fail(name, "n = 0: must be at least 1");
        }
        regions.push(Region {
            name,
            start: b.row.into(),
            len: bytes.div_ceil(arch.buffer_row_bytes()),
            place: shape.clusters(arch),
        });
    }
    check_regions(regions, arch.buffer_rows(), "buffer rows")?;

    let mut regions = Vec::new();
    for (i, b) in program.banks.iter().enumerate() {
        let name = format!(".bank m{i}");
        let shape = shape_of(&name, b.layout)?;
        if b.vectors == 0 {
            return fail(name, "vectors = 0: must be at least 1");
        }
        regions.push(Region {
            name,
            start: b.row.into(),
            len: u64::from(b.vectors) * shape.vector_beats,
            place: shape.banks.clone(),
        });
    }
    let mut memory_bytes = 0u64;
    for (i, m) in program.matrices.iter().enumerate() {
        let name = format!(".matrix a{i}");
        if m.rows == 0 || m.columns == 0 {
            return fail(
                name,
                format!("{} x {}: sizes must be at least 1", m.rows, m.columns),
            );
        }
        if m.rows.max(m.columns) > MAX_LEN {
            return fail(
                name,
                format!("{} x {}: sizes are at most {MAX_LEN}", m.rows, m.columns),
            );
        }
        match m.store {
            Store::Memory => {
                memory_bytes =
                    memory_bytes.saturating_add(2 * u64::from(m.rows) * u64::from(m.columns))
            }
            Store::Banks { axis, layout, row } => regions.push(matrix_region(
                arch,
                &name,
                m,
                axis,
                shape_of(&name, layout)?,
                row,
            )?),
            Store::BanksBoth {
                rows_layout,
                columns_layout,
                rows_row,
                columns_row,
            } => {
                for (axis, layout, row) in [
                    (Axis::Rows, rows_layout, rows_row),
                    (Axis::Columns, columns_layout, columns_row),
                ] {
                    regions.push(matrix_region(
                        arch,
                        &name,
                        m,
                        axis,
                        shape_of(&name, layout)?,
                        row,
                    )?);
                }
            }
        }
    }
    check_regions(regions, arch.bank_rows(), "bank rows")?;
    if memory_bytes > arch.memory.capacity_bytes {
        return fail(
            "tables",
            format!(
                "matrices of {memory_bytes} bytes: the memory holds {}",
                arch.memory.capacity_bytes
            ),
        );
    }

    if let Some(i) = program.globals.iter().position(|g| g.words == 0) {
        return fail(format!(".global g{i}"), "words = 0: must be at least 1");
    }
    let regions = program.globals.iter().enumerate();
    let regions = regions.map(|(i, g)| Region {
        name: format!(".global g{i}"),
        start: g.word.into(),
        len: g.words.into(),
        place: iter::once(0..1).collect(),
    });
    check_regions(
        regions.collect(),
        arch.broadcast.capacity_words,
        "global memory words",
    )?;
    Ok(shapes)
}

/// Bank rows of a resident matrix: one per beat of a pass over it.
fn matrix_region(
    arch: &Arch,
    name: &str,
    m: &MatrixDecl,
    axis: Axis,
    shape: &Shape,
    row: u32,
) -> Result<Region, VerifyError> {
    let (cut, along, width) = match axis {
        Axis::Rows => (m.rows, m.columns, arch.cluster.lanes_x),
        Axis::Columns => (m.columns, m.rows, arch.cluster.lanes_y),
    };
    if shape.layout().len != cut {
        return fail(
            name,
            format!(
                "cut by {axis}, of which it has {cut}, with a layout of {} elements",
                shape.layout().len
            ),
        );
    }
    Ok(Region {
        name: name.to_owned(),
        start: row.into(),
        len: shape.tile_beats * u64::from(along).div_ceil(width),
        place: shape.banks.clone(),
    })
}
