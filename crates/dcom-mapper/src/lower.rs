//! Lowering: every node of the op-graph becomes the instructions of one prompt.

use dcom_isa::opgraph::{GramSchmidt, Node, OpGraph};
use dcom_isa::{
    Axis, BankVec, Buf, BufferKind, Glob, Instr, Mat, MatrixDecl, Op, Part, Phase, Pred, Reg, Side,
    StartKind, Store,
};

use crate::layouts::PromptLayouts;
use crate::map::MapError;
use crate::memory::Memory;
use crate::params::{PartialSums, Residency, WorkloadParams};
use crate::product::{Budget, Product};

/// Registers for partial sums that a prompt takes in turn. Assumed: as many as the dot products of a classical pass
/// that are between lanes and global memory at once on the paper's machine.
const PARTIAL_REGISTERS: u16 = 4;

/// Frobenius norm, doubled at most, that scaling aims at: floor(log2(96 / ||A||)) leaves it in 48..96.
const SCALED_NORM: f32 = 96.0;

/// Everything that exists once for U and once for V.
struct SideRegions {
    /// The vector being computed; V's alternate, so that the neighbour of the three-term recurrence is at hand.
    vectors: Vec<Buf>,
    /// Basis vectors loaded for re-orthogonalization, in turn.
    slots: Vec<Buf>,
    basis: BankVec,
    factor: BankVec,
    /// Partial sums of dot products.
    partials: Vec<Glob>,
    coefficients: Vec<Buf>,
    /// The single coefficient where partial sums are summed first.
    summed: Vec<Buf>,
    scalars: Vec<Buf>,
    /// Coefficients that combine the basis into the factor.
    combination: Vec<Buf>,
    small_vectors: Glob,
    /// Partial sums of a dot product.
    parts: u32,
}

/// Where a prompt in flight keeps what it needs, but for the products of A.
pub(crate) struct Prompt {
    layouts: PromptLayouts,
    matrices: Vec<Mat>,
    scalars: Scalars,
    u: SideRegions,
    v: SideRegions,
    pred: Pred,
    first_part: u16,
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
        Ok(Prompt {
            layouts,
            matrices: (0..sets)
                .map(|_| matrix(memory, w, layouts))
                .collect::<Result<Vec<_>, _>>()?,
            scalars: Scalars {
                alpha: memory.regs(graph.iterations)?,
                beta: memory.regs(graph.iterations)?,
                exponent: memory.regs(1)?,
                one: memory.regs(1)?,
                largest: memory.regs(1)?,
                work: memory.regs(1)?,
            },
            u: side_regions(memory, w, graph, layouts, Side::U)?,
            v: side_regions(memory, w, graph, layouts, Side::V)?,
            pred: Pred(number),
            first_part: number * PARTIAL_REGISTERS,
        })
    }
}

/// The instructions of one prompt, for each set of matrices.
pub(crate) struct Lowering {
    matrices: Vec<Mat>,
    bodies: Vec<Vec<Instr>>,
}

impl Lowering {
    /// Lowers the graph for a prompt; each of its two products has the budget.
    pub(crate) fn new(
        memory: &mut Memory<'_>,
        w: &WorkloadParams,
        graph: &OpGraph,
        prompt: &Prompt,
        budget: Budget,
    ) -> Result<Lowering, MapError> {
        let product = Product::new(memory, w, prompt.layouts, false, budget)?;
        let transposed = Product::new(memory, w, prompt.layouts, true, budget)?;
        let mut bodies = Vec::new();
        for &matrix in &prompt.matrices {
            let mut emitter = Emitter {
                w,
                graph,
                matrix,
                prompt,
                product: &product,
                transposed: &transposed,
                next_part: 0,
                next_coefficient: 0,
                next_scalar: 0,
                loaded: 0,
                guarded: false,
                phase: Phase::Control,
                instrs: Vec::new(),
            };
            // Nodes were added in an order that respects every edge.
            for node in graph.graph.node_weights() {
                emitter.node(node);
            }
            bodies.push(emitter.instrs);
        }
        Ok(Lowering {
            matrices: prompt.matrices.clone(),
            bodies,
        })
    }

