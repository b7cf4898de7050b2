//! The checks of a program's tables: limits of the sequencer, and regions of every memory (invariants 1 and 2 of `verify`).

use std::ops::Range;
use std::{fmt, slice};

use dcom_arch::Arch;

use crate::layout::{MAX_LEN, Shape};
use crate::operand::{Axis, Lay};
use crate::program::{MatrixDecl, Program, Store};
use crate::verify::{VerifyError, fail};

/// Checks every table; returns the shapes of the layouts.
pub(crate) fn check_tables(program: &Program, arch: &Arch) -> Result<Vec<Shape>, VerifyError> {
    check_limits(program, arch)?;
    let mut shapes = Vec::with_capacity(program.layouts.len());
    for (i, layout) in program.layouts.iter().enumerate() {
        let shape = layout.check(arch);
        shapes.push(shape.or_else(|m| fail(format!(".layout l{i}"), m))?);
    }
    check_buffers(program, arch, &shapes)?;
    check_banks(program, arch, &shapes)?;
    check_globals(program, arch)?;
    Ok(shapes)
}

fn check_limits(program: &Program, arch: &Arch) -> Result<(), VerifyError> {
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
    Ok(())
}

fn check_buffers(program: &Program, arch: &Arch, shapes: &[Shape]) -> Result<(), VerifyError> {
    let windows: Vec<_> = shapes.iter().map(|s| s.clusters(arch)).collect();
    let mut regions = Vec::with_capacity(program.buffers.len());
    for (i, b) in program.buffers.iter().enumerate() {
        let name = Name(".buffer b", i);
        let bytes = b.kind.bytes(shape_of(shapes, name, b.layout)?);
        if bytes == 0 {
            return fail(name.to_string(), "n = 0: must be at least 1");
        }
        regions.push(Region {
            name,
            start: b.row.into(),
            len: bytes.div_ceil(arch.buffer_row_bytes()),
            place: &windows[b.layout.index()],
        });
    }
    check_regions(regions, arch.buffer_rows(), "buffer rows")
}

/// Stacks of vectors and resident matrices, which share the banks; and what the matrices take of the memory.
fn check_banks(program: &Program, arch: &Arch, shapes: &[Shape]) -> Result<(), VerifyError> {
    let mut regions = Vec::with_capacity(program.banks.len() + program.matrices.len());
    for (i, b) in program.banks.iter().enumerate() {
        let name = Name(".bank m", i);
        let shape = shape_of(shapes, name, b.layout)?;
        if b.vectors == 0 {
            return fail(name.to_string(), "vectors = 0: must be at least 1");
        }
        regions.push(Region {
            name,
            start: b.row.into(),
            len: u64::from(b.vectors) * shape.vector_beats,
            place: &shape.banks,
        });
    }
    let mut memory_bytes = 0u64;
    for (i, m) in program.matrices.iter().enumerate() {
        let name = Name(".matrix a", i);
        if m.rows == 0 || m.columns == 0 {
            return fail(
                name.to_string(),
                format!("{} x {}: sizes must be at least 1", m.rows, m.columns),
            );
        }
        if m.rows.max(m.columns) > MAX_LEN {
            return fail(
                name.to_string(),
                format!("{} x {}: sizes are at most {MAX_LEN}", m.rows, m.columns),
            );
        }
        let mut resident = |axis, layout, row| {
            let shape = shape_of(shapes, name, layout)?;
            regions.push(matrix_region(arch, name, m, axis, shape, row)?);
            Ok(())
        };
        match m.store {
            Store::Memory => {
                memory_bytes =
                    memory_bytes.saturating_add(2 * u64::from(m.rows) * u64::from(m.columns));
            }
            Store::Banks { axis, layout, row } => resident(axis, layout, row)?,
            Store::BanksBoth {
                rows_layout,
                columns_layout,
                rows_row,
                columns_row,
            } => {
                resident(Axis::Rows, rows_layout, rows_row)?;
                resident(Axis::Columns, columns_layout, columns_row)?;
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
    Ok(())
}

fn check_globals(program: &Program, arch: &Arch) -> Result<(), VerifyError> {
    if let Some(i) = program.globals.iter().position(|g| g.words == 0) {
        return fail(format!(".global g{i}"), "words = 0: must be at least 1");
    }
    let everywhere = 0..1;
    let regions = program.globals.iter().enumerate().map(|(i, g)| Region {
        name: Name(".global g", i),
        start: g.word.into(),
        len: g.words.into(),
        place: slice::from_ref(&everywhere),
    });
    check_regions(
        regions.collect(),
        arch.broadcast.capacity_words,
        "global memory words",
    )
}

fn shape_of(shapes: &[Shape], name: Name, layout: Lay) -> Result<&Shape, VerifyError> {
    match shapes.get(layout.index()) {
        Some(shape) => Ok(shape),
        None => fail(
            name.to_string(),
            format!("{layout}: there are {} layouts", shapes.len()),
        ),
    }
}

/// The bank rows of a copy of a matrix.
fn matrix_region<'s>(
    arch: &Arch,
    name: Name,
    m: &MatrixDecl,
    axis: Axis,
    shape: &'s Shape,
    row: u32,
) -> Result<Region<'s>, VerifyError> {
    let cut = match axis {
        Axis::Rows => m.rows,
        Axis::Columns => m.columns,
    };
    if shape.layout().len != cut {
        return fail(
            name.to_string(),
            format!(
                "cut by {axis}, of which it has {cut}, with a layout of {} elements",
                shape.layout().len
            ),
        );
    }
    Ok(Region {
        name,
        start: row.into(),
        len: m.resident_beats(arch, axis, shape),
        place: &shape.banks,
    })
}

/// An entry of a table, as the text form names it.
#[derive(Clone, Copy)]
struct Name(&'static str, usize);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

/// A region of some memory, for the overlap check: regions in different places never overlap.
struct Region<'a> {
    name: Name,
    start: u64,
    len: u64,
    place: &'a [Range<u64>],
}

impl Region<'_> {
    fn meets(&self, other: &Region<'_>) -> bool {
        let meets = |a: &Range<u64>, b: &Range<u64>| a.start < b.end && b.start < a.end;
        let mut places = self.place.iter();
        places.any(|a| other.place.iter().any(|b| meets(a, b)))
    }
}

fn check_regions(
    mut regions: Vec<Region<'_>>,
    capacity: u64,
    what: &str,
) -> Result<(), VerifyError> {
    for r in &regions {
        let end = r.start + r.len;
        if end > capacity {
            return fail(
                r.name.to_string(),
                format!("{what} {}..{end}: there are only {capacity}", r.start),
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
                    other.name.to_string(),
                    format!("{what} {} overlap {}", other.start, r.name),
                );
            }
        }
    }
    Ok(())
}
