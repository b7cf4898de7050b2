//! Random machines, values and programs, each from an explicit seed.

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_tensor::Matrix;

/// A linear congruential sequence (Knuth's MMIX constants), of which the upper half is used.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        let mut random = Random(seed);
        (0..4).for_each(|_| _ = random.below(2));
        random
    }

    /// Uniform in `0..n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) % n
    }

    /// Uniform in `low..=high`.
    pub(crate) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("small")]
    }
}

/// Which values vectors and matrices get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Values {
    /// Around 1, so that sums round but do not overflow.
    Tame,
    /// Any finite bit pattern: subnormals, both zeros, sums that overflow.
    Finite,
    /// Now and then an infinity or a NaN as well.
    Any,
}

impl Values {
    pub(crate) fn bits(self, random: &mut Random) -> u16 {
        let sign = random.pick(&[0, 0x8000]);
        let special = if self == Values::Tame {
            100
        } else {
            random.below(100)
        };
        let magnitude = match special {
            0 if self == Values::Any => 0x7c00,
            1 if self == Values::Any => 0x7e00,
            0..10 => 0,
            10..20 => random.below(0x400),
            20..40 => random.below(0x7c00),
            _ => random.within(0x3000, 0x4400),
        };
        sign | u16::try_from(magnitude).expect("15 bits")
    }

    pub(crate) fn matrix(self, random: &mut Random, rows: u64, columns: u64) -> Matrix {
        let data = (0..rows * columns).map(|_| self.bits(random)).collect();
        Matrix::new(
            usize::try_from(rows).expect("small"),
            usize::try_from(columns).expect("small"),
            data,
        )
        .expect("sizes agree")
    }
}

/// The paper's machine with some parameters changed.
pub(crate) fn machine(changes: &[(&str, String)]) -> Arch {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/arch/dcom-paper.toml");
    let mut params = ArchParams::parse(Source::read(path).expect("the file is there"))
        .expect("the file is valid");
    for (key, value) in changes {
        params.set(key, value).expect("a valid change");
    }
    Arch::new(&params).expect("a valid machine")
}

/// A small machine whose sizes are seldom powers of two.
pub(crate) fn random_machine(random: &mut Random, mode: &str) -> Arch {
    let columns = random.within(1, 5);
    let mut changes = vec![("cluster.accumulate", mode.to_owned())];
    let sizes = [
        ("array.columns", columns),
        ("array.rows", random.within(1, 5)),
        ("bank.columns", random.within(1, columns)),
        ("bank.port_elements", random.within(1, 40)),
        ("cluster.lanes_x", random.within(1, 6)),
        ("cluster.lanes_y", random.within(1, 6)),
        ("ingest.width_elements", random.within(1, 9)),
        ("broadcast.width_words", random.within(1, 6)),
        ("broadcast.capacity_words", 1 << 24),
        ("cluster.buffer_bytes", 1 << 28),
        ("bank.capacity_bytes", 1 << 30),
    ];
    changes.extend(sizes.map(|(key, value)| (key, value.to_string())));
    machine(&changes)
}

/// A program for `arch` that runs every operation on random layouts, twice in a loop, and what it needs.
pub(crate) struct RandomProgram {
    pub(crate) text: String,
    pub(crate) prompts: Vec<Matrix>,
    pub(crate) host_vectors: Vec<Vec<f32>>,
}

/// Buffer regions of one layout; those of layout l begin at `REGIONS` l.
const REGIONS: u64 = 16;
const VECTORS: u64 = 3;
const WIDE: u64 = 3;
const FULL: u64 = 4;
const PARTIAL: u64 = 5;
const COEFFICIENTS: u64 = 6;
const SINGLE: u64 = 7;
const SCALAR: u64 = 8;
const THREE: u64 = 9;

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

