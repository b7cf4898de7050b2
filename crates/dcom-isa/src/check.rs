//! The walk over the instructions of a program: operands, layouts, and what has been written before.

use dcom_arch::Arch;

use crate::layout::Shape;
use crate::op::{Instr, Op};
use crate::operand::{Axis, BankVec, Buf, Glob, Lay, Mat, Part, Pred, Reg, Side};
use crate::program::{BankDecl, BufferKind, MatrixDecl, Program, Store};
use crate::verify::{VerifyError, fail, strip as elements};

/// Tile positions of a matrix.
#[derive(Clone, Copy)]
struct Strip {
    matrix: Mat,
    axis: Axis,
    first_tile: u32,
    end_tile: u32,
}

/// Where a product takes its strip from.
#[derive(Clone, Copy)]
struct Source {
    strip: Strip,
    /// Layout of the region that holds its tiles; none if A is streamed.
    tiles: Option<Lay>,
}

/// What has been written so far.
pub(crate) struct Checker<'a> {
    program: &'a Program,
    arch: &'a Arch,
    shapes: &'a [Shape],
    buffers: Vec<bool>,
    /// The strips in the regions of tiles, as far as they are known.
    tiles: Vec<Option<Strip>>,
    globals: Vec<bool>,
    banks: Vec<Vec<bool>>,
    matrices: Vec<bool>,
    regs: Vec<bool>,
    parts: Vec<Option<Lay>>,
    preds: Vec<bool>,
}

type Check<T = ()> = Result<T, String>;

fn index_usize(n: u64) -> usize {
    usize::try_from(n).expect("table limits fit usize")
}

