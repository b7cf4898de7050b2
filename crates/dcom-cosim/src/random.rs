//! Seeded random legal programs with their data: every op on random layouts, in a loop, with guards.

use dcom_arch::Arch;
use dcom_isa::{BufferKind, Program, Store, assemble};

use crate::check::Case;
use crate::values::{Random, Values};

/// Buffer regions of one layout; those of layout l begin at `REGIONS` l.
const REGIONS: u64 = 11;
const VECTORS: u64 = 3;
const WIDE: u64 = 3;
const FULL: u64 = 4;
const PARTIAL: u64 = 5;
const COEFFICIENTS: u64 = 6;
const SINGLE: u64 = 7;
const SCALAR: u64 = 8;
const THREE: u64 = 9;
const TILES: u64 = 10;
/// The vector in a third layout.
const ELSEWHERE: u64 = 2 * REGIONS;
/// Global regions.
const GLOBALS: u64 = 6;
/// Most words of a global region: enough for what the longest vectors of the tests leave there.
const WORDS: u64 = 30_000;

/// What a random program is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Values of its vectors and matrices.
    pub values: Values,
    /// Rows and columns of its matrix.
    pub sizes: [u64; 2],
}

struct Side {
    /// Index of the layout.
    l: u64,
    axis: &'static str,
    len: u64,
    /// Elements of the strip, its tiles, and the length of the dimension along it.
    strip: u64,
    tiles: (u64, u64),
    along: u64,
}

impl Side {
    fn buffer(&self, region: u64) -> String {
        format!("b{}", self.l * REGIONS + region)
    }
}

impl Case {
    /// The case of a seed. A few do not fit its memories: they do not verify.
    #[must_use]
    pub fn random(arch: &Arch, seed: u64) -> Case {
        let random = &mut Random::new(seed);
        let wishes = Wishes {
            values: random.pick(&[Values::Tame, Values::Finite, Values::Any]),
            sizes: [random.within(1, 30), random.within(1, 30)],
        };
        let mut case = Case::wished(arch, random, wishes);
        case.name = format!("seed-{seed}");
        case
    }

    /// A random program for a machine: every op on random layouts, twice in a loop.
    #[must_use]
    pub fn wished(arch: &Arch, random: &mut Random, wishes: Wishes) -> Case {
        let Wishes {
            values,
            sizes: [rows, columns],
        } = wishes;
        let (x, y) = (arch.cluster.lanes_x, arch.cluster.lanes_y);
        let sides = [
            side(random, 0, "rows", rows, columns, x),
            side(random, 1, "columns", columns, rows, y),
        ];
        let mut text = format!(
            ".machine channels={} overlap_ingest={}\n",
            arch.clusters().max(8),
            random.pick(&["false", "true"])
        );
        let granule = random.pick(&[x, y]);
        for (l, len, granule) in [(0, rows, y), (1, columns, x), (2, rows, granule)] {
            text += &layout(random, arch, l, len, granule);
        }
        let mut buffers = 0;
        for side in &sides {
            regions(&mut text, &mut buffers, side);
        }
        text += &format!(".buffer b{ELSEWHERE} kind=vector layout=l2 row=0\n");
        for (i, layout) in ["l0", "l1"].iter().enumerate() {
            text += &format!(".bank m{i} layout={layout} vectors=5 row=0\n");
        }
        let store = random.pick(&["memory", "memory", "banks-both"]);
        let place = match store {
            "memory" => "store=memory",
            _ => "store=both rows_layout=l0 columns_layout=l1 rows_row=0 columns_row=0",
        };
        text += &format!(".matrix a0 rows={rows} columns={columns} {place}\n");
        let words = WORDS.min(arch.broadcast.capacity_words / GLOBALS);
        for i in 0..GLOBALS {
            text += &format!(".global g{i} words={words} word={}\n", words * i);
        }

        let mut body = prologue(random, &sides);
        for _ in 0..random.within(10, 60) {
            let instruction = instruction(random, &sides);
            // What a region of tiles holds must be known.
            let guard = if instruction.starts_with("ldt") {
                ""
            } else {
                random.pick(&["", "", "", "@!p0 "])
            };
            body.push(format!("{guard}{instruction}"));
        }
        for vector in 0..2 {
            body.push(format!(
                "out matrix=a0 side=u index={vector} src=m0[{vector}]"
            ));
            body.push(format!(
                "out matrix=a0 side=v index={} src=m1[{vector}]",
                2 * vector
            ));
        }
        text += &format!("loop count=2 length={}\n{}\n", body.len(), body.join("\n"));
        let mut program = assemble(&text)
            .unwrap_or_else(|e| panic!("the generator writes programs: {e}\n{text}"));
        place_regions(&mut program, arch);
        let prompts = (0..3)
            .map(|_| values.matrix(random, rows, columns))
            .collect();
        let mut host = |len| {
            (0..len)
                .map(|_| dcom_fp::from_bits(values.bits(random)))
                .collect()
        };
        let host_vectors = (0..10)
            .map(|i| host(if i < 5 { rows } else { columns }))
            .collect();
        Case {
            name: "random".to_owned(),
            program,
            prompts,
            host_vectors,
        }
    }
}

