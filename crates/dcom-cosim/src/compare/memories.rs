//! Registers and memories, element by element.

use std::mem;

use dcom_exec::Loaded;
use dcom_fp::Accumulate;
use dcom_isa::{
    Axis, BankVec, Buf, BufferKind, Glob, Lay, Mat, Op, Part, Pred, Program, Reg, Shape, Store,
};

use super::places::{BankPlace, Beats, place};
use super::{Check, Comparison, usize_of};

impl Comparison<'_> {
    pub(super) fn registers(&mut self) -> Check {
        for i in 0..self.run.registers.len() {
            let register = Reg(u16::try_from(i).expect("16-bit numbers"));
            self.equal(self.state.register(register), self.run.registers[i], || {
                register.to_string()
            })?;
        }
        for i in 0..self.run.predicates.len() {
            let number = Pred(u16::try_from(i).expect("16-bit numbers"));
            let (predicate, (set, passed)) = (self.state.predicate(number), self.run.predicates[i]);
            self.equal(predicate.set.into(), set.into(), || number.to_string())?;
            self.equal(predicate.passed, passed, || {
                format!("tests passed of {number}")
            })?;
        }
        Ok(())
    }

    pub(super) fn globals(&mut self) -> Check {
        for (i, decl) in self.program.program().globals.iter().enumerate() {
            let global = Glob(u16::try_from(i).expect("16-bit numbers"));
            for (word, expected) in self.state.global(global).into_iter().enumerate() {
                let found = mem::take(&mut self.rest.globals[decl.word as usize + word]);
                self.equal(expected, found, || format!("word {word} of {global}"))?;
            }
        }
        Ok(())
    }

    pub(super) fn parts(&mut self) -> Check {
        for i in 0..self.run.parts.len() {
            let register = Part(u16::try_from(i).expect("16-bit numbers"));
            for (value, expected) in self.state.partial_sums(register).into_iter().enumerate() {
                let found = self.rest.parts[i].get_mut(value).map(mem::take);
                let found = found.unwrap_or_default();
                // In m16a16 the register has the fp16 pattern.
                let found = match self.arch.cluster.accumulate {
                    Accumulate::M16A16 => {
                        dcom_fp::from_bits(u16::try_from(found).expect("16 bits")).to_bits()
                    }
                    Accumulate::M16A32 | Accumulate::X32 => found,
                };
                self.equal(expected, found, || format!("value {value} of {register}"))?;
            }
        }
        Ok(())
    }

    pub(super) fn banks(&mut self) -> Check {
        for (i, decl) in self.program.program().banks.iter().enumerate() {
            let shape = self.program.shape(decl.layout);
            let places = Beats::new(shape, self.arch, shape.layout().granule.into()).vector();
            for index in 0..decl.vectors {
                let vector = BankVec {
                    stack: u16::try_from(i).expect("16-bit numbers"),
                    index,
                };
                let row = u64::from(decl.row) + u64::from(index) * shape.vector_beats;
                let expected = self.state.bank(vector).to_vec();
                for (element, expected) in expected.into_iter().enumerate() {
                    let found = self.bank_element(row, places[element]);
                    self.equal(expected.into(), found, || {
                        format!("element {element} of {vector}")
                    })?;
                }
            }
            // Masked elements of the beats have no value.
            let beat = self.arch.bank.port_elements;
            let rows = u64::from(decl.vectors) * shape.vector_beats;
            let region = u64::from(decl.row) * beat..(u64::from(decl.row) + rows) * beat;
            for bank in shape.banks.iter().cloned().flatten() {
                self.rest.banks[usize_of(bank)][usize_of(region.start)..usize_of(region.end)]
                    .fill(0);
            }
        }
        Ok(())
    }

    pub(super) fn buffers(&mut self) -> Check {
        for (i, decl) in self.program.program().buffers.iter().enumerate() {
            let buffer = Buf(u16::try_from(i).expect("16-bit numbers"));
            let shape = self.program.shape(decl.layout);
            let base = u64::from(decl.row) * self.arch.lanes();
            let expected = self.state.buffer(buffer);
            match decl.kind {
                BufferKind::Vector | BufferKind::Wide => {
                    for (element, expected) in expected.into_iter().enumerate() {
                        let (cluster, local) = place(shape, self.arch, element as u64);
                        let found =
                            self.element(cluster, base, local, decl.kind == BufferKind::Wide);
                        self.equal(expected, found, || {
                            format!("element {element} of {buffer}, in cluster {cluster}")
                        })?;
                    }
                }
                BufferKind::Full(_) | BufferKind::Coefs(_) | BufferKind::Scalar => {
                    for cluster in shape.clusters(self.arch).into_iter().flatten() {
                        for (element, expected) in expected.iter().enumerate() {
                            let found = self.element(cluster, base, element as u64, false);
                            // The exponent of a scalar is an element as well.
                            self.equal(expected & 0xffff, found, || {
                                format!("element {element} of {buffer}, in cluster {cluster}")
                            })?;
                        }
                    }
                }
                BufferKind::Tiles(n) => self.tiles(buffer, shape, base, n)?,
                BufferKind::Partial(n) => {
                    self.partial_sums(buffer, decl.layout, base, n, &expected)?
                }
            }
            self.forget_masked(buffer, base);
        }
        Ok(())
    }

    /// Masked addresses of a region, to the end of its last row, have no value: what the lanes compute for them comes there.
    fn forget_masked(&mut self, buffer: Buf, base: u64) {
        let decl = &self.program.program().buffers[buffer.index()];
        match decl.kind {
            BufferKind::Vector | BufferKind::Wide | BufferKind::Partial(_) => {}
            BufferKind::Tiles(_) if self.state.tiles(buffer).is_some() => {}
            // Without masked addresses, or never written.
            BufferKind::Tiles(_)
            | BufferKind::Full(_)
            | BufferKind::Coefs(_)
            | BufferKind::Scalar => return,
        }
        let shape = self.program.shape(decl.layout);
        let rows = decl
            .kind
            .bytes(shape)
            .div_ceil(self.arch.buffer_row_bytes());
        let region = usize_of(base)..usize_of(base + rows * self.arch.lanes());
        for cluster in shape.clusters(self.arch).into_iter().flatten() {
            self.rest.buffers[usize_of(cluster)][region.clone()].fill(0);
        }
    }

    /// The elements of A in a region of tiles: the executor names the strip.
    fn tiles(&mut self, buffer: Buf, shape: &Shape, base: u64, n: u32) -> Check {
        // Nothing wrote to it.
        let Some(Loaded { strip, prompt }) = self.state.tiles(buffer) else {
            return Ok(());
        };
        let (prompts, c) = (self.prompts, &self.arch.cluster);
        let a = &prompts[prompt];
        let q = u64::from(shape.layout().granule);
        let (side, along) = match strip.axis {
            Axis::Rows => (c.lanes_x, a.cols()),
            Axis::Columns => (c.lanes_y, a.rows()),
        };
        for cut in 0..shape.layout().len.into() {
            let (cluster, local) = place(shape, self.arch, cut);
            let (block, across) = (local / q, local % q);
            for j in 0..u64::from(n) * side {
                let at = usize_of(u64::from(strip.first_tile) * side + j);
                if at >= along {
                    continue;
                }
                let (expected, lane) = match strip.axis {
                    Axis::Rows => (a.get(usize_of(cut), at), across * c.lanes_x + j % side),
                    Axis::Columns => (a.get(at, usize_of(cut)), j % side * c.lanes_x + across),
                };
                let tile = block * u64::from(n) + j / side;
                let found = self.element(cluster, base, tile * self.arch.lanes() + lane, false);
                self.equal(expected.into(), found, || {
                    format!("lane {lane} of tile {tile} of {buffer}, in cluster {cluster}")
                })?;
            }
        }
        Ok(())
    }

    /// Every cluster that holds a block has its sums; the others count as +0 wherever they are read.
    fn partial_sums(
        &mut self,
        buffer: Buf,
        layout: Lay,
        base: u64,
        n: u32,
        expected: &[u32],
    ) -> Check {
        let shape = self.program.shape(layout);
        let (first, count) = (shape.layout().first, shape.layout().count);
        let mut holds = vec![false; usize_of(self.arch.clusters())];
        for element in 0..shape.layout().len {
            holds[usize_of(place(shape, self.arch, element.into()).0)] = true;
        }
        let mut at = 0;
        for k in 0..count {
            for cluster in shape.cluster_order(self.arch, u64::from(first + k)) {
                for element in 0..n {
                    if holds[usize_of(cluster)] {
                        let found = self.element(cluster, base, element.into(), true);
                        self.equal(expected[at], found, || {
                            format!("sum {element} of {buffer} in cluster {cluster}")
                        })?;
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn element(&mut self, cluster: u64, base: u64, local: u64, wide: bool) -> u32 {
        let buffer = &mut self.rest.buffers[usize_of(cluster)];
        let mut take = |at: u64| u32::from(mem::take(&mut buffer[usize_of(at)]));
        if wide {
            let at = base + 2 * local;
            take(at) | take(at + 1) << 16
        } else {
            take(base + local)
        }
    }

    fn bank_element(&mut self, first_row: u64, place: BankPlace) -> u32 {
        let at = (first_row + place.row) * self.arch.bank.port_elements + place.offset;
        mem::take(&mut self.rest.banks[place.bank][usize_of(at)]).into()
    }

    /// Matrices in the banks: those of the prompts that arrived last.
    pub(super) fn resident_matrices(&mut self) -> Check {
        let program = self.program.program();
        for (i, decl) in program.matrices.iter().enumerate() {
            let matrix = Mat(u16::try_from(i).expect("16-bit numbers"));
            let copies = match decl.store {
                Store::Memory => vec![],
                Store::Banks { axis, layout, row } => vec![(axis, layout, row)],
                Store::BanksBoth {
                    rows_layout,
                    columns_layout,
                    rows_row,
                    columns_row,
                } => vec![
                    (Axis::Rows, rows_layout, rows_row),
                    (Axis::Columns, columns_layout, columns_row),
                ],
            };
            let Some(prompt) = last_prompt(program, matrix) else {
                continue;
            };
            for (axis, layout, row) in copies {
                self.copy_in_banks(matrix, prompt, axis, layout, row)?;
            }
        }
        Ok(())
    }

    fn copy_in_banks(
        &mut self,
        matrix: Mat,
        prompt: usize,
        axis: Axis,
        layout: Lay,
        row: u32,
    ) -> Check {
        let (prompts, arch) = (self.prompts, self.arch);
        let a = &prompts[prompt];
        let beats = Beats::new(self.program.shape(layout), arch, arch.lanes());
        let (cuts, along, tile) = match axis {
            Axis::Rows => (a.rows(), a.cols(), arch.cluster.lanes_x),
            Axis::Columns => (a.cols(), a.rows(), arch.cluster.lanes_y),
        };
        let positions = (along as u64).div_ceil(tile);
        for cut in 0..cuts {
            for at in 0..along {
                let (i, j) = match axis {
                    Axis::Rows => (cut, at),
                    Axis::Columns => (at, cut),
                };
                let place = beats.tile(arch, axis, positions, cut, at as u64);
                let found = self.bank_element(row.into(), place);
                self.equal(a.get(i, j).into(), found, || {
                    format!(
                        "element ({i}, {j}) of {matrix}, cut by {axis} in bank {}",
                        place.bank
                    )
                })?;
            }
        }
        Ok(())
    }

    /// What was not compared is as it was at first.
    pub(super) fn nothing_else(&mut self) -> Check {
        let rest = mem::take(&mut self.rest);
        let (beat, lanes) = (self.arch.bank.port_elements, self.arch.lanes());
        for (memory, row, memories) in [
            ("buffer of cluster", lanes, rest.buffers),
            ("bank", beat, rest.banks),
        ] {
            for (i, elements) in memories.into_iter().enumerate() {
                for (at, found) in (0..).zip(elements).filter(|(_, found)| *found != 0) {
                    let (row, element): (u64, u64) = (at / row, at % row);
                    self.equal(0, found.into(), || {
                        format!(
                            "element {element} of row {row} of {memory} {i}, which holds nothing"
                        )
                    })?;
                }
            }
        }
        let parts = (0..)
            .zip(rest.parts)
            .flat_map(|(i, values): (u64, Vec<u32>)| {
                let name = move |at: u64| format!("value {at} of r{i}, which holds nothing");
                let values = (0..).zip(values);
                values
                    .map(move |(at, found)| (name(at), found))
                    .collect::<Vec<(String, u32)>>()
            });
        let globals = (0..).zip(rest.globals).map(|(at, found): (u64, u32)| {
            (
                format!("word {at} of global memory, which holds nothing"),
                found,
            )
        });
        for (place, found) in parts.chain(globals).filter(|(_, found)| *found != 0) {
            self.equal(0, found, || place.clone())?;
        }
        Ok(())
    }
}

/// The prompt of the last `ingest` of a matrix, which no guard can skip.
fn last_prompt(program: &Program, matrix: Mat) -> Option<usize> {
    let (mut last, mut end, mut iterations) = (None, 0, 1);
    for (i, instr) in program.instrs.iter().enumerate() {
        if i >= end {
            iterations = 1;
        }
        match instr.op {
            Op::Loop { count, length } => (end, iterations) = (i + 1 + length as usize, count),
            Op::Ingest {
                matrix: arrived,
                prompt,
                stride,
            } if arrived == matrix => {
                last = Some(prompt as usize + stride as usize * (iterations as usize - 1));
            }
            _ => {}
        }
    }
    last
}
