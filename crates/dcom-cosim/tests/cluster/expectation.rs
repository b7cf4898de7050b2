//! What an op has to give, by `dcom-fp`, and when, by `dcom-timing`.

use dcom_arch::Arch;
use dcom_cosim::{Op, Program};
use dcom_fp::{Accumulate, Lanes, corrected, dot, expanded_sum, from_bits, to_bits};
use dcom_isa::assemble;
use dcom_timing::{Options, simulate};

use crate::case::{Case, CaseOp, Kind, Strip, Vectors};
use crate::machines::index;
use crate::random::Random;

/// One op as the models see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    /// Issue and done (cycles), from the issue of the first op.
    pub(crate) issue: u64,
    pub(crate) done: u64,
    /// Written elements: address in the buffer, bits.
    pub(crate) written: Vec<(usize, u16)>,
    /// Sums of dot.
    pub(crate) partials: Vec<u32>,
}

/// Values and cycles of the ops of a case, `bar`s left out.
pub(crate) fn expect(case: &Case, arch: &Arch, mode: Accumulate) -> Vec<Expected> {
    let (text, first) = case.text(arch);
    let program = assemble(&text).expect("the generated text is a program");
    let verified = program
        .verify(arch)
        .expect("the generated program is valid");
    let run = simulate(&verified, Options::default()).expect("no breakdown tests");
    let zero = run.executed[first].issue;
    let mut values = Values {
        case,
        arch,
        mode,
        buffer: case.buffer.clone(),
    };
    let executed = case.ops.iter().zip(&run.executed[first..]);
    let ops = executed.filter(|(op, _)| **op != CaseOp::Bar);
    ops.map(|(op, executed)| Expected {
        issue: executed.issue.since(zero).0,
        done: executed.done.since(zero).0,
        ..values.run(*op)
    })
    .collect()
}

/// The case for the test bench; `expected` says which elements change.
pub(crate) fn program(
    case: &Case,
    arch: &Arch,
    expected: &[Expected],
    random: &mut Random,
) -> Program {
    let mut ops: Vec<Op> = Vec::new();
    let mut memory = case.buffer.clone();
    let (mut writer, mut readers) = (
        vec![None; case.regions.len() + 8],
        vec![vec![]; case.regions.len() + 8],
    );
    let mut barrier = false;
    for op in &case.ops {
        if *op == CaseOp::Bar {
            barrier = true;
            continue;
        }
        let id = ops.len();
        let access = case.access(*op);
        let mut rtl = descriptor(case, arch, *op, random);
        rtl.barrier = std::mem::take(&mut barrier);
        for &region in &access.reads {
            rtl.after_done.extend(writer[region]);
        }
        let written = access.writes.expect("every op writes");
        rtl.after_done.extend(writer[written]);
        rtl.after_release = std::mem::take(&mut readers[written]);
        writer[written] = Some(id);
        access.reads.iter().for_each(|&r| readers[r].push(id));
        if let Some(region) = case.regions.get(written) {
            rtl.shown = (region.row, region.rows);
        }
        let lanes = index(arch.lanes());
        let last_group = expected[id]
            .written
            .iter()
            .rev()
            .take(last_written(arch, *op, case));
        let changed = last_group.clone().find(|(at, bits)| memory[*at] != *bits);
        rtl.watched = changed.map(|(at, _)| ((at / lanes) as u64, (at % lanes) as u64));
        expected[id]
            .written
            .iter()
            .for_each(|&(at, bits)| memory[at] = bits);
        ops.push(rtl);
    }
    let buffer = case
        .buffer
        .chunks(index(arch.lanes()))
        .map(<[u16]>::to_vec)
        .collect();
    Program { buffer, ops }
}

/// How many of the elements written last are surely written by the last write: those of the last group, in whole or
/// in part. Zero if the last group may hold masked addresses only.
fn last_written(arch: &Arch, op: CaseOp, case: &Case) -> usize {
    let layout = |z: usize| &case.layouts[case.regions[z].layout];
    let end = |z: usize| index(layout(z).shape.local_len());
    let last = |z: usize| layout(z).address(layout(z).len() - 1);
    let (z, group, end) = match op {
        CaseOp::Dot { .. } | CaseOp::Bar => return 0,
        CaseOp::Scale { dst: z, .. } | CaseOp::Axpy { z, .. } => (z, arch.lanes(), end(z)),
        CaseOp::Corr { z, .. } => (z, arch.cluster.lanes_y, end(z)),
        CaseOp::Stream { y, .. } => (y, layout(y).shape.layout().granule.into(), last(y) + 1),
    };
    let first_of_group = (end - 1) / index(group) * index(group);
    (last(z) + 1)
        .saturating_sub(first_of_group)
        .min(layout(z).len())
}

