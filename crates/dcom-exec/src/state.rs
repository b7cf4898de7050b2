//! The memories and registers of the machine.
//!
//! Every NaN is stored as the quiet NaN of `docs/machine.md`, so that bits can be compared.

use dcom_isa::{Axis, BankVec, Buf, BufferKind, Glob, Mat, Part, Pred, Reg, Verified};

use crate::deal::size;

/// A predicate: a sticky bit and a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Predicate {
    /// A test failed since it was cleared.
    pub set: bool,
    /// Tests passed since it was cleared.
    pub passed: u32,
}

/// An fp16 mantissa and a power of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) mantissa: u16,
    pub(crate) exponent: i8,
}

/// Tile positions of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strip {
    /// The matrix.
    pub matrix: Mat,
    /// How it is cut over clusters.
    pub axis: Axis,
    /// First tile position.
    pub first_tile: u32,
    /// The position after the last.
    pub end_tile: u32,
}

/// A strip in the buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The strip.
    pub strip: Strip,
    /// The prompt whose matrix it is of: the next one in its place leaves the buffers as they are.
    pub prompt: usize,
}

/// What a buffer region holds, over all clusters.
#[derive(Clone, Debug)]
pub(crate) enum Contents {
    /// fp16: a vector in logical order, a full copy or coefficients (the same in every cluster).
    Half(Vec<u16>),
    /// Accumulate precision: a wide vector in logical order, or partial sums by partition of the window, then cluster
    /// in deal order, then element.
    Single(Vec<f32>),
    /// The same in every cluster.
    Scalar(Scalar),
    /// The strip of A whose tiles the clusters hold; zeros before the first.
    Tiles(Option<Loaded>),
}

/// A stack of vectors in the banks, each in logical order.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) len: usize,
    pub(crate) bits: Vec<u16>,
}

impl Stack {
    pub(crate) fn vector(&self, index: u16) -> &[u16] {
        &self.bits[usize::from(index) * self.len..][..self.len]
    }

    pub(crate) fn vector_mut(&mut self, index: u16) -> &mut [u16] {
        &mut self.bits[usize::from(index) * self.len..][..self.len]
    }
}

/// Everything that the machine remembers; all zero at first.
///
/// Accessors return bit patterns: fp16 in the low 16 bits, values of accumulate precision as the binary32 pattern of
/// the value, which in `m16a16` lies on the fp16 grid. They panic where the program's tables have no such entry.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) buffers: Vec<Contents>,
    pub(crate) stacks: Vec<Stack>,
    pub(crate) globals: Vec<Vec<f32>>,
    pub(crate) registers: Vec<f32>,
    pub(crate) predicates: Vec<Predicate>,
    /// As long as the longest vector of partial sums so far; beyond it they are zero.
    pub(crate) parts: Vec<Vec<f32>>,
}

impl State {
    pub(crate) fn new(verified: &Verified<'_>) -> State {
        let (program, arch) = (verified.program(), verified.arch());
        let buffers = program.buffers.iter().map(|b| {
            let layout = verified.shape(b.layout).layout();
            let (len, window) = (
                layout.len as usize,
                layout.count as usize * layout.clusters as usize,
            );
            match b.kind {
                BufferKind::Vector => Contents::Half(vec![0; len]),
                BufferKind::Wide => Contents::Single(vec![0.0; len]),
                BufferKind::Full(n) | BufferKind::Coefs(n) => Contents::Half(vec![0; n as usize]),
                BufferKind::Partial(n) => Contents::Single(vec![0.0; window * n as usize]),
                BufferKind::Scalar => Contents::Scalar(Scalar::default()),
                BufferKind::Tiles(_) => Contents::Tiles(None),
            }
        });
        let stacks = program.banks.iter().map(|b| {
            let len = verified.shape(b.layout).layout().len as usize;
            Stack {
                len,
                bits: vec![0; len * usize::from(b.vectors)],
            }
        });
        State {
            buffers: buffers.collect(),
            stacks: stacks.collect(),
            globals: program
                .globals
                .iter()
                .map(|g| vec![0.0; g.words as usize])
                .collect(),
            registers: vec![0.0; size(arch.scalar.registers)],
            predicates: vec![Predicate::default(); size(arch.sequencer.predicates)],
            parts: vec![Vec::new(); size(arch.sequencer.partial_registers)],
        }
    }

