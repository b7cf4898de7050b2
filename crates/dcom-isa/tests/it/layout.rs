//! Layouts: a naive twin, straight from `docs/machine.md`, section 1, that walks over all elements.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use dcom_arch::Arch;
use dcom_isa::{Layout, Placement, Reduction, Shape};
use proptest::prelude::*;

use crate::machine;

/// Where an element lies: physical cluster and local address.
type Place = (u64, u64);

/// Element by element, what the document says.
struct Naive {
    places: Vec<Place>,
    parts: u64,
    rounds: u64,
    slots: u64,
    vector_beats: u64,
    tile_beats: u64,
    banks: BTreeSet<u64>,
    cluster_rounds: u64,
    clusters: u64,
    partitions: u64,
    blocks: u64,
}

fn naive(l: &Layout, arch: &Arch) -> Naive {
    let [len, slices, g, first, count, q] =
        [l.len, l.slices, l.clusters, l.first, l.count, l.granule].map(u64::from);
    // "f contiguous slices of L = ceil(len / f) elements"
    let slice_len = len.div_ceil(slices);
    // "B = ceil(L / q) blocks per full slice", "slots = ceil(B / g)"
    let blocks = slice_len.div_ceil(q);
    let slots = blocks.div_ceil(g);
    let bank_of = |cluster: u64| cluster / arch.rows / arch.bank.columns;
    let members = |partition: u64| -> Vec<u64> {
        let stride = arch.clusters() / g;
        let mut clusters: Vec<u64> = (0..g)
            .map(|i| match l.placement {
                Placement::Compact => partition * g + i,
                Placement::Spread => partition + i * stride,
            })
            .collect();
        // "ordered by (row, column)"
        clusters.sort_by_key(|c| (c % arch.rows, c / arch.rows));
        clusters
    };
    let mut places = Vec::new();
    // (round, slot) -> bank -> the blocks there, as (cluster) of which there is one per round and slot.
    let mut held: BTreeMap<(u64, u64), BTreeMap<u64, BTreeSet<u64>>> = BTreeMap::new();
    let (mut cluster_rounds, mut clusters, mut partitions) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut nonempty = BTreeSet::new();
    for element in 0..len {
        let slice = element / slice_len;
        let (round, partition) = (slice / count, first + slice % count);
        let within = element - slice * slice_len;
        let block = within / q;
        // "Block b of a slice of round r lies in cluster (b + r B) mod g of that order, slot b / g."
        let cluster =
            members(partition)[usize::try_from((block + round * blocks) % g).expect("small")];
        let slot = block / g;
        places.push((cluster, (round * slots + slot) * q + within % q));
        held.entry((round, slot))
            .or_default()
            .entry(bank_of(cluster))
            .or_default()
            .insert(cluster);
        cluster_rounds.insert((cluster, round));
        clusters.insert(cluster);
        partitions.insert(partition);
        nonempty.insert(slice);
    }
    // "A beat of a vector carries max(1, floor(W / q)) blocks of one round and slot; a block wider than the port W
    // takes ceil(q / W) beats", counted one by one.
    let port = arch.bank.port_elements;
    let beats = |things: usize, size: u64| {
        let (mut beats, mut room) = (0, 0);
        for _ in 0..things {
            if size > port {
                let mut left = size;
                while left > 0 {
                    beats += 1;
                    left -= left.min(port);
                }
            } else {
                if room < size {
                    beats += 1;
                    room = port;
                }
                room -= size;
            }
        }
        beats
    };
    // "The banks of a window keep step": in every round and slot all of them take the beats of the busiest.
    let busiest = |size: u64| {
        held.values()
            .map(|banks| {
                let beats = banks.values().map(|clusters| beats(clusters.len(), size));
                beats.max().expect("a bank that holds a block")
            })
            .sum::<u64>()
    };
    Naive {
        places,
        parts: nonempty.len() as u64,
        rounds: nonempty
            .iter()
            .map(|s| s / count + 1)
            .max()
            .expect("an element"),
        slots,
        vector_beats: busiest(q),
        tile_beats: busiest(arch.lanes()),
        banks: (first..first + count)
            .flat_map(members)
            .map(bank_of)
            .collect(),
        cluster_rounds: cluster_rounds.len() as u64,
        clusters: clusters.len() as u64,
        partitions: partitions.len() as u64,
        blocks: held
            .values()
            .flat_map(BTreeMap::values)
            .map(|b| b.len() as u64)
            .sum(),
    }
}

