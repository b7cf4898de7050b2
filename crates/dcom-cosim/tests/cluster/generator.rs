//! Random programs.

use dcom_arch::Arch;

use crate::case::{Case, CaseOp, Kind, Matrix, Strip, Vectors};
use crate::machines::index;
use crate::random::{Profile, Random};

/// Tile positions of a matrix, at most.
const TILES: u64 = 9;

/// A random program of `ops` ops.
pub(crate) fn random_case(arch: &Arch, random: &mut Random, ops: usize) -> Case {
    loop {
        let mut case = tables(arch, random);
        if case.fits(arch) {
            fill(arch, random, &mut case);
            case.ops = (0..ops)
                .flat_map(|_| random_op(arch, random, &case))
                .collect();
            separate_streams(&mut case.ops);
            return case;
        }
    }
}

fn tables(arch: &Arch, random: &mut Random) -> Case {
    let (x, y, lanes) = (arch.cluster.lanes_x, arch.cluster.lanes_y, arch.lanes());
    let mut case = Case::default();
    let slices = random.within(2, 4);
    // One slice; slices that fill buffer rows, the last one short; slices that do not; the sources of
    // full copies.
    let aligned = (slices - 1) * random.within(1, 2) * lanes + random.within(1, lanes);
    let aligned = Vectors::new(arch, aligned.next_multiple_of(slices), slices, y);
    let aligned = if aligned.is_aligned(arch) {
        aligned
    } else {
        Vectors::new(arch, slices * lanes - random.below(slices), slices, y)
    };
    case.layouts = vec![
        Vectors::new(arch, random.within(1, 7 * lanes), 1, y),
        aligned,
        Vectors::new(
            arch,
            random.within(slices, 3 * lanes),
            slices,
            *random.pick(&[x, y]),
        ),
        Vectors::new(arch, random.within(1, 3 * lanes), 1, x),
        Vectors::new(arch, TILES * x.max(y), 1, x),
    ];
    for layout in 0..case.layouts.len() {
        let vectors = if layout == 4 { 1 } else { 4 };
        for _ in 0..vectors {
            let region = case.allocate(arch, Kind::Vector, layout);
            case.layouts[layout].regions.push(region);
        }
    }
    for n in [1, 1, random.within(1, x), x, random.within(x + 1, 7 * x)] {
        case.allocate(arch, Kind::Coefficients(n), 0);
    }
    for _ in 0..3 {
        case.allocate(arch, Kind::Scalar, 0);
    }
    for (by_rows, layout) in [(true, 0), (true, 1), (false, 3)] {
        let tile = if by_rows { x } else { y };
        let along = random.within(1, TILES * tile);
        let tiles = along.div_ceil(tile);
        let first = random.below(tiles);
        let strips = [(0, tiles), (first, random.within(first + 1, tiles))];
        let strips = strips.map(|(first, end)| {
            let n = (end * tile).min(along) - first * tile;
            Strip {
                first,
                end,
                x: case.allocate(arch, Kind::Full(n), layout),
            }
        });
        case.matrices.push(Matrix {
            by_rows,
            layout,
            along: index(along),
            elements: vec![],
            strips: strips.to_vec(),
        });
    }
    case.exponents = [0, 0, random.below(21), random.below(81)]
        .map(|e| {
            i8::try_from(e).expect("up to 80") - if e > 20 { 40 } else { 10 * i8::from(e > 0) }
        })
        .to_vec();
    case
}

/// Random contents of the buffer, also where no region is or where addresses are masked, and matrices.
fn fill(arch: &Arch, random: &mut Random, case: &mut Case) {
    let lanes = index(arch.lanes());
    case.buffer = (0..index(arch.buffer_rows()) * lanes)
        .map(|_| random.bits16())
        .collect();
    for region in &case.regions {
        let at = index(region.row) * lanes;
        match region.kind {
            Kind::Scalar => {
                let mantissa = random.bits16() & 0x83ff | 0x3c00;
                let special = *random.pick(&[0x0000, 0x8000, 0x7c00, 0x7e00]);
                case.buffer[at] = if random.chance(12) { special } else { mantissa };
                let range = if random.chance(3) { 64 } else { 3 };
                let exponent = random.below(2 * range + 1).cast_signed() - range.cast_signed();
                case.buffer[at + 1] = i16::try_from(exponent).expect("small").cast_unsigned();
            }
            Kind::Vector | Kind::Coefficients(_) | Kind::Full(_) => {
                let profile = Profile::random(random);
                for element in &mut case.buffer[at..at + index(region.rows) * lanes] {
                    *element = profile.element(random);
                }
            }
        }
    }
    for matrix in &mut case.matrices {
        let profile = Profile::random(random);
        let elements = case.layouts[matrix.layout].len() * matrix.along;
        matrix.elements = (0..elements).map(|_| profile.element(random)).collect();
    }
}

fn random_op(arch: &Arch, random: &mut Random, case: &Case) -> Option<CaseOp> {
    let layout = &case.layouts[index(random.below(4))];
    let vector = |random: &mut Random| *random.pick(&layout.regions);
    let [v, z] = [vector(random), vector(random)];
    let of_kind = |random: &mut Random, wanted: &dyn Fn(Kind) -> bool| {
        let found: Vec<usize> = (0..case.regions.len())
            .filter(|&i| wanted(case.regions[i].kind))
            .collect();
        *random.pick(&found)
    };
    match random.below(10) {
        0..3 => {
            let register = index(random.below(4));
            layout.is_aligned(arch).then_some(CaseOp::Dot {
                register,
                a: v,
                b: z,
            })
        }
        3 => {
            let c = of_kind(random, &|k| k == Kind::Scalar);
            Some(CaseOp::Scale { dst: z, src: v, c })
        }
        4 | 5 => {
            let c = of_kind(random, &|k| {
                matches!(k, Kind::Scalar | Kind::Coefficients(1))
            });
            (z != v).then_some(CaseOp::Axpy { z, v, c })
        }
        6 | 7 => {
            let c = of_kind(random, &|k| matches!(k, Kind::Coefficients(_)));
            (z != v).then_some(CaseOp::Corr { z, v, c })
        }
        _ => {
            let matrix = index(random.below(case.matrices.len() as u64));
            let m = &case.matrices[matrix];
            let strip = index(random.below(m.strips.len() as u64));
            let exponent = index(random.below(case.exponents.len() as u64));
            let y = *random.pick(&case.layouts[m.layout].regions);
            Some(CaseOp::Stream {
                matrix,
                strip,
                y,
                exponent,
            })
        }
    }
}

/// A `bar` before every stream that follows an op on the lanes: machine.md lets the stream's first tiles
/// meet that op's last operands at the multipliers (see `agreement::streams_meet_the_op_before`).
fn separate_streams(ops: &mut Vec<CaseOp>) {
    let mut separated = Vec::with_capacity(2 * ops.len());
    let mut after_lanes = false;
    for op in ops.drain(..) {
        let is_stream = matches!(op, CaseOp::Stream { .. });
        if is_stream && after_lanes {
            separated.push(CaseOp::Bar);
        }
        after_lanes = !is_stream;
        separated.push(op);
    }
    *ops = separated;
}
