//! `preduce`, `greduce`, `puth`, `putw`, `bc`: between partitions and the global broadcast memory.

use std::ops::Range;

use dcom_base::ceil_div;
use dcom_isa::Lay;

use super::{Latency, bus_elements, partition_sum, passes, window_clusters};
use crate::plan::Builder;
use crate::unit::UnitKind::{Fill, GlobalRead, GlobalWrite, Lanes, Network};

pub(super) fn to_global(b: &mut Builder<'_, '_>, layout: Lay, len: u64) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let (width, read) = (
        b.arch.broadcast.width_words,
        b.arch.cluster.buffer_read_elements,
    );
    let (partitions, clusters) = (shape.engaged_partitions, shape.engaged_clusters);
    let r = partition_sum(b.arch, shape);
    // A sum is two elements of the buffer.
    let words = b.arch.network.width_words.min(width).min((read / 2).max(1));
    let n = partitions * ceil_div(len, words) * ceil_div(2, read);
    b.banks(Lanes, layout, t.s, n);
    b.single(Network, t.s + t.br, n);
    b.single(GlobalWrite, t.s + t.br + r, n);
    b.work(GlobalWrite, ceil_div(partitions * len, width));
    b.activity.buffer_read_elements += 2 * len * clusters;
    b.activity.network_words += len * clusters;
    b.activity.network_additions += len * (clusters - partitions);
    b.activity.global_write_words += partitions * len;
    b.release(t.s + n);
    t.s + t.br + r + n + t.gw
}

pub(super) fn from_global(
    b: &mut Builder<'_, '_>,
    layout: Lay,
    from: Lay,
    elements: Range<u64>,
) -> u64 {
    let t = Latency::new(b.arch);
    let partitions = b.shape(from).engaged_partitions;
    let len = elements.end - elements.start;
    let words = partitions * len;
    let n = partitions * passes(b.arch, elements, &[b.shape(layout)]);
    let p = b.arch.pairwise_cycles(partitions);
    b.single(GlobalRead, t.s, n);
    b.banks(Fill, layout, t.s + t.gr + p, n);
    b.work(GlobalRead, ceil_div(words, b.arch.broadcast.width_words));
    b.activity.global_read_words += words;
    b.activity.additions += words - len;
    b.activity.buffer_write_elements += len;
    b.release(t.s + n);
    t.s + t.gr + p + n + t.bw
}

pub(super) fn put(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let (t, g) = (Latency::new(b.arch), b.arch.broadcast);
    let parts = b.shape(layout).parts;
    let n = ceil_div(parts, g.width_words.min(g.write_ports));
    b.single(GlobalWrite, t.s, n);
    b.work(GlobalWrite, ceil_div(parts, g.width_words));
    b.activity.global_write_words += parts;
    b.release(t.s + n);
    t.s + n + t.gw
}

pub(super) fn broadcast(b: &mut Builder<'_, '_>, layout: Lay, coefficients: u64) -> u64 {
    let (t, width) = (Latency::new(b.arch), b.arch.broadcast.width_words);
    let n = ceil_div(coefficients, bus_elements(b.arch));
    b.single(GlobalRead, t.s, n);
    b.banks(Fill, layout, t.s + t.gr, n);
    b.work(GlobalRead, ceil_div(coefficients, width));
    b.activity.global_read_words += coefficients;
    b.activity.buffer_write_elements += coefficients * window_clusters(b.shape(layout));
    b.release(t.s + n);
    t.s + n + t.gr + t.bw
}
