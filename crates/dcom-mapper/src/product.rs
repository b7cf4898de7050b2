//! Products of A and vectors: strips, what crosses partitions, and where results land.

use dcom_isa::{Axis, Buf, BufferKind, Glob, Lay, Mat, Op, Reg, Side};

use crate::layouts::PromptLayouts;
use crate::map::MapError;
use crate::memory::Memory;
use crate::params::{Algorithm, Dataflow, WorkloadParams};

/// Regions that strips take in turn, so that the next one arrives while this one is multiplied.
const TURNS: usize = 2;

/// One strip of a product: tile positions, and the regions that hold its part of the vectors.
#[derive(Clone, Debug)]
struct Strip {
    tiles: (u32, u32),
    start: u32,
    len: u32,
    /// The gathered input, or the partial sums; vectors take them in turn.
    operands: Vec<Buf>,
    /// Its tiles, if it does not just pass by.
    loaded: Option<Buf>,
}

/// What one product may use of the memories.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) buffer_rows: u64,
    pub(crate) global_words: u64,
}

/// Where the strips of a product are while they are multiplied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Strips<'a> {
    /// They pass by; one vector.
    Streamed,
    /// In the buffers, for as many vectors.
    Loaded(usize),
    /// In the buffers, where another product has them.
    Shared(&'a Product),
}

/// A product A v or A^T u, with its regions.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    transposed: bool,
    dataflow: Dataflow,
    axis: Axis,
    layouts: PromptLayouts,
    cut: Cut,
    strips: Vec<Strip>,
    /// Sums over several strips, in accumulate precision, one for each vector.
    wide: Vec<Buf>,
    /// The inputs or a result in the layout of the product, where that is not the basis layout.
    resliced: Vec<Buf>,
    partials: Vec<Glob>,
}

impl Product {
    /// The vector that goes in and the one that comes out.
    fn sides(transposed: bool) -> (Side, Side) {
        if transposed {
            (Side::U, Side::V)
        } else {
            (Side::V, Side::U)
        }
    }

    fn dataflow(w: &WorkloadParams, transposed: bool) -> Dataflow {
        match (w.algorithm, transposed) {
            // Both products use the same strips of rows.
            (Algorithm::OneRead, false) => Dataflow::Reduce,
            (Algorithm::OneRead, true) => Dataflow::Gather,
            (_, false) => w.product,
            (_, true) => w.transposed_product,
        }
    }

    /// How the product cuts A.
    pub(crate) fn axis(w: &WorkloadParams, transposed: bool) -> Axis {
        match (Product::dataflow(w, transposed), transposed) {
            (Dataflow::Gather, false) | (Dataflow::Reduce, true) => Axis::Rows,
            (Dataflow::Gather, true) | (Dataflow::Reduce, false) => Axis::Columns,
        }
    }

