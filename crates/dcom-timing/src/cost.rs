//! The timing of each job, as in `docs/machine.md`, "Timing of each op": same names, same order.

use std::ops::Range;

use dcom_arch::Arch;
use dcom_base::{ceil_div, log2_ceil};
use dcom_isa::{Reduction, Shape};

use crate::job::Job;
use crate::plan::Builder;

mod reduce;
mod scalar;
mod stream;
mod transfer;
mod vector;

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

/// Elements that reach the buffers from the global broadcast memory, and leave them, in a cycle.
fn bus_elements(arch: &Arch) -> u64 {
    let cluster = arch.cluster;
    let elements = cluster.ingest_elements.min(cluster.buffer_read_elements);
    arch.broadcast.width_words.min(elements)
}

/// Steps in which `elements` pass the global broadcast memory, none across the end of a slice of `shapes`.
fn passes(arch: &Arch, elements: Range<u64>, shapes: &[&Shape]) -> u64 {
    let (mut at, mut steps) = (elements.start, 0);
    while at < elements.end {
        let ends = shapes.iter().map(|s| (at / s.slice_len + 1) * s.slice_len);
        let end = ends.fold(elements.end, u64::min);
        steps += ceil_div(end - at, bus_elements(arch));
        at = end;
    }
    steps
}

/// Clusters of a layout's window.
fn window_clusters(shape: &Shape) -> u64 {
    u64::from(shape.layout().clusters) * u64::from(shape.layout().count)
}

/// Plans one job; returns the offset at which its results may be used.
pub(crate) fn plan(b: &mut Builder<'_, '_>, job: Job) -> u64 {
    match job {
        Job::Ingest { matrix } => transfer::ingest(b, matrix),
        Job::In { layout } => transfer::receive(b, layout),
        Job::Out { layout } => transfer::send(b, layout),
        Job::Ld { layout } => transfer::load(b, layout),
        Job::St { layout } => transfer::store(b, layout),
        Job::Gather(gather) => transfer::gather(b, gather),
        Job::Stream(stream) => stream::stream(b, stream),
        Job::PReduce { layout, len } => reduce::to_global(b, layout, len.into()),
        Job::GReduce {
            layout,
            from,
            start,
            len,
        } => reduce::from_global(
            b,
            layout,
            from,
            start.into()..u64::from(start) + u64::from(len),
        ),
        Job::Narrow { layout } => vector::narrow(b, layout),
        Job::Scale { layout } => vector::scale(b, layout),
        Job::Axpy { layout } => vector::axpy(b, layout),
        Job::Dot { layout } => vector::dot(b, layout),
        Job::Put { layout } => reduce::put(b, layout),
        Job::Bc {
            layout,
            coefficients,
        } => reduce::broadcast(b, layout, coefficients.into()),
        Job::Corr {
            layout,
            coefficients,
        } => vector::correct(b, layout, coefficients.into()),
        Job::CSum {
            layout,
            coefficients,
        } => vector::sum_coefficients(b, layout, coefficients.into()),
        Job::Comb { layout, vectors } => vector::combine(b, layout, vectors.into()),
        Job::Simple => {
            let latency = b.arch.scalar.simple_cycles;
            scalar::operation(b, 1, latency)
        }
        Job::Divide => {
            let cycles = b.arch.scalar.divide_cycles;
            scalar::operation(b, cycles, cycles)
        }
        Job::Sqrt => {
            let cycles = b.arch.scalar.sqrt_cycles;
            scalar::operation(b, cycles, cycles)
        }
        Job::Sum { words } => scalar::sum(b, words.into()),
        Job::Sbc { layout } => scalar::broadcast(b, layout),
        Job::Start { layout, scan } => scalar::start(b, layout, scan),
        Job::Svd { k, r } => scalar::svd(b, k.into(), r.into()),
        Job::Control => 0,
    }
}
