//! A program on a machine of one cluster: tables, data, and the ops to compare.

use std::fmt::Write as _;

use dcom_arch::Arch;
use dcom_isa::{Layout, Placement, Reduction, Shape};

use crate::machines::index;

/// A layout on the one partition of the machine; expansion is over rounds.
#[derive(Clone, Debug)]
pub(crate) struct Vectors {
    pub(crate) shape: Shape,
    /// Its vectors, as indices into [`Case::regions`].
    pub(crate) regions: Vec<usize>,
}

impl Vectors {
    pub(crate) fn new(arch: &Arch, len: u64, slices: u64, granule: u64) -> Vectors {
        let number = |n: u64| u32::try_from(n).expect("small layouts");
        let layout = Layout {
            len: number(len),
            slices: number(slices),
            clusters: 1,
            first: 0,
            count: 1,
            granule: number(granule),
            placement: Placement::Compact,
            reduction: Reduction::Tree,
        };
        let shape = layout.check(arch).expect("a layout for one cluster");
        Vectors {
            shape,
            regions: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.shape.layout().len as usize
    }

    /// Elements of a round that holds any.
    pub(crate) fn round_elements(&self, round: u64) -> u64 {
        let range = self
            .shape
            .slice_range(round)
            .expect("rounds that hold elements");
        range.end - range.start
    }

    /// Blocks of a round that hold elements; they are the first ones.
    pub(crate) fn round_blocks(&self, round: u64) -> u64 {
        self.round_elements(round)
            .div_ceil(self.shape.layout().granule.into())
    }

    /// Local address of element `i` (machine.md, "Layouts", for g = 1).
    pub(crate) fn address(&self, i: usize) -> usize {
        let slice = index(self.shape.slice_len);
        i / slice * index(self.shape.round_len()) + i % slice
    }

    /// Whether every round begins with a buffer row, so that a chunk of `dot` is a row.
    pub(crate) fn is_aligned(&self, arch: &Arch) -> bool {
        self.shape.rounds == 1 || self.shape.round_len().is_multiple_of(arch.lanes())
    }
}

/// What a buffer region holds, as the program's text calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Vector,
    Coefficients(u64),
    Scalar,
    Full(u64),
}

/// A buffer region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) kind: Kind,
    pub(crate) layout: usize,
    pub(crate) row: u64,
    pub(crate) rows: u64,
}

/// A matrix in the bank; `cut` over the layout, `along` over the tile positions.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    /// mvn with axis=rows; else mvt with axis=columns.
    pub(crate) by_rows: bool,
    pub(crate) layout: usize,
    pub(crate) along: usize,
    /// Element (cut, along) at `cut * along + along`.
    pub(crate) elements: Vec<u16>,
    /// Tile positions, and the full copy of x for them.
    pub(crate) strips: Vec<Strip>,
}

/// Tile positions of a matrix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strip {
    pub(crate) first: u64,
    pub(crate) end: u64,
    pub(crate) x: usize,
}

/// An op to compare; operands are indices into [`Case::regions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaseOp {
    Dot {
        register: usize,
        a: usize,
        b: usize,
    },
    Scale {
        dst: usize,
        src: usize,
        c: usize,
    },
    Axpy {
        z: usize,
        v: usize,
        c: usize,
    },
    Corr {
        z: usize,
        v: usize,
        c: usize,
    },
    Stream {
        matrix: usize,
        strip: usize,
        y: usize,
        exponent: usize,
    },
    Bar,
}

/// A program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) layouts: Vec<Vectors>,
    pub(crate) regions: Vec<Region>,
    pub(crate) matrices: Vec<Matrix>,
    /// Exponents of products, in the scalar registers from 1 on.
    pub(crate) exponents: Vec<i8>,
    pub(crate) ops: Vec<CaseOp>,
    /// The buffer at the start.
    pub(crate) buffer: Vec<u16>,
}

/// Operands: what an op reads, and what it writes. Registers of partial sums are numbered after the regions.
pub(crate) struct Access {
    pub(crate) reads: Vec<usize>,
    pub(crate) writes: Option<usize>,
}

impl Case {
    /// Takes rows for a region, behind the others.
    pub(crate) fn allocate(&mut self, arch: &Arch, kind: Kind, layout: usize) -> usize {
        let row = self.regions.last().map_or(0, |r| r.row + r.rows);
        let elements = match kind {
            Kind::Vector => self.layouts[layout].shape.local_len(),
            Kind::Coefficients(n) | Kind::Full(n) => n,
            Kind::Scalar => 2,
        };
        let rows = elements.div_ceil(arch.lanes());
        self.regions.push(Region {
            kind,
            layout,
            row,
            rows,
        });
        self.regions.len() - 1
    }

    /// Whether the regions fit the buffer.
    pub(crate) fn fits(&self, arch: &Arch) -> bool {
        self.regions
            .last()
            .is_none_or(|r| r.row + r.rows <= arch.buffer_rows())
    }