    /// Allocates the regions within a budget, so that the prompts in flight get strips of equal length.
    pub(crate) fn new(
        memory: &mut Memory<'_>,
        w: &WorkloadParams,
        layouts: PromptLayouts,
        transposed: bool,
        strips: Strips<'_>,
        budget: Budget,
    ) -> Result<Product, MapError> {
        let dataflow = Product::dataflow(w, transposed);
        let (input, output) = Product::sides(transposed);
        let axis = Product::axis(w, transposed);
        let sliced = match dataflow {
            Dataflow::Gather => output,
            Dataflow::Reduce => input,
        };
        let layout = layouts.product(sliced);
        let vectors = match strips {
            Strips::Loaded(vectors) => vectors,
            Strips::Streamed | Strips::Shared(_) => 1,
        };
        let mut resliced = Vec::new();
        let before = memory.buffer_rows_left();
        if layout != layouts.basis(sliced) {
            // Inputs are all there before the first strip; results leave one after the other.
            let regions = match dataflow {
                Dataflow::Gather => 1,
                Dataflow::Reduce => vectors,
            };
            for _ in 0..regions {
                resliced.push(memory.buffer(BufferKind::Vector, layout)?);
            }
        }
        let cut = match strips {
            Strips::Shared(other) => other.cut,
            Strips::Streamed | Strips::Loaded(_) => {
                let spent = before - memory.buffer_rows_left();
                let budget = Budget {
                    buffer_rows: budget.buffer_rows.saturating_sub(spent),
                    ..budget
                };
                let (len, tile) = match axis {
                    Axis::Rows => (w.columns, memory.arch.cluster.lanes_x),
                    Axis::Columns => (w.rows, memory.arch.cluster.lanes_y),
                };
                let needs = Needs {
                    dataflow,
                    layout,
                    vectors: vectors as u64,
                    is_loaded: matches!(strips, Strips::Loaded(_)),
                };
                Cut::new(len, tile, |strips| {
                    needs.longest(memory, budget, tile, strips)
                })
            }
        };
        let mut product = Product {
            transposed,
            dataflow,
            axis,
            layouts,
            cut,
            strips: Vec::new(),
            wide: Vec::new(),
            resliced,
            partials: Vec::new(),
        };
        if dataflow == Dataflow::Gather && cut.strips() > 1 {
            for _ in 0..vectors {
                product.wide.push(memory.buffer(BufferKind::Wide, layout)?);
            }
        }
        product.add_strips(memory, strips)?;
        if dataflow == Dataflow::Reduce {
            let words = u64::from(cut.longest()) * memory.shape(layout).engaged_partitions;
            let turns = if vectors > 1 { TURNS } else { 1 };
            for _ in 0..turns {
                product.partials.push(memory.global(words)?);
            }
        }
        Ok(product)
    }

    /// The layout of the vector that is sliced as A is cut.
    fn layout(&self) -> Lay {
        let (input, output) = Product::sides(self.transposed);
        self.layouts.product(match self.dataflow {
            Dataflow::Gather => output,
            Dataflow::Reduce => input,
        })
    }

