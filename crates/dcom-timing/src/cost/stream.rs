//! `mvn`, `mvt`: passes of A past the lanes; `ldt`, `tmvn`, `tmvt`: strips of A in the buffers.

use dcom_arch::Arch;
use dcom_base::ceil_div;
use dcom_isa::{Axis, Shape, Store};

use super::Latency;
use crate::job::{Product, Stream, Strip, Tiles};
use crate::plan::Builder;
use crate::unit::UnitKind::{Fill, Lanes, Memory, Port, Result};

pub(super) fn stream(b: &mut Builder<'_, '_>, job: Stream) -> u64 {
    let t = Latency::new(b.arch);
    let shape = b.shape(job.strip.layout);
    let tiles = u64::from(job.strip.end_tile - job.strip.first_tile);
    let mut positions = tiles;
    if job.result == Product::Partial && shape.local_blocks() > 1 {
        positions = positions.max(t.br + t.a + t.bw);
    }
    // Data from the banks meet operands from the buffers.
    let pass = pass(b, job.strip, shape.tile_beats * positions, t.kr.max(t.br));
    let (n, d) = (pass.cycles, pass.latency);
    b.work(Lanes, pass.cut * pass.strip);
    let depth = depth(b.arch, job.strip.axis, job.result, tiles);
    b.banks(Lanes, job.strip.layout, t.s + d - t.br, n);
    b.banks(Result, job.strip.layout, t.s + d + depth, n);
    count(b, job.result, shape, pass.cut, pass.strip);
    b.release(t.s + d - t.br + n);
    t.s + d + depth + n + t.bw
}

pub(super) fn load_tiles(b: &mut Builder<'_, '_>, strip: Strip) -> u64 {
    let t = Latency::new(b.arch);
    let field = b.arch.lanes().min(b.arch.bank.port_elements);
    let beats = b.shape(strip.layout).tile_beats
        * u64::from(strip.end_tile - strip.first_tile)
        * ceil_div(field, b.arch.cluster.ingest_elements);
    let pass = pass(b, strip, beats, t.kr);
    b.banks(Fill, strip.layout, t.s + pass.latency, pass.cycles);
    b.activity.buffer_write_elements += pass.cut * pass.strip;
    b.release(t.s + pass.cycles);
    t.s + pass.latency + pass.cycles + t.bw
}

pub(super) fn multiply_tiles(b: &mut Builder<'_, '_>, job: Tiles) -> u64 {
    let t = Latency::new(b.arch);
    let shape = b.shape(job.layout);
    let positions = u64::from(job.positions);
    let mut block = positions * ceil_div(b.arch.lanes(), b.arch.cluster.buffer_read_elements);
    if job.result == Product::Partial && shape.local_blocks() > 1 {
        block = block.max(t.br + t.a + t.bw);
    }
    let n = shape.local_blocks() * block;
    let (cut, strip) = (u64::from(shape.layout().len), u64::from(job.strip));
    let depth = depth(b.arch, job.axis, job.result, positions);
    b.work(Lanes, cut * strip);
    b.banks(Lanes, job.layout, t.s, n);
    b.banks(Result, job.layout, t.s + t.br + depth, n);
    b.activity.buffer_read_elements += cut * strip;
    count(b, job.result, shape, cut, strip);
    b.release(t.s + n);
    t.s + t.br + depth + n + t.bw
}

/// A strip that passes the bank ports.
struct Pass {
    cycles: u64,
    /// Cycles from a read to its data.
    latency: u64,
    /// Elements cut over clusters, and along the strip.
    cut: u64,
    strip: u64,
}

/// Reads a strip from memory or from the banks in at least `beats` cycles.
fn pass(b: &mut Builder<'_, '_>, job: Strip, beats: u64, latency: u64) -> Pass {
    let s = Latency::new(b.arch).s;
    let m = b.program.program().matrices[job.matrix.index()];
    let (cut, along) = match job.axis {
        Axis::Rows => (m.rows, m.columns),
        Axis::Columns => (m.columns, m.rows),
    };
    let strip = b
        .program
        .strip(job.axis, along, job.first_tile, job.end_tile);
    let (cut, strip) = (u64::from(cut), u64::from(strip.end - strip.start));
    let elements = cut * strip;
    let (mut n, mut d) = (beats, latency);
    b.work(Port, elements);
    if m.store == Store::Memory {
        let memory = b.rates.channel.cycles_for(2 * elements);
        b.paced_by(if memory > n { Memory } else { Port }, n.max(memory));
        n = n.max(memory);
        d += b.arch.memory.exposed_latency_cycles;
        let layout = b.shape(job.layout).layout();
        let channel = u16::try_from(layout.first / layout.count)
            .expect("verified: below the number of channels");
        b.memory(Some(channel), s, n);
        b.work(Memory, memory);
        b.activity.memory_read_bytes += 2 * elements;
        b.activity.stream_elements += elements;
    } else {
        b.activity.bank_read_elements += elements;
    }
    b.banks(Port, job.layout, s, n);
    Pass {
        cycles: n,
        latency: d,
        cut,
        strip,
    }
}

/// Cycles from the operands of the last product to its result.
fn depth(arch: &Arch, axis: Axis, result: Product, positions: u64) -> u64 {
    let t = Latency::new(arch);
    let (along_tree, across_tree) = match axis {
        Axis::Rows => (t.x, t.y),
        Axis::Columns => (t.y, t.x),
    };
    match result {
        Product::Local(local) => {
            let add = if local.add { t.a } else { 0 };
            t.m + along_tree + arch.pairwise_cycles(positions) + add
        }
        Product::Partial => t.m + across_tree + t.a,
    }
}

/// Activity of a product with a strip of `strip` elements along A and `cut` across, but for reading the strip.
fn count(b: &mut Builder<'_, '_>, result: Product, shape: &Shape, cut: u64, strip: u64) {
    let elements = cut * strip;
    let activity = &mut b.activity;
    activity.multiplications += elements;
    match result {
        Product::Local(local) => {
            activity.additions += elements - cut + if local.add { cut } else { 0 };
            // Every block meets the whole strip of the input.
            activity.buffer_read_elements += strip * shape.blocks;
            // A wide element is written, and read where it is added to, as two.
            activity.buffer_write_elements += if local.wide { 2 * cut } else { cut };
            activity.buffer_read_elements += if local.add { 2 * cut } else { 0 };
        }
        Product::Partial => {
            // Every cluster that holds elements has its own sums of the strip.
            activity.additions += elements - strip * shape.engaged_clusters;
            // Every block writes them; every block but a cluster's first reads them.
            activity.buffer_read_elements +=
                cut + 2 * strip * (shape.blocks - shape.engaged_clusters);
            activity.buffer_write_elements += 2 * strip * shape.blocks;
        }
    }
}