/// Where a shape puts every element, by its own functions.
fn places(shape: &Shape, arch: &Arch) -> Vec<Place> {
    let l = shape.layout();
    let (q, count) = (u64::from(l.granule), u64::from(l.count));
    let mut places = Vec::new();
    for slice in 0..shape.parts {
        let range = shape
            .slice_range(slice)
            .expect("the first `parts` slices hold elements");
        let order = shape.cluster_order(arch, u64::from(l.first) + slice % count);
        for within in 0..range.end - range.start {
            let cluster =
                order[usize::try_from(shape.cluster_of(slice, within / q)).expect("small")];
            let slot = within / q / u64::from(l.clusters);
            places.push((
                cluster,
                (slice / count * shape.slots + slot) * q + within % q,
            ));
        }
    }
    places
}

fn machines() -> impl Strategy<Value = Arch> {
    let lanes = || prop::sample::select(vec![1u32, 2, 3, 4, 8]);
    (
        1u32..7,
        1u32..6,
        lanes(),
        lanes(),
        1u32..4,
        prop::sample::select(vec![1u32, 2, 3, 4, 7, 8, 16, 40, 64]),
    )
        .prop_map(|(columns, rows, x, y, shared, port)| {
            let text = [columns, rows, x, y, shared.min(columns), port].map(|n| n.to_string());
            let keys = [
                "array.columns",
                "array.rows",
                "cluster.lanes_x",
                "cluster.lanes_y",
                "bank.columns",
                "bank.port_elements",
            ];
            let set: Vec<_> = keys
                .into_iter()
                .zip(text.iter().map(String::as_str))
                .collect();
            machine(&set)
        })
}

