//! Where the elements of vectors and matrices lie (`docs/machine.md`, "Layouts" and "Beats").

use dcom_arch::Arch;
use dcom_isa::{Axis, Shape};

use super::usize_of;

/// Cluster and local address of an element.
pub(super) fn place(shape: &Shape, arch: &Arch, element: u64) -> (u64, u64) {
    let l = shape.layout();
    let (q, g, count) = (
        u64::from(l.granule),
        u64::from(l.clusters),
        u64::from(l.count),
    );
    let (slice, offset) = (element / shape.slice_len, element % shape.slice_len);
    let (block, within) = (offset / q, offset % q);
    let (round, k) = (slice / count, slice % count);
    let order = shape.cluster_order(arch, u64::from(l.first) + k);
    let cluster = order[usize_of(shape.cluster_of(slice, block))];
    (cluster, (round * shape.slots + block / g) * q + within)
}

/// A place in the banks.
#[derive(Clone, Copy)]
pub(super) struct BankPlace {
    pub(super) bank: usize,
    /// Row, counted from the first of the region.
    pub(super) row: u64,
    /// Element of the row.
    pub(super) offset: u64,
}

/// How the blocks of a layout lie in the beats of its banks: the blocks of a round and slot come in the order of their
/// clusters, and the banks of a window keep step.
pub(super) struct Beats {
    /// Elements of what a block takes in a beat: the block itself, or its tile.
    unit: u64,
    port: u64,
    /// Of every element of the vector: bank, round and slot, rank of the block in its bank there, element of the block.
    elements: Vec<(usize, usize, u64, u64)>,
    /// Beats of every round and slot.
    beats: Vec<u64>,
}

impl Beats {
    /// Of vectors if `unit` is a block, of tiles if it is the lanes of a cluster.
    pub(super) fn new(shape: &Shape, arch: &Arch, unit: u64) -> Beats {
        let q = u64::from(shape.layout().granule);
        let port = arch.bank.port_elements;
        let (per_beat, parts) = ((port / unit).max(1), unit.div_ceil(port));
        let bank_of = |cluster: u64| usize_of(cluster / arch.rows / arch.bank.columns);
        let places: Vec<(u64, u64)> = (0..u64::from(shape.layout().len))
            .map(|e| place(shape, arch, e))
            .collect();
        // Clusters of each bank with a block in each round and slot, in order.
        let groups = usize_of(shape.rounds * shape.slots);
        let mut members = vec![vec![Vec::new(); usize_of(arch.banks())]; groups];
        for (cluster, local) in &places {
            let here = &mut members[usize_of(local / q)][bank_of(*cluster)];
            if !here.contains(cluster) {
                here.push(*cluster);
            }
        }
        let mut beats = Vec::with_capacity(groups);
        for banks in &mut members {
            let most = banks
                .iter()
                .map(|here| (here.len() as u64).div_ceil(per_beat) * parts);
            beats.push(most.max().unwrap_or_default());
            banks.iter_mut().for_each(|here| here.sort_unstable());
        }
        let elements = places
            .into_iter()
            .map(|(cluster, local)| {
                let (group, bank) = (usize_of(local / q), bank_of(cluster));
                let rank = members[group][bank].iter().position(|c| *c == cluster);
                (
                    bank,
                    group,
                    rank.expect("collected above") as u64,
                    local % q,
                )
            })
            .collect();
        Beats {
            unit,
            port,
            elements,
            beats,
        }
    }

    /// Places of the elements of a vector.
    pub(super) fn vector(&self) -> Vec<BankPlace> {
        (0..self.elements.len())
            .map(|element| self.at(element, self.elements[element].3, 0, 1))
            .collect()
    }

    /// Place of element (`cut`, `along`) of a matrix that is cut along `axis`: for every round and slot all tile positions.
    pub(super) fn tile(
        &self,
        arch: &Arch,
        axis: Axis,
        positions: u64,
        cut: usize,
        along: u64,
    ) -> BankPlace {
        let (x, y, within) = (
            arch.cluster.lanes_x,
            arch.cluster.lanes_y,
            self.elements[cut].3,
        );
        let (position, lane) = match axis {
            Axis::Rows => (along / x, within * x + along % x),
            Axis::Columns => (along / y, along % y * x + within),
        };
        self.at(cut, lane, position, positions)
    }

    fn at(&self, element: usize, within: u64, position: u64, positions: u64) -> BankPlace {
        let (bank, group, rank, _) = self.elements[element];
        let (per_beat, parts) = (
            (self.port / self.unit).max(1),
            self.unit.div_ceil(self.port),
        );
        let before: u64 = self.beats[..group].iter().sum();
        let row = before * positions
            + position * self.beats[group]
            + rank / per_beat * parts
            + within / self.port;
        BankPlace {
            bank,
            row,
            offset: rank % per_beat * self.unit + within % self.port,
        }
    }
}
