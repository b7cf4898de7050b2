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

/// A pass of A past the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stream {
    pub(crate) layout: Lay,
    pub(crate) matrix: Mat,
    pub(crate) axis: Axis,
    pub(crate) first_tile: u32,
    pub(crate) end_tile: u32,
    /// Has a sliced result.
    pub(crate) local: Option<Local>,
    /// Has partial sums per cluster as a result.
    pub(crate) partial: bool,
}

/// The sliced result of a stream.
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
                layout,
                matrix,
                axis,
                first_tile,
                end_tile,
                local: (axis == Axis::Rows).then(|| local(program, y, add)),
                partial: axis == Axis::Columns,
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
                layout,
                matrix,
                axis,
                first_tile,
                end_tile,
                local: (axis == Axis::Columns).then(|| local(program, y, add)),
                partial: axis == Axis::Rows,
            }),
            Op::MvNT {
                matrix,
                axis,
                y,
                w,
                first_tile,
                end_tile,
                add,
                ..
            } => {
                let sliced = match axis {
                    Axis::Rows => y,
                    Axis::Columns => w,
                };
                Job::Stream(Stream {
                    layout,
                    matrix,
                    axis,
                    first_tile,
                    end_tile,
                    local: Some(local(program, sliced, add)),
                    partial: true,
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
            Op::Svd { k, r, .. } => Job::Svd { k, r },
            Op::Bar {} | Op::Loop { .. } => Job::Control,
        }
    }
}

/// Values that a region holds.
pub(crate) fn length(program: &Verified<'_>, buffer: Buf) -> u32 {
    match program.program().buffers[buffer.index()].kind {
        BufferKind::Coefs(n) | BufferKind::Full(n) | BufferKind::Partial(n) => n,
        BufferKind::Scalar => 1,
        BufferKind::Vector | BufferKind::Wide => program.buffer_shape(buffer).layout().len,
    }
}

/// What a sliced result is.
fn local(program: &Verified<'_>, result: Buf, add: bool) -> Local {
    let wide = program.program().buffers[result.index()].kind == BufferKind::Wide;
    Local { wide, add }
}