fn cases() -> impl Strategy<Value = (Arch, Layout)> {
    machines().prop_flat_map(|arch| {
        let clusters = u32::try_from(arch.clusters()).expect("small");
        let granules =
            [arch.cluster.lanes_x, arch.cluster.lanes_y].map(|q| u32::try_from(q).expect("small"));
        (
            Just(arch),
            1..=clusters,
            prop::sample::select(granules.to_vec()),
            1u32..200,
            1u32..40,
            any::<[bool; 2]>(),
            any::<[u32; 2]>(),
        )
            .prop_map(
                move |(arch, g, granule, len, slices, [spread, chain], [first, count])| {
                    let partitions = clusters / g;
                    let first = first % partitions;
                    let layout = Layout {
                        len,
                        slices,
                        clusters: g,
                        first,
                        count: 1 + count % (partitions - first),
                        granule,
                        placement: if spread {
                            Placement::Spread
                        } else {
                            Placement::Compact
                        },
                        reduction: if chain {
                            Reduction::Chain
                        } else {
                            Reduction::Tree
                        },
                    };
                    (arch, layout)
                },
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn shapes_are_what_the_document_says((arch, layout) in cases()) {
        let shape = layout.check(&arch).map_err(TestCaseError::fail)?;
        let naive = naive(&layout, &arch);
        let here = places(&shape, &arch);
        prop_assert_eq!(&here, &naive.places);
        // Every element has one place of its own, within what every cluster holds.
        prop_assert_eq!(here.iter().collect::<BTreeSet<_>>().len() as u64, u64::from(layout.len));
        prop_assert!(here.iter().all(|(cluster, address)| *cluster < arch.clusters() && *address < shape.local_len()));
        prop_assert_eq!(shape.parts, naive.parts);
        prop_assert_eq!(shape.rounds, naive.rounds);
        prop_assert_eq!(shape.slots, naive.slots);
        prop_assert_eq!(shape.local_len(), naive.rounds * naive.slots * u64::from(layout.granule));
        prop_assert_eq!(shape.vector_beats, naive.vector_beats);
        prop_assert_eq!(shape.tile_beats, naive.tile_beats);
        prop_assert_eq!(shape.occupied, naive.cluster_rounds);
        prop_assert_eq!(shape.engaged_clusters, naive.clusters);
        prop_assert_eq!(shape.engaged_partitions, naive.partitions);
        prop_assert_eq!(shape.banks.iter().cloned().flatten().collect::<BTreeSet<_>>(), naive.banks);
        prop_assert_eq!(shape.blocks, naive.blocks);
        let order = |k| shape.cluster_order(&arch, u64::from(layout.first + k));
        let window: BTreeSet<u64> = (0..layout.count).flat_map(order).collect();
        prop_assert_eq!(shape.clusters(&arch).into_iter().flatten().collect::<BTreeSet<_>>(), window);
    }
}

fn shape(text: &str, arch: &Arch) -> Shape {
    let program = dcom_isa::assemble(&format!(".layout l0 {text}")).expect("a layout");
    program.layouts[0].check(arch).expect("it fits")
}

/// 21 elements in 4 slices of 6 (6, 6, 6, 3) on one partition of two clusters, blocks of 4: a full slice has the
/// blocks 4 + 2, so that each cluster has one slot, and four rounds use the partition in turn.
#[test]
fn rounds_by_hand() {
    let arch = machine(&[]);
    let s = shape(
        "len=21 slices=4 clusters=2 first=0 count=1 granule=4 placement=compact reduction=tree",
        &arch,
    );
    assert_eq!(
        (s.slice_len, s.parts, s.rounds, s.slice_blocks, s.slots),
        (6, 4, 4, 2, 1)
    );
    assert_eq!((s.local_len(), s.round_len()), (16, 4));
    // Both clusters stand in column 0, so that its bank carries both blocks of a round in one beat of 8 elements: one beat
    // per round, and one block (3 elements) in the last.
    assert_eq!(
        (s.vector_beats, s.banks.clone(), s.blocks),
        (4, vec![Range { start: 0, end: 1 }], 7)
    );
    // A tile has 16 elements, two beats; rounds 0 to 2 stream two tiles per position, round 3 one.
    assert_eq!(s.tile_beats, 3 * 4 + 2);
    assert_eq!(
        (s.occupied, s.engaged_clusters, s.engaged_partitions),
        (7, 2, 1)
    );
}

/// 40 elements in one slice on three of the four clusters: 10 blocks, dealt 4, 3, 3, in four slots.
#[test]
fn slots_by_hand() {
    let arch = machine(&[]);
    let s = shape(
        "len=40 slices=1 clusters=3 first=0 count=1 granule=4 placement=compact reduction=tree",
        &arch,
    );
    assert_eq!((s.parts, s.rounds, s.slice_blocks, s.slots), (1, 1, 10, 4));
    // Clusters 0, 1 (column 0) and 2 (column 1), in the order of rows: 0, 2, 1.
    assert_eq!(s.cluster_order(&arch, 0), [0, 2, 1]);
    // Slots 0 to 2: column 0 moves two blocks in a beat; slot 3: cluster 0 alone.
    assert_eq!(s.vector_beats, 4);
    // Two beats per tile: column 0 streams 2 + 2 + 2 + 1 tiles.
    assert_eq!(s.tile_beats, 14);
    assert_eq!((s.banks, s.blocks), (vec![Range { start: 0, end: 2 }], 10));
}

/// Three slices of one block, one per round, on three of the four clusters: the deal goes on in the order 0, 2, 1, so that
/// banks 0, 1 and 0 hold the blocks of the rounds. The banks keep step: three beats, although bank 0 has two blocks.
#[test]
fn banks_keep_step_by_hand() {
    let arch = machine(&[]);
    let s = shape(
        "len=12 slices=3 clusters=3 first=0 count=1 granule=4 placement=compact reduction=tree",
        &arch,
    );
    assert_eq!((s.rounds, s.slots, s.cluster_of(1, 0)), (3, 1, 1));
    assert_eq!((s.vector_beats, s.tile_beats), (3, 3 * 2));
}

/// Five slices of ceil(9 / 5) = 2 elements are 2 + 2 + 2 + 2 + 1; with eight slices only five hold elements.
#[test]
fn empty_slices_take_no_part() {
    let arch = machine(&[]);
    for (slices, parts, slice_len) in [(5, 5, 2), (8, 5, 2), (9, 9, 1), (100, 9, 1)] {
        let text = format!(
            "len=9 slices={slices} clusters=1 first=0 count=4 granule=4 placement=compact reduction=tree"
        );
        let s = shape(&text, &arch);
        assert_eq!(
            (s.parts, s.slice_len, s.rounds),
            (parts, slice_len, u64::div_ceil(parts, 4))
        );
        assert_eq!(s.slice_range(parts), None);
    }
}

/// Spread partitions of two clusters on 4 x 1 clusters: partition 1 has the clusters 1 and 3 and touches banks 1 and 3,
/// not bank 2 between them.
#[test]
fn a_window_has_only_the_banks_that_it_touches() {
    let arch = machine(&[("array.columns", "4"), ("array.rows", "1")]);
    let s = shape(
        "len=9 slices=1 clusters=2 first=1 count=1 granule=4 placement=spread reduction=tree",
        &arch,
    );
    assert_eq!(s.cluster_order(&arch, 1), [1, 3]);
    assert_eq!(s.banks, [1..2, 3..4]);
}