/// One region after the other, in buffers and banks.
fn place_regions(program: &mut Program, arch: &Arch) {
    let shapes: Vec<_> = program
        .layouts
        .iter()
        .map(|l| {
            l.check(arch)
                .expect("the generator writes layouts that fit")
        })
        .collect();
    let row = |n: u64| u32::try_from(n).expect("small");
    let mut next = 0;
    for b in &mut program.buffers {
        b.row = row(next);
        let bytes = b.kind.bytes(&shapes[b.layout.index()]);
        next += bytes.div_ceil(arch.buffer_row_bytes());
    }
    let mut next = 0;
    for b in &mut program.banks {
        b.row = row(next);
        next += u64::from(b.vectors) * shapes[b.layout.index()].vector_beats;
    }
    let (x, y) = (arch.cluster.lanes_x, arch.cluster.lanes_y);
    for m in &mut program.matrices {
        if let Store::BanksBoth {
            rows_layout,
            columns_layout,
            rows_row,
            columns_row,
        } = &mut m.store
        {
            *rows_row = row(next);
            next += shapes[rows_layout.index()].tile_beats * u64::from(m.columns).div_ceil(x);
            *columns_row = row(next);
            next += shapes[columns_layout.index()].tile_beats * u64::from(m.rows).div_ceil(y);
        }
    }
    debug_assert!(
        program
            .buffers
            .iter()
            .all(|b| b.kind != BufferKind::Full(0))
    );
}

fn side(random: &mut Random, l: u64, axis: &'static str, len: u64, along: u64, tile: u64) -> Side {
    let tiles = along.div_ceil(tile);
    let first = random.below(tiles);
    let end = random.within(first + 1, tiles);
    Side {
        l,
        axis,
        len,
        strip: (end * tile).min(along) - first * tile,
        tiles: (first, end),
        along,
    }
}

fn layout(random: &mut Random, arch: &Arch, l: u64, len: u64, granule: u64) -> String {
    let clusters = random.within(1, arch.clusters());
    let partitions = arch.clusters() / clusters;
    let first = random.below(partitions);
    let count = random.within(1, partitions - first);
    let slices = random.within(1, 12);
    let (placement, reduction) = (
        random.pick(&["compact", "spread"]),
        random.pick(&["tree", "chain"]),
    );
    format!(
        ".layout l{l} len={len} slices={slices} clusters={clusters} first={first} count={count} granule={granule} placement={placement} reduction={reduction}\n"
    )
}

fn regions(text: &mut String, buffers: &mut u64, side: &Side) {
    let (l, n) = (side.l, side.strip);
    let kinds = [
        "kind=vector".to_owned(),
        "kind=vector".to_owned(),
        "kind=vector".to_owned(),
        "kind=wide".to_owned(),
        format!("kind=full n={n}"),
        format!("kind=partial n={n}"),
        "kind=coefs n=12".to_owned(),
        "kind=coefs n=1".to_owned(),
        "kind=scalar".to_owned(),
        "kind=coefs n=3".to_owned(),
        format!("kind=tiles n={}", side.tiles.1 - side.tiles.0),
    ];
    for kind in kinds {
        *text += &format!(".buffer b{buffers} {kind} layout=l{l} row=0\n");
        *buffers += 1;
    }
}

