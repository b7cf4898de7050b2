//! Matrix-vector products: strips, what crosses partitions, and where results land.

use dcom_isa::{Axis, Buf, BufferKind, Glob, Lay, Mat, Op, Reg, Side};

use crate::layouts::PromptLayouts;
use crate::map::MapError;
use crate::memory::Memory;
use crate::params::{Dataflow, WorkloadParams};

/// One strip of a product: tile positions, and the regions that hold its part of the vector.
#[derive(Clone, Debug)]
struct Strip {
    tiles: (u32, u32),
    start: u32,
    /// The gathered input, or the partial sums.
    region: Buf,
    len: u32,
}

/// What one product may use of the memories.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) buffer_rows: u64,
    pub(crate) global_words: u64,
}

/// A product A v or A^T u, with its regions.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    transposed: bool,
    dataflow: Dataflow,
    axis: Axis,
    layouts: PromptLayouts,
    strips: Vec<Strip>,
    /// Sums of several strips, in accumulate precision.
    wide: Option<Buf>,
    /// The input or the result in the layout of the product, where that is not the basis layout.
    resliced: Option<Buf>,
    partials: Option<Glob>,
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

    /// How the product cuts A.
    pub(crate) fn axis(w: &WorkloadParams, transposed: bool) -> Axis {
        let dataflow = if transposed {
            w.transposed_product
        } else {
            w.product
        };
        match (dataflow, transposed) {
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
        budget: Budget,
    ) -> Result<Product, MapError> {
        let dataflow = if transposed {
            w.transposed_product
        } else {
            w.product
        };
        let (input, output) = Product::sides(transposed);
        let axis = Product::axis(w, transposed);
        let (len, tile) = match axis {
            Axis::Rows => (w.columns, memory.arch.cluster.lanes_x),
            Axis::Columns => (w.rows, memory.arch.cluster.lanes_y),
        };
        let reslice = |side| layouts.product(side) != layouts.basis(side);
        let window = layouts.product(match dataflow {
            Dataflow::Gather => output,
            Dataflow::Reduce => input,
        });
        let mut product = Product {
            transposed,
            dataflow,
            axis,
            layouts,
            strips: Vec::new(),
            wide: None,
            resliced: None,
            partials: None,
        };
        let resliced = match dataflow {
            Dataflow::Gather => output,
            Dataflow::Reduce => input,
        };
        let mut rows_left = budget.buffer_rows;
        if reslice(resliced) {
            let layout = layouts.product(resliced);
            rows_left = rows_left.saturating_sub(memory.rows_of(BufferKind::Vector, layout));
            product.resliced = Some(memory.buffer(BufferKind::Vector, layout)?);
        }
        let bytes = match dataflow {
            Dataflow::Gather => 2,
            Dataflow::Reduce => 4,
        };
        let fit = |rows: u64| rows * memory.arch.buffer_row_bytes() / bytes;
        let partitions = memory.shape(window).engaged_partitions;
        let words = match dataflow {
            Dataflow::Gather => u64::MAX,
            Dataflow::Reduce => budget.global_words / partitions,
        };
        let mut strip = fit(rows_left).min(words);
        if strip < len.into() {
            if dataflow == Dataflow::Gather {
                let layout = layouts.product(output);
                rows_left = rows_left.saturating_sub(memory.rows_of(BufferKind::Wide, layout));
                product.wide = Some(memory.buffer(BufferKind::Wide, layout)?);
            }
            // Two regions, since the last strip may be shorter; at least one tile each.
            strip = (rows_left / 2 * memory.arch.buffer_row_bytes() / bytes)
                .min(words)
                .max(tile);
        }
        product.add_strips(memory, len, tile, strip, window)?;
        if dataflow == Dataflow::Reduce {
            let longest = product
                .strips
                .iter()
                .map(|s| u64::from(s.len))
                .max()
                .unwrap_or_default();
            product.partials = Some(memory.global(longest * partitions)?);
        }
        Ok(product)
    }

    /// Cuts `len` elements into equal strips of whole tiles and at most `longest` elements; a shorter last
    /// strip has a region of its own.
    fn add_strips(
        &mut self,
        memory: &mut Memory<'_>,
        len: u32,
        tile: u64,
        longest: u64,
        window: Lay,
    ) -> Result<(), MapError> {
        let tiles = u64::from(len).div_ceil(tile);
        let strips = if u64::from(len) <= longest {
            1
        } else {
            tiles.div_ceil((longest / tile).max(1))
        };
        let step = tiles.div_ceil(strips);
        let small = |n: u64| u32::try_from(n).expect("vectors are shorter than 2^32");
        let mut regions: Vec<(u32, Buf)> = Vec::new();
        let mut first = 0;
        while first < tiles {
            let end = (first + step).min(tiles);
            let (start, stop) = (first * tile, (end * tile).min(len.into()));
            let n = small(stop - start);
            let region = match regions.iter().find(|(len, _)| *len == n) {
                Some((_, region)) => *region,
                None => {
                    let kind = match self.dataflow {
                        Dataflow::Gather => BufferKind::Full(n),
                        Dataflow::Reduce => BufferKind::Partial(n),
                    };
                    let region = memory.buffer(kind, window)?;
                    regions.push((n, region));
                    region
                }
            };
            self.strips.push(Strip {
                tiles: (small(first), small(end)),
                start: small(start),
                region,
                len: n,
            });
            first = end;
        }
        Ok(())
    }

    /// The instructions of the product of `matrix` with `input` into `output`, both basis vectors.
    pub(crate) fn ops(&self, matrix: Mat, input: Buf, output: Buf, exponent: Reg) -> Vec<Op> {
        match self.dataflow {
            Dataflow::Gather => self.gather(matrix, input, output, exponent),
            Dataflow::Reduce => self.reduce(matrix, input, output, exponent),
        }
    }

    fn stream(&self, matrix: Mat, x: Buf, y: Buf, strip: &Strip, add: bool, exponent: Reg) -> Op {
        let (axis, (first_tile, end_tile)) = (self.axis, strip.tiles);
        if self.transposed {
            Op::MvT {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            }
        } else {
            Op::MvN {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            }
        }
    }

    fn gather(&self, matrix: Mat, input: Buf, output: Buf, exponent: Reg) -> Vec<Op> {
        let sliced = self.resliced.unwrap_or(output);
        let mut ops = Vec::new();
        for (i, strip) in self.strips.iter().enumerate() {
            ops.push(Op::Gather {
                dst: strip.region,
                src: input,
                start: strip.start,
            });
            ops.push(self.stream(
                matrix,
                strip.region,
                self.wide.unwrap_or(sliced),
                strip,
                i > 0,
                exponent,
            ));
        }
        if let Some(wide) = self.wide {
            ops.push(Op::Narrow {
                dst: sliced,
                src: wide,
            });
        }
        if let Some(resliced) = self.resliced {
            ops.push(Op::Gather {
                dst: output,
                src: resliced,
                start: 0,
            });
        }
        ops
    }

    fn reduce(&self, matrix: Mat, input: Buf, output: Buf, exponent: Reg) -> Vec<Op> {
        let (input_side, _) = Product::sides(self.transposed);
        let partials = self.partials.expect("allocated for this dataflow");
        let mut ops = Vec::new();
        if let Some(resliced) = self.resliced {
            ops.push(Op::Gather {
                dst: resliced,
                src: input,
                start: 0,
            });
        }
        let x = self.resliced.unwrap_or(input);
        let layout = self.layouts.product(input_side);
        for strip in &self.strips {
            ops.push(self.stream(matrix, x, strip.region, strip, false, exponent));
            ops.push(Op::PReduce {
                dst: partials,
                src: strip.region,
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
        ops
    }
}
