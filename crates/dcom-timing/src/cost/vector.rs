//! `narrow`, `scale`, `axpy`, `dot`, and the ops whose row trees sum over coefficients: `corr`, `csum`, `comb`.

use dcom_base::ceil_div;
use dcom_isa::Lay;

use super::{Latency, partition_sum, window_clusters};
use crate::plan::Builder;
use crate::unit::UnitKind::{Lanes, Network, Port, Result};

pub(super) fn narrow(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let t = Latency::new(b.arch);
    let len = u64::from(b.shape(layout).layout().len);
    b.activity.buffer_read_elements += 2 * len;
    elementwise(b, layout, t.br)
}

pub(super) fn scale(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let t = Latency::new(b.arch);
    let len = u64::from(b.shape(layout).layout().len);
    b.activity.buffer_read_elements += len;
    b.activity.multiplications += len;
    elementwise(b, layout, t.br + t.m)
}

pub(super) fn axpy(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let t = Latency::new(b.arch);
    let len = u64::from(b.shape(layout).layout().len);
    b.activity.buffer_read_elements += 2 * len;
    b.activity.multiplications += len;
    b.activity.additions += len;
    elementwise(b, layout, t.br + t.m + t.a)
}

/// Each element by itself, with results after `depth`.
fn elementwise(b: &mut Builder<'_, '_>, layout: Lay, depth: u64) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let (len, lanes) = (u64::from(shape.layout().len), b.arch.lanes());
    let n =
        ceil_div(shape.local_len(), lanes) * ceil_div(lanes, b.arch.cluster.buffer_read_elements);
    b.activity.buffer_write_elements += len;
    b.banks(Lanes, layout, t.s, n);
    b.banks(Result, layout, t.s + depth, n);
    b.work(Lanes, len);
    b.release(t.s + n);
    t.s + depth + n + t.bw
}

pub(super) fn dot(b: &mut Builder<'_, '_>, layout: Lay) -> u64 {
    let (t, shape) = (Latency::new(b.arch), b.shape(layout));
    let (len, lanes) = (u64::from(shape.layout().len), b.arch.lanes());
    let chunks = ceil_div(shape.round_len(), lanes);
    let n1 = chunks * ceil_div(lanes, b.arch.cluster.buffer_read_elements);
    let n = shape.rounds * n1;
    let depth = t.br + t.m + t.x + t.y + b.arch.pairwise_cycles(chunks);
    b.banks(Lanes, layout, t.s, n);
    b.single(Network, t.s + depth + n1 - 1, n - n1 + 1);
    b.work(Lanes, len);
    b.activity.multiplications += len;
    b.activity.additions += len - shape.occupied;
    b.activity.network_words += shape.occupied;
    b.activity.network_additions += shape.occupied - shape.parts;
    b.activity.buffer_read_elements += 2 * len;
    b.release(t.s + n);
    t.s + depth + n + partition_sum(b.arch, shape) + 1
}

pub(super) fn correct(b: &mut Builder<'_, '_>, layout: Lay, f: u64) -> u64 {
    let (t, shape, cluster) = (Latency::new(b.arch), b.shape(layout), b.arch.cluster);
    let len = u64::from(shape.layout().len);
    let passes = ceil_div(f, cluster.lanes_x);
    let n = ceil_div(shape.local_len(), cluster.lanes_y)
        * passes
        * ceil_div(cluster.lanes_y, cluster.buffer_read_elements);
    let depth = t.br + t.m + t.x + b.arch.pairwise_cycles(passes) + t.a;
    b.banks(Lanes, layout, t.s, n);
    b.banks(Result, layout, t.s + depth, n);
    b.work(Lanes, len * f);
    b.activity.multiplications += len * f;
    b.activity.additions += len * f;
    b.activity.buffer_read_elements += 2 * len + f * shape.engaged_clusters;
    b.activity.buffer_write_elements += len;
    b.release(t.s + n);
    t.s + depth + n + t.bw
}

pub(super) fn sum_coefficients(b: &mut Builder<'_, '_>, layout: Lay, f: u64) -> u64 {
    let t = Latency::new(b.arch);
    let clusters = window_clusters(b.shape(layout));
    let n = ceil_div(f, b.arch.cluster.lanes_x);
    // The coefficients are multiplied by 1.
    let depth = t.br + t.m + t.x + b.arch.pairwise_cycles(n);
    b.banks(Lanes, layout, t.s, n);
    b.banks(Result, layout, t.s + depth, n);
    b.activity.additions += (f - 1) * clusters;
    b.activity.buffer_read_elements += f * clusters;
    b.activity.buffer_write_elements += clusters;
    b.release(t.s + n);
    t.s + depth + n + t.bw
}

pub(super) fn combine(b: &mut Builder<'_, '_>, layout: Lay, k: u64) -> u64 {
    let (t, shape, cluster) = (Latency::new(b.arch), b.shape(layout), b.arch.cluster);
    let len = u64::from(shape.layout().len);
    let passes = ceil_div(k, cluster.lanes_x);
    // The rows of lanes take `lanes_y` elements of a block in a cycle; the port holds the beat for so long.
    let block = u64::from(shape.layout().granule).min(b.arch.bank.port_elements);
    let portions = ceil_div(block, cluster.lanes_y);
    let n = k * shape.vector_beats * portions;
    b.paced_by(if portions == 1 { Port } else { Lanes }, n);
    let d = t.kr.max(t.br);
    let depth = d + t.m + t.x + b.arch.pairwise_cycles(passes);
    b.banks(Port, layout, t.s, n);
    b.banks(Lanes, layout, t.s + d - t.br, n);
    b.banks(Result, layout, t.s + depth, n);
    b.work(Lanes, len * k);
    b.work(Port, len * k);
    b.activity.multiplications += len * k;
    b.activity.additions += len * (k - 1);
    b.activity.bank_read_elements += len * k;
    b.activity.buffer_read_elements += k * shape.engaged_clusters;
    b.activity.buffer_write_elements += len;
    b.release(t.s + d - t.br + n);
    t.s + depth + n + t.bw
}