fn descriptor(case: &Case, arch: &Arch, op: CaseOp, random: &mut Random) -> Op {
    let row = |region: usize| case.regions[region].row;
    let layout = |region: usize| &case.layouts[case.regions[region].layout];
    let scalar = |region: usize| case.regions[region].kind == Kind::Scalar;
    let (lanes, x, y) = (arch.lanes(), arch.cluster.lanes_x, arch.cluster.lanes_y);
    let elementwise = |z: usize| layout(z).shape.local_len().div_ceil(lanes);
    match op {
        CaseOp::Dot { a, b, .. } => {
            let shape = &layout(a).shape;
            Op {
                kind: 0x20,
                groups: shape.rounds,
                passes: shape.round_len().div_ceil(lanes),
                row_a: row(a),
                row_b: row(b),
                elements: layout(a).round_elements(0),
                elements_last: layout(a).round_elements(shape.rounds - 1),
                ..Op::default()
            }
        }
        CaseOp::Scale { dst, src, c } => Op {
            kind: 0x27,
            groups: elementwise(dst),
            passes: 1,
            row_a: row(src),
            row_b: row(c),
            row_z: row(dst),
            scalar: true,
            ..Op::default()
        },
        CaseOp::Axpy { z, v, c } => Op {
            kind: 0x25,
            groups: elementwise(z),
            passes: 1,
            row_a: row(v),
            row_b: row(c),
            row_z: row(z),
            scalar: scalar(c),
            ..Op::default()
        },
        CaseOp::Corr { z, v, c } => {
            let Kind::Coefficients(n) = case.regions[c].kind else {
                unreachable!("{op:?}")
            };
            Op {
                kind: 0x24,
                groups: layout(z).shape.local_len().div_ceil(y),
                passes: n.div_ceil(x),
                row_a: row(v),
                row_b: row(c),
                row_z: row(z),
                elements: n,
                elements_last: n,
                ..Op::default()
            }
        }
        CaseOp::Stream {
            matrix,
            strip,
            y: result,
            exponent,
        } => {
            let m = &case.matrices[matrix];
            let Strip { first, end, x } = m.strips[strip];
            let Kind::Full(n) = case.regions[x].kind else {
                unreachable!("{op:?}")
            };
            let layout = &case.layouts[m.layout];
            Op {
                kind: if m.by_rows { 0x10 } else { 0x11 },
                // Blocks without elements, at the end of the last round, are not streamed.
                groups: (0..layout.shape.rounds)
                    .map(|round| layout.round_blocks(round))
                    .sum(),
                passes: end - first,
                row_b: row(x),
                row_z: row(result),
                elements: n,
                elements_last: n,
                exponent: case.exponents[exponent],
                beats: beats(case, arch, matrix, strip, random),
                ..Op::default()
            }
        }
        CaseOp::Bar => unreachable!("a bar is a flag of the next op"),
    }
}

/// The beats of a strip: block by block, tile by tile. What lies beyond the matrix or the tile is noise.
fn beats(
    case: &Case,
    arch: &Arch,
    matrix: usize,
    strip: usize,
    random: &mut Random,
) -> Vec<Vec<u16>> {
    let m = &case.matrices[matrix];
    let layout = &case.layouts[m.layout];
    let (x, y) = (index(arch.cluster.lanes_x), index(arch.cluster.lanes_y));
    let beat = index(arch.bank.port_elements.min(arch.lanes()));
    let tile_along = if m.by_rows { x } else { y };
    let mut beats = Vec::new();
    for round in 0..layout.shape.rounds {
        let range = layout
            .shape
            .slice_range(round)
            .expect("rounds that hold elements");
        for slot in 0..index(layout.round_blocks(round)) {
            for tile in m.strips[strip].first..m.strips[strip].end {
                let element = |lane: usize| {
                    let (across, along) = if m.by_rows {
                        (lane / x, lane % x)
                    } else {
                        (lane % x, lane / x)
                    };
                    let cut = index(range.start)
                        + slot * index(layout.shape.layout().granule.into())
                        + across;
                    let along = index(tile) * tile_along + along;
                    (cut < index(range.end) && along < m.along)
                        .then(|| m.elements[cut * m.along + along])
                };
                let lanes: Vec<Option<u16>> = (0..x * y).map(element).collect();
                for part in lanes.chunks(beat) {
                    let values = part.iter().map(|e| e.unwrap_or_else(|| random.bits16()));
                    let mut values: Vec<u16> = values.collect();
                    values.resize(beat, 0x7e00);
                    beats.push(values);
                }
            }
        }
    }
    beats
}

/// The buffer as the models see it, op after op.
struct Values<'a> {
    case: &'a Case,
    arch: &'a Arch,
    mode: Accumulate,
    buffer: Vec<u16>,
}

