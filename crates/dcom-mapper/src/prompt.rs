//! Where a prompt in flight keeps what it needs, but for the products of A.

use dcom_isa::opgraph::{Node, OpGraph};
use dcom_isa::{Axis, BankVec, Buf, BufferKind, Glob, Mat, MatrixDecl, Pred, Reg, Side, Store};

use crate::layouts::PromptLayouts;
use crate::map::MapError;
use crate::memory::Memory;
use crate::params::{Algorithm, PartialSums, Residency, Scheme, WorkloadParams};
use crate::product::Product;

/// Registers for partial sums that a prompt takes in turn. Assumed: as many as the dot products of a classical pass
/// that are between lanes and global memory at once on the paper's machine.
pub(crate) const PARTIAL_REGISTERS: u16 = 4;

/// Everything that exists once for U and once for V.
pub(crate) struct SideRegions {
    /// The vectors being computed: those of a block, or two that alternate, so that the neighbour of the three-term
    /// recurrence is at hand.
    pub(crate) vectors: Vec<Buf>,
    /// Basis vectors loaded for re-orthogonalization, in turn.
    pub(crate) slots: Vec<Buf>,
    pub(crate) basis: BankVec,
    pub(crate) factor: BankVec,
    /// Partial sums of dot products.
    pub(crate) partials: Vec<Glob>,
    pub(crate) coefficients: Vec<Buf>,
    /// The single coefficient where partial sums are summed first.
    pub(crate) summed: Vec<Buf>,
    pub(crate) scalars: Vec<Buf>,
    /// Coefficients that combine the basis into the factor.
    pub(crate) combination: Vec<Buf>,
    pub(crate) small_vectors: Glob,
    /// Partial sums of a dot product.
    pub(crate) parts: u32,
}

/// Where a prompt in flight keeps what it needs, but for the products of A.
pub(crate) struct Prompt {
    pub(crate) layouts: PromptLayouts,
    pub(crate) matrices: Vec<Mat>,
    pub(crate) scalars: Scalars,
    pub(crate) u: SideRegions,
    pub(crate) v: SideRegions,
    pub(crate) pred: Pred,
    pub(crate) first_part: u16,
    /// Vectors from the host that the algorithm begins with.
    pub(crate) sketch: Option<BankVec>,
    /// A^T u_i of the steps so far, where they are kept, and what they are loaded into.
    pub(crate) known: Option<(BankVec, [Buf; 2])>,
}

/// What an algorithm needs beyond the bases.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    /// Vectors of a block: buffers for so many on either side.
    pub(crate) block: u16,
    /// Vectors from the host.
    pub(crate) sketch: u16,
    /// Diagonals of the triangular matrix above the main one, if there is one.
    pub(crate) band: Option<u16>,
}

impl Demand {
    /// What the graph of an algorithm needs.
    pub(crate) fn of(graph: &OpGraph) -> Demand {
        let mut demand = Demand {
            block: 1,
            ..Demand::default()
        };
        for node in graph.graph.node_weights() {
            match *node {
                Node::Sketch { count, .. } => demand.sketch += count,
                Node::Products { count, .. } => demand.block = demand.block.max(count),
                Node::TriangularSvd { band, .. } => demand.band = Some(band),
                _ => {}
            }
        }
        demand
    }
}

impl Prompt {
    /// Allocates the regions of prompt `number`, in the window that `memory` is in.
    pub(crate) fn new(
        memory: &mut Memory<'_>,
        w: &WorkloadParams,
        graph: &OpGraph,
        number: u16,
        layouts: PromptLayouts,
        sets: u32,
    ) -> Result<Prompt, MapError> {
        let sequencer = memory.arch.sequencer;
        if u64::from(number) >= sequencer.predicates {
            return Err(MapError::new(
                "sequencer.predicates",
                format!(
                    "each prompt in flight needs a predicate; there are {}",
                    sequencer.predicates
                ),
            ));
        }
        if u64::from(PARTIAL_REGISTERS) * (u64::from(number) + 1) > sequencer.partial_registers {
            return Err(MapError::new(
                "sequencer.partial_registers",
                format!(
                    "each prompt in flight needs {PARTIAL_REGISTERS} partial-sum registers; there are {}",
                    sequencer.partial_registers
                ),
            ));
        }
        let demand = Demand::of(graph);
        // A bidiagonal matrix is alphas and betas; a triangular one diagonals as long as they are.
        let triangle = match demand.band {
            Some(band) => small_registers(graph.iterations, band)?,
            None => graph.iterations,
        };
        Ok(Prompt {
            layouts,
            matrices: (0..sets)
                .map(|_| matrix(memory, w, layouts))
                .collect::<Result<Vec<_>, _>>()?,
            scalars: Scalars {
                alpha: memory.regs(triangle)?,
                beta: match demand.band {
                    Some(_) => Reg(0),
                    None => memory.regs(graph.iterations)?,
                },
                exponent: memory.regs(1)?,
                one: memory.regs(1)?,
                largest: memory.regs(1)?,
                work: memory.regs(1)?,
                norm: memory.regs(1)?,
            },
            u: side_regions(memory, w, graph, layouts, Side::U)?,
            v: side_regions(memory, w, graph, layouts, Side::V)?,
            sketch: if demand.sketch > 0 {
                Some(memory.stack(layouts.basis(Side::V), demand.sketch)?)
            } else {
                None
            },
            known: if w.algorithm == Algorithm::OneRead && graph.iterations > 1 {
                let layout = layouts.basis(Side::V);
                let known = memory.stack(layout, graph.iterations - 1)?;
                let slots = [
                    memory.buffer(BufferKind::Vector, layout)?,
                    memory.buffer(BufferKind::Vector, layout)?,
                ];
                Some((known, slots))
            } else {
                None
            },
            pred: Pred(number),
            first_part: number * PARTIAL_REGISTERS,
        })
    }
}

