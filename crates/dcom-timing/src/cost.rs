//! The timing of each op, as in `docs/machine.md`, "Timing of each op": same names, same order.

use dcom_arch::Arch;
use dcom_base::{ceil_div, log2_ceil};
use dcom_isa::{Axis, Buf, BufferKind, Mat, Op, Reduction, Reg, Shape, StartKind, Store};

use crate::plan::Builder;
use crate::unit::UnitKind::{
    Fill, GlobalRead, GlobalWrite, Lanes, LinkIn, LinkOut, Memory, Network, Port, Result, Scalar,
    Statistics, Svd, WritePort,
};

/// Latencies under the short names of the document.
struct Latency {
    s: u64,
    br: u64,
    bw: u64,
    kr: u64,
    kw: u64,
    gr: u64,
    gw: u64,
    m: u64,
    a: u64,
    x: u64,
    y: u64,
}

impl Latency {
    fn new(arch: &Arch) -> Latency {
        Latency {
            s: arch.sequencer.decode_cycles,
            br: arch.cluster.buffer_read_cycles,
            bw: arch.cluster.buffer_write_cycles,
            kr: arch.bank.read_cycles,
            kw: arch.bank.write_cycles,
            gr: arch.broadcast.read_cycles,
            gw: arch.broadcast.write_cycles,
            m: arch.cluster.multiply_cycles,
            a: arch.tree_add_cycles(),
            x: arch.row_tree_cycles(),
            y: arch.column_tree_cycles(),
        }
    }
}

/// Latency of a partition sum over the clusters of a partition.
fn partition_sum(arch: &Arch, shape: &Shape) -> u64 {
    let g = u64::from(shape.layout().clusters);
    let step = arch.network.hop_cycles + arch.tree_add_cycles();
    match shape.layout().reduction {
        Reduction::Tree => log2_ceil(g) * step,
        Reduction::Chain => (g - 1) * step,
    }
}

/// Plans one op; returns the offset at which its results may be used.
pub(crate) fn plan(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    match *op {
        Op::Ingest { matrix, .. } => ingest(b, matrix),
        Op::In { .. } | Op::Out { .. } | Op::Ld { .. } | Op::St { .. } | Op::Gather { .. } => {
            transfer(b, op)
        }
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
            let local = axis == Axis::Rows;
            let stream = Stream {
                matrix,
                axis,
                first_tile,
                end_tile,
                add,
                exponent,
            };
            if local {
                stream.plan(b, Some((x, y)), None)
            } else {
                stream.plan(b, None, Some((x, y)))
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
            let local = axis == Axis::Columns;
            let stream = Stream {
                matrix,
                axis,
                first_tile,
                end_tile,
                add,
                exponent,
            };
            if local {
                stream.plan(b, Some((x, y)), None)
            } else {
                stream.plan(b, None, Some((x, y)))
            }
        }
        Op::MvNT {
            matrix,
            axis,
            x,
            y,
            u,
            w,
            first_tile,
            end_tile,
            add,
            exponent,
        } => {
            let stream = Stream {
                matrix,
                axis,
                first_tile,
                end_tile,
                add,
                exponent,
            };
            match axis {
                Axis::Rows => stream.plan(b, Some((x, y)), Some((u, w))),
                Axis::Columns => stream.plan(b, Some((u, w)), Some((x, y))),
            }
        }
        Op::PReduce { .. } | Op::GReduce { .. } => reduce(b, op),
        Op::Narrow { .. } | Op::Scale { .. } | Op::Axpy { .. } => elementwise(b, op),
        Op::Dot { dst, a, b: other } => {
            b.read(b.resources.buffer(a));
            b.read(b.resources.buffer(other));
            b.write(b.resources.part(dst));
            dot(b)
        }
        Op::PutH { dst, src } | Op::PutW { dst, src } => {
            b.read(b.resources.part(src));
            b.write(b.resources.global(dst));
            let (t, g) = (Latency::new(b.arch), b.arch.broadcast);
            let parts = shape(b).parts;
            let n = ceil_div(parts, g.width_words.min(g.write_ports));
            b.single(GlobalWrite, t.s, n);
            b.work(GlobalWrite, ceil_div(parts, g.width_words));
            b.activity.global_write_words += parts;
            b.release(t.s + n);
            t.s + n + t.gw
        }
        Op::Bc { dst, src, start: _ } => {
            b.read(b.resources.global(src));
            b.write(b.resources.buffer(dst));
            let coefficients = coefficients(b, dst);
            let t = Latency::new(b.arch);
            let n = ceil_div(
                coefficients,
                b.arch
                    .broadcast
                    .width_words
                    .min(b.arch.cluster.ingest_elements),
            );
            b.single(GlobalRead, t.s, n);
            b.banks(Fill, t.s + t.gr, n);
            b.work(
                GlobalRead,
                ceil_div(coefficients, b.arch.broadcast.width_words),
            );
            b.activity.global_read_words += coefficients;
            b.activity.buffer_write_elements += coefficients * window_clusters(b);
            b.release(t.s + n);
            t.s + n + t.gr + t.bw
        }
        Op::Corr { .. } | Op::CSum { .. } | Op::Comb { .. } => expanded(b, op),
        Op::Ldi { .. }
        | Op::Mul { .. }
        | Op::Div { .. }
        | Op::Sqrt { .. }
        | Op::Max { .. }
        | Op::Log2 { .. }
        | Op::Stat { .. }
        | Op::Brk { .. }
        | Op::Clr { .. } => scalar(b, op),
        Op::Sum { .. } | Op::Sbc { .. } | Op::Start { .. } | Op::Svd { .. } => scalar_side(b, op),
        Op::Bar {} | Op::Loop { .. } => 0,
    }
}