    fn add_strips(&mut self, memory: &mut Memory<'_>, strips: Strips<'_>) -> Result<(), MapError> {
        let (layout, cut) = (self.layout(), self.cut);
        let mut regions: Vec<(BufferKind, Vec<Buf>)> = Vec::new();
        let mut take = |memory: &mut Memory<'_>, kind, turns| -> Result<Vec<Buf>, MapError> {
            if let Some((_, found)) = regions.iter().find(|(known, _)| *known == kind) {
                return Ok(found.clone());
            }
            let new = (0..turns)
                .map(|_| memory.buffer(kind, layout))
                .collect::<Result<Vec<_>, _>>()?;
            regions.push((kind, new.clone()));
            Ok(new)
        };
        for index in 0..cut.strips() {
            let (tiles, elements) = cut.strip(index);
            let len = elements.end - elements.start;
            let kind = match self.dataflow {
                Dataflow::Gather => BufferKind::Full(len),
                Dataflow::Reduce => BufferKind::Partial(len),
            };
            let turn = index as usize;
            let (vectors, loaded) = match strips {
                Strips::Streamed => (1, None),
                Strips::Shared(other) => (1, other.strips[turn].loaded),
                Strips::Loaded(vectors) => {
                    let turns = if cut.strips() > 1 { TURNS } else { 1 };
                    let kind = BufferKind::Tiles(tiles.end - tiles.start);
                    let whole = tiles.end - tiles.start == cut.step;
                    let regions = take(memory, kind, if whole { turns } else { 1 })?;
                    (vectors, Some(regions[turn % regions.len()]))
                }
            };
            let operands = take(memory, kind, if vectors > 1 { TURNS } else { 1 })?;
            self.strips.push(Strip {
                tiles: (tiles.start, tiles.end),
                start: elements.start,
                len,
                operands,
                loaded,
            });
        }
        Ok(())
    }

    /// The instructions of the products of `matrix` with `inputs` into `outputs`, all basis vectors.
    pub(crate) fn ops(
        &self,
        matrix: Mat,
        inputs: &[Buf],
        outputs: &[Buf],
        exponent: Reg,
    ) -> Vec<Op> {
        let mut ops = Vec::new();
        self.begin(&mut ops, inputs);
        for index in 0..self.strips.len() {
            self.load(&mut ops, matrix, index);
            self.multiply(&mut ops, matrix, index, inputs, outputs, exponent);
        }
        self.end(&mut ops, outputs);
        ops
    }

    /// Both products in one pass: `self` with `v` into `u`, then `transposed`, which shares the strips, with that into `z`.
    pub(crate) fn both(
        &self,
        transposed: &Product,
        matrix: Mat,
        [v, u, z]: [Buf; 3],
        exponent: Reg,
    ) -> Vec<Op> {
        let mut ops = Vec::new();
        self.begin(&mut ops, &[v]);
        for index in 0..self.strips.len() {
            self.load(&mut ops, matrix, index);
            self.multiply(&mut ops, matrix, index, &[v], &[u], exponent);
            transposed.multiply(&mut ops, matrix, index, &[u], &[z], exponent);
        }
        transposed.end(&mut ops, &[z]);
        ops
    }

    /// Loads strip `index`, if strips are loaded, and the one after it: the port works while the lanes do.
    fn load(&self, ops: &mut Vec<Op>, matrix: Mat, index: usize) {
        let ahead = if index == 0 {
            0..2
        } else {
            index + 1..index + 2
        };
        for strip in self.strips.iter().skip(ahead.start).take(ahead.len()) {
            let (first_tile, end_tile) = strip.tiles;
            ops.extend(strip.loaded.map(|dst| Op::LdT {
                dst,
                matrix,
                axis: self.axis,
                first_tile,
                end_tile,
            }));
        }
    }

    /// What comes before the first strip.
    fn begin(&self, ops: &mut Vec<Op>, inputs: &[Buf]) {
        if self.dataflow == Dataflow::Reduce {
            ops.extend(
                self.resliced
                    .iter()
                    .zip(inputs)
                    .map(|(&dst, &src)| Op::Gather { dst, src, start: 0 }),
            );
        }
    }

    /// What comes after the last strip.
    fn end(&self, ops: &mut Vec<Op>, outputs: &[Buf]) {
        if self.dataflow == Dataflow::Reduce || self.wide.is_empty() {
            return;
        }
        for (&wide, &output) in self.wide.iter().zip(outputs) {
            let dst = self.resliced.first().copied().unwrap_or(output);
            ops.push(Op::Narrow { dst, src: wide });
            self.leave(ops, output);
        }
    }

    /// A result from the layout of the product to that of the basis.
    fn leave(&self, ops: &mut Vec<Op>, output: Buf) {
        ops.extend(self.resliced.first().map(|&src| Op::Gather {
            dst: output,
            src,
            start: 0,
        }));
    }

    fn multiply(
        &self,
        ops: &mut Vec<Op>,
        matrix: Mat,
        index: usize,
        inputs: &[Buf],
        outputs: &[Buf],
        exponent: Reg,
    ) {
        let strip = &self.strips[index];
        for (i, (&input, &output)) in inputs.iter().zip(outputs).enumerate() {
            let operand = strip.operands[i % strip.operands.len()];
            match self.dataflow {
                Dataflow::Gather => {
                    ops.push(Op::Gather {
                        dst: operand,
                        src: input,
                        start: strip.start,
                    });
                    let sliced = self.resliced.first().copied().unwrap_or(output);
                    let y = self.wide.get(i).copied().unwrap_or(sliced);
                    ops.push(self.product(matrix, strip, operand, y, index > 0, exponent));
                    if self.wide.is_empty() {
                        self.leave(ops, output);
                    }
                }
                Dataflow::Reduce => {
                    let x = self.resliced.get(i).copied().unwrap_or(input);
                    let partials = self.partials[i % self.partials.len()];
                    let layout = self.layout();
                    ops.push(self.product(matrix, strip, x, operand, false, exponent));
                    ops.push(Op::PReduce {
                        dst: partials,
                        src: operand,
                        layout,
                    });
                    ops.push(Op::GReduce {
                        dst: output,
                        src: partials,
                        layout,
                        start: strip.start,
                        n: strip.len,
                    });
                }
            }
        }
    }

    fn product(&self, matrix: Mat, strip: &Strip, x: Buf, y: Buf, add: bool, exponent: Reg) -> Op {
        let (axis, (first_tile, end_tile)) = (self.axis, strip.tiles);
        match (strip.loaded, self.transposed) {
            (None, false) => Op::MvN {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            },
            (None, true) => Op::MvT {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            },
            (Some(tiles), false) => Op::TMvN {
                tiles,
                axis,
                x,
                y,
                add,
                exponent,
            },
            (Some(tiles), true) => Op::TMvT {
                tiles,
                axis,
                x,
                y,
                add,
                exponent,
            },
        }
    }
}