impl<'a> Checker<'a> {
    pub(crate) fn new(program: &'a Program, arch: &'a Arch, shapes: &'a [Shape]) -> Checker<'a> {
        Checker {
            program,
            arch,
            shapes,
            buffers: vec![false; program.buffers.len()],
            tiles: vec![None; program.buffers.len()],
            globals: vec![false; program.globals.len()],
            banks: program
                .banks
                .iter()
                .map(|b| vec![false; b.vectors.into()])
                .collect(),
            matrices: vec![false; program.matrices.len()],
            regs: vec![false; index_usize(arch.scalar.registers)],
            parts: vec![None; index_usize(arch.sequencer.partial_registers)],
            preds: vec![false; index_usize(arch.sequencer.predicates)],
        }
    }

    pub(crate) fn run(mut self) -> Result<Vec<Lay>, VerifyError> {
        let mut governing = Vec::with_capacity(self.program.instrs.len());
        let mut loop_end = 0;
        for (i, instr) in self.program.instrs.iter().enumerate() {
            let place = || format!("instruction {i} `{instr}`");
            if let Op::Loop { count, length } = instr.op {
                let end = i + 1 + length as usize;
                if i < loop_end {
                    return fail(place(), "loops do not nest");
                }
                if count == 0
                    || length == 0
                    || end > self.program.instrs.len()
                    || instr.guard.is_some()
                {
                    return fail(
                        place(),
                        "a loop runs at least once over at least one instruction, all within the program, unguarded",
                    );
                }
                loop_end = end;
                self.parts.fill(None);
                self.tiles.fill(None);
            }
            governing.push(
                self.instr(instr)
                    .or_else(|message| fail(place(), message))?,
            );
        }
        Ok(governing)
    }

    fn instr(&mut self, instr: &Instr) -> Check<Lay> {
        if let Some(p) = instr.guard {
            self.read_pred(p)?;
            if matches!(instr.op, Op::Ingest { .. }) {
                return Err(
                    "an ingest cannot be guarded: what follows would have no matrix".to_owned(),
                );
            }
        }
        match instr.op {
            Op::Ingest {
                matrix,
                prompt: _,
                stride: _,
            } => {
                let m = self.matrix(matrix)?;
                self.matrices[matrix.index()] = true;
                for tiles in &mut self.tiles {
                    tiles.take_if(|strip| strip.matrix == matrix);
                }
                match m.store {
                    Store::Memory => Ok(Lay(0)),
                    Store::Banks { layout, .. } => Ok(layout),
                    Store::BanksBoth { rows_layout, .. } => Ok(rows_layout),
                }
            }
            Op::In { dst, .. } => self.write_vec(dst),
            Op::Out {
                matrix,
                side,
                index: _,
                src,
            } => {
                let m = self.ingested(matrix)?;
                let layout = self.read_vec(src)?;
                let want = match side {
                    Side::U => m.rows,
                    Side::V => m.columns,
                };
                self.expect_len(layout, want)?;
                Ok(layout)
            }
            Op::Ld { dst, src } => {
                let layout = self.read_vec(src)?;
                same(
                    self.shapes,
                    layout,
                    self.write_buffer(dst, &[BufferKind::Vector])?,
                )
            }
            Op::St { dst, src } => {
                let layout = self.read_buffer(src, &[BufferKind::Vector])?;
                same(self.shapes, layout, self.write_vec(dst)?)
            }
            Op::Gather { dst, src, start } => self.gather(dst, src, start),
            Op::MvN {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            } => {
                self.read_reg(exponent)?;
                let source = Source {
                    strip: Strip {
                        matrix,
                        axis,
                        first_tile,
                        end_tile,
                    },
                    tiles: None,
                };
                match axis {
                    Axis::Rows => self.along(source, x, y, add),
                    Axis::Columns => self.across(source, x, y, add),
                }
            }
            Op::MvT {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            } => {
                self.read_reg(exponent)?;
                let source = Source {
                    strip: Strip {
                        matrix,
                        axis,
                        first_tile,
                        end_tile,
                    },
                    tiles: None,
                };
                match axis {
                    Axis::Columns => self.along(source, x, y, add),
                    Axis::Rows => self.across(source, x, y, add),
                }
            }
            Op::LdT {
                dst,
                matrix,
                axis,
                first_tile,
                end_tile,
            } => {
                if instr.guard.is_some() {
                    return Err(
                        "a load of tiles cannot be guarded: what follows would not know its strip"
                            .to_owned(),
                    );
                }
                self.load_tiles(
                    dst,
                    Strip {
                        matrix,
                        axis,
                        first_tile,
                        end_tile,
                    },
                )
            }
            Op::TMvN {
                tiles,
                axis,
                x,
                y,
                add,
                exponent,
            } => {
                self.read_reg(exponent)?;
                let source = self.loaded(tiles, axis)?;
                match axis {
                    Axis::Rows => self.along(source, x, y, add),
                    Axis::Columns => self.across(source, x, y, add),
                }
            }
            Op::TMvT {
                tiles,
                axis,
                x,
                y,
                add,
                exponent,
            } => {
                self.read_reg(exponent)?;
                let source = self.loaded(tiles, axis)?;
                match axis {
                    Axis::Columns => self.along(source, x, y, add),
                    Axis::Rows => self.across(source, x, y, add),
                }
            }
            Op::PReduce { dst, src, layout } => {
                let n = self.partial_len(src)?;
                self.read_any(src)?;
                let window = self.program.buffers[src.index()].layout;
                same_window(self.shapes, window, self.layout(layout)?)?;
                self.write_global(
                    dst,
                    0,
                    self.shapes[layout.index()].engaged_partitions * u64::from(n),
                )?;
                Ok(layout)
            }
            Op::GReduce {
                dst,
                src,
                layout,
                start,
                n,
            } => {
                self.layout(layout)?;
                self.read_global(
                    src,
                    0,
                    self.shapes[layout.index()].engaged_partitions * u64::from(n),
                )?;
                let to = self.write_buffer(dst, &[BufferKind::Vector])?;
                let len = self.shapes[to.index()].layout().len;
                if n == 0 || u64::from(start) + u64::from(n) > len.into() {
                    return Err(format!(
                        "elements {start}..{}: the vector has {len}",
                        u64::from(start) + u64::from(n)
                    ));
                }
                Ok(to)
            }
            Op::Narrow { dst, src } => {
                let layout = self.read_buffer(src, &[BufferKind::Wide])?;
                same(
                    self.shapes,
                    layout,
                    self.write_buffer(dst, &[BufferKind::Vector])?,
                )
            }
            Op::Dot { dst, a, b } => {
                let layout = self.read_buffer(a, &[BufferKind::Vector])?;
                same(
                    self.shapes,
                    layout,
                    self.read_buffer(b, &[BufferKind::Vector])?,
                )?;
                let register = self.parts.get_mut(dst.index());
                *register.ok_or_else(|| {
                    format!(
                        "{dst}: there are {} partial-sum registers",
                        self.arch.sequencer.partial_registers
                    )
                })? = Some(layout);
                Ok(layout)
            }
            Op::PutH { dst, src } | Op::PutW { dst, src } => {
                let layout = self.part(src)?;
                self.write_global(dst, 0, self.shapes[layout.index()].parts)?;
                Ok(layout)
            }
            Op::Bc { dst, src, start } => {
                let BufferKind::Coefs(n) = self.kind(dst)? else {
                    return Err(format!("{dst}: must be coefficients"));
                };
                self.read_global(src, start.into(), n.into())?;
                self.write_buffer(dst, &[BufferKind::Coefs(n)])
            }
            Op::Corr { z, v, c } => {
                self.coefficients(c)?;
                self.correction(z, v, c)
            }
            Op::Axpy { z, v, c } => {
                self.single(c)?;
                self.correction(z, v, c)
            }
            Op::CSum { dst, src } => {
                self.coefficients(src)?;
                self.read_any(src)?;
                same_window(
                    self.shapes,
                    self.program.buffers[src.index()].layout,
                    self.write_buffer(dst, &[BufferKind::Coefs(1)])?,
                )
            }
            Op::Scale { dst, src, c } => {
                let layout = self.read_buffer(src, &[BufferKind::Vector])?;
                same_window(
                    self.shapes,
                    layout,
                    self.read_buffer(c, &[BufferKind::Scalar])?,
                )?;
                same(
                    self.shapes,
                    layout,
                    self.write_buffer(dst, &[BufferKind::Vector])?,
                )
            }
            Op::Comb { dst, src, c } => {
                let n = self.coefficients(c)?;
                self.read_any(c)?;
                let stack = self.stack(src)?;
                if u32::from(src.index) + n > stack.vectors.into() {
                    return Err(format!(
                        "{n} coefficients from {src}: the stack has {} vectors",
                        stack.vectors
                    ));
                }
                for index in (src.index..stack.vectors).take(n as usize) {
                    self.read_vec(BankVec { index, ..src })?;
                }
                same_window(
                    self.shapes,
                    stack.layout,
                    self.program.buffers[c.index()].layout,
                )?;
                same(
                    self.shapes,
                    stack.layout,
                    self.write_buffer(dst, &[BufferKind::Vector])?,
                )
            }
            Op::Ldi { dst, value: _ } => self.write_reg(dst),
            Op::Sum { dst, src, start, n } => {
                if n == 0 {
                    return Err("n = 0: must be at least 1".to_owned());
                }
                self.read_global(src, start.into(), n.into())?;
                self.write_reg(dst)
            }
            Op::Mul { dst, a, b } | Op::Div { dst, a, b } | Op::Max { dst, a, b } => {
                self.read_reg(a)?;
                self.read_reg(b)?;
                self.write_reg(dst)
            }
            Op::Sqrt { dst, a } | Op::Log2 { dst, a } => {
                self.read_reg(a)?;
                self.write_reg(dst)
            }
            Op::Sbc { dst, src } => {
                self.read_reg(src)?;
                self.write_buffer(dst, &[BufferKind::Scalar])
            }
            Op::Stat { dst, matrix } => {
                self.ingested(matrix)?;
                self.write_reg(dst)
            }
            Op::Start {
                dst,
                matrix,
                kind: _,
                exponent,
                shift: _,
            } => {
                self.read_reg(exponent)?;
                let m = self.ingested(matrix)?;
                let layout = self.write_buffer(dst, &[BufferKind::Vector])?;
                self.expect_len(layout, m.columns)?;
                Ok(layout)
            }
            Op::Brk {
                p,
                x,
                max,
                tolerance,
            } => {
                if tolerance > 126 {
                    return Err(format!("tolerance = {tolerance}: at most 126"));
                }
                self.read_pred(p)?;
                self.read_reg(x)?;
                self.read_reg(max)?;
                Ok(Lay(0))
            }
            Op::Clr { p } => {
                let pred = self.preds.get_mut(p.index());
                *pred.ok_or_else(|| {
                    format!(
                        "{p}: there are {} predicates",
                        self.arch.sequencer.predicates
                    )
                })? = true;
                Ok(Lay(0))
            }
            Op::Svd {
                matrix,
                u,
                v,
                alpha,
                beta,
                k,
                r,
                exponent,
                p,
            } => {
                self.ingested(matrix)?;
                self.read_reg(exponent)?;
                self.read_pred(p)?;
                let layout = self.small_vectors(u, v, k, r)?;
                for (base, n) in [(alpha, k), (beta, k - 1)] {
                    (0..n).try_for_each(|i| {
                        self.read_reg(Reg(base.0.saturating_add(i))).map(|_| ())
                    })?;
                }
                Ok(layout)
            }
            Op::TSvd {
                matrix,
                u,
                v,
                t,
                band,
                k,
                r,
                exponent,
            } => {
                self.ingested(matrix)?;
                self.read_reg(exponent)?;
                if band >= k {
                    return Err(format!("band = {band}: must be less than k = {k}"));
                }
                for d in 0..=band {
                    for i in 0..k - d {
                        let register = u32::from(t.0) + u32::from(d) * u32::from(k) + u32::from(i);
                        self.read_reg(Reg(u16::try_from(register).unwrap_or(u16::MAX)))?;
                    }
                }
                self.small_vectors(u, v, k, r)
            }
            Op::Bar {} | Op::Loop { .. } => Ok(Lay(0)),
        }
    }

    fn gather(&mut self, dst: Buf, src: Buf, start: u32) -> Check<Lay> {
        let from = self.read_buffer(src, &[BufferKind::Vector])?;
        let len = self.shapes[from.index()].layout().len;
        match self.kind(dst)? {
            BufferKind::Full(n) => {
                if u64::from(start) + u64::from(n) > len.into() {
                    return Err(format!(
                        "elements {start}..{}: the vector has {len}",
                        u64::from(start) + u64::from(n)
                    ));
                }
            }
            BufferKind::Vector => {
                let to = self.program.buffers[dst.index()].layout;
                self.expect_len(to, len)?;
                if start != 0 {
                    return Err(format!(
                        "start = {start}: must be 0 for another layout of the whole vector"
                    ));
                }
            }
            _ => return Err(format!("{dst}: must be a full copy or a vector")),
        }
        self.buffers[dst.index()] = true;
        Ok(from)
    }

    /// The regions for the r leading left and right vectors of a small SVD of size k.
    fn small_vectors(&mut self, u: Glob, v: Glob, k: u16, r: u16) -> Check<Lay> {
        if r == 0 || r > k {
            return Err(format!(
                "r = {r}: must be in 1..={k}, the size of the small matrix"
            ));
        }
        if u == v {
            return Err("u and v must be different regions".to_owned());
        }
        let words = u64::from(k) * u64::from(r);
        self.write_global(u, 0, words)?;
        self.write_global(v, 0, words)?;
        Ok(Lay(0))
    }

    /// A strip of A into the buffers.
    fn load_tiles(&mut self, dst: Buf, strip: Strip) -> Check<Lay> {
        let (cut, _) = self.stream(strip)?;
        let positions = strip.end_tile - strip.first_tile;
        let layout = self.write_buffer(dst, &[BufferKind::Tiles(positions)])?;
        self.expect_len(layout, cut)?;
        self.tiles[dst.index()] = Some(strip);
        self.stored(strip.matrix, strip.axis, layout)
    }

    /// The strip that a region holds.
    fn loaded(&self, tiles: Buf, axis: Axis) -> Check<Source> {
        if !matches!(self.kind(tiles)?, BufferKind::Tiles(_)) {
            return Err(format!("{tiles}: must hold tiles"));
        }
        match self.tiles[tiles.index()] {
            Some(strip) if strip.axis == axis => Ok(Source {
                strip,
                tiles: Some(self.program.buffers[tiles.index()].layout),
            }),
            Some(strip) => Err(format!(
                "{tiles}: its strip was loaded with axis={}",
                strip.axis
            )),
            None => Err(format!(
                "{tiles}: no strip was loaded since the head of the loop, or its matrix is gone"
            )),
        }
    }

    /// The product whose input every cluster holds in full and whose result is sliced.
    fn along(&mut self, source: Source, x: Buf, y: Buf, add: bool) -> Check<Lay> {
        let (cut, strip) = self.stream(source.strip)?;
        if add {
            self.read_buffer(y, &[BufferKind::Wide])?;
        }
        let layout = self.write_buffer(y, &[BufferKind::Vector, BufferKind::Wide])?;
        self.expect_len(layout, cut)?;
        same_window(
            self.shapes,
            layout,
            self.read_buffer(x, &[BufferKind::Full(strip)])?,
        )?;
        self.multiplied(source, layout)
    }

    /// The product whose input is sliced and of whose result every cluster holds partial sums.
    fn across(&mut self, source: Source, x: Buf, y: Buf, add: bool) -> Check<Lay> {
        let (cut, strip) = self.stream(source.strip)?;
        if add {
            return Err("add=true: partial sums start anew with every strip".to_owned());
        }
        let layout = self.read_buffer(x, &[BufferKind::Vector])?;
        self.expect_len(layout, cut)?;
        same_window(
            self.shapes,
            layout,
            self.write_buffer(y, &[BufferKind::Partial(strip)])?,
        )?;
        self.multiplied(source, layout)
    }

    /// A layout of the vector that is sliced as the source is.
    fn multiplied(&self, source: Source, layout: Lay) -> Check<Lay> {
        match source.tiles {
            Some(tiles) => same(self.shapes, tiles, layout),
            None => self.stored(source.strip.matrix, source.strip.axis, layout),
        }
    }

    /// Elements that are cut over partitions, and elements of the strip.
    fn stream(&self, strip: Strip) -> Check<(u32, u32)> {
        let Strip {
            matrix,
            axis,
            first_tile,
            end_tile,
        } = strip;
        let m = self.ingested(matrix)?;
        let (cut, along) = match axis {
            Axis::Rows => (m.rows, m.columns),
            Axis::Columns => (m.columns, m.rows),
        };
        let strip = elements(self.arch, axis, along, first_tile, end_tile);
        if strip.is_empty() || strip.end == strip_before_last(self.arch, axis, along, end_tile) {
            return Err(format!(
                "tiles {first_tile}..{end_tile}: not tile positions along {along} elements"
            ));
        }
        Ok((cut, strip.end - strip.start))
    }

    /// A layout that the matrix can be streamed past.
    fn stored(&self, matrix: Mat, axis: Axis, layout: Lay) -> Check<Lay> {
        let l = self.shapes[layout.index()].layout();
        let granule = match axis {
            Axis::Rows => self.arch.cluster.lanes_y,
            Axis::Columns => self.arch.cluster.lanes_x,
        };
        if u64::from(l.granule) != granule {
            return Err(format!(
                "{layout}: granule {} with axis={axis}, whose tiles are {granule} long",
                l.granule
            ));
        }
        if l.first / l.count >= self.program.channels.into() {
            return Err(format!(
                "{layout}: its memory channel is {}, the program has {}",
                l.first / l.count,
                self.program.channels
            ));
        }
        let resident = match self.matrix(matrix)?.store {
            Store::Memory => return Ok(layout),
            Store::Banks {
                axis: stored,
                layout,
                ..
            } => (stored == axis).then_some(layout),
            Store::BanksBoth {
                rows_layout,
                columns_layout,
                ..
            } => Some(match axis {
                Axis::Rows => rows_layout,
                Axis::Columns => columns_layout,
            }),
        };
        match resident {
            Some(resident) => same(self.shapes, resident, layout),
            None => Err(format!("{matrix}: not in the banks by {axis}")),
        }
    }

    fn correction(&mut self, z: Buf, v: Buf, c: Buf) -> Check<Lay> {
        let layout = self.read_buffer(z, &[BufferKind::Vector])?;
        same(
            self.shapes,
            layout,
            self.read_buffer(v, &[BufferKind::Vector])?,
        )?;
        self.read_any(c)?;
        same_window(self.shapes, layout, self.program.buffers[c.index()].layout)?;
        if z == v {
            return Err("z and v must be different regions".to_owned());
        }
        Ok(layout)
    }

    fn layout(&self, layout: Lay) -> Check<Lay> {
        match self.shapes.get(layout.index()) {
            Some(_) => Ok(layout),
            None => Err(format!("{layout}: there are {} layouts", self.shapes.len())),
        }
    }

    fn expect_len(&self, layout: Lay, len: u32) -> Check {
        let has = self.shapes[layout.index()].layout().len;
        if has == len {
            Ok(())
        } else {
            Err(format!(
                "{layout}: vectors of {has} elements where {len} are needed"
            ))
        }
    }

    fn matrix(&self, matrix: Mat) -> Check<&'a MatrixDecl> {
        let found = self.program.matrices.get(matrix.index());
        found.ok_or_else(|| {
            format!(
                "{matrix}: there are {} matrices",
                self.program.matrices.len()
            )
        })
    }

