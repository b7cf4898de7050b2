//! Jobs: what the time and the activity of an instruction depend on.
//!
//! A program of thousands of instructions has a few dozen different jobs. A job knows sizes and places, not which regions
//! and registers the instruction names, so that instructions with equal jobs share one [`Cost`](crate::plan::Cost).

use dcom_isa::{Axis, Buf, BufferKind, Lay, Mat, Op, StartKind, Verified};

/// One job. `layout` is the layout that decides size and place (see [`Verified::governing`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    Ingest {
        matrix: Mat,
    },
    In {
        layout: Lay,
    },
    Out {
        layout: Lay,
    },
    Ld {
        layout: Lay,
    },
    St {
        layout: Lay,
    },
    Gather(Gather),
    Stream(Stream),
    LoadTiles(Strip),
    Tiles(Tiles),
    PReduce {
        layout: Lay,
        len: u32,
    },
    GReduce {
        layout: Lay,
        from: Lay,
        start: u32,
        len: u32,
    },
    Narrow {
        layout: Lay,
    },
    Scale {
        layout: Lay,
    },
    Axpy {
        layout: Lay,
    },
    Dot {
        layout: Lay,
    },
    Put {
        layout: Lay,
    },
    Bc {
        layout: Lay,
        coefficients: u32,
    },
    Corr {
        layout: Lay,
        coefficients: u32,
    },
    CSum {
        layout: Lay,
        coefficients: u32,
    },
    Comb {
        layout: Lay,
        vectors: u32,
    },
    Simple,
    Divide,
    Sqrt,
    Sum {
        words: u32,
    },
    Sbc {
        layout: Lay,
    },
    Start {
        layout: Lay,
        scan: bool,
    },
    Svd {
        k: u16,
        r: u16,
    },
    /// `bar` and `loop`: an issue cycle and nothing else.
    Control,
}

/// Words from one layout to another, or to full copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Gather {
    pub(crate) from: Lay,
    pub(crate) to: Lay,
    /// First element of `from`.
    pub(crate) start: u32,
    pub(crate) words: u32,
    /// Every cluster of the window takes all of them.
    pub(crate) full: bool,
}

/// A strip of A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Strip {
    pub(crate) layout: Lay,
    pub(crate) matrix: Mat,
    pub(crate) axis: Axis,
    pub(crate) first_tile: u32,
    pub(crate) end_tile: u32,
}

/// A pass of A past the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stream {
    pub(crate) strip: Strip,
    pub(crate) result: Product,
}

/// A product with a strip of A in the buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tiles {
    pub(crate) layout: Lay,
    pub(crate) axis: Axis,
    /// Tile positions, and the elements that they cover.
    pub(crate) positions: u32,
    pub(crate) strip: u32,
    pub(crate) result: Product,
}

/// What a product with A gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Product {
    /// A sliced vector.
    Local(Local),
    /// Partial sums per cluster.
    Partial,
}

/// A sliced result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Local {
    /// In accumulate precision.
    pub(crate) wide: bool,
    /// Added to what is there.
    pub(crate) add: bool,
}

