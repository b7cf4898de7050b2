//! `mvn`, `mvt`, `mvnt`: passes of A past the lanes.

use dcom_isa::{Axis, Shape, Store};

use super::Latency;
use crate::job::Stream;
use crate::plan::Builder;
use crate::unit::UnitKind::{Lanes, Memory, Port, Result};

pub(super) fn stream(b: &mut Builder<'_, '_>, job: Stream) -> u64 {
    let t = Latency::new(b.arch);
    let m = b.program.program().matrices[job.matrix.index()];
    let (cut, along) = match job.axis {
        Axis::Rows => (m.rows, m.columns),
        Axis::Columns => (m.columns, m.rows),
    };
    let strip = b
        .program
        .strip(job.axis, along, job.first_tile, job.end_tile);
    let strip = u64::from(strip.end - strip.start);
    let elements = u64::from(cut) * strip;
    let tiles = u64::from(job.end_tile - job.first_tile);
    let shape = b.shape(job.layout);

    let (along_tree, across_tree) = match job.axis {
        Axis::Rows => (t.x, t.y),
        Axis::Columns => (t.y, t.x),
    };
    let mut depth = 0;
    if let Some(local) = job.local {
        let add = if local.add { t.a } else { 0 };
        depth = t.m + along_tree + b.arch.pairwise_cycles(tiles) + add;
    }
    let mut positions = tiles;
    if job.partial {
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
    b.banks(Port, job.layout, t.s, n);
    b.banks(Lanes, job.layout, t.s + d - t.br, n);
    b.banks(Result, job.layout, t.s + d + depth, n);
    count(b, job, shape, cut.into(), strip);
    b.release(t.s + d - t.br + n);
    t.s + d + depth + n + t.bw
}

/// Activity of a strip of `strip` elements along A, with `cut` elements across.
fn count(b: &mut Builder<'_, '_>, job: Stream, shape: &Shape, cut: u64, strip: u64) {
    let elements = cut * strip;
    let activity = &mut b.activity;
    if let Some(local) = job.local {
        activity.multiplications += elements;
        activity.additions += elements - cut + if local.add { cut } else { 0 };
        // Every block meets the whole strip of the input.
        activity.buffer_read_elements += strip * shape.blocks;
        // A wide element is written, and read where it is added to, as two.
        activity.buffer_write_elements += if local.wide { 2 * cut } else { cut };
        activity.buffer_read_elements += if local.add { 2 * cut } else { 0 };
    }
    if job.partial {
        // Every cluster that holds elements has its own sums of the strip.
        activity.multiplications += elements;
        activity.additions += elements - strip * shape.engaged_clusters;
        // Every block writes them; every block but a cluster's first reads them.
        activity.buffer_read_elements += cut + 2 * strip * (shape.blocks - shape.engaged_clusters);
        activity.buffer_write_elements += 2 * strip * shape.blocks;
    }
}
