//! The products with A, and the reduction of their partial sums.
//!
//! A product *along* the strip gets its input in full and gives a sliced result, one *across* gets a sliced input and
//! gives partial sums of the strip in every cluster; whether the strip passes by or lies in the buffers changes no value. Either way A x sums over trees of `lanes_x` and A^T x over trees of
//! `lanes_y`, because a block of a vector is one side of a tile.

use std::ops::Range;

use dcom_fp::{MatVec, PairwiseSum, to_bits};
use dcom_isa::{Axis, Buf, BufferKind, Glob, Lay, Reg};
use rayon::prelude::*;

use crate::deal::add;
use crate::error::ExecError;
use crate::machine::Machine;
use crate::resident::Product;
use crate::state::{Strip, canonical};
use crate::vector::{is_finite16, widen};

/// Outputs that one task computes; the kernel's own panels are as wide.
const TASK: usize = 1024;

/// Products below which a stream is one task.
const SMALL: usize = 1 << 16;

/// What products with a strip of A have in common, whether it passes by or lies in the buffers.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) strip: Strip,
    pub(crate) add: bool,
    pub(crate) exponent: Reg,
}

impl Machine<'_> {
    pub(crate) fn mvn(&mut self, stream: Stream, x: Buf, y: Buf) -> Result<u64, ExecError> {
        match stream.strip.axis {
            Axis::Rows => self.along(stream, Product::Plain, x, y),
            Axis::Columns => self.across(stream, Product::Plain, x, y),
        }
    }

    pub(crate) fn mvt(&mut self, stream: Stream, x: Buf, y: Buf) -> Result<u64, ExecError> {
        match stream.strip.axis {
            Axis::Columns => self.along(stream, Product::Transposed, x, y),
            Axis::Rows => self.across(stream, Product::Transposed, x, y),
        }
    }

    fn along(
        &mut self,
        stream: Stream,
        product: Product,
        x: Buf,
        y: Buf,
    ) -> Result<u64, ExecError> {
        let x = widen(self.state.half(x));
        let (a, strip) = (self.matvec(&stream, product)?, self.strip(&stream));
        let mut sums = vec![0.0; a.stride];
        let task = if strip.len() * sums.len() <= SMALL {
            sums.len()
        } else {
            TASK
        };
        sums.par_chunks_mut(task).enumerate().for_each(|(i, sums)| {
            let first = i * task;
            a.run(strip.clone(), first..first + sums.len(), &x, sums);
        });
        let previous = stream.add.then(|| self.state.single(y));
        if let Some(previous) = previous {
            for (sum, previous) in sums.iter_mut().zip(previous) {
                *sum = self.mode.add(*previous, *sum);
            }
        }
        let finite_operands = |i: usize| {
            previous.is_none_or(|y| y[i].is_finite()) && is_block_finite(&a, strip.clone(), &x, i)
        };
        if self.program().buffers[y.index()].kind == BufferKind::Wide {
            let overflowed = (0..sums.len())
                .filter(|&i| !sums[i].is_finite() && finite_operands(i))
                .count();
            sums.iter_mut().for_each(|s| *s = canonical(*s));
            *self.state.single_mut(y) = sums;
            Ok(overflowed as u64)
        } else {
            let bits: Vec<u16> = sums.iter().map(|&s| to_bits(s)).collect();
            let overflowed = (0..bits.len())
                .filter(|&i| !is_finite16(bits[i]) && finite_operands(i))
                .count();
            *self.state.half_mut(y) = bits;
            Ok(overflowed as u64)
        }
    }

    fn across(
        &mut self,
        stream: Stream,
        product: Product,
        x: Buf,
        y: Buf,
    ) -> Result<u64, ExecError> {
        let layout = self.layout_of(x);
        let x = widen(self.state.half(x));
        let mut partials = std::mem::take(self.state.single_mut(y));
        let (a, strip, deal) = (
            self.matvec(&stream, product)?,
            self.strip(&stream),
            self.deal(layout),
        );
        let clusters = partials.par_chunks_mut(strip.len()).enumerate();
        let overflowed = clusters.map(|(i, out)| {
            let blocks = || deal.blocks_of(i / deal.clusters, i % deal.clusters);
            partial_sums(&a, blocks(), strip.clone(), &x, out);
            let finite_operands = |o| {
                blocks().all(|block| is_block_finite(&a, block.clone(), &x[block], strip.start + o))
            };
            let overflowed = (0..out.len())
                .filter(|&o| !out[o].is_finite() && finite_operands(o))
                .count();
            out.iter_mut().for_each(|s| *s = canonical(*s));
            overflowed as u64
        });
        let overflowed = overflowed.sum();
        *self.state.single_mut(y) = partials;
        Ok(overflowed)
    }

    fn matvec(&self, stream: &Stream, product: Product) -> Result<MatVec<'_>, ExecError> {
        let a = self.resident(stream.strip.matrix).k_major(product);
        let tree_width = match product {
            Product::Plain => self.lanes.x,
            Product::Transposed => self.lanes.y,
        };
        Ok(MatVec {
            mode: self.mode,
            tree_width,
            a: a.bits,
            stride: a.stride,
            exponent: self.exponent(stream.exponent),
        })
    }

    fn strip(&self, stream: &Stream) -> Range<usize> {
        let Strip {
            matrix,
            axis,
            first_tile,
            end_tile,
        } = stream.strip;
        let matrix = &self.program().matrices[matrix.index()];
        let len = match axis {
            Axis::Rows => matrix.columns,
            Axis::Columns => matrix.rows,
        };
        let strip = self.verified.strip(axis, len, first_tile, end_tile);
        strip.start as usize..strip.end as usize
    }

    pub(crate) fn preduce(&mut self, dst: Glob, src: Buf, layout: Lay) -> u64 {
        let (mode, deal) = (self.mode, self.deal(layout));
        let partials = self.state.single(src);
        let BufferKind::Partial(n) = self.program().buffers[src.index()].kind else {
            unreachable!("{src} of a verified program holds partial sums")
        };
        let n = n as usize;
        let mut sums = vec![0.0; deal.engaged * n];
        let partitions = sums
            .par_chunks_mut(n)
            .zip(partials.par_chunks(deal.clusters * n));
        let overflowed = partitions
            .map(|(sums, partials)| {
                deal.partition_sum(mode, partials, sums);
                let finite = |j: usize| partials[j..].iter().step_by(n).all(|p| p.is_finite());
                (0..n)
                    .filter(|&j| !sums[j].is_finite() && finite(j))
                    .count() as u64
            })
            .sum();
        self.state.globals[dst.index()][..sums.len()].copy_from_slice(&sums);
        overflowed
    }

    pub(crate) fn greduce(
        &mut self,
        dst: Buf,
        src: Glob,
        layout: Lay,
        start: usize,
        n: usize,
    ) -> u64 {
        let words = &self.state.globals[src.index()][..self.deal(layout).engaged * n];
        let mut tree = PairwiseSum::new(self.mode, n);
        words
            .chunks_exact(n)
            .for_each(|partition| tree.push(partition));
        let mut sums = vec![0.0; n];
        tree.finish(&mut sums);
        let finite_words = |j: usize| words[j..].iter().step_by(n).all(|w| w.is_finite());
        let bits: Vec<u16> = sums.iter().map(|&s| to_bits(s)).collect();
        let overflowed = (0..n)
            .filter(|&j| !is_finite16(bits[j]) && finite_words(j))
            .count();
        self.state.half_mut(dst)[start..start + n].copy_from_slice(&bits);
        overflowed as u64
    }
}

/// Partial sums of one cluster: a tree per block, a running sum over the blocks.
fn partial_sums(
    a: &MatVec<'_>,
    blocks: impl Iterator<Item = Range<usize>>,
    outputs: Range<usize>,
    x: &[f32],
    out: &mut [f32],
) {
    out.fill(0.0);
    let mut sum = Vec::new();
    for (i, block) in blocks.enumerate() {
        let x = &x[block.clone()];
        if i == 0 {
            a.run(block, outputs.clone(), x, out);
        } else {
            sum.resize(out.len(), 0.0);
            a.run(block, outputs.clone(), x, &mut sum);
            add(a.mode, out, &sum);
        }
    }
}

/// Whether the operands of output `o` with summation indices `block` are finite; `x` has one value per index.
fn is_block_finite(a: &MatVec<'_>, block: Range<usize>, x: &[f32], o: usize) -> bool {
    x.iter().all(|x| x.is_finite())
        && block
            .into_iter()
            .all(|k| is_finite16(a.a[k * a.stride + o]))
}