pub(crate) fn random_program(
    random: &mut Random,
    arch: &Arch,
    values: Values,
    [rows, columns]: [u64; 2],
) -> RandomProgram {
    let (x, y) = (arch.cluster.lanes_x, arch.cluster.lanes_y);
    let sides = [
        side(random, 0, "rows", rows, columns, x),
        side(random, 1, "columns", columns, rows, y),
    ];
    let mut text = ".machine channels=1000 overlap_ingest=false\n".to_owned();
    let mut directives = Directives {
        text: &mut text,
        buffers: 0,
    };
    directives.layout(random, arch, 0, rows, y);
    directives.layout(random, arch, 1, columns, x);
    let granule = random.pick(&[x, y]);
    directives.layout(random, arch, 2, rows, granule);
    for side in &sides {
        directives.regions(side);
    }
    directives.buffer("kind=vector layout=l2");
    for (i, layout) in ["l0", "l1"].iter().enumerate() {
        text += &format!(
            ".bank m{i} layout={layout} vectors=5 row={}\n",
            1_000_000 * i
        );
    }
    text += &format!(".matrix a0 rows={rows} columns={columns} store=memory\n");
    for i in 0..6 {
        text += &format!(".global g{i} words=30000 word={}\n", 30_000 * i);
    }

    let mut body = prologue(random, &sides);
    for _ in 0..60 {
        let guard = random.pick(&["", "", "", "@!p0 "]);
        body.push(format!("{guard}{}", instruction(random, &sides)));
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
    RandomProgram {
        text,
        prompts,
        host_vectors,
    }
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

struct Directives<'a> {
    text: &'a mut String,
    buffers: u64,
}

impl Directives<'_> {
    fn layout(&mut self, random: &mut Random, arch: &Arch, l: u64, len: u64, granule: u64) {
        let clusters = random.within(1, arch.clusters());
        let partitions = arch.clusters() / clusters;
        let first = random.below(partitions);
        let count = random.within(1, partitions - first);
        let slices = random.within(1, 12);
        let (placement, reduction) = (
            random.pick(&["compact", "spread"]),
            random.pick(&["tree", "chain"]),
        );
        *self.text += &format!(
            ".layout l{l} len={len} slices={slices} clusters={clusters} first={first} count={count} granule={granule} placement={placement} reduction={reduction}\n"
        );
    }

    fn regions(&mut self, side: &Side) {
        let (l, n) = (side.l, side.strip);
        for _ in 0..VECTORS {
            self.buffer(&format!("kind=vector layout=l{l}"));
        }
        self.buffer(&format!("kind=wide layout=l{l}"));
        self.buffer(&format!("kind=full n={n} layout=l{l}"));
        self.buffer(&format!("kind=partial n={n} layout=l{l}"));
        self.buffer(&format!("kind=coefs n=12 layout=l{l}"));
        self.buffer(&format!("kind=coefs n=1 layout=l{l}"));
        self.buffer(&format!("kind=scalar layout=l{l}"));
        self.buffer(&format!("kind=coefs n=3 layout=l{l}"));
        while !self.buffers.is_multiple_of(REGIONS) {
            self.buffer(&format!("kind=scalar layout=l{l}"));
        }
    }

    fn buffer(&mut self, what: &str) {
        *self.text += &format!(
            ".buffer b{} {what} row={}\n",
            self.buffers,
            5000 * self.buffers
        );
        self.buffers += 1;
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
    }
    body.push("gather dst=b32 src=b0 start=0".to_owned());
    body.push("svd matrix=a0 u=g4 v=g5 alpha=s8 beta=s12 k=4 r=3 exponent=s0 p=p0".to_owned());
    body
}

