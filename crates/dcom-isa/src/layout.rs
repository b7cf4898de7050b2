//! How a vector lies over partitions, clusters and lanes (`docs/machine.md`, "Layouts").
//!
//! A vector of `len` elements is cut into `slices` contiguous slices. Logical partition p runs on
//! physical partition `first + p mod count`, in round `p / count`. Within a partition, blocks of
//! `granule` elements are dealt to its clusters in turn, clusters ordered by row, then column, so
//! that the bank columns of a partition share the work evenly.

use std::ops::Range;
use std::{fmt, iter};

use dcom_arch::Arch;

/// How a partition's clusters are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placement {
    /// Consecutive cluster numbers (column by column).
    Compact,
    /// Cluster numbers a fixed stride apart, so that a partition touches every bank it can.
    Spread,
}

/// Order in which the clusters of a partition are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reduction {
    /// A binary tree of adjacent pairs.
    Tree,
    /// One cluster after the other.
    Chain,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Placement::Compact => "compact",
            Placement::Spread => "spread",
        })
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reduction::Tree => "tree",
            Reduction::Chain => "chain",
        })
    }
}

/// A vector layout: an entry of the program's layout table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layout {
    /// Elements of the vector.
    pub len: u32,
    /// Slices: the expansion factor of operations on this layout.
    pub slices: u32,
    /// Clusters per partition.
    pub clusters: u32,
    /// First physical partition used.
    pub first: u32,
    /// Physical partitions used.
    pub count: u32,
    /// Elements per block: `lanes_y` for vectors over rows of A, `lanes_x` over its columns.
    pub granule: u32,
    /// Which clusters make up a partition.
    pub placement: Placement,
    /// How they are summed.
    pub reduction: Reduction,
}

/// What follows from a [`Layout`] on a given machine. All counts are elements, blocks or beats as named.
#[derive(Clone, Debug)]
pub struct Shape {
    layout: Layout,
    /// Elements of a full slice, `ceil(len / slices)`.
    pub slice_len: u64,
    /// Slices that hold at least one element: the number of partial sums of a dot product.
    pub parts: u64,
    /// Times a physical partition is used, `ceil(parts / count)`.
    pub rounds: u64,
    /// Blocks of a full slice.
    pub slice_blocks: u64,
    /// Blocks that a cluster holds per round.
    pub slots: u64,
    /// Beats to move the vector: the most over the window's banks per round and slot, summed.
    pub vector_beats: u64,
    /// Beats per tile position while A streams past this layout, counted the same way.
    pub tile_beats: u64,
    /// Banks that the window of partitions touches, as runs of neighbours in order; an operation on the
    /// layout occupies their units.
    pub banks: Vec<Range<u64>>,
    /// Blocks that hold at least one element.
    pub blocks: u64,
    /// (cluster, round) pairs that hold at least one element.
    pub occupied: u64,
    /// Physical partitions that hold at least one element.
    pub engaged_partitions: u64,
    /// Clusters that hold at least one element.
    pub engaged_clusters: u64,
}

impl Shape {
    /// Derives the shape. The layout must fit the machine (see [`Layout::check`]).
    pub(crate) fn new(layout: Layout, arch: &Arch) -> Shape {
        let (len, q, g) = (
            u64::from(layout.len),
            u64::from(layout.granule),
            u64::from(layout.clusters),
        );
        let count = u64::from(layout.count);
        let slice_len = len.div_ceil(layout.slices.into());
        let parts = len.div_ceil(slice_len);
        let slice_blocks = slice_len.div_ceil(q);
        let slots = slice_blocks.div_ceil(g);
        let rounds = parts.div_ceil(count);
        let mut shape = Shape {
            layout,
            slice_len,
            parts,
            rounds,
            slice_blocks,
            slots,
            vector_beats: 0,
            tile_beats: 0,
            banks: Vec::new(),
            blocks: 0,
            occupied: 0,
            engaged_partitions: parts.min(count),
            engaged_clusters: 0,
        };
        shape.count_beats(arch);
        shape
    }

    fn count_beats(&mut self, arch: &Arch) {
        let port = arch.bank.port_elements;
        let per_beat = |elements: u64| ((port / elements).max(1), elements.div_ceil(port));
        let (blocks_per_beat, beats_per_block) = per_beat(self.layout.granule.into());
        let (tiles_per_beat, beats_per_tile) = per_beat(arch.lanes());
        let banks = usize::try_from(arch.banks()).expect("at most 1024 banks");
        let mut held = vec![0u64; banks];
        let g = u64::from(self.layout.clusters);
        let small = |n: u64| usize::try_from(n).expect("bounded by the array");
        let mut used = vec![false; small(g * self.engaged_partitions)];
        // The bank of every cluster of the window, partition by partition in deal order.
        let mut table = Vec::with_capacity(small(g * u64::from(self.layout.count)));
        for k in 0..u64::from(self.layout.count) {
            let clusters = self.cluster_order(arch, u64::from(self.layout.first) + k);
            let bank = |c: u64| small(c / arch.rows / arch.bank.columns);
            table.extend(clusters.into_iter().map(bank));
        }
        let mut touched = vec![false; banks];
        table.iter().for_each(|bank| touched[*bank] = true);
        self.banks = runs(&touched);
        for round in 0..self.rounds {
            let rotation = self.rotation(round);
            for slot in 0..self.slots {
                held.fill(0);
                for k in 0..self.engaged_partitions {
                    let slice = round * u64::from(self.layout.count) + k;
                    let blocks = self.slice_range(slice).map_or(0, |r| {
                        (r.end - r.start).div_ceil(self.layout.granule.into())
                    });
                    let blocks = slot * g..((slot + 1) * g).min(blocks);
                    let dealt = blocks.end.saturating_sub(blocks.start);
                    // Blocks `slot g ..` start at the rotated first cluster and go round.
                    for cluster in (rotation..g).chain(0..rotation).take(small(dealt)) {
                        let at = small(k * g + cluster);
                        held[table[at]] += 1;
                        used[at] = true;
                    }
                    self.blocks += dealt;
                    if slot == 0 {
                        self.occupied += dealt;
                    }
                }
                // The banks of a window keep step.
                let most = held.iter().max().expect("at least one bank");
                self.vector_beats += most.div_ceil(blocks_per_beat) * beats_per_block;
                self.tile_beats += most.div_ceil(tiles_per_beat) * beats_per_tile;
            }
        }
        self.engaged_clusters = used.iter().map(|&u| u64::from(u)).sum();
    }