/// Writes everything once, so that the rest may read anything.
fn prologue(random: &mut Random, sides: &[Side; 2]) -> Vec<String> {
    let mut body = vec![
        "ingest matrix=a0 prompt=1 stride=1".to_owned(),
        "clr p=p0".to_owned(),
    ];
    body.push(format!(
        "ldi dst=s0 value={}",
        random.pick(&["-3", "0", "2", "5", "-100", "17.9"])
    ));
    for register in 1..16 {
        let value = random.pick(&[
            "0", "-0", "1", "-2.5", "3e-41", "1e38", "0.3333", "70000", "12.25", "0.999999",
        ]);
        body.push(format!("ldi dst=s{register} value={value}"));
    }
    for (i, side) in sides.iter().enumerate() {
        for vector in 0..5 {
            body.push(format!("in dst=m{i}[{vector}] host={}", 5 * i + vector));
        }
        for vector in 0..VECTORS {
            body.push(format!("ld dst={} src=m{i}[{vector}]", side.buffer(vector)));
        }
        body.push(format!("sbc dst={} src=s3", side.buffer(SCALAR)));
        body.push(dot(random, side));
        body.push(format!("putw dst=g{i} src=r{i}"));
        for region in [COEFFICIENTS, SINGLE, THREE] {
            body.push(format!("bc dst={} src=g{i} start=0", side.buffer(region)));
        }
    }
    for side in sides {
        body.push(gather(random, side, sides));
        body.push(along(side, WIDE, false));
        body.push(across(side));
        body.push(preduce(side));
        body.push(load_tiles(side));
    }
    body.push(format!("gather dst=b{ELSEWHERE} src=b0 start=0"));
    body.push("svd matrix=a0 u=g4 v=g5 alpha=s8 beta=s12 k=4 r=3 exponent=s0 p=p0".to_owned());
    body
}

fn instruction(random: &mut Random, sides: &[Side; 2]) -> String {
    let side = &sides[usize::try_from(random.below(2)).expect("small")];
    let l = side.l;
    let vector = |random: &mut Random| side.buffer(random.below(VECTORS));
    match random.below(33) {
        0 => format!("ld dst={} src=m{l}[{}]", vector(random), random.below(5)),
        1 => format!("st dst=m{l}[{}] src={}", random.below(5), vector(random)),
        2 => gather(random, side, sides),
        3 => format!("gather dst=b{ELSEWHERE} src=b1 start=0"),
        4 => format!("gather dst=b2 src=b{ELSEWHERE} start=0"),
        5 => along(side, random.within(0, WIDE), false),
        6 => along(side, WIDE, true),
        7 | 8 => across(side),
        9 => preduce(side),
        10 => greduce(random, side),
        11 => format!("narrow dst={} src={}", vector(random), side.buffer(WIDE)),
        12 => dot(random, side),
        13 => format!("puth dst=g{l} src=r{l}"),
        14 => format!("putw dst=g{l} src=r{l}"),
        15 => {
            let region = random.pick(&[COEFFICIENTS, SINGLE, THREE]);
            format!(
                "bc dst={} src=g{} start={}",
                side.buffer(region),
                random.below(6),
                random.below(3)
            )
        }
        16 | 17 => {
            let (z, c) = (
                random.below(VECTORS),
                random.pick(&[COEFFICIENTS, SINGLE, THREE]),
            );
            format!(
                "corr z={} v={} c={}",
                side.buffer(z),
                side.buffer((z + 1) % VECTORS),
                side.buffer(c)
            )
        }
        18 => {
            let (z, c) = (random.below(VECTORS), random.pick(&[SCALAR, SINGLE]));
            format!(
                "axpy z={} v={} c={}",
                side.buffer(z),
                side.buffer((z + 2) % VECTORS),
                side.buffer(c)
            )
        }
        19 => format!(
            "csum dst={} src={}",
            side.buffer(SINGLE),
            side.buffer(random.pick(&[COEFFICIENTS, THREE]))
        ),
        20 => format!(
            "scale dst={} src={} c={}",
            vector(random),
            vector(random),
            side.buffer(SCALAR)
        ),
        21 => format!(
            "comb dst={} src=m{l}[{}] c={}",
            vector(random),
            random.below(3),
            side.buffer(THREE)
        ),
        // Seven ops share them.
        22 | 31 => scalar(random),
        23 => format!(
            "sbc dst={} src=s{}",
            side.buffer(SCALAR),
            random.within(1, 15)
        ),
        24 => {
            let kind = random.pick(&["mean", "mean", "ones", "e1", "alternating", "signs"]);
            format!(
                "start dst={} matrix=a0 kind={kind} exponent=s0 shift={}",
                sides[1].buffer(random.below(VECTORS)),
                random.below(4)
            )
        }
        25 => format!(
            "brk p=p0 x=s{} max=s{} tolerance={}",
            random.within(1, 15),
            random.within(1, 15),
            random.pick(&[0, 10, 126])
        ),
        26 => load_tiles(side),
        27 => with_tiles(side, &along(side, random.within(0, WIDE), false)),
        28 => with_tiles(side, &along(side, WIDE, true)),
        29 => with_tiles(side, &across(side)),
        30 => format!(
            "tsvd matrix=a0 u=g4 v=g5 t=s1 band={} k=4 r={} exponent=s0",
            random.below(4),
            random.within(1, 4)
        ),
        _ => random
            .pick(&[
                "clr p=p0",
                "svd matrix=a0 u=g4 v=g5 alpha=s8 beta=s12 k=4 r=2 exponent=s0 p=p0",
                "bar",
            ])
            .to_owned(),
    }
}

