//! The tables of a random program: layouts, matrices, regions, and where they lie.

use dcom_arch::Arch;
use dcom_isa::{Axis, BufferKind, Layout, Placement, Program, Reduction, Shape, Store};

use crate::values::Random;

/// Prompts of a random program.
pub(super) const PROMPTS: u64 = 3;
/// Its matrices, all of one size.
pub(super) const MATRICES: u64 = 2;
/// Its regions of global memory.
pub(super) const GLOBALS: u64 = 6;
/// Words that every one of them has.
pub(super) const WORDS: u64 = 48;
/// Strips of A on either side.
pub(super) const STRIPS: u64 = 2;

/// Buffer regions of one side; those of side l begin at `REGIONS` l.
const REGIONS: u64 = TILES + STRIPS;
pub(super) const VECTORS: u64 = 3;
pub(super) const WIDE: u64 = 3;
/// Coefficients: as many as take several passes, one, and no more than there are bank vectors.
pub(super) const MANY: u64 = 4;
pub(super) const SINGLE: u64 = 5;
pub(super) const FEW: u64 = 6;
pub(super) const SCALAR: u64 = 7;
/// One per strip.
pub(super) const FULL: u64 = 8;
pub(super) const PARTIAL: u64 = FULL + STRIPS;
pub(super) const TILES: u64 = PARTIAL + STRIPS;
/// Vectors over the rows in a third layout, and the bank vectors there.
pub(super) const ELSEWHERE: u64 = 2 * REGIONS;
pub(super) const ELSEWHERE_VECTORS: u64 = 2;

/// A strip of A.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) first_tile: u64,
    pub(super) end_tile: u64,
    pub(super) elements: u64,
}

/// Vectors over rows or columns of A, and the strips that they are multiplied with.
pub(super) struct Side {
    /// Index of the layout, and of the stack.
    pub(super) l: u64,
    pub(super) axis: Axis,
    pub(super) len: u64,
    /// Length of the dimension along the strips.
    pub(super) along: u64,
    pub(super) strips: [Strip; 2],
}

impl Side {
    pub(super) fn buffer(&self, region: u64) -> String {
        format!("b{}", self.l * REGIONS + region)
    }
}

/// What the instructions refer to.
pub(super) struct Tables {
    pub(super) sides: [Side; 2],
    layouts: [Layout; 3],
    pub(super) shapes: [Shape; 3],
    /// Words of each global region.
    pub(super) words: Vec<u64>,
    /// Lengths of the coefficients `MANY` and `FEW`.
    pub(super) many: u64,
    pub(super) few: u64,
    /// Bank vectors of each side.
    pub(super) vectors: u64,
    /// How each matrix is stored: the axis, or none in memory and in the banks by both.
    only_axis: [Option<Axis>; 2],
    both: [bool; 2],
}

fn small(n: u64) -> u32 {
    u32::try_from(n).expect("random programs are small")
}

impl Tables {
    pub(super) fn new(random: &mut Random, arch: &Arch, sizes: [u64; 2]) -> Tables {
        let [rows, columns] = sizes;
        let (x, y) = (arch.cluster.lanes_x, arch.cluster.lanes_y);
        let granule = random.pick(&[x, y]);
        let layouts = [(rows, y), (columns, x), (rows, granule)]
            .map(|(len, granule)| layout(random, arch, len, granule));
        let shapes = layouts.map(|l| {
            l.check(arch)
                .expect("the generator writes layouts that fit")
        });
        let mut side = |l, axis, len, along, tile| Side {
            l,
            axis,
            len,
            along,
            strips: [strip(random, along, tile), strip(random, along, tile)],
        };
        let sides = [
            side(0, Axis::Rows, rows, columns, x),
            side(1, Axis::Columns, columns, rows, y),
        ];
        // Partial sums of either side have a region that takes all of them; one more is long.
        let partial = |side: &Side, shape: &Shape| {
            let longest = side.strips.iter().map(|s| s.elements).max();
            longest.unwrap_or_default() * shape.engaged_partitions
        };
        let mut words = vec![WORDS; 6];
        words[0] = 3 * WORDS;
        for (l, side) in sides.iter().enumerate() {
            words[2 + l] = WORDS.max(partial(side, &shapes[l]));
        }
        let vectors = x + 2;
        let stores = [
            random.pick(&[(None, false), (None, false), (None, true)]),
            random.pick(&[
                (None, false),
                (Some(Axis::Rows), false),
                (Some(Axis::Columns), false),
            ]),
        ];
        Tables {
            sides,
            layouts,
            shapes,
            words,
            many: random.within(2, WORDS - 8),
            few: random.within(1, vectors),
            vectors,
            only_axis: stores.map(|s| s.0),
            both: stores.map(|s| s.1),
        }
    }

    /// Whether a matrix can be streamed past layouts of a side.
    pub(super) fn streams(&self, matrix: u64, side: &Side) -> bool {
        let only = self.only_axis[usize::from(matrix > 0)];
        only.is_none_or(|axis| axis == side.axis)
    }

    /// The side of every host vector.
    pub(super) fn host_vectors(&self) -> impl Iterator<Item = u64> + use<> {
        let vectors = self.vectors;
        (0..2 * vectors).map(move |host| host / vectors)
    }