impl Job {
    /// The job of instruction `instr`.
    pub(crate) fn of(program: &Verified<'_>, instr: usize) -> Job {
        let layout = program.governing(instr);
        let length = |buffer| length(program, buffer);
        match program.program().instrs[instr].op {
            Op::Ingest { matrix, .. } => Job::Ingest { matrix },
            Op::In { .. } => Job::In { layout },
            Op::Out { .. } => Job::Out { layout },
            Op::Ld { .. } => Job::Ld { layout },
            Op::St { .. } => Job::St { layout },
            Op::Gather { dst, start, .. } => {
                let to = program.program().buffers[dst.index()];
                Job::Gather(Gather {
                    from: layout,
                    to: to.layout,
                    start,
                    words: length(dst),
                    full: matches!(to.kind, BufferKind::Full(_)),
                })
            }
            Op::MvN {
                matrix,
                axis,
                y,
                first_tile,
                end_tile,
                add,
                ..
            } => Job::Stream(Stream {
                strip: Strip {
                    layout,
                    matrix,
                    axis,
                    first_tile,
                    end_tile,
                },
                result: match axis {
                    Axis::Rows => Product::Local(local(program, y, add)),
                    Axis::Columns => Product::Partial,
                },
            }),
            Op::MvT {
                matrix,
                axis,
                y,
                first_tile,
                end_tile,
                add,
                ..
            } => Job::Stream(Stream {
                strip: Strip {
                    layout,
                    matrix,
                    axis,
                    first_tile,
                    end_tile,
                },
                result: match axis {
                    Axis::Columns => Product::Local(local(program, y, add)),
                    Axis::Rows => Product::Partial,
                },
            }),
            Op::LdT {
                matrix,
                axis,
                first_tile,
                end_tile,
                ..
            } => Job::LoadTiles(Strip {
                layout,
                matrix,
                axis,
                first_tile,
                end_tile,
            }),
            Op::TMvN {
                tiles,
                axis,
                x,
                y,
                add,
                ..
            }
            | Op::TMvT {
                tiles,
                axis,
                x,
                y,
                add,
                ..
            } => {
                let BufferKind::Tiles(positions) = program.program().buffers[tiles.index()].kind
                else {
                    unreachable!("{tiles} of a verified program holds tiles")
                };
                // The side of the strip is a full copy, or partial sums.
                let (result, strip) = match program.program().buffers[y.index()].kind {
                    BufferKind::Partial(strip) => (Product::Partial, strip),
                    _ => (Product::Local(local(program, y, add)), length(x)),
                };
                Job::Tiles(Tiles {
                    layout,
                    axis,
                    positions,
                    strip,
                    result,
                })
            }
            Op::PReduce { src, .. } => Job::PReduce {
                layout,
                len: length(src),
            },
            Op::GReduce {
                layout: from,
                start,
                n,
                ..
            } => Job::GReduce {
                layout,
                from,
                start,
                len: n,
            },
            Op::Narrow { .. } => Job::Narrow { layout },
            Op::Scale { .. } => Job::Scale { layout },
            Op::Axpy { .. } => Job::Axpy { layout },
            Op::Dot { .. } => Job::Dot { layout },
            Op::PutH { .. } | Op::PutW { .. } => Job::Put { layout },
            Op::Bc { dst, .. } => Job::Bc {
                layout,
                coefficients: length(dst),
            },
            Op::Corr { c, .. } => Job::Corr {
                layout,
                coefficients: length(c),
            },
            Op::CSum { src, .. } => Job::CSum {
                layout,
                coefficients: length(src),
            },
            Op::Comb { c, .. } => Job::Comb {
                layout,
                vectors: length(c),
            },
            Op::Ldi { .. }
            | Op::Mul { .. }
            | Op::Max { .. }
            | Op::Log2 { .. }
            | Op::Stat { .. }
            | Op::Brk { .. }
            | Op::Clr { .. } => Job::Simple,
            Op::Div { .. } => Job::Divide,
            Op::Sqrt { .. } => Job::Sqrt,
            Op::Sum { n, .. } => Job::Sum { words: n },
            Op::Sbc { .. } => Job::Sbc { layout },
            Op::Start { kind, .. } => Job::Start {
                layout,
                scan: kind == StartKind::Mean,
            },
            Op::Svd { k, r, .. } | Op::TSvd { k, r, .. } => Job::Svd { k, r },
            Op::Bar {} | Op::Loop { .. } => Job::Control,
        }
    }
}

/// Values that a region holds.
pub(crate) fn length(program: &Verified<'_>, buffer: Buf) -> u32 {
    match program.program().buffers[buffer.index()].kind {
        BufferKind::Coefs(n) | BufferKind::Full(n) | BufferKind::Partial(n) => n,
        BufferKind::Scalar => 1,
        BufferKind::Tiles(n) => n,
        BufferKind::Vector | BufferKind::Wide => program.buffer_shape(buffer).layout().len,
    }
}

/// What a sliced result is.
fn local(program: &Verified<'_>, result: Buf, add: bool) -> Local {
    let wide = program.program().buffers[result.index()].kind == BufferKind::Wide;
    Local { wide, add }
}