/// The scalar registers of a prompt.
pub(crate) struct Scalars {
    /// Alphas, or the triangular matrix.
    pub(crate) alpha: Reg,
    /// Betas of a bidiagonal matrix.
    pub(crate) beta: Reg,
    pub(crate) exponent: Reg,
    pub(crate) one: Reg,
    pub(crate) largest: Reg,
    pub(crate) work: Reg,
    pub(crate) norm: Reg,
}

/// Declares where A lives.
fn matrix(
    memory: &mut Memory<'_>,
    w: &WorkloadParams,
    layouts: PromptLayouts,
) -> Result<Mat, MapError> {
    let matrix = MatrixDecl {
        rows: w.rows,
        columns: w.columns,
        store: Store::Memory,
    };
    let store = match w.residency {
        Residency::Streamed => Store::Memory,
        Residency::Resident => {
            let rows = |memory: &mut Memory<'_>, axis| {
                let side = match axis {
                    Axis::Rows => Side::U,
                    Axis::Columns => Side::V,
                };
                let layout = layouts.product(side);
                let beats = matrix.resident_beats(memory.arch, axis, memory.shape(layout));
                let row = memory.take_bank_rows(beats, || {
                    format!("{} x {} elements of A, cut by {axis}", w.rows, w.columns)
                })?;
                Ok((
                    layout,
                    u32::try_from(row).expect("banks have fewer than 2^32 rows"),
                ))
            };
            let (axis, other) = (Product::axis(w, false), Product::axis(w, true));
            if axis == other {
                let (layout, row) = rows(memory, axis)?;
                Store::Banks { axis, layout, row }
            } else {
                let ((rows_layout, rows_row), (columns_layout, columns_row)) =
                    (rows(memory, Axis::Rows)?, rows(memory, Axis::Columns)?);
                Store::BanksBoth {
                    rows_layout,
                    columns_layout,
                    rows_row,
                    columns_row,
                }
            }
        }
    };
    memory.program.matrices.push(MatrixDecl { store, ..matrix });
    Ok(Mat(
        u16::try_from(memory.program.matrices.len() - 1).expect("two per prompt in flight")
    ))
}

fn side_regions(
    memory: &mut Memory<'_>,
    w: &WorkloadParams,
    graph: &OpGraph,
    layouts: PromptLayouts,
    side: Side,
) -> Result<SideRegions, MapError> {
    let layout = layouts.basis(side);
    let parts = memory.shape(layout).parts;
    let f = u32::try_from(parts).expect("slices fit 32 bits");
    let (k, r) = (graph.iterations, graph.rank);
    let many = |memory: &mut Memory<'_>, n: u32, kind| {
        (0..n)
            .map(|_| memory.buffer(kind, layout))
            .collect::<Result<Vec<_>, _>>()
    };
    // Classical Gram-Schmidt has all coefficients before the first correction.
    let in_flight = match w.gram_schmidt {
        Scheme::Classical => u32::from(k).max(2),
        Scheme::Modified => 2,
    };
    let words = u64::from(k) * u64::from(r);
    Ok(SideRegions {
        vectors: many(
            memory,
            u32::from(Demand::of(graph).block.max(2)),
            BufferKind::Vector,
        )?,
        slots: many(memory, w.prefetch + 1, BufferKind::Vector)?,
        basis: memory.stack(layout, k)?,
        factor: memory.stack(layout, 2)?,
        partials: (0..in_flight)
            .map(|_| memory.global(parts))
            .collect::<Result<Vec<_>, _>>()?,
        coefficients: many(memory, 2, BufferKind::Coefs(f))?,
        summed: if w.partial_sums == PartialSums::SumFirst && f > 1 {
            many(memory, 2, BufferKind::Coefs(1))?
        } else {
            Vec::new()
        },
        scalars: many(memory, 2, BufferKind::Scalar)?,
        combination: many(memory, 2, BufferKind::Coefs(k.into()))?,
        small_vectors: memory.global(words)?,
        parts: f,
    })
}

/// Registers of a triangular matrix, a diagonal after the other.
fn small_registers(k: u16, band: u16) -> Result<u16, MapError> {
    k.checked_mul(band + 1).ok_or_else(|| {
        MapError::new(
            "workload.iterations",
            format!(
                "a triangular matrix of {k} rows and {} diagonals has no room in 65535 registers",
                band + 1
            ),
        )
    })
}