fn shape<'a>(b: &Builder<'a, '_>) -> &'a Shape {
    b.program.shape(b.layout)
}

/// Clusters of the governing layout's window.
fn window_clusters(b: &Builder<'_, '_>) -> u64 {
    let l = shape(b).layout();
    u64::from(l.clusters) * u64::from(l.count)
}

fn coefficients(b: &Builder<'_, '_>, buffer: Buf) -> u64 {
    match b.program.program().buffers[buffer.index()].kind {
        BufferKind::Coefs(n) | BufferKind::Full(n) | BufferKind::Partial(n) => n.into(),
        BufferKind::Scalar => 1,
        BufferKind::Vector | BufferKind::Wide => b.program.buffer_shape(buffer).layout().len.into(),
    }
}

fn ingest(b: &mut Builder<'_, '_>, matrix: Mat) -> u64 {
    b.write(b.resources.matrix(matrix));
    let t = Latency::new(b.arch);
    let m = b.program.program().matrices[matrix.index()];
    let elements = u64::from(m.rows) * u64::from(m.columns);
    let bytes = 2 * elements;
    let (link, width) = (b.rates.link.cycles_for(bytes), b.arch.ingest.width_elements);
    let (mut n, mut pace) = (link, LinkIn);
    let mut at_least = |cycles: u64, kind| {
        if cycles > n {
            (n, pace) = (cycles, kind);
        }
    };
    at_least(ceil_div(elements, width), Statistics);
    let copies: &[(Axis, dcom_isa::Lay)] = match m.store {
        Store::Memory => &[],
        Store::Banks { axis, layout, .. } => &[(axis, layout)],
        Store::BanksBoth {
            rows_layout,
            columns_layout,
            ..
        } => &[(Axis::Rows, rows_layout), (Axis::Columns, columns_layout)],
    };
    // Copies go through the same write ports, one after the other.
    let beats = copies.iter().map(|(axis, layout)| {
        let (along, tile) = match axis {
            Axis::Rows => (m.columns, b.arch.cluster.lanes_x),
            Axis::Columns => (m.rows, b.arch.cluster.lanes_y),
        };
        b.program.shape(*layout).tile_beats * ceil_div(along.into(), tile)
    });
    at_least(beats.sum(), WritePort);
    if copies.is_empty() {
        at_least(b.rates.ingest.cycles_for(bytes), Memory);
        if !b.rates.overlap_ingest {
            b.memory(None, t.s, n);
        }
        b.activity.memory_write_bytes += bytes;
    }
    b.banks_of(
        WritePort,
        copies.iter().map(|(_, layout)| *layout),
        t.s + b.arch.link.latency_cycles,
        n,
    );
    b.activity.bank_write_elements += elements * copies.len() as u64;
    b.single(LinkIn, t.s, n);
    b.single(Statistics, t.s, n);
    b.paced_by(pace, n);
    b.work(LinkIn, link);
    b.work(Statistics, ceil_div(elements, width));
    b.activity.link_in_bytes += bytes;
    b.activity.statistics_elements += elements;
    let depth = t.m
        + b.arch.cluster.add32_cycles * (log2_ceil(width) + log2_ceil(ceil_div(elements, width)));
    t.s + b.arch.link.latency_cycles + n + depth + t.kw
}