    /// The tables as text; places come later.
    pub(super) fn text(&self, random: &mut Random) -> String {
        let channel = |l: &Layout| u64::from(l.first / l.count) + 1;
        let needed = self.layouts.iter().map(channel).max().unwrap_or_default();
        let mut text = format!(
            ".machine channels={} overlap_ingest={}\n",
            random.within(needed, needed.max(8)),
            random.pick(&["false", "true"])
        );
        for (l, layout) in self.layouts.iter().enumerate() {
            text += &format!(".layout l{l} {layout}\n");
        }
        let mut buffers = 0;
        let mut buffer = |text: &mut String, kind: &str, l: u64| {
            *text += &format!(".buffer b{buffers} {kind} layout=l{l} row=0\n");
            buffers += 1;
        };
        for side in &self.sides {
            for kind in self.kinds(side) {
                buffer(&mut text, &kind, side.l);
            }
        }
        buffer(&mut text, "kind=vector", 2);
        for (l, vectors) in [self.vectors, self.vectors, ELSEWHERE_VECTORS]
            .iter()
            .enumerate()
        {
            text += &format!(".bank m{l} layout=l{l} vectors={vectors} row=0\n");
        }
        let [rows, columns] = [self.sides[0].len, self.sides[1].len];
        for (a, only) in self.only_axis.iter().enumerate() {
            let store = match only {
                Some(Axis::Rows) => "banks axis=rows layout=l0 row=0",
                Some(Axis::Columns) => "banks axis=columns layout=l1 row=0",
                None if self.both[a] => {
                    "both rows_layout=l0 columns_layout=l1 rows_row=0 columns_row=0"
                }
                None => "memory",
            };
            text += &format!(".matrix a{a} rows={rows} columns={columns} store={store}\n");
        }
        for (i, words) in self.words.iter().enumerate() {
            text += &format!(".global g{i} words={words} word=0\n");
        }
        text
    }

    /// Kinds of the regions of a side, in their order.
    fn kinds(&self, side: &Side) -> Vec<String> {
        let strips = |kind: &str, n: fn(&Strip) -> u64| {
            side.strips
                .iter()
                .map(|s| format!("kind={kind} n={}", n(s)))
                .collect::<Vec<_>>()
        };
        let mut kinds: Vec<String> = ["vector", "vector", "vector", "wide"]
            .map(|kind| format!("kind={kind}"))
            .into();
        kinds.extend([self.many, 1, self.few].map(|n| format!("kind=coefs n={n}")));
        kinds.push("kind=scalar".to_owned());
        kinds.extend(strips("full", |s| s.elements));
        kinds.extend(strips("partial", |s| s.elements));
        kinds.extend(strips("tiles", |s| s.end_tile - s.first_tile));
        kinds
    }

    /// One region after the other in every memory, with a gap now and then.
    pub(super) fn place(&self, random: &mut Random, program: &mut Program, arch: &Arch) {
        let mut gap = || u64::from(random.below(4) == 0);
        let mut next = 0;
        for b in &mut program.buffers {
            next += gap();
            b.row = small(next);
            let bytes = b.kind.bytes(&self.shapes[b.layout.index()]);
            next += bytes.div_ceil(arch.buffer_row_bytes());
            debug_assert!(b.kind != BufferKind::Full(0));
        }
        let mut next = 0;
        for b in &mut program.banks {
            next += gap();
            b.row = small(next);
            next += u64::from(b.vectors) * self.shapes[b.layout.index()].vector_beats;
        }
        for m in &mut program.matrices {
            let decl = *m;
            let mut copy = |axis, row: &mut u32| {
                next += gap();
                *row = small(next);
                let shape = &self.shapes[usize::from(axis == Axis::Columns)];
                next += decl.resident_beats(arch, axis, shape);
            };
            match &mut m.store {
                Store::Memory => {}
                Store::Banks { axis, row, .. } => copy(*axis, row),
                Store::BanksBoth {
                    rows_row,
                    columns_row,
                    ..
                } => {
                    copy(Axis::Rows, rows_row);
                    copy(Axis::Columns, columns_row);
                }
            }
        }
        let mut next = 0;
        for g in &mut program.globals {
            next += gap();
            g.word = small(next);
            next += u64::from(g.words);
        }
    }
}

fn layout(random: &mut Random, arch: &Arch, len: u64, granule: u64) -> Layout {
    let clusters = random.within(1, arch.clusters());
    let partitions = arch.clusters() / clusters;
    let first = random.below(partitions);
    let count = random.within(1, partitions - first);
    let most_slices = random.pick(&[1, 12, 12]);
    Layout {
        len: small(len),
        slices: small(random.within(1, most_slices)),
        clusters: small(clusters),
        first: small(first),
        count: small(count),
        granule: small(granule),
        placement: random.pick(&[Placement::Compact, Placement::Spread]),
        reduction: random.pick(&[Reduction::Tree, Reduction::Chain]),
    }
}

fn strip(random: &mut Random, along: u64, tile: u64) -> Strip {
    let tiles = along.div_ceil(tile);
    let first_tile = random.below(tiles);
    let end_tile = random.within(first_tile + 1, tiles);
    Strip {
        first_tile,
        end_tile,
        elements: (end_tile * tile).min(along) - first_tile * tile,
    }
}
