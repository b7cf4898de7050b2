//! `ingest`, `in`, `out`, `ld`, `st`, `gather`.

use dcom_base::{ceil_div, log2_ceil};
use dcom_isa::{Axis, Lay, Mat, Store};

use super::{Latency, window_clusters};
use crate::job::Gather;
use crate::plan::Builder;
use crate::unit::UnitKind::{
    Fill, GlobalRead, GlobalWrite, Lanes, LinkIn, LinkOut, Memory, Port, Statistics, WritePort,
};

pub(super) fn ingest(b: &mut Builder<'_, '_>, matrix: Mat) -> u64 {
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
    let copies: &[(Axis, Lay)] = match m.store {
        Store::Memory => &[],
        Store::Banks { axis, layout, .. } => &[(axis, layout)],
        Store::BanksBoth {
            rows_layout,
            columns_layout,
            ..
        } => &[(Axis::Rows, rows_layout), (Axis::Columns, columns_layout)],
    };
    // Copies go through the same write ports, one after the other.
    let beats = copies
        .iter()
        .map(|(axis, layout)| m.resident_beats(b.arch, *axis, b.program.shape(*layout)));
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
    let n = ceil_div(words, width.min(b.arch.cluster.ingest_elements));
    b.banks(Lanes, gather.from, t.s, n);
    b.single(GlobalWrite, t.s + t.br, n);
    b.single(GlobalRead, t.s + t.br + t.gw, n);
    b.banks(Fill, gather.to, t.s + t.br + t.gw + t.gr, n);
    b.work(GlobalWrite, ceil_div(words, width));
    b.activity.buffer_read_elements += words;
    b.activity.global_write_words += words;
    b.activity.global_read_words += words;
    b.activity.buffer_write_elements += if gather.full {
        words * window_clusters(b.shape(gather.to))
    } else {
        words
    };
    b.release(t.s + n);
    t.s + t.br + t.gw + t.gr + n + t.bw
}
