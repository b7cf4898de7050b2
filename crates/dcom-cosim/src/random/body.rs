//! The order of instructions: what writes everything once, loops and what lies between them, guards.

use dcom_arch::Arch;

use super::tables::{
    ELSEWHERE, ELSEWHERE_VECTORS, FEW, MANY, MATRICES, PROMPTS, SCALAR, SINGLE, STRIPS, Side,
    Tables, VECTORS, WIDE,
};
use crate::values::Random;

/// Registers that random programs use, and predicates.
pub(super) const REGISTERS: u64 = 16;
pub(super) const PREDICATES: u64 = 4;
/// Registers of partial sums.
pub(super) const PARTS: usize = 16;

/// Writes the instructions of a program.
pub(super) struct Writer<'a> {
    pub(super) random: &'a mut Random,
    pub(super) arch: &'a Arch,
    pub(super) tables: &'a Tables,
    /// Iterations of the loop that is written.
    iterations: u64,
    /// The scalar register that was written last.
    pub(super) recent: u64,
    /// Registers of partial sums that were written since the head of the loop, by number.
    pub(super) parts: [bool; PARTS],
    /// The matrix whose tiles the regions of tiles hold, by side and strip, as far as it is known.
    pub(super) tiles: [[Option<u64>; 2]; 2],
}

impl<'a> Writer<'a> {
    pub(super) fn new(random: &'a mut Random, arch: &'a Arch, tables: &'a Tables) -> Writer<'a> {
        Writer {
            random,
            arch,
            tables,
            iterations: 1,
            recent: 0,
            parts: [false; PARTS],
            tiles: [[None; 2]; 2],
        }
    }

    /// Up to four segments, loops or not. The first one writes everything once, so that the others may read anything.
    pub(super) fn program(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for segment in 0..self.random.within(1, 4) {
            let loops = self
                .random
                .pick(&[None, Some(1), Some(2), Some(2), Some(3)]);
            self.iterations = loops.unwrap_or(1);
            if loops.is_some() {
                self.parts = [false; PARTS];
                self.tiles = [[None; 2]; 2];
            }
            let burst = self.random.pick(&[0, 0, 0, 3]);
            let mut body = if segment == 0 {
                self.prologue()
            } else {
                Vec::new()
            };
            let instructions = self.random.within(5, 40);
            for turn in 0..instructions {
                // Sums of different lengths in a row overtake each other.
                let instruction = if turn % 16 < burst {
                    self.sum()
                } else {
                    self.instruction()
                };
                // What a matrix is, and what a region of tiles holds, must be known.
                let guard = if instruction.starts_with("ldt") || instruction.starts_with("ingest") {
                    String::new()
                } else {
                    self.guard()
                };
                body.push(format!("{guard}{instruction}"));
            }
            if let Some(count) = loops {
                lines.push(format!("loop count={count} length={}", body.len()));
            }
            lines.append(&mut body);
        }
        lines
    }

    fn guard(&mut self) -> String {
        match self.random.below(2) {
            0 => format!("@!{} ", self.predicate()),
            _ => String::new(),
        }
    }

    fn prologue(&mut self) -> Vec<String> {
        let tables = self.tables;
        let mut body: Vec<String> = (0..MATRICES).map(|a| self.ingest(a)).collect();
        body.extend((0..PREDICATES).map(|p| format!("clr p=p{p}")));
        body.extend((0..REGISTERS).map(|register| self.constant(register)));
        for (i, side) in tables.sides.iter().enumerate() {
            for vector in 0..tables.vectors {
                let host = tables.vectors * i as u64 + vector;
                body.push(format!("in dst=m{i}[{vector}] host={host}"));
            }
            for vector in 0..VECTORS {
                body.push(format!("ld dst={} src=m{i}[{vector}]", side.buffer(vector)));
            }
            body.push(format!("sbc dst={} src=s3", side.buffer(SCALAR)));
            body.push(self.dot(side));
        }
        for g in 0..tables.words.len() {
            body.push(self.put(g as u64));
        }
        for side in &tables.sides {
            for region in [MANY, SINGLE, FEW] {
                body.push(self.broadcast(side, region));
            }
            for strip in 0..STRIPS {
                body.push(self.full_copy(side, strip));
                let matrix = self.streamed(side);
                body.push(self.along(side, strip, matrix, WIDE, false));
                body.push(self.across(side, strip, matrix));
                body.push(self.preduce(side, strip));
                body.push(self.load_tiles(side, strip, matrix));
            }
        }
        body.push(format!("gather dst=b{ELSEWHERE} src=b0 start=0"));
        for vector in 0..ELSEWHERE_VECTORS {
            body.push(format!("st dst=m2[{vector}] src=b{ELSEWHERE}"));
        }
        body.push(self.small_svd());
        // So that guards skip something: some tests pass, some fail.
        body.extend((0..PREDICATES).map(|p| self.test(p)));
        body
    }

    fn instruction(&mut self) -> String {
        match self.random.below(40) {
            0..8 => self.transfer(),
            8..17 => self.product(),
            17..23 => self.reduction(),
            23..31 => self.combination(),
            _ => self.scalar(),
        }
    }

    pub(super) fn side(&mut self) -> &'a Side {
        let tables: &'a Tables = self.tables;
        &tables.sides[usize::from(self.random.below(2) > 0)]
    }

    pub(super) fn vector(&mut self, side: &Side) -> String {
        side.buffer(self.random.below(VECTORS))
    }

    pub(super) fn predicate(&mut self) -> String {
        format!("p{}", self.random.below(PREDICATES))
    }

    pub(super) fn ingest(&mut self, matrix: u64) -> String {
        for strip in self.tiles.as_flattened_mut() {
            strip.take_if(|loaded| *loaded == matrix);
        }
        let most_stride = match self.iterations {
            1 => 9,
            iterations => (PROMPTS - 1) / (iterations - 1),
        };
        let stride = self.random.within(0, most_stride);
        let prompt = self.random.below(PROMPTS - stride * (self.iterations - 1));
        format!("ingest matrix=a{matrix} prompt={prompt} stride={stride}")
    }
}
