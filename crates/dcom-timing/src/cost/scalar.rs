//! The scalar unit, and what is between it and the rest: `sum`, `sbc`, `start`, `svd`.

use dcom_base::{ceil_div, log2_ceil};
use dcom_isa::Lay;

use super::{Latency, passes, window_clusters};
use crate::plan::Builder;
use crate::unit::UnitKind::{Fill, GlobalRead, GlobalWrite, Scalar, Statistics, Svd};

/// An op of the scalar unit alone, which it keeps busy for `cycles`.
pub(super) fn operation(b: &mut Builder<'_, '_>, cycles: u64, latency: u64) -> u64 {
    let t = Latency::new(b.arch);
    b.single(Scalar, t.s, cycles);
    b.activity.scalar_operations += 1;
    t.s + latency
}

pub(super) fn sum(b: &mut Builder<'_, '_>, n: u64) -> u64 {
    let (t, width) = (Latency::new(b.arch), b.arch.broadcast.width_words);
    let groups = ceil_div(n, width);
    b.single(GlobalRead, t.s, groups);
    b.single(Scalar, t.s + t.gr, groups);
    b.work(GlobalRead, groups);
    b.activity.global_read_words += n;
    b.activity.scalar_operations += n - 1;
    b.release(t.s + groups);
    let depth = b.arch.cluster.add32_cycles * (log2_ceil(n.min(width)) + log2_ceil(groups));
    t.s + t.gr + groups + depth
}

pub(super) fn broadcast(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let t = Latency::new(b.arch);
    b.single(Scalar, t.s, 1);
    b.single(GlobalWrite, t.s, 1);
    b.single(GlobalRead, t.s + t.gw, 1);
    b.banks(Fill, layout, t.s + t.gw + t.gr, 1);
    b.activity.scalar_operations += 1;
    b.activity.global_write_words += 1;
    b.activity.global_read_words += 1;
    b.activity.buffer_write_elements += 2 * window_clusters(b.shape(layout));
    t.s + 1 + t.gw + t.gr + t.bw
}

pub(super) fn start(b: &mut Builder<'_, '_>, layout: Lay, scan: bool) -> u64 {
    let (t, width) = (Latency::new(b.arch), b.arch.broadcast.width_words);
    let len = u64::from(b.shape(layout).layout().len);
    let scan = if scan { ceil_div(len, width) } else { 0 };
    let n = passes(b.arch, 0..len, &[b.shape(layout)]);
    b.single(Statistics, t.s, scan + n);
    b.single(GlobalWrite, t.s + scan, n);
    b.single(GlobalRead, t.s + scan + t.gw, n);
    b.banks(Fill, layout, t.s + scan + t.gw + t.gr, n);
    b.work(GlobalWrite, ceil_div(len, width));
    b.activity.statistics_elements += len;
    b.activity.global_write_words += len;
    b.activity.global_read_words += len;
    b.activity.buffer_write_elements += len;
    b.release(t.s + scan + n);
    t.s + scan + n + t.gw + t.gr + t.bw
}

pub(super) fn svd(b: &mut Builder<'_, '_>, k: u64, r: u64) -> u64 {
    let t = Latency::new(b.arch);
    let n = ceil_div(k.pow(3) * b.arch.svd.millicycles_per_k3, 1000);
    b.single(Svd, t.s, n);
    b.work(Svd, n + b.arch.svd.round_trip_cycles);
    b.activity.global_write_words += 2 * k * r;
    t.s + n + b.arch.svd.round_trip_cycles
}