    /// A buffer region: a vector in logical order; partial sums by partition of the window, then cluster in deal order,
    /// then element; a full copy or coefficients; or the mantissa and the exponent (two's complement) of a scalar. Empty for
    /// tiles, which [`State::tiles`] names.
    #[must_use]
    pub fn buffer(&self, buffer: Buf) -> Vec<u32> {
        match &self.buffers[buffer.index()] {
            Contents::Half(bits) => bits.iter().map(|&b| b.into()).collect(),
            Contents::Single(values) => pattern(values),
            Contents::Scalar(s) => vec![s.mantissa.into(), i32::from(s.exponent).cast_unsigned()],
            Contents::Tiles(_) => Vec::new(),
        }
    }

    /// The strip of A in a region of tiles; none before the first load, and of other regions.
    #[must_use]
    pub fn tiles(&self, buffer: Buf) -> Option<Loaded> {
        match self.buffers[buffer.index()] {
            Contents::Tiles(loaded) => loaded,
            _ => None,
        }
    }

    /// The strip of A that a product takes from the buffers.
    pub(crate) fn strip(&self, buffer: Buf) -> Strip {
        self.tiles(buffer)
            .expect("verified: a strip is loaded, unguarded, before it is used")
            .strip
    }

    /// A vector in the banks, in logical order.
    #[must_use]
    pub fn bank(&self, vector: BankVec) -> &[u16] {
        self.stacks[usize::from(vector.stack)].vector(vector.index)
    }

    /// The words of a region of the global broadcast memory.
    #[must_use]
    pub fn global(&self, global: Glob) -> Vec<u32> {
        pattern(&self.globals[global.index()])
    }

    /// A scalar register.
    #[must_use]
    pub fn register(&self, register: Reg) -> u32 {
        self.registers[register.index()].to_bits()
    }

    /// The values of a partial-sum register that were ever written.
    #[must_use]
    pub fn partial_sums(&self, register: Part) -> Vec<u32> {
        pattern(&self.parts[register.index()])
    }

    /// A predicate.
    #[must_use]
    pub fn predicate(&self, predicate: Pred) -> Predicate {
        self.predicates[predicate.index()]
    }

    /// An fp16 region.
    pub(crate) fn half(&self, buffer: Buf) -> &[u16] {
        match &self.buffers[buffer.index()] {
            Contents::Half(bits) => bits,
            other => unreachable!("{buffer} of a verified program is fp16, not {other:?}"),
        }
    }

    pub(crate) fn half_mut(&mut self, buffer: Buf) -> &mut Vec<u16> {
        match &mut self.buffers[buffer.index()] {
            Contents::Half(bits) => bits,
            other => unreachable!("{buffer} of a verified program is fp16, not {other:?}"),
        }
    }

    /// A region of accumulate precision.
    pub(crate) fn single(&self, buffer: Buf) -> &[f32] {
        match &self.buffers[buffer.index()] {
            Contents::Single(values) => values,
            other => unreachable!(
                "{buffer} of a verified program has accumulate precision, not {other:?}"
            ),
        }
    }

    pub(crate) fn single_mut(&mut self, buffer: Buf) -> &mut Vec<f32> {
        match &mut self.buffers[buffer.index()] {
            Contents::Single(values) => values,
            other => unreachable!(
                "{buffer} of a verified program has accumulate precision, not {other:?}"
            ),
        }
    }

    /// A scalar with exponent, or a single coefficient, whose exponent is 0.
    pub(crate) fn scalar(&self, buffer: Buf) -> Scalar {
        match &self.buffers[buffer.index()] {
            Contents::Scalar(scalar) => *scalar,
            Contents::Half(bits) if bits.len() == 1 => Scalar {
                mantissa: bits[0],
                exponent: 0,
            },
            other => unreachable!("{buffer} of a verified program is one value, not {other:?}"),
        }
    }
}

/// `x` with the NaN of the machine.
///
/// Tests bits: rustc 1.95 removes `if x.is_nan() { NAN } else { x }` where x comes from a square root, and leaves the
/// processor's NaN.
pub(crate) fn canonical(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits(if bits & 0x7fff_ffff > 0x7f80_0000 {
        0x7fc0_0000
    } else {
        bits
    })
}

fn pattern(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
