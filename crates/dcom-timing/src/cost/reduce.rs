//! `preduce`, `greduce`, `puth`, `putw`, `bc`: between partitions and the global broadcast memory.

use dcom_base::ceil_div;
use dcom_isa::Lay;

use super::{Latency, partition_sum, window_clusters};
use crate::plan::Builder;
use crate::unit::UnitKind::{Fill, GlobalRead, GlobalWrite, Lanes, Network, Result};

pub(super) fn to_global(b: &mut Builder<'_, '_>, layout: Lay, len: u64) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let width = b.arch.broadcast.width_words;
    let (partitions, clusters) = (shape.engaged_partitions, shape.engaged_clusters);
    let r = partition_sum(b.arch, shape);
    let n = ceil_div(len, b.arch.network.width_words).max(ceil_div(partitions * len, width));
    b.banks(Lanes, layout, t.s, n);
    b.banks(Network, layout, t.s + t.br, n);
    b.single(GlobalWrite, t.s + t.br + r, n);
    b.work(GlobalWrite, ceil_div(partitions * len, width));
    b.activity.buffer_read_elements += 2 * len * clusters;
    b.activity.network_words += len * clusters;
    b.activity.network_additions += len * (clusters - partitions);
    b.activity.global_write_words += partitions * len;
    b.release(t.s + n);
    t.s + t.br + r + n + t.gw
}

pub(super) fn from_global(b: &mut Builder<'_, '_>, layout: Lay, from: Lay, len: u64) -> u64 {
    let t = Latency::new(b.arch);
    let partitions = b.shape(from).engaged_partitions;
    let words = partitions * len;
    let n = ceil_div(words, b.arch.broadcast.width_words);
    let p = b.arch.pairwise_cycles(partitions);
    b.single(GlobalRead, t.s, n);
    b.banks(Lanes, layout, t.s + t.gr, n);
    b.banks(Result, layout, t.s + t.gr + p, n);
    b.work(GlobalRead, n);
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
    let n = ceil_div(coefficients, width.min(b.arch.cluster.ingest_elements));
    b.single(GlobalRead, t.s, n);
    b.banks(Fill, layout, t.s + t.gr, n);
    b.work(GlobalRead, ceil_div(coefficients, width));
    b.activity.global_read_words += coefficients;
    b.activity.buffer_write_elements += coefficients * window_clusters(b.shape(layout));
    b.release(t.s + n);
    t.s + n + t.gr + t.bw
}
