//! A naive machine, straight from `docs/machine.md`: every cluster has its own memory with local addresses, every value
//! is rounded one by one, every sum is a recursion over a list.

use dcom_arch::Arch;
use dcom_exec::{PromptResult, State};
use dcom_fp::Accumulate;
use dcom_isa::{
    BankVec, Buf, BufferKind, Glob, Layout, Mat, Op, Part, Placement, Pred, Program, Reduction,
    Reg, Verified,
};
use dcom_tensor::Matrix;

/// `x` rounded once to fp16, by its definition.
pub(crate) fn round16(x: f64) -> f32 {
    if x == 0.0 || !x.is_finite() {
        return x as f32;
    }
    let exponent = i32::try_from(x.abs().to_bits() >> 52).expect("11 bits") - 1023;
    let spacing = 2.0_f64.powi(exponent.max(-14) - 10);
    let rounded = (x / spacing).round_ties_even() * spacing;
    if rounded.abs() >= 65536.0 {
        f32::INFINITY.copysign(rounded as f32)
    } else {
        rounded as f32
    }
}

/// fp16 pattern of a value on the grid.
pub(crate) fn bits16(x: f32) -> u16 {
    if x.is_nan() {
        0x7e00
    } else {
        half::f16::from_f32(x).to_bits()
    }
}

pub(crate) fn value16(bits: u16) -> f32 {
    half::f16::from_bits(bits).to_f32()
}

/// Where each element of a vector lies.
pub(crate) struct Place {
    pub(crate) layout: Layout,
    pub(crate) rounds: usize,
    pub(crate) slots: usize,
    pub(crate) parts: usize,
    /// Clusters of the window's partitions in deal order, by number.
    pub(crate) partitions: Vec<Vec<usize>>,
    /// Cluster number and local address of every element.
    pub(crate) of: Vec<(usize, usize)>,
    /// By cluster number, then local address: the element that lies there.
    pub(crate) held: Vec<Vec<Option<usize>>>,
}

impl Place {
    fn new(layout: Layout, arch: &Arch) -> Place {
        let [len, f, g, first, count, q] = [
            layout.len,
            layout.slices,
            layout.clusters,
            layout.first,
            layout.count,
            layout.granule,
        ]
        .map(|n| n as usize);
        let (columns, rows) = (
            usize::try_from(arch.columns).expect("small"),
            usize::try_from(arch.rows).expect("small"),
        );
        let (clusters, slice_len) = (columns * rows, len.div_ceil(f));
        let (blocks, parts) = (slice_len.div_ceil(q), len.div_ceil(slice_len));
        let (slots, rounds) = (blocks.div_ceil(g), parts.div_ceil(count));
        let partition = |k: usize| {
            let mut members: Vec<usize> = match layout.placement {
                Placement::Compact => (0..g).map(|i| k * g + i).collect(),
                Placement::Spread => (0..g).map(|i| k + i * (clusters / g)).collect(),
            };
            members.sort_by_key(|c| (c % rows, c / rows));
            members
        };
        let partitions: Vec<Vec<usize>> = (first..first + count).map(partition).collect();
        let mut held = vec![vec![None; rounds * slots * q]; clusters];
        let mut of = Vec::new();
        for element in 0..len {
            let (slice, within) = (element / slice_len, element % slice_len);
            let (round, block) = (slice / count, within / q);
            let cluster = partitions[slice % count][(block + round * blocks) % g];
            let address = (round * slots + block / g) * q + within % q;
            assert_eq!(held[cluster][address], None, "two elements at one address");
            held[cluster][address] = Some(element);
            of.push((cluster, address));
        }
        Place {
            layout,
            rounds,
            slots,
            parts,
            partitions,
            of,
            held,
        }
    }

    /// Clusters of the window.
    pub(crate) fn window(&self) -> impl Iterator<Item = usize> {
        self.partitions.iter().flatten().copied()
    }

    pub(crate) fn local_len(&self) -> usize {
        self.rounds * self.round_len()
    }

    pub(crate) fn round_len(&self) -> usize {
        self.slots * self.layout.granule as usize
    }
}

/// The memories of one cluster and its share of the vectors in its bank.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) regions: Vec<Vec<f32>>,
    /// By stack, then vector.
    pub(crate) banks: Vec<Vec<Vec<f32>>>,
}

pub(crate) struct Twin<'a> {
    pub(crate) program: &'a Program,
    pub(crate) arch: &'a Arch,
    pub(crate) mode: Accumulate,
    pub(crate) places: Vec<Place>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) globals: Vec<Vec<f32>>,
    pub(crate) registers: Vec<f32>,
    pub(crate) predicates: Vec<(bool, u32)>,
    pub(crate) parts: Vec<Vec<f32>>,
    pub(crate) matrices: Vec<Option<usize>>,
    pub(crate) prompts: &'a [Matrix],
    pub(crate) host_vectors: &'a [Vec<f32>],
    pub(crate) results: Vec<PromptResult>,
    pub(crate) trace: Vec<bool>,
    pub(crate) overflows: u64,
    /// Number of values of each partial-sum register, as the program's text defines it.
    pub(crate) part_layouts: Vec<usize>,
}