    pub(crate) fn matrix(&self, set: usize) -> Mat {
        self.matrices[set]
    }

    /// The instructions up to the start vector, and those after it.
    pub(crate) fn body(&self, set: usize) -> (&[Instr], &[Instr]) {
        let body = &self.bodies[set];
        let start = body
            .iter()
            .position(|i| matches!(i.op, Op::Start { .. }))
            .expect("every prompt has a start vector");
        body.split_at(start + 1)
    }
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
        crate::params::Scheme::Classical => u32::from(k).max(2),
        crate::params::Scheme::Modified => 2,
    };
    let words = u64::from(k) * u64::from(r);
    Ok(SideRegions {
        vectors: many(memory, 2, BufferKind::Vector)?,
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

/// The scalar registers of a prompt.
struct Scalars {
    alpha: Reg,
    beta: Reg,
    exponent: Reg,
    one: Reg,
    largest: Reg,
    work: Reg,
}

struct Emitter<'a> {
    w: &'a WorkloadParams,
    graph: &'a OpGraph,
    matrix: Mat,
    prompt: &'a Prompt,
    product: &'a Product,
    transposed: &'a Product,
    next_part: u16,
    next_coefficient: usize,
    next_scalar: usize,
    /// Basis vectors of the next re-orthogonalization that are loaded already.
    loaded: u16,
    guarded: bool,
    phase: Phase,
    instrs: Vec<Instr>,
}

fn nth(first: Reg, n: u16) -> Reg {
    Reg(first.0 + n)
}

impl Emitter<'_> {
    fn emit(&mut self, op: Op) {
        self.instrs.push(Instr {
            op,
            guard: self.guarded.then_some(self.prompt.pred),
            phase: self.phase,
        });
    }

    fn side(&self, side: Side) -> &SideRegions {
        match side {
            Side::U => &self.prompt.u,
            Side::V => &self.prompt.v,
        }
    }

    /// The vector that is computed in step `step`.
    fn vector(&self, side: Side, step: u16) -> Buf {
        self.side(side).vectors[usize::from(step % 2)]
    }

    fn basis(&self, side: Side, index: u16) -> BankVec {
        BankVec {
            index,
            ..self.side(side).basis
        }
    }

    fn node(&mut self, node: &Node) {
        match *node {
            Node::Ingest => self.statistics(),
            Node::Start(kind) => {
                self.phase = Phase::Ingest;
                let shift = shift(self.w.rows);
                let dst = self.vector(Side::V, 0);
                self.emit(Op::Start {
                    dst,
                    matrix: self.matrix,
                    kind,
                    exponent: self.prompt.scalars.exponent,
                    shift: if kind == StartKind::Mean { shift } else { 0 },
                });
            }
            Node::MatVec { step } => self.product(Side::U, step, self.vector(Side::V, step)),
            Node::MatVecTransposed { step } => {
                self.product(Side::V, step + 1, self.vector(Side::U, step))
            }
            Node::ThreeTerm { side, step } => {
                self.phase = Phase::Reorth;
                // u_j = A v_j - beta_(j-1) u_(j-1); v_j = A^T u_(j-1) - alpha_(j-1) v_(j-1).
                let known = match side {
                    Side::U => nth(self.prompt.scalars.beta, step - 1),
                    Side::V => nth(self.prompt.scalars.alpha, step - 1),
                };
                let c = self.broadcast_scalar(side, known);
                let (z, v) = (self.vector(side, step), self.vector(side, step - 1));
                self.emit(Op::Axpy { z, v, c });
            }
            Node::Orthogonalize {
                side,
                step,
                against,
                scheme,
            } => {
                self.phase = Phase::Reorth;
                match scheme {
                    GramSchmidt::Classical => self.classical(side, step, against),
                    GramSchmidt::Modified => self.modified(side, step, against),
                }
            }
            Node::Normalize { side, step, column } => self.normalize(side, step, column),
            Node::SmallSvd => {
                self.guarded = false;
                self.phase = Phase::SmallSvd;
                self.emit(Op::Svd {
                    matrix: self.matrix,
                    u: self.prompt.u.small_vectors,
                    v: self.prompt.v.small_vectors,
                    alpha: self.prompt.scalars.alpha,
                    beta: self.prompt.scalars.beta,
                    k: self.graph.iterations,
                    r: self.graph.rank,
                    exponent: self.prompt.scalars.exponent,
                    p: self.prompt.pred,
                });
            }
            Node::Factor { side } => self.factor(side),
        }
    }

    /// The scale of A and the constants of a prompt, once A has arrived. Alphas and betas that a breakdown leaves
    /// from an earlier prompt stay; the small SVD masks them by the tests passed.
    fn statistics(&mut self) {
        self.phase = Phase::Ingest;
        self.guarded = false;
        let Scalars {
            exponent,
            one,
            work,
            ..
        } = self.prompt.scalars;
        self.emit(Op::Clr {
            p: self.prompt.pred,
        });
        self.emit(Op::Ldi {
            dst: one,
            value: 1.0,
        });
        if self.w.scale_input {
            self.emit(Op::Stat {
                dst: exponent,
                matrix: self.matrix,
            });
            self.emit(Op::Sqrt {
                dst: exponent,
                a: exponent,
            });
            self.emit(Op::Ldi {
                dst: work,
                value: SCALED_NORM,
            });
            self.emit(Op::Div {
                dst: exponent,
                a: work,
                b: exponent,
            });
            self.emit(Op::Log2 {
                dst: exponent,
                a: exponent,
            });
        } else {
            self.emit(Op::Ldi {
                dst: exponent,
                value: 0.0,
            });
        }
    }

    fn product(&mut self, side: Side, step: u16, input: Buf) {
        self.phase = Phase::Reorth;
        self.loaded = 0;
        let against = if self.w.gram_schmidt_passes > 0 {
            step
        } else {
            0
        };
        let ahead = u16::try_from(self.w.prefetch).expect("at most 16");
        while self.loaded < against.min(ahead) {
            self.load(side, self.loaded);
            self.loaded += 1;
        }
        self.phase = Phase::MatVec;
        let output = self.vector(side, step);
        let product = match side {
            Side::U => self.product,
            Side::V => self.transposed,
        };
        for op in product.ops(self.matrix, input, output, self.prompt.scalars.exponent) {
            self.emit(op);
        }
    }

    fn slot(&self, side: Side, index: u16) -> Buf {
        let slots = &self.side(side).slots;
        slots[usize::from(index) % slots.len()]
    }

    fn load(&mut self, side: Side, index: u16) {
        self.emit(Op::Ld {
            dst: self.slot(side, index),
            src: self.basis(side, index),
        });
    }

    /// Loads basis vector `index` and as many after it as prefetching says.
    fn load_ahead(&mut self, side: Side, index: u16, against: u16) {
        let ahead = u16::try_from(self.w.prefetch).expect("at most 16");
        while self.loaded < against.min(index + ahead + 1) {
            self.load(side, self.loaded);
            self.loaded += 1;
        }
    }

    /// Partial dot products of basis vector `index` with the vector, to global memory.
    fn partial_dots(&mut self, side: Side, step: u16, index: u16, dst: Glob) {
        let part = Part(self.prompt.first_part + self.next_part);
        self.next_part = (self.next_part + 1) % PARTIAL_REGISTERS;
        let (a, b) = (self.slot(side, index), self.vector(side, step));
        self.emit(Op::Dot { dst: part, a, b });
        self.emit(Op::PutH { dst, src: part });
    }

    /// z -= sum over p of c_p v, with the partial sums in `src`.
    fn correct(&mut self, side: Side, step: u16, index: u16, src: Glob) {
        let turn = self.next_coefficient;
        self.next_coefficient = 1 - turn;
        let regions = self.side(side);
        let (c, summed) = (
            regions.coefficients[turn],
            regions.summed.get(turn).copied(),
        );
        let single = regions.parts == 1;
        let (z, v) = (self.vector(side, step), self.slot(side, index));
        self.emit(Op::Bc {
            dst: c,
            src,
            start: 0,
        });
        match summed {
            Some(summed) => {
                self.emit(Op::CSum {
                    dst: summed,
                    src: c,
                });
                self.emit(Op::Axpy { z, v, c: summed });
            }
            None if single => self.emit(Op::Axpy { z, v, c }),
            None => self.emit(Op::Corr { z, v, c }),
        }
    }

    fn modified(&mut self, side: Side, step: u16, against: u16) {
        for index in 0..against {
            self.load_ahead(side, index, against);
            let partials = &self.side(side).partials;
            let partials = partials[usize::from(index) % partials.len()];
            self.partial_dots(side, step, index, partials);
            self.correct(side, step, index, partials);
        }
        self.loaded = 0;
    }

    fn classical(&mut self, side: Side, step: u16, against: u16) {
        for index in 0..against {
            self.load_ahead(side, index, against);
            let partials = self.side(side).partials[usize::from(index)];
            self.partial_dots(side, step, index, partials);
        }
        self.loaded = 0;
        for index in 0..against {
            self.load_ahead(side, index, against);
            let partials = self.side(side).partials[usize::from(index)];
            self.correct(side, step, index, partials);
        }
        self.loaded = 0;
    }

    fn broadcast_scalar(&mut self, side: Side, src: Reg) -> Buf {
        let turn = self.next_scalar;
        self.next_scalar = 1 - turn;
        let dst = self.side(side).scalars[turn];
        self.emit(Op::Sbc { dst, src });
        dst
    }

    fn normalize(&mut self, side: Side, step: u16, column: u16) {
        self.phase = Phase::Norm;
        let Scalars {
            alpha,
            beta,
            one,
            largest,
            work,
            ..
        } = self.prompt.scalars;
        let is_start = side == Side::V && column == 0;
        let norm = match side {
            Side::U => nth(alpha, column),
            Side::V if is_start => work,
            Side::V => nth(beta, column - 1),
        };
        let z = self.vector(side, step);
        let part = Part(self.prompt.first_part + self.next_part);
        self.next_part = (self.next_part + 1) % PARTIAL_REGISTERS;
        let regions = self.side(side);
        let (src, n) = (regions.partials[0], regions.parts);
        self.emit(Op::Dot {
            dst: part,
            a: z,
            b: z,
        });
        self.emit(Op::PutW {
            dst: src,
            src: part,
        });
        self.emit(Op::Sum {
            dst: norm,
            src,
            start: 0,
            n,
        });
        self.emit(Op::Sqrt { dst: norm, a: norm });
        if !is_start {
            let first = side == Side::U && column == 0;
            self.emit(Op::Max {
                dst: largest,
                a: if first { norm } else { largest },
                b: norm,
            });
            let tolerance = u16::try_from(self.w.breakdown_tolerance_log2).expect("at most 126");
            self.emit(Op::Brk {
                p: self.prompt.pred,
                x: norm,
                max: largest,
                tolerance,
            });
            self.guarded = true;
        }
        self.emit(Op::Div {
            dst: work,
            a: one,
            b: norm,
        });
        let c = self.broadcast_scalar(side, work);
        self.emit(Op::Scale { dst: z, src: z, c });
        self.emit(Op::St {
            dst: self.basis(side, column),
            src: z,
        });
    }

    fn factor(&mut self, side: Side) {
        for index in 0..self.graph.rank {
            self.phase = Phase::Factors;
            let turn = usize::from(index % 2);
            let regions = self.side(side);
            let (c, src, dst) = (
                regions.combination[turn],
                regions.small_vectors,
                regions.slots[usize::from(index) % regions.slots.len()],
            );
            let leaving = BankVec {
                index: index % 2,
                ..regions.factor
            };
            let start = u32::from(index) * u32::from(self.graph.iterations);
            self.emit(Op::Bc { dst: c, src, start });
            self.emit(Op::Comb {
                dst,
                src: self.basis(side, 0),
                c,
            });
            self.emit(Op::St {
                dst: leaving,
                src: dst,
            });
            self.phase = Phase::Transfer;
            self.emit(Op::Out {
                matrix: self.matrix,
                side,
                index,
                src: leaving,
            });
        }
    }
}

/// Half the exponent of the number of rows, rounded up: column sums scaled by it have at most the norm of A.
fn shift(rows: u32) -> u16 {
    let log2 = dcom_base::log2_ceil(rows.into());
    u16::try_from(log2.div_ceil(2)).expect("at most 16")
}