    /// The layout itself.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The window's clusters, as runs of cluster numbers.
    #[must_use]
    pub fn clusters(&self, arch: &Arch) -> Vec<Range<u64>> {
        let l = &self.layout;
        let (g, first, count) = (
            u64::from(l.clusters),
            u64::from(l.first),
            u64::from(l.count),
        );
        match l.placement {
            Placement::Compact => iter::once(g * first..g * (first + count)).collect(),
            Placement::Spread => (0..g)
                .map(|i| first + i * (arch.clusters() / g))
                .map(|c| c..c + count)
                .collect(),
        }
    }

    /// Elements that every cluster holds, padding included: `rounds x slots x granule`.
    #[must_use]
    pub fn local_len(&self) -> u64 {
        self.rounds * self.round_len()
    }

    /// Elements that every cluster holds per round, padding included.
    #[must_use]
    pub fn round_len(&self) -> u64 {
        self.slots * u64::from(self.layout.granule)
    }

    /// Elements of slice `slice`, if it holds any.
    #[must_use]
    pub fn slice_range(&self, slice: u64) -> Option<Range<u64>> {
        let start = slice * self.slice_len;
        let len = u64::from(self.layout.len);
        (start < len).then(|| start..(start + self.slice_len).min(len))
    }

    /// Rotation of the deal in a round, so that short slices of several rounds spread over the clusters.
    #[must_use]
    pub fn rotation(&self, round: u64) -> u64 {
        (round * self.slice_blocks) % u64::from(self.layout.clusters)
    }

    /// Cluster (in order within its partition) that holds block `block` of slice `slice`.
    #[must_use]
    pub fn cluster_of(&self, slice: u64, block: u64) -> u64 {
        (block + self.rotation(slice / u64::from(self.layout.count)))
            % u64::from(self.layout.clusters)
    }

    /// Physical clusters of physical partition `partition`, in deal order.
    #[must_use]
    pub fn cluster_order(&self, arch: &Arch, partition: u64) -> Vec<u64> {
        let g = u64::from(self.layout.clusters);
        let partitions = arch.clusters() / g;
        let mut clusters: Vec<u64> = match self.layout.placement {
            Placement::Compact => (partition * g..(partition + 1) * g).collect(),
            Placement::Spread => (0..g).map(|i| partition + i * partitions).collect(),
        };
        clusters.sort_unstable_by_key(|c| (c % arch.rows, c / arch.rows));
        clusters
    }
}

impl Layout {
    /// Checks that the layout fits the machine and derives its shape.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn check(&self, arch: &Arch) -> Result<Shape, String> {
        for (name, value) in [
            ("len", self.len),
            ("slices", self.slices),
            ("clusters", self.clusters),
            ("count", self.count),
            ("granule", self.granule),
        ] {
            if value == 0 {
                return Err(format!("{name} = 0: must be at least 1"));
            }
        }
        if u64::from(self.clusters) > arch.clusters() {
            return Err(format!(
                "clusters = {}: the machine has {}",
                self.clusters,
                arch.clusters()
            ));
        }
        let partitions = arch.clusters() / u64::from(self.clusters);
        if u64::from(self.first) + u64::from(self.count) > partitions {
            return Err(format!(
                "partitions {}..{}: the machine has {partitions} partitions of {} clusters",
                self.first,
                u64::from(self.first) + u64::from(self.count),
                self.clusters
            ));
        }
        let (x, y) = (arch.cluster.lanes_x, arch.cluster.lanes_y);
        let q = u64::from(self.granule);
        if q != x && q != y {
            return Err(format!(
                "granule = {q}: must be lanes_y = {y} (rows of A) or lanes_x = {x} (columns of A)"
            ));
        }
        if self.len > MAX_LEN {
            return Err(format!("len = {}: at most {MAX_LEN}", self.len));
        }
        Ok(Shape::new(*self, arch))
    }
}

/// Runs of neighbours that are set.
fn runs(set: &[bool]) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for (at, _) in (0..).zip(set).filter(|(_, set)| **set) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// Longest vector; bounds the work of deriving a shape.
pub(crate) const MAX_LEN: u32 = 1 << 24;