/// What decides how long strips can be.
struct Needs {
    dataflow: Dataflow,
    /// That of the vector that is sliced.
    layout: Lay,
    vectors: u64,
    is_loaded: bool,
}

impl Needs {
    /// Elements of a strip that fit a budget, if there are one or several of them.
    fn longest(&self, memory: &Memory<'_>, budget: Budget, tile: u64, strips: usize) -> u64 {
        let shape = memory.shape(self.layout);
        let turns = if self.vectors > 1 { TURNS as u64 } else { 1 };
        let (element, words) = match self.dataflow {
            Dataflow::Gather => (2, u64::MAX),
            Dataflow::Reduce => (4, budget.global_words / shape.engaged_partitions / turns),
        };
        let mut rows = budget.buffer_rows;
        let (mut operands, mut loaded) = (turns, u64::from(self.is_loaded));
        if strips > 1 {
            // The last strip may be shorter and has regions of its own.
            operands *= 2;
            loaded *= TURNS as u64 + 1;
            if self.dataflow == Dataflow::Gather {
                let wide = memory.rows_of(BufferKind::Wide, self.layout);
                rows = rows.saturating_sub(self.vectors * wide);
            }
        }
        let row = memory.arch.buffer_row_bytes();
        if loaded == 0 {
            return (rows / operands * row / element).min(words);
        }
        // Operands may end within a row; tiles are whole rows.
        let bytes = rows.saturating_sub(operands) * row;
        let tiles = 2 * shape.local_blocks() * shape.tile_elements;
        let positions = bytes / (operands * element * tile + loaded * tiles);
        (positions * tile).min(words)
    }
}

/// A dimension cut into equal strips of whole tiles, the last one maybe shorter.
#[derive(Clone, Copy, Debug)]
struct Cut {
    len: u32,
    /// Elements of a tile.
    tile: u32,
    /// Tile positions, and those of a strip.
    tiles: u32,
    step: u32,
}

impl Cut {
    /// As few strips as there is room for, and at least a tile each; `longest` says how many elements of each of one
    /// or of several strips there is room for.
    fn new(len: u32, tile: u64, longest: impl Fn(usize) -> u64) -> Cut {
        let tiles = u64::from(len).div_ceil(tile);
        let strips = if u64::from(len) <= longest(1) {
            1
        } else {
            tiles.div_ceil((longest(2) / tile).max(1))
        };
        let small = |n: u64| u32::try_from(n).expect("vectors are shorter than 2^32");
        Cut {
            len,
            tile: small(tile),
            tiles: small(tiles),
            step: small(tiles.div_ceil(strips)),
        }
    }

    fn strips(self) -> u32 {
        self.tiles.div_ceil(self.step)
    }

    /// Elements of the longest strip.
    fn longest(self) -> u32 {
        let (_, elements) = self.strip(0);
        elements.end - elements.start
    }

    /// Tile positions and elements of a strip.
    fn strip(self, index: u32) -> (std::ops::Range<u32>, std::ops::Range<u32>) {
        let tiles = index * self.step..((index + 1) * self.step).min(self.tiles);
        let elements = tiles.start * self.tile
            ..u32::try_from((u64::from(tiles.end) * u64::from(self.tile)).min(self.len.into()))
                .expect("clipped to 32 bits");
        (tiles, elements)
    }
}