fn transfer(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    let t = Latency::new(b.arch);
    let (v, len) = (shape(b).vector_beats, u64::from(shape(b).layout().len));
    let granule = u64::from(shape(b).layout().granule);
    let link = b.rates.link.cycles_for(2 * len);
    let link_latency = b.arch.link.latency_cycles;
    match *op {
        Op::Ld { dst, src } => {
            b.read(b.resources.bank(src));
            b.write(b.resources.buffer(dst));
            let n = v * ceil_div(
                granule.min(b.arch.bank.port_elements),
                b.arch.cluster.ingest_elements,
            );
            b.banks(Port, t.s, n);
            b.banks(Fill, t.s + t.kr, n);
            b.work(Port, len);
            b.activity.bank_read_elements += len;
            b.activity.buffer_write_elements += len;
            b.release(t.s + n);
            t.s + n + t.kr + t.bw
        }
        Op::St { dst, src } => {
            b.read(b.resources.buffer(src));
            b.write(b.resources.bank(dst));
            b.banks(Lanes, t.s, v);
            b.banks(WritePort, t.s + t.br, v);
            b.work(WritePort, len);
            b.activity.buffer_read_elements += len;
            b.activity.bank_write_elements += len;
            b.release(t.s + v);
            t.s + v + t.br + t.kw
        }
        Op::In { dst, host: _ } => {
            b.write(b.resources.bank(dst));
            let n = v.max(link);
            b.single(LinkIn, t.s, n);
            b.banks(WritePort, t.s + link_latency + n - v, v);
            b.work(LinkIn, link);
            b.activity.link_in_bytes += 2 * len;
            b.activity.bank_write_elements += len;
            t.s + link_latency + n + t.kw
        }
        Op::Out { src, .. } => {
            b.read(b.resources.bank(src));
            let n = v.max(link);
            b.banks(Port, t.s, v);
            b.single(LinkOut, t.s + t.kr, n);
            b.work(LinkOut, link);
            b.activity.bank_read_elements += len;
            b.activity.link_out_bytes += 2 * len;
            b.release(t.s + v);
            t.s + t.kr + n + link_latency
        }
        Op::Gather { dst, src, start: _ } => {
            b.read(b.resources.buffer(src));
            b.write(b.resources.buffer(dst));
            let words = coefficients(b, dst);
            let width = b.arch.broadcast.width_words;
            let n = ceil_div(words, width.min(b.arch.cluster.ingest_elements));
            b.banks(Lanes, t.s, n);
            b.single(GlobalWrite, t.s + t.br, n);
            b.single(GlobalRead, t.s + t.br + t.gw, n);
            b.layout = b.program.program().buffers[dst.index()].layout;
            b.banks(Fill, t.s + t.br + t.gw + t.gr, n);
            let full = matches!(
                b.program.program().buffers[dst.index()].kind,
                BufferKind::Full(_)
            );
            b.work(GlobalWrite, ceil_div(words, width));
            b.activity.buffer_read_elements += words;
            b.activity.global_write_words += words;
            b.activity.global_read_words += words;
            b.activity.buffer_write_elements += if full {
                words * window_clusters(b)
            } else {
                words
            };
            b.release(t.s + n);
            t.s + t.br + t.gw + t.gr + n + t.bw
        }
        _ => unreachable!("{op} is no transfer"),
    }
}

/// A pass of A past the lanes.
struct Stream {
    matrix: Mat,
    axis: Axis,
    first_tile: u32,
    end_tile: u32,
    add: bool,
    exponent: Reg,
}