impl<'a> Twin<'a> {
    pub(crate) fn new(
        verified: &'a Verified<'_>,
        prompts: &'a [Matrix],
        host_vectors: &'a [Vec<f32>],
    ) -> Twin<'a> {
        let (program, arch) = (verified.program(), verified.arch());
        let places: Vec<Place> = program
            .layouts
            .iter()
            .map(|&l| Place::new(l, arch))
            .collect();
        let regions = program.buffers.iter().map(|b| match b.kind {
            BufferKind::Vector | BufferKind::Wide => {
                vec![0.0; places[b.layout.index()].local_len()]
            }
            BufferKind::Full(n) | BufferKind::Partial(n) | BufferKind::Coefs(n) => {
                vec![0.0; n as usize]
            }
            BufferKind::Scalar => vec![0.0; 2],
            BufferKind::Tiles(n) => {
                let place = &places[b.layout.index()];
                let blocks = place.local_len() / place.layout.granule as usize;
                let lanes = usize::try_from(arch.lanes()).expect("small");
                vec![0.0; blocks * n as usize * lanes]
            }
        });
        let banks = program.banks.iter();
        let banks =
            banks.map(|b| vec![vec![0.0; places[b.layout.index()].local_len()]; b.vectors.into()]);
        let cluster = Cluster {
            regions: regions.collect(),
            banks: banks.collect(),
        };
        Twin {
            program,
            arch,
            mode: arch.cluster.accumulate,
            clusters: vec![cluster; usize::try_from(arch.clusters()).expect("small")],
            places,
            globals: program
                .globals
                .iter()
                .map(|g| vec![0.0; g.words as usize])
                .collect(),
            registers: vec![0.0; 1024],
            predicates: vec![(false, 0); 32],
            parts: vec![vec![0.0; 1000]; 64],
            matrices: vec![None; program.matrices.len()],
            prompts,
            host_vectors,
            results: vec![PromptResult::default(); prompts.len()],
            trace: Vec::new(),
            overflows: 0,
            part_layouts: vec![0; 64],
        }
    }

    pub(crate) fn run(mut self) -> Self {
        let instrs = &self.program.instrs;
        let mut at = 0;
        while at < instrs.len() {
            let (body, count) = match instrs[at].op {
                Op::Loop { count, length } => (at + 1..at + 1 + length as usize, count),
                _ => (at..at + 1, 1),
            };
            for iteration in 0..count {
                for instr in &instrs[body.clone()] {
                    if let Op::Dot { dst, a, .. } = instr.op {
                        self.part_layouts[dst.index()] = self.place(a).parts;
                    }
                    if !instr.guard.is_some_and(|p| self.predicates[p.index()].0) {
                        self.operate(&instr.op, iteration);
                    }
                }
            }
            at = body.end;
        }
        self
    }

    pub(crate) fn place(&self, buffer: Buf) -> &Place {
        &self.places[self.program.buffers[buffer.index()].layout.index()]
    }

    pub(crate) fn stack_place(&self, vector: BankVec) -> &Place {
        &self.places[self.program.banks[usize::from(vector.stack)].layout.index()]
    }

    pub(crate) fn held(&self, matrix: Mat) -> &'a Matrix {
        &self.prompts[self.matrices[matrix.index()].expect("ingested")]
    }

    /// Counts an overflow.
    pub(crate) fn note(&mut self, result: f32, operands: &[f32]) {
        self.overflows += u64::from(!result.is_finite() && operands.iter().all(|x| x.is_finite()));
    }

    // Arithmetic of the lanes.

    pub(crate) fn product(&self, a: f32, b: f32, exponent: i32) -> f32 {
        let exact = f64::from(a) * f64::from(b) * 2.0_f64.powi(exponent);
        match self.mode {
            Accumulate::M16A16 | Accumulate::M16A32 => round16(exact),
            Accumulate::X32 => exact as f32,
        }
    }

    pub(crate) fn add(&self, a: f32, b: f32) -> f32 {
        match self.mode {
            Accumulate::M16A16 => round16(f64::from(a) + f64::from(b)),
            Accumulate::M16A32 | Accumulate::X32 => a + b,
        }
    }

    pub(crate) fn subtract16(&self, z: f32, w: f32) -> f32 {
        match self.mode {
            Accumulate::M16A16 => round16(f64::from(z) - f64::from(w)),
            Accumulate::M16A32 | Accumulate::X32 => round16(f64::from(z - w)),
        }
    }

    pub(crate) fn tree(&self, operands: &[f32]) -> f32 {
        tree(&|a, b| self.add(a, b), operands)
    }

    /// Passes of `lanes_x` operands: a row tree each, then pairwise.
    pub(crate) fn passes(&self, operands: &[f32]) -> f32 {
        let lanes = usize::try_from(self.arch.cluster.lanes_x).expect("small");
        let passes = operands
            .chunks(lanes)
            .map(|pass| self.tree(&padded(pass, lanes)));
        self.tree(&passes.collect::<Vec<_>>())
    }

    pub(crate) fn partition_sum(&self, reduction: Reduction, operands: &[f32]) -> f32 {
        match reduction {
            Reduction::Tree => self.tree(operands),
            Reduction::Chain => operands[1..]
                .iter()
                .fold(operands[0], |sum, &x| self.add(sum, x)),
        }
    }

    /// Compares every memory and register with the executor's.
    pub(crate) fn assert_state(&self, state: &State) {
        for (i, decl) in self.program.buffers.iter().enumerate() {
            let buffer = Buf(u16::try_from(i).expect("small"));
            let place = self.place(buffer);
            let region = |cluster: usize| &self.clusters[cluster].regions[i];
            let vector = |pattern: fn(f32) -> u32| {
                place
                    .of
                    .iter()
                    .map(|&(c, address)| pattern(region(c)[address]))
                    .collect()
            };
            let mut expected: Vec<Vec<u32>> = Vec::new();
            match decl.kind {
                BufferKind::Vector => expected.push(vector(|x| bits16(x).into())),
                BufferKind::Wide => expected.push(vector(bits32)),
                // The executor keeps no copy; products show what is there.
                BufferKind::Tiles(_) => continue,
                BufferKind::Full(_) | BufferKind::Coefs(_) => {
                    expected.extend(
                        place
                            .window()
                            .map(|c| region(c).iter().map(|&x| bits16(x).into()).collect()),
                    );
                }
                BufferKind::Partial(_) => {
                    expected.push(
                        place
                            .window()
                            .flat_map(|c| region(c).iter().map(|&x| bits32(x)))
                            .collect(),
                    );
                }
                BufferKind::Scalar => expected.extend(place.window().map(|c| {
                    let [mantissa, exponent] = region(c)[..] else {
                        panic!("a scalar is two values")
                    };
                    vec![bits16(mantissa).into(), (exponent as i32).cast_unsigned()]
                })),
            }
            for expected in expected {
                assert_eq!(
                    state.buffer(buffer),
                    expected,
                    "{buffer} {:?} {:?}",
                    decl.kind,
                    place.layout
                );
            }
        }
        for (stack, decl) in self.program.banks.iter().enumerate() {
            for index in 0..decl.vectors {
                let vector = BankVec {
                    stack: u16::try_from(stack).expect("small"),
                    index,
                };
                let place = self.stack_place(vector);
                let stored = |&(c, address): &(usize, usize)| {
                    bits16(self.clusters[c].banks[stack][usize::from(index)][address])
                };
                assert_eq!(
                    state.bank(vector),
                    place.of.iter().map(stored).collect::<Vec<_>>(),
                    "{vector}"
                );
            }
        }
        let patterns = |values: &[f32]| values.iter().map(|&x| bits32(x)).collect::<Vec<_>>();
        for (i, words) in self.globals.iter().enumerate() {
            assert_eq!(
                state.global(Glob(u16::try_from(i).expect("small"))),
                patterns(words),
                "g{i}"
            );
        }
        for (i, &value) in self.registers.iter().enumerate() {
            assert_eq!(
                state.register(Reg(u16::try_from(i).expect("small"))),
                bits32(value),
                "s{i}: {value}"
            );
        }
        for (i, values) in self.parts.iter().enumerate() {
            let found = state.partial_sums(Part(u16::try_from(i).expect("small")));
            let (written, rest) = values.split_at(found.len());
            assert_eq!(found, patterns(written), "r{i}");
            assert!(
                rest.iter().all(|x| x.to_bits() == 0),
                "r{i} has more values"
            );
        }
        for (i, &(set, passed)) in self.predicates.iter().enumerate() {
            let found = state.predicate(Pred(u16::try_from(i).expect("small")));
            assert_eq!((found.set, found.passed), (set, passed), "p{i}");
        }
    }
}

pub(crate) fn bits32(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

/// `operands` with +0 up to `len`.
pub(crate) fn padded(operands: &[f32], len: usize) -> Vec<f32> {
    operands
        .iter()
        .copied()
        .chain(std::iter::repeat(0.0))
        .take(len.max(operands.len()))
        .collect()
}

pub(crate) fn tree(add: &dyn Fn(f32, f32) -> f32, operands: &[f32]) -> f32 {
    match operands {
        [] => 0.0,
        [one] => *one,
        _ => {
            let all = padded(operands, operands.len().next_power_of_two());
            let (left, right) = all.split_at(all.len() / 2);
            add(tree(add, left), tree(add, right))
        }
    }
}
