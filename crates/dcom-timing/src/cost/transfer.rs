//! `ingest`, `in`, `out`, `ld`, `st`, `gather`.

use dcom_base::{ceil_div, log2_ceil};
use dcom_isa::{Axis, Lay, Mat, MatrixDecl, Store};

use super::{Latency, passes, window_clusters};
use crate::job::Gather;
use crate::plan::Builder;
use crate::unit::UnitKind::{
    Fill, GlobalRead, GlobalWrite, Lanes, LinkIn, LinkOut, Memory, Port, Statistics, WritePort,
};

pub(super) fn ingest(b: &mut Builder<'_, '_>, matrix: Mat) -> u64 {
    let t = Latency::new(b.arch);
    let m = b.program.program().matrices[matrix.index()];
    let (rows, columns) = (u64::from(m.rows), u64::from(m.columns));
    let (elements, bytes) = (rows * columns, 2 * rows * columns);
    let (width, add) = (b.arch.ingest.width_elements, b.arch.cluster.add32_cycles);
    let row_groups = ceil_div(columns, width);
    // The column sums of a row wait for those of the row before.
    let statistics = rows * row_groups.max(add);
    let memory = b.rates.ingest.cycles_for(bytes);
    let link = b.rates.link.cycles_for(bytes);
    let (mut n, mut pace) = (link, LinkIn);
    for (cycles, kind) in [(statistics, Statistics), (memory, Memory)] {
        if cycles > n {
            (n, pace) = (cycles, kind);
        }
    }
    let arrived = b.arch.link.latency_cycles + n;
    b.single(LinkIn, t.s, n);
    b.single(Statistics, t.s + b.arch.link.latency_cycles, n);
    b.paced_by(pace, n);
    b.work(LinkIn, link);
    b.work(Statistics, rows * row_groups);
    b.activity.link_in_bytes += bytes;
    b.activity.statistics_elements += elements;
    b.activity.memory_write_bytes += bytes;
    let depth = t.m + add * (log2_ceil(width) + log2_ceil(rows * row_groups));
    let filled = fill_banks(b, m, arrived, memory);
    t.s + arrived + depth.max(filled) + t.kw
}

/// A matrix that stays in the banks is written there from memory, one copy after the other; what that adds to `arrived`.
fn fill_banks(b: &mut Builder<'_, '_>, m: MatrixDecl, arrived: u64, memory: u64) -> u64 {
    let s = Latency::new(b.arch).s;
    let copies: &[(Axis, Lay)] = match m.store {
        Store::Memory => {
            if !b.rates.overlap_ingest {
                b.memory(None, s, arrived - b.arch.link.latency_cycles);
            }
            return 0;
        }
        Store::Banks { axis, layout, .. } => &[(axis, layout)],
        Store::BanksBoth {
            rows_layout,
            columns_layout,
            ..
        } => &[(Axis::Rows, rows_layout), (Axis::Columns, columns_layout)],
    };
    let beats = copies
        .iter()
        .map(|(axis, layout)| m.resident_beats(b.arch, *axis, b.program.shape(*layout)));
    let fills = beats.map(|beats| beats.max(memory)).sum();
    let latency = b.arch.memory.exposed_latency_cycles;
    b.banks_of(
        WritePort,
        copies.iter().map(|(_, layout)| *layout),
        s + arrived + latency,
        fills,
    );
    b.memory(None, s, arrived + latency + fills);
    let (elements, copies) = (
        u64::from(m.rows) * u64::from(m.columns),
        copies.len() as u64,
    );
    b.activity.bank_write_elements += elements * copies;
    b.activity.memory_read_bytes += 2 * elements * copies;
    latency + fills
}

pub(super) fn receive(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let (v, len) = (shape.vector_beats, u64::from(shape.layout().len));
    let link = b.rates.link.cycles_for(2 * len);
    let n = v.max(link);
    b.single(LinkIn, t.s, n);
    b.banks(
        WritePort,
        layout,
        t.s + b.arch.link.latency_cycles + n - v,
        v,
    );
    b.work(LinkIn, link);
    b.activity.link_in_bytes += 2 * len;
    b.activity.bank_write_elements += len;
    t.s + b.arch.link.latency_cycles + n + t.kw
}

pub(super) fn send(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let (v, len) = (shape.vector_beats, u64::from(shape.layout().len));
    let link = b.rates.link.cycles_for(2 * len);
    let n = v.max(link);
    b.banks(Port, layout, t.s, v);
    b.single(LinkOut, t.s + t.kr, n);
    b.work(LinkOut, link);
    b.activity.bank_read_elements += len;
    b.activity.link_out_bytes += 2 * len;
    b.release(t.s + v);
    t.s + t.kr + n + b.arch.link.latency_cycles
}

pub(super) fn load(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let len = u64::from(shape.layout().len);
    let beat = u64::from(shape.layout().granule).min(b.arch.bank.port_elements);
    let n = shape.vector_beats * ceil_div(beat, b.arch.cluster.ingest_elements);
    b.banks(Port, layout, t.s, n);
    b.banks(Fill, layout, t.s + t.kr, n);
    b.work(Port, len);
    b.activity.bank_read_elements += len;
    b.activity.buffer_write_elements += len;
    b.release(t.s + n);
    t.s + n + t.kr + t.bw
}

pub(super) fn store(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let (v, len) = (shape.vector_beats, u64::from(shape.layout().len));
    b.banks(Lanes, layout, t.s, v);
    b.banks(WritePort, layout, t.s + t.br, v);
    b.work(WritePort, len);
    b.activity.buffer_read_elements += len;
    b.activity.bank_write_elements += len;
    b.release(t.s + v);
    t.s + v + t.br + t.kw
}

pub(super) fn gather(b: &mut Builder<'_, '_>, gather: Gather) -> u64 {
    let t = Latency::new(b.arch);
    let (words, width) = (u64::from(gather.words), b.arch.broadcast.width_words);
    let (from, to) = (b.shape(gather.from), b.shape(gather.to));
    let elements = gather.start.into()..u64::from(gather.start) + words;
    let n = if gather.full {
        passes(b.arch, elements, &[from])
    } else {
        passes(b.arch, elements, &[from, to])
    };
    b.banks(Lanes, gather.from, t.s, n);
    b.single(GlobalWrite, t.s + t.br, n);
    b.single(GlobalRead, t.s + t.br + t.gw, n);
    b.banks(Fill, gather.to, t.s + t.br + t.gw + t.gr, n);
    b.work(GlobalWrite, ceil_div(words, width));
    b.activity.buffer_read_elements += words;
    b.activity.global_write_words += words;
    b.activity.global_read_words += words;
    b.activity.buffer_write_elements += if gather.full {
        words * window_clusters(to)
    } else {
        words
    };
    b.release(t.s + n);
    t.s + t.br + t.gw + t.gr + n + t.bw
}