impl Stream {
    /// `local` has a sliced result, `partial` one of partial sums per cluster: input and output each.
    fn plan(
        &self,
        b: &mut Builder<'_, '_>,
        local: Option<(Buf, Buf)>,
        partial: Option<(Buf, Buf)>,
    ) -> u64 {
        let t = Latency::new(b.arch);
        b.read(b.resources.matrix(self.matrix));
        b.read(b.resources.reg(self.exponent));
        for (input, output) in local.iter().chain(&partial) {
            b.read(b.resources.buffer(*input));
            b.write(b.resources.buffer(*output));
        }
        let m = b.program.program().matrices[self.matrix.index()];
        let (cut, along) = match self.axis {
            Axis::Rows => (m.rows, m.columns),
            Axis::Columns => (m.columns, m.rows),
        };
        let strip = b
            .program
            .strip(self.axis, along, self.first_tile, self.end_tile);
        let elements = u64::from(cut) * u64::from(strip.end - strip.start);
        let tiles = u64::from(self.end_tile - self.first_tile);
        let shape = shape(b);

        let (along_tree, across_tree) = match self.axis {
            Axis::Rows => (t.x, t.y),
            Axis::Columns => (t.y, t.x),
        };
        let mut depth = 0;
        if local.is_some() {
            depth =
                t.m + along_tree + b.arch.pairwise_cycles(tiles) + if self.add { t.a } else { 0 };
        }
        let mut positions = tiles;
        if partial.is_some() {
            depth = depth.max(t.m + across_tree + t.a);
            if shape.rounds * shape.slots > 1 {
                positions = positions.max(t.br + t.a + t.bw);
            }
        }

        let mut n = shape.tile_beats * positions;
        // Data from the banks meet operands from the buffers.
        let mut d = t.kr.max(t.br);
        b.work(Lanes, elements);
        b.work(Port, elements);
        if m.store == Store::Memory {
            let memory = b.rates.channel.cycles_for(2 * elements);
            b.paced_by(if memory > n { Memory } else { Port }, n.max(memory));
            n = n.max(memory);
            d += b.arch.memory.exposed_latency_cycles;
            let layout = shape.layout();
            let channel = u16::try_from(layout.first / layout.count)
                .expect("verified: below the number of channels");
            b.memory(Some(channel), t.s, n);
            b.work(Memory, memory);
            b.activity.memory_read_bytes += 2 * elements;
            b.activity.stream_elements += elements;
        } else {
            b.activity.bank_read_elements += elements;
        }
        b.banks(Port, t.s, n);
        b.banks(Lanes, t.s + d, n);
        b.banks(Result, t.s + d + depth, n);
        self.count(
            b,
            shape,
            local.map(|(_, output)| output),
            partial.is_some(),
            elements,
            cut.into(),
            (strip.end - strip.start).into(),
        );
        b.release(t.s + d + n);
        t.s + d + depth + n + t.bw
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call; the counts are all different things"
    )]
    fn count(
        &self,
        b: &mut Builder<'_, '_>,
        shape: &Shape,
        local: Option<Buf>,
        partial: bool,
        elements: u64,
        cut: u64,
        strip: u64,
    ) {
        let buffers = &b.program.program().buffers;
        let activity = &mut b.activity;
        if let Some(output) = local {
            let wide = buffers[output.index()].kind == BufferKind::Wide;
            activity.multiplications += elements;
            activity.additions += elements - cut + if self.add { cut } else { 0 };
            // Every block meets the whole strip of the input.
            activity.buffer_read_elements += strip * shape.blocks;
            // A wide element is written, and read where it is added to, as two.
            activity.buffer_write_elements += if wide { 2 * cut } else { cut };
            activity.buffer_read_elements += if self.add { 2 * cut } else { 0 };
        }
        if partial {
            // Every cluster that holds elements has its own sums of the strip.
            activity.multiplications += elements;
            activity.additions += elements - strip * shape.engaged_clusters;
            // Every block writes them; every block but a cluster's first reads them.
            activity.buffer_read_elements +=
                cut + 2 * strip * (shape.blocks - shape.engaged_clusters);
            activity.buffer_write_elements += 2 * strip * shape.blocks;
        }
    }
}