    fn ingested(&self, matrix: Mat) -> Check<&'a MatrixDecl> {
        let m = self.matrix(matrix)?;
        if self.matrices[matrix.index()] {
            Ok(m)
        } else {
            Err(format!("{matrix} has not arrived yet"))
        }
    }

    fn kind(&self, buffer: Buf) -> Check<BufferKind> {
        let found = self.program.buffers.get(buffer.index()).map(|b| b.kind);
        found.ok_or_else(|| {
            format!(
                "{buffer}: there are {} buffer regions",
                self.program.buffers.len()
            )
        })
    }

    fn of_kind(&self, buffer: Buf, kinds: &[BufferKind]) -> Check<Lay> {
        let kind = self.kind(buffer)?;
        if kinds.contains(&kind) {
            Ok(self.program.buffers[buffer.index()].layout)
        } else {
            Err(format!(
                "{buffer}: holds {kind:?}, must hold {}",
                kinds
                    .iter()
                    .map(|k| format!("{k:?}"))
                    .collect::<Vec<_>>()
                    .join(" or ")
            ))
        }
    }

    fn read_any(&self, buffer: Buf) -> Check {
        self.kind(buffer)?;
        if self.buffers[buffer.index()] {
            Ok(())
        } else {
            Err(format!("{buffer} is read before it is written"))
        }
    }

    fn read_buffer(&self, buffer: Buf, kinds: &[BufferKind]) -> Check<Lay> {
        let layout = self.of_kind(buffer, kinds)?;
        self.read_any(buffer)?;
        Ok(layout)
    }

    fn write_buffer(&mut self, buffer: Buf, kinds: &[BufferKind]) -> Check<Lay> {
        let layout = self.of_kind(buffer, kinds)?;
        self.buffers[buffer.index()] = true;
        Ok(layout)
    }

    fn coefficients(&self, buffer: Buf) -> Check<u32> {
        match self.kind(buffer)? {
            BufferKind::Coefs(n) => Ok(n),
            _ => Err(format!("{buffer}: must be coefficients")),
        }
    }

    fn single(&self, buffer: Buf) -> Check {
        match self.kind(buffer)? {
            BufferKind::Coefs(1) | BufferKind::Scalar => Ok(()),
            _ => Err(format!("{buffer}: must be one coefficient or a scalar")),
        }
    }

    fn partial_len(&self, buffer: Buf) -> Check<u32> {
        match self.kind(buffer)? {
            BufferKind::Partial(n) => Ok(n),
            _ => Err(format!("{buffer}: must be partial sums")),
        }
    }

    fn stack(&self, v: BankVec) -> Check<BankDecl> {
        let stack = self.program.banks.get(usize::from(v.stack)).copied();
        let stack =
            stack.ok_or_else(|| format!("{v}: there are {} stacks", self.program.banks.len()))?;
        if v.index < stack.vectors {
            Ok(stack)
        } else {
            Err(format!("{v}: the stack has {} vectors", stack.vectors))
        }
    }

    fn read_vec(&self, v: BankVec) -> Check<Lay> {
        let layout = self.stack(v)?.layout;
        let written = self.banks[usize::from(v.stack)][usize::from(v.index)];
        if written {
            Ok(layout)
        } else {
            Err(format!("{v} is read before it is written"))
        }
    }

    fn write_vec(&mut self, v: BankVec) -> Check<Lay> {
        let layout = self.stack(v)?.layout;
        self.banks[usize::from(v.stack)][usize::from(v.index)] = true;
        Ok(layout)
    }

    fn global_range(&self, g: Glob, start: u64, n: u64) -> Check {
        let region = self.program.globals.get(g.index());
        let region = region.ok_or_else(|| {
            format!(
                "{g}: there are {} global memory regions",
                self.program.globals.len()
            )
        })?;
        if start + n > region.words.into() {
            return Err(format!(
                "words {start}..{} of {g}, which has {}",
                start + n,
                region.words
            ));
        }
        Ok(())
    }

    fn read_global(&self, g: Glob, start: u64, n: u64) -> Check {
        self.global_range(g, start, n)?;
        if self.globals[g.index()] {
            Ok(())
        } else {
            Err(format!("{g} is read before it is written"))
        }
    }

    fn write_global(&mut self, g: Glob, start: u64, n: u64) -> Check {
        self.global_range(g, start, n)?;
        self.globals[g.index()] = true;
        Ok(())
    }

    fn part(&self, r: Part) -> Check<Lay> {
        match self.parts.get(r.index()) {
            Some(Some(layout)) => Ok(*layout),
            Some(None) => Err(format!("{r} is read before it is written")),
            None => Err(format!(
                "{r}: there are {} partial-sum registers",
                self.parts.len()
            )),
        }
    }

    fn read_reg(&self, r: Reg) -> Check<Lay> {
        match self.regs.get(r.index()) {
            Some(true) => Ok(Lay(0)),
            Some(false) => Err(format!("{r} is read before it is written")),
            None => Err(format!(
                "{r}: there are {} scalar registers",
                self.regs.len()
            )),
        }
    }

    fn write_reg(&mut self, r: Reg) -> Check<Lay> {
        let n = self.regs.len();
        *self
            .regs
            .get_mut(r.index())
            .ok_or_else(|| format!("{r}: there are {n} scalar registers"))? = true;
        Ok(Lay(0))
    }

    fn read_pred(&self, p: Pred) -> Check {
        match self.preds.get(p.index()) {
            Some(true) => Ok(()),
            Some(false) => Err(format!("{p} is used before it is cleared")),
            None => Err(format!("{p}: there are {} predicates", self.preds.len())),
        }
    }
}

/// End of the strip when its last tile is left out: equal to the end if that tile is empty.
fn strip_before_last(arch: &Arch, axis: Axis, len: u32, end_tile: u32) -> u32 {
    elements(arch, axis, len, 0, end_tile.saturating_sub(1)).end
}

fn same(shapes: &[Shape], a: Lay, b: Lay) -> Check<Lay> {
    let equal = a == b || shapes[a.index()].layout() == shapes[b.index()].layout();
    equal
        .then_some(a)
        .ok_or_else(|| format!("layouts {a} and {b} differ"))
}

fn same_window(shapes: &[Shape], a: Lay, b: Lay) -> Check<Lay> {
    let window = |l: Lay| {
        let l = shapes[l.index()].layout();
        (l.clusters, l.first, l.count, l.placement)
    };
    (window(a) == window(b))
        .then_some(a)
        .ok_or_else(|| format!("layouts {a} and {b} lie on different partitions"))
}