impl Values<'_> {
    fn run(&mut self, op: CaseOp) -> Expected {
        let mut result = Expected::default();
        match op {
            CaseOp::Dot { a, b, .. } => {
                result.name = "dot";
                result.partials = self.dot(a, b);
            }
            CaseOp::Scale { dst, src, c } => {
                result.name = "scale";
                let c = self.scalar(c);
                result.written = self.elements(dst, |s, k| to_bits(times(s.element(src, k), c)));
            }
            CaseOp::Axpy { z, v, c } => {
                result.name = "axpy";
                let c = self.scalar(c);
                result.written = self.elements(z, |s, k| {
                    let exact = times(s.element(v, k), c);
                    let product = if s.mode.rounds_products() {
                        from_bits(to_bits(exact))
                    } else {
                        exact
                    };
                    to_bits(corrected(s.mode, s.element(z, k), product))
                });
            }
            CaseOp::Corr { z, v, c } => {
                result.name = "corr";
                let Kind::Coefficients(n) = self.case.regions[c].kind else {
                    unreachable!("{op:?}")
                };
                let coefficients: Vec<f32> = (0..index(n)).map(|k| self.at(c, k)).collect();
                let x = index(self.arch.cluster.lanes_x);
                result.written = self.elements(z, |s, k| {
                    let sum = expanded_sum(s.mode, x, &coefficients, s.element(v, k));
                    to_bits(corrected(s.mode, s.element(z, k), sum))
                });
            }
            CaseOp::Stream {
                matrix,
                strip,
                y,
                exponent,
            } => {
                result.name = if self.case.matrices[matrix].by_rows {
                    "mvn"
                } else {
                    "mvt"
                };
                let exponent = self.case.exponents[exponent].into();
                result.written =
                    self.elements(y, |s, i| to_bits(s.row(matrix, strip, i, exponent)));
            }
            CaseOp::Bar => unreachable!("bars are left out"),
        }
        result
            .written
            .iter()
            .for_each(|&(at, bits)| self.buffer[at] = bits);
        result
    }

    fn layout(&self, region: usize) -> &Vectors {
        &self.case.layouts[self.case.regions[region].layout]
    }

    /// Value at a local address of a region.
    fn at(&self, region: usize, address: usize) -> f32 {
        from_bits(self.buffer[self.place(region, address)])
    }

    fn place(&self, region: usize, address: usize) -> usize {
        index(self.case.regions[region].row * self.arch.lanes()) + address
    }

    /// Element k of a vector.
    fn element(&self, region: usize, k: usize) -> f32 {
        self.at(region, self.layout(region).address(k))
    }

    /// New elements of a vector; all are computed from the old ones.
    fn elements(&self, region: usize, value: impl Fn(&Self, usize) -> u16) -> Vec<(usize, u16)> {
        let layout = self.layout(region);
        (0..layout.len())
            .map(|k| (self.place(region, layout.address(k)), value(self, k)))
            .collect()
    }

    /// A mantissa and a power of two; a single coefficient has the exponent 0.
    fn scalar(&self, region: usize) -> (f32, i32) {
        let exponent = self.buffer[self.place(region, 1)].cast_signed();
        let exponent = if self.case.regions[region].kind == Kind::Scalar {
            exponent.into()
        } else {
            0
        };
        (self.at(region, 0), exponent)
    }

    fn dot(&self, a: usize, b: usize) -> Vec<u32> {
        let layout = self.layout(a);
        let lanes = Lanes {
            x: index(self.arch.cluster.lanes_x),
            y: index(self.arch.cluster.lanes_y),
        };
        let rounds = 0..layout.shape.rounds;
        let values = rounds.map(|round| {
            let range = layout
                .shape
                .slice_range(round)
                .expect("rounds that hold elements");
            // Masked addresses are +0 products.
            let round = |region: usize| {
                let mut elements: Vec<f32> = (range.start..range.end)
                    .map(|k| self.element(region, index(k)))
                    .collect();
                elements.resize(index(layout.shape.round_len()), 0.0);
                elements
            };
            self.bits(dot(self.mode, lanes, &round(a), &round(b)))
        });
        values.collect()
    }

    /// Element i of the product with a strip of a matrix.
    fn row(&self, matrix: usize, strip: usize, i: usize, exponent: i32) -> f32 {
        let m = &self.case.matrices[matrix];
        let Strip { first, x, .. } = m.strips[strip];
        let Kind::Full(n) = self.case.regions[x].kind else {
            unreachable!("x is a full copy")
        };
        let cluster = &self.arch.cluster;
        let tile = index(if m.by_rows {
            cluster.lanes_x
        } else {
            cluster.lanes_y
        });
        let row = &m.elements[i * m.along + index(first) * tile..][..index(n)];
        let products: Vec<f32> = row
            .iter()
            .enumerate()
            .map(|(j, &a)| self.mode.product(from_bits(a), self.at(x, j), exponent))
            .collect();
        let sums: Vec<f32> = products
            .chunks(tile)
            .map(|products| {
                let mut tile_products = vec![0.0; tile];
                tile_products[..products.len()].copy_from_slice(products);
                self.mode.tree(&tile_products)
            })
            .collect();
        self.mode.tree(&sums)
    }

    /// Bits of a word in accumulate precision.
    fn bits(&self, value: f32) -> u32 {
        if self.mode.rounds_sums() {
            to_bits(value).into()
        } else {
            dcom_fp::canon32(value)
        }
    }
}

/// x m 2^e, exact: |e| <= 64.
fn times(x: f32, (mantissa, exponent): (f32, i32)) -> f32 {
    x * mantissa * f32::from_bits((127 + exponent).cast_unsigned() << 23)
}