fn reduce(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    let t = Latency::new(b.arch);
    let width = b.arch.broadcast.width_words;
    match *op {
        Op::PReduce {
            dst,
            src,
            layout: _,
        } => {
            b.read(b.resources.buffer(src));
            b.write(b.resources.global(dst));
            let (len, partitions) = (coefficients(b, src), shape(b).engaged_partitions);
            let r = partition_sum(b.arch, shape(b));
            let n =
                ceil_div(len, b.arch.network.width_words).max(ceil_div(partitions * len, width));
            b.banks(Lanes, t.s, n);
            b.banks(Network, t.s + t.br, n);
            b.single(GlobalWrite, t.s + t.br + r, n);
            b.work(GlobalWrite, ceil_div(partitions * len, width));
            let clusters = shape(b).engaged_clusters;
            b.activity.buffer_read_elements += 2 * len * clusters;
            b.activity.network_words += len * clusters;
            b.activity.network_additions += len * (clusters - partitions);
            b.activity.global_write_words += partitions * len;
            b.release(t.s + n);
            t.s + t.br + r + n + t.gw
        }
        Op::GReduce {
            dst,
            src,
            layout,
            start: _,
            n: len,
        } => {
            b.read(b.resources.global(src));
            b.write(b.resources.buffer(dst));
            let partitions = b.program.shape(layout).engaged_partitions;
            let words = partitions * u64::from(len);
            let n = ceil_div(words, width);
            let p = b.arch.pairwise_cycles(partitions);
            b.single(GlobalRead, t.s, n);
            b.banks(Lanes, t.s + t.gr, n);
            b.banks(Result, t.s + t.gr + p, n);
            b.work(GlobalRead, n);
            b.activity.global_read_words += words;
            b.activity.additions += words - u64::from(len);
            b.activity.buffer_write_elements += u64::from(len);
            b.release(t.s + n);
            t.s + t.gr + p + n + t.bw
        }
        _ => unreachable!("{op} is no reduction"),
    }
}

fn elementwise(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    let t = Latency::new(b.arch);
    let len = u64::from(shape(b).layout().len);
    let depth = match *op {
        Op::Narrow { dst, src } => {
            b.read(b.resources.buffer(src));
            b.write(b.resources.buffer(dst));
            b.activity.buffer_read_elements += 2 * len;
            t.br
        }
        Op::Scale { dst, src, c } => {
            b.read(b.resources.buffer(src));
            b.read(b.resources.buffer(c));
            b.write(b.resources.buffer(dst));
            b.activity.buffer_read_elements += len;
            b.activity.multiplications += len;
            t.br + t.m
        }
        Op::Axpy { z, v, c } => {
            b.read(b.resources.buffer(v));
            b.read(b.resources.buffer(c));
            b.read(b.resources.buffer(z));
            b.write(b.resources.buffer(z));
            b.activity.buffer_read_elements += 2 * len;
            b.activity.multiplications += len;
            b.activity.additions += len;
            t.br + t.m + t.a
        }
        _ => unreachable!("{op} is not elementwise"),
    };
    b.activity.buffer_write_elements += len;
    let lanes = b.arch.lanes();
    let n = ceil_div(shape(b).local_len(), lanes)
        * ceil_div(lanes, b.arch.cluster.buffer_read_elements);
    b.banks(Lanes, t.s, n);
    b.banks(Result, t.s + depth, n);
    b.work(Lanes, len);
    b.release(t.s + n);
    t.s + depth + n + t.bw
}

fn dot(b: &mut Builder<'_, '_>) -> u64 {
    let t = Latency::new(b.arch);
    let (shape, lanes) = (shape(b), b.arch.lanes());
    let chunks = ceil_div(shape.round_len(), lanes);
    let n1 = chunks * ceil_div(lanes, b.arch.cluster.buffer_read_elements);
    let n = shape.rounds * n1;
    let depth = t.br + t.m + t.x + t.y + b.arch.pairwise_cycles(chunks);
    b.banks(Lanes, t.s, n);
    b.banks(Network, t.s + depth + n1 - 1, n - n1 + 1);
    let len = u64::from(shape.layout().len);
    b.work(Lanes, len);
    b.activity.multiplications += len;
    b.activity.additions += len - shape.occupied;
    b.activity.network_words += shape.occupied;
    b.activity.network_additions += shape.occupied - shape.parts;
    b.activity.buffer_read_elements += 2 * len;
    b.release(t.s + n);
    t.s + depth + n + partition_sum(b.arch, shape) + 1
}