fn scalar(random: &mut Random) -> String {
    let (dst, a, b) = (
        random.within(1, 15),
        random.within(1, 15),
        random.within(1, 15),
    );
    match random.below(7) {
        0 => format!(
            "sum dst=s{dst} src=g{} start={} n={}",
            random.below(6),
            random.below(5),
            random.within(1, 20)
        ),
        1 => format!("mul dst=s{dst} a=s{a} b=s{b}"),
        2 => format!("div dst=s{dst} a=s{a} b=s{b}"),
        3 => format!("sqrt dst=s{dst} a=s{a}"),
        4 => format!("max dst=s{dst} a=s{a} b=s{b}"),
        5 => format!("log2 dst=s{dst} a=s{a}"),
        _ => format!("stat dst=s{dst} matrix=a0"),
    }
}

fn stream(side: &Side, add: bool) -> String {
    format!(
        "first_tile={} end_tile={} add={add} exponent=s0",
        side.tiles.0, side.tiles.1
    )
}

/// The product that takes a full copy of the strip.
fn along(side: &Side, y: u64, add: bool) -> String {
    let op = if side.l == 0 { "mvn" } else { "mvt" };
    format!(
        "{op} matrix=a0 axis={} x={} y={} {}",
        side.axis,
        side.buffer(FULL),
        side.buffer(y),
        stream(side, add)
    )
}

fn across(side: &Side) -> String {
    let op = if side.l == 0 { "mvt" } else { "mvn" };
    format!(
        "{op} matrix=a0 axis={} x={} y={} {}",
        side.axis,
        side.buffer(1),
        side.buffer(PARTIAL),
        stream(side, false)
    )
}

/// The strip of the streams into the buffers.
fn load_tiles(side: &Side) -> String {
    format!(
        "ldt dst={} matrix=a0 axis={} first_tile={} end_tile={}",
        side.buffer(TILES),
        side.axis,
        side.tiles.0,
        side.tiles.1
    )
}

/// The product that a stream computes, with the strip from the buffers.
fn with_tiles(side: &Side, stream: &str) -> String {
    let strip = format!("first_tile={} end_tile={} ", side.tiles.0, side.tiles.1);
    format!("t{stream}")
        .replace("matrix=a0", &format!("tiles={}", side.buffer(TILES)))
        .replace(&strip, "")
}

fn gather(random: &mut Random, side: &Side, sides: &[Side; 2]) -> String {
    let other = &sides[usize::from(side.l == 0)];
    let (src, start) = (
        other.buffer(random.below(VECTORS)),
        random.within(0, side.along - side.strip),
    );
    format!("gather dst={} src={src} start={start}", side.buffer(FULL))
}

fn preduce(side: &Side) -> String {
    format!(
        "preduce dst=g{} src={} layout=l{}",
        2 + side.l,
        side.buffer(PARTIAL),
        side.l
    )
}

/// A few elements of any vector become sums of what was reduced before.
fn greduce(random: &mut Random, side: &Side) -> String {
    let n = random.within(1, side.strip.min(side.len));
    let start = random.within(0, side.len - n);
    format!(
        "greduce dst={} src=g{} layout=l{} start={start} n={n}",
        side.buffer(random.below(VECTORS)),
        2 + side.l,
        side.l
    )
}

fn dot(random: &mut Random, side: &Side) -> String {
    let (a, b) = (
        side.buffer(random.below(VECTORS)),
        side.buffer(random.below(VECTORS)),
    );
    format!("dot dst=r{} a={a} b={b}", side.l)
}