    pub(crate) fn access(&self, op: CaseOp) -> Access {
        match op {
            CaseOp::Dot { register, a, b } => Access {
                reads: vec![a, b],
                writes: Some(self.regions.len() + register),
            },
            CaseOp::Scale { dst, src, c } => Access {
                reads: vec![src, c],
                writes: Some(dst),
            },
            CaseOp::Axpy { z, v, c } | CaseOp::Corr { z, v, c } => Access {
                reads: vec![v, c, z],
                writes: Some(z),
            },
            CaseOp::Stream {
                matrix, strip, y, ..
            } => Access {
                reads: vec![self.matrices[matrix].strips[strip].x],
                writes: Some(y),
            },
            CaseOp::Bar => Access {
                reads: vec![],
                writes: None,
            },
        }
    }

    /// The program's text, and the instruction that is the first op.
    ///
    /// Before the ops comes what `verify` asks for: everything that is read has been written.
    pub(crate) fn text(&self, arch: &Arch) -> (String, usize) {
        let mut text = self.tables(arch);
        let tables = text.lines().count();
        for (i, layout) in self.layouts.iter().enumerate() {
            line(&mut text, &format!("in dst=m{i}[0] host=0"));
            for b in &layout.regions {
                line(&mut text, &format!("ld dst=b{b} src=m{i}[0]"));
            }
        }
        let any = self.layouts[0].regions[0];
        line(&mut text, &format!("dot dst=r0 a=b{any} b=b{any}"));
        line(&mut text, "putw dst=g0 src=r0");
        line(&mut text, "ldi dst=s0 value=1");
        for (i, exponent) in self.exponents.iter().enumerate() {
            line(&mut text, &format!("ldi dst=s{} value={exponent}", i + 1));
        }
        for (i, region) in self.regions.iter().enumerate() {
            let source = || {
                self.layouts
                    .last()
                    .expect("the sources of full copies")
                    .regions[0]
            };
            match region.kind {
                Kind::Vector => {}
                Kind::Coefficients(_) => line(&mut text, &format!("bc dst=b{i} src=g0 start=0")),
                Kind::Scalar => line(&mut text, &format!("sbc dst=b{i} src=s0")),
                Kind::Full(_) => {
                    line(
                        &mut text,
                        &format!("gather dst=b{i} src=b{} start=0", source()),
                    );
                }
            }
        }
        for i in 0..self.matrices.len() {
            line(&mut text, &format!("ingest matrix=a{i} prompt=0 stride=0"));
        }
        line(&mut text, "bar");
        let first = text.lines().count() - tables;
        for op in &self.ops {
            line(&mut text, &self.instruction(*op));
        }
        (text, first)
    }

    fn tables(&self, arch: &Arch) -> String {
        let mut text = String::new();
        for (i, layout) in self.layouts.iter().enumerate() {
            let l = layout.shape.layout();
            line(
                &mut text,
                &format!(
                    ".layout l{i} len={} slices={} clusters=1 first=0 count=1 granule={} placement=compact reduction=tree",
                    l.len, l.slices, l.granule
                ),
            );
        }
        for (i, region) in self.regions.iter().enumerate() {
            let kind = match region.kind {
                Kind::Vector => "vector".to_owned(),
                Kind::Coefficients(n) => format!("coefs n={n}"),
                Kind::Scalar => "scalar".to_owned(),
                Kind::Full(n) => format!("full n={n}"),
            };
            line(
                &mut text,
                &format!(
                    ".buffer b{i} kind={kind} layout=l{} row={}",
                    region.layout, region.row
                ),
            );
        }
        let mut row = 0;
        for (i, layout) in self.layouts.iter().enumerate() {
            line(
                &mut text,
                &format!(".bank m{i} layout=l{i} vectors=1 row={row}"),
            );
            row += layout.shape.vector_beats;
        }
        for (i, matrix) in self.matrices.iter().enumerate() {
            let layout = &self.layouts[matrix.layout];
            let (rows, columns, axis, tile) = if matrix.by_rows {
                (layout.len(), matrix.along, "rows", arch.cluster.lanes_x)
            } else {
                (matrix.along, layout.len(), "columns", arch.cluster.lanes_y)
            };
            line(
                &mut text,
                &format!(
                    ".matrix a{i} rows={rows} columns={columns} store=banks axis={axis} layout=l{} row={row}",
                    matrix.layout
                ),
            );
            row += layout.shape.tile_beats * (matrix.along as u64).div_ceil(tile);
        }
        line(&mut text, ".global g0 words=4096 word=0");
        text
    }

    fn instruction(&self, op: CaseOp) -> String {
        match op {
            CaseOp::Dot { register, a, b } => format!("dot dst=r{register} a=b{a} b=b{b}"),
            CaseOp::Scale { dst, src, c } => format!("scale dst=b{dst} src=b{src} c=b{c}"),
            CaseOp::Axpy { z, v, c } => format!("axpy z=b{z} v=b{v} c=b{c}"),
            CaseOp::Corr { z, v, c } => format!("corr z=b{z} v=b{v} c=b{c}"),
            CaseOp::Stream {
                matrix,
                strip,
                y,
                exponent,
            } => {
                let m = &self.matrices[matrix];
                let Strip { first, end, x } = m.strips[strip];
                let op = if m.by_rows { "mvn" } else { "mvt" };
                let axis = if m.by_rows { "rows" } else { "columns" };
                format!(
                    "{op} matrix=a{matrix} axis={axis} x=b{x} y=b{y} first_tile={first} end_tile={end} add=false exponent=s{}",
                    exponent + 1
                )
            }
            CaseOp::Bar => "bar".to_owned(),
        }
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string");
}