/// Ops whose row trees sum over coefficients.
fn expanded(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    let t = Latency::new(b.arch);
    let cluster = b.arch.cluster;
    let len = u64::from(shape(b).layout().len);
    let groups = ceil_div(shape(b).local_len(), cluster.lanes_y);
    let passes_for = |coefficients: u64| ceil_div(coefficients, cluster.lanes_x);
    match *op {
        Op::Corr { z, v, c } => {
            b.read(b.resources.buffer(v));
            b.read(b.resources.buffer(c));
            b.read(b.resources.buffer(z));
            b.write(b.resources.buffer(z));
            let f = coefficients(b, c);
            let passes = passes_for(f);
            let n = groups * passes * ceil_div(cluster.lanes_y, cluster.buffer_read_elements);
            let depth = t.br + t.m + t.x + b.arch.pairwise_cycles(passes) + t.a;
            b.banks(Lanes, t.s, n);
            b.banks(Result, t.s + depth, n);
            b.work(Lanes, len * f);
            b.activity.multiplications += len * f;
            b.activity.additions += len * f;
            b.activity.buffer_read_elements += 2 * len + f * shape(b).engaged_clusters;
            b.activity.buffer_write_elements += len;
            b.release(t.s + n);
            t.s + depth + n + t.bw
        }
        Op::CSum { dst, src } => {
            b.read(b.resources.buffer(src));
            b.write(b.resources.buffer(dst));
            let f = coefficients(b, src);
            let n = passes_for(f);
            let depth = t.br + t.x + b.arch.pairwise_cycles(n);
            b.banks(Lanes, t.s, n);
            b.banks(Result, t.s + depth, n);
            b.activity.additions += (f - 1) * window_clusters(b);
            b.activity.buffer_read_elements += f * window_clusters(b);
            b.activity.buffer_write_elements += window_clusters(b);
            b.release(t.s + n);
            t.s + depth + n + t.bw
        }
        Op::Comb { dst, src, c } => {
            let k = coefficients(b, c);
            let small = u16::try_from(k).expect("verified: within the stack");
            for index in src.index..src.index + small {
                b.read(b.resources.bank(dcom_isa::BankVec { index, ..src }));
            }
            b.read(b.resources.buffer(c));
            b.write(b.resources.buffer(dst));
            let passes = passes_for(k);
            let (beats, cycles) = (k * shape(b).vector_beats, groups * passes);
            let n = beats.max(cycles);
            b.paced_by(if beats >= cycles { Port } else { Lanes }, n);
            let d = t.kr.max(t.br);
            let depth = d + t.m + t.x + b.arch.pairwise_cycles(passes);
            b.banks(Port, t.s, n);
            b.banks(Lanes, t.s + d, n);
            b.banks(Result, t.s + depth, n);
            b.work(Lanes, len * k);
            b.work(Port, len * k);
            b.activity.multiplications += len * k;
            b.activity.additions += len * (k - 1);
            b.activity.bank_read_elements += len * k;
            b.activity.buffer_read_elements += k * shape(b).engaged_clusters;
            b.activity.buffer_write_elements += len;
            b.release(t.s + n);
            t.s + depth + n + t.bw
        }
        _ => unreachable!("{op} sums over no coefficients"),
    }
}

/// Ops of the scalar unit alone.
fn scalar(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    let t = Latency::new(b.arch);
    let unit = b.arch.scalar;
    let mut cycles = (1, unit.simple_cycles);
    match *op {
        Op::Ldi { dst, value: _ } => b.write(b.resources.reg(dst)),
        Op::Mul { dst, a, b: c } | Op::Div { dst, a, b: c } | Op::Max { dst, a, b: c } => {
            b.read(b.resources.reg(a));
            b.read(b.resources.reg(c));
            b.write(b.resources.reg(dst));
            if matches!(op, Op::Div { .. }) {
                cycles = (unit.divide_cycles, unit.divide_cycles);
            }
        }
        Op::Sqrt { dst, a } | Op::Log2 { dst, a } => {
            b.read(b.resources.reg(a));
            b.write(b.resources.reg(dst));
            if matches!(op, Op::Sqrt { .. }) {
                cycles = (unit.sqrt_cycles, unit.sqrt_cycles);
            }
        }
        Op::Stat { dst, matrix } => {
            b.read(b.resources.matrix(matrix));
            b.write(b.resources.reg(dst));
        }
        Op::Brk {
            p,
            x,
            max,
            tolerance: _,
        } => {
            b.read(b.resources.reg(x));
            b.read(b.resources.reg(max));
            b.write(b.resources.pred(p));
        }
        Op::Clr { p } => b.write(b.resources.pred(p)),
        _ => unreachable!("{op} is not the scalar unit's alone"),
    }
    b.single(Scalar, t.s, cycles.0);
    b.activity.scalar_operations += 1;
    t.s + cycles.1
}