fn instruction(random: &mut Random, sides: &[Side; 2]) -> String {
    let side = &sides[usize::try_from(random.below(2)).expect("small")];
    let l = side.l;
    let vector = |random: &mut Random| side.buffer(random.below(VECTORS));
    let (register, other, third) = (
        random.within(1, 15),
        random.within(1, 15),
        random.within(1, 15),
    );
    match random.below(29) {
        0 => format!("ld dst={} src=m{l}[{}]", vector(random), random.below(5)),
        1 => format!("st dst=m{l}[{}] src={}", random.below(5), vector(random)),
        2 => gather(random, side, sides),
        3 => "gather dst=b32 src=b1 start=0".to_owned(),
        4 => "gather dst=b2 src=b32 start=0".to_owned(),
        5 => along(side, random.within(0, WIDE), false),
        6 => along(side, WIDE, true),
        7 | 8 => across(side),
        9 | 10 => both(random, side),
        11 => preduce(side),
        12 => greduce(random, side),
        13 => format!("narrow dst={} src={}", vector(random), side.buffer(WIDE)),
        14 => dot(random, side),
        15 => format!("puth dst=g{l} src=r{l}"),
        16 => format!("putw dst=g{l} src=r{l}"),
        17 => {
            let region = random.pick(&[COEFFICIENTS, SINGLE, THREE]);
            format!(
                "bc dst={} src=g{} start={}",
                side.buffer(region),
                random.below(6),
                random.below(3)
            )
        }
        18 | 19 => {
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
        20 => {
            let (z, c) = (random.below(VECTORS), random.pick(&[SCALAR, SINGLE]));
            format!(
                "axpy z={} v={} c={}",
                side.buffer(z),
                side.buffer((z + 2) % VECTORS),
                side.buffer(c)
            )
        }
        21 => format!(
            "csum dst={} src={}",
            side.buffer(SINGLE),
            side.buffer(random.pick(&[COEFFICIENTS, THREE]))
        ),
        22 => format!(
            "scale dst={} src={} c={}",
            vector(random),
            vector(random),
            side.buffer(SCALAR)
        ),
        23 => format!(
            "comb dst={} src=m{l}[{}] c={}",
            vector(random),
            random.below(3),
            side.buffer(THREE)
        ),
        24 => match random.below(7) {
            0 => format!(
                "sum dst=s{register} src=g{} start={} n={}",
                random.below(6),
                random.below(5),
                random.within(1, 20)
            ),
            1 => format!("mul dst=s{register} a=s{other} b=s{third}"),
            2 => format!("div dst=s{register} a=s{other} b=s{third}"),
            3 => format!("sqrt dst=s{register} a=s{other}"),
            4 => format!("max dst=s{register} a=s{other} b=s{third}"),
            5 => format!("log2 dst=s{register} a=s{other}"),
            _ => format!("stat dst=s{register} matrix=a0"),
        },
        25 => format!("sbc dst={} src=s{register}", side.buffer(SCALAR)),
        26 => {
            let kind = random.pick(&["mean", "mean", "ones", "e1", "alternating", "signs"]);
            format!(
                "start dst={} matrix=a0 kind={kind} exponent=s0 shift={}",
                sides[1].buffer(random.below(VECTORS)),
                random.below(4)
            )
        }
        27 => format!(
            "brk p=p0 x=s{register} max=s{other} tolerance={}",
            random.pick(&[0, 10, 126])
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

fn both(random: &mut Random, side: &Side) -> String {
    let add = random.below(2) == 1;
    let result = side.buffer(if add { WIDE } else { random.below(VECTORS) });
    let along = [side.buffer(FULL), result];
    let across = [side.buffer(random.below(VECTORS)), side.buffer(PARTIAL)];
    let [[x, y], [u, w]] = if side.l == 0 {
        [along, across]
    } else {
        [across, along]
    };
    format!(
        "mvnt matrix=a0 axis={} x={x} y={y} u={u} w={w} {}",
        side.axis,
        stream(side, add)
    )
}

fn gather(random: &mut Random, side: &Side, sides: &[Side; 2]) -> String {
    let other = &sides[usize::from(side.l == 0)];
    assert_eq!(
        other.len, side.along,
        "the strip runs along the other dimension"
    );
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
