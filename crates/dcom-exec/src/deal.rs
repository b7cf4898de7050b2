//! Which cluster holds which elements of a vector, and in which order (`docs/machine.md`, "Layouts").

use std::ops::Range;

use dcom_fp::{Accumulate, PairwiseSum};
use dcom_isa::{Reduction, Shape};

use crate::state::canonical;

/// A [`Shape`] in the units of memory here.
#[derive(Clone, Debug)]
pub(crate) struct Deal {
    /// Elements of the vector.
    pub(crate) len: usize,
    /// Slices that are not empty.
    pub(crate) parts: usize,
    /// Clusters per partition.
    pub(crate) clusters: usize,
    /// Partitions that hold elements.
    pub(crate) engaged: usize,
    /// Local addresses per cluster and round.
    pub(crate) round_len: usize,
    pub(crate) reduction: Reduction,
    slice_len: usize,
    count: usize,
    granule: usize,
    /// Of the deal, by round.
    rotations: Vec<usize>,
}

/// Consecutive elements in one cluster.
pub(crate) struct Block {
    /// Cluster, counted in deal order within its partition.
    pub(crate) cluster: usize,
    /// Blocks of the same round and cluster before this one.
    pub(crate) slot: usize,
    /// Elements of the vector.
    pub(crate) elements: Range<usize>,
}

impl Deal {
    pub(crate) fn new(shape: &Shape) -> Deal {
        let layout = shape.layout();
        Deal {
            len: layout.len as usize,
            parts: size(shape.parts),
            clusters: layout.clusters as usize,
            engaged: size(shape.engaged_partitions),
            round_len: size(shape.round_len()),
            reduction: layout.reduction,
            slice_len: size(shape.slice_len),
            count: layout.count as usize,
            granule: layout.granule as usize,
            rotations: (0..shape.rounds)
                .map(|round| size(shape.rotation(round)))
                .collect(),
        }
    }

    /// Elements of a slice that is not empty.
    pub(crate) fn slice(&self, slice: usize) -> Range<usize> {
        let start = slice * self.slice_len;
        start..(start + self.slice_len).min(self.len)
    }

    /// Blocks of a slice in order.
    pub(crate) fn blocks(&self, slice: usize) -> impl Iterator<Item = Block> {
        let elements = self.slice(slice);
        let rotation = self.rotations[slice / self.count];
        elements
            .clone()
            .step_by(self.granule)
            .enumerate()
            .map(move |(block, start)| Block {
                cluster: (block + rotation) % self.clusters,
                slot: block / self.clusters,
                elements: start..(start + self.granule).min(elements.end),
            })
    }

    /// Where a block lies among the local elements of all clusters of its partition in its round.
    pub(crate) fn local_address(&self, block: &Block) -> usize {
        block.cluster * self.round_len + block.slot * self.granule
    }

    /// Blocks that cluster `cluster` of partition `partition` of the window holds, in the order of local addresses.
    pub(crate) fn blocks_of(
        &self,
        partition: usize,
        cluster: usize,
    ) -> impl Iterator<Item = Range<usize>> {
        let slices = (partition..self.parts).step_by(self.count);
        slices
            .zip(&self.rotations)
            .flat_map(move |(slice, rotation)| {
                let elements = self.slice(slice);
                let first = (cluster + self.clusters - rotation) % self.clusters;
                let starts = elements
                    .clone()
                    .skip(first * self.granule)
                    .step_by(self.clusters * self.granule);
                starts.map(move |start| start..(start + self.granule).min(elements.end))
            })
    }

    /// Sums one vector per cluster, given in deal order, over the clusters of a partition.
    pub(crate) fn partition_sum(&self, mode: Accumulate, vectors: &[f32], out: &mut [f32]) {
        let vectors = vectors.chunks_exact(out.len());
        match self.reduction {
            Reduction::Tree => {
                let mut sum = PairwiseSum::new(mode, out.len());
                vectors.for_each(|v| sum.push(v));
                sum.finish(out);
            }
            Reduction::Chain => {
                let mut vectors = vectors;
                out.copy_from_slice(vectors.next().expect("a partition has clusters"));
                vectors.for_each(|v| add(mode, out, v));
            }
        }
        out.iter_mut().for_each(|x| *x = canonical(*x));
    }
}

/// sum = sum + v
pub(crate) fn add(mode: Accumulate, sum: &mut [f32], v: &[f32]) {
    for (sum, v) in sum.iter_mut().zip(v) {
        *sum = mode.add(*sum, *v);
    }
}

/// A size of the machine as a size of memory.
pub(crate) fn size(n: u64) -> usize {
    usize::try_from(n).expect("sizes of a verified program fit the address space")
}