/// Ops between the scalar side of the machine and the rest.
fn scalar_side(b: &mut Builder<'_, '_>, op: &Op) -> u64 {
    let t = Latency::new(b.arch);
    let width = b.arch.broadcast.width_words;
    match *op {
        Op::Sum {
            dst,
            src,
            start: _,
            n,
        } => {
            b.read(b.resources.global(src));
            b.write(b.resources.reg(dst));
            let n = u64::from(n);
            let groups = ceil_div(n, width);
            b.single(GlobalRead, t.s, groups);
            b.single(Scalar, t.s + t.gr, groups);
            b.work(GlobalRead, groups);
            b.activity.global_read_words += n;
            b.activity.scalar_operations += n - 1;
            b.release(t.s + groups);
            t.s + t.gr
                + groups
                + b.arch.cluster.add32_cycles * (log2_ceil(n.min(width)) + log2_ceil(groups))
        }
        Op::Sbc { dst, src } => {
            b.read(b.resources.reg(src));
            b.write(b.resources.buffer(dst));
            b.single(Scalar, t.s, 1);
            b.single(GlobalWrite, t.s, 1);
            b.single(GlobalRead, t.s + t.gw, 1);
            b.banks(Fill, t.s + t.gw + t.gr, 1);
            b.activity.scalar_operations += 1;
            b.activity.global_write_words += 1;
            b.activity.global_read_words += 1;
            b.activity.buffer_write_elements += 2 * window_clusters(b);
            t.s + 1 + t.gw + t.gr + t.bw
        }
        Op::Start {
            dst,
            matrix,
            kind,
            exponent,
            shift: _,
        } => {
            b.read(b.resources.matrix(matrix));
            b.read(b.resources.reg(exponent));
            b.write(b.resources.buffer(dst));
            let len = u64::from(shape(b).layout().len);
            let scan = if kind == StartKind::Mean {
                ceil_div(len, width)
            } else {
                0
            };
            let n = ceil_div(len, width.min(b.arch.cluster.ingest_elements));
            b.single(Statistics, t.s, scan + n);
            b.single(GlobalWrite, t.s + scan, n);
            b.single(GlobalRead, t.s + scan + t.gw, n);
            b.banks(Fill, t.s + scan + t.gw + t.gr, n);
            b.work(GlobalWrite, ceil_div(len, width));
            b.activity.statistics_elements += len;
            b.activity.global_write_words += len;
            b.activity.global_read_words += len;
            b.activity.buffer_write_elements += len;
            b.release(t.s + scan + n);
            t.s + scan + n + t.gw + t.gr + t.bw
        }
        Op::Svd {
            matrix: _,
            u,
            v,
            alpha,
            beta,
            k,
            r,
            exponent,
            p,
        } => {
            for i in 0..k {
                b.read(b.resources.reg(Reg(alpha.0 + i)));
            }
            for i in 0..k - 1 {
                b.read(b.resources.reg(Reg(beta.0 + i)));
            }
            b.read(b.resources.reg(exponent));
            b.read(b.resources.pred(p));
            b.write(b.resources.global(u));
            b.write(b.resources.global(v));
            let k3 = u64::from(k).pow(3);
            let n = ceil_div(k3 * b.arch.svd.millicycles_per_k3, 1000);
            b.single(Svd, t.s, n);
            b.work(Svd, n + b.arch.svd.round_trip_cycles);
            b.activity.global_write_words += 2 * u64::from(k) * u64::from(r);
            t.s + n + b.arch.svd.round_trip_cycles
        }
        _ => unreachable!("{op} has no scalar side"),
    }
}
