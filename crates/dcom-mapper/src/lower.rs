//! Lowering: every node of the op-graph becomes the instructions of one prompt.

use dcom_isa::opgraph::{GramSchmidt, Node, OpGraph};
use dcom_isa::{BankVec, Buf, Instr, Mat, Op, Phase, Reg, Side, StartKind};

use crate::map::MapError;
use crate::memory::Memory;
use crate::params::{Algorithm, WorkloadParams};
use crate::product::{Budget, Product, Strips};
use crate::prompt::{Demand, Prompt, Scalars, SideRegions};

/// Frobenius norm, doubled at most, that scaling aims at: floor(log2(96 / ||A||)) leaves it in 48..96.
const SCALED_NORM: f32 = 96.0;

/// The instructions of one prompt, for each set of matrices.
pub(crate) struct Lowering {
    matrices: Vec<Mat>,
    /// What comes once, before the first prompt.
    prologue: Vec<Instr>,
    bodies: Vec<Body>,
}

/// The instructions for one set.
struct Body {
    instrs: Vec<Instr>,
    /// Instructions until nothing more is needed from the statistics of A.
    start: usize,
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
        let mut product = |transposed, strips: Strips<'_>, budget| {
            Product::new(memory, w, prompt.layouts, transposed, strips, budget)
        };
        let demand = Demand::of(graph);
        let block = demand.block;
        let (product, transposed) = match w.algorithm {
            Algorithm::GolubKahan => (
                product(false, Strips::Streamed, budget)?,
                product(true, Strips::Streamed, budget)?,
            ),
            Algorithm::OneRead => {
                // The tiles take most; the second product only needs its part of the vectors.
                let share = Budget {
                    buffer_rows: budget.buffer_rows * 3 / 2,
                    ..budget
                };
                let plain = product(false, Strips::Loaded(1), share)?;
                let transposed = product(true, Strips::Shared(&plain), budget)?;
                (plain, transposed)
            }
            Algorithm::Block | Algorithm::Randomized => (
                product(false, Strips::Loaded(block.into()), budget)?,
                product(true, Strips::Loaded(block.into()), budget)?,
            ),
        };
        let mut bodies = Vec::new();
        for &matrix in &prompt.matrices {
            let mut emitter = Emitter {
                w,
                graph,
                demand,
                matrix,
                prompt,
                product: &product,
                transposed: &transposed,
                next_part: 0,
                next_coefficient: 0,
                next_scalar: 0,
                loaded: 0,
                mirror: None,
                guarded: false,
                phase: Phase::Control,
                start: 0,
                instrs: Vec::new(),
            };
            // Nodes were added in an order that respects every edge.
            for node in graph.graph.node_weights() {
                emitter.node(node);
            }
            bodies.push(Body {
                instrs: emitter.instrs,
                start: emitter.start,
            });
        }
        Ok(Lowering {
            matrices: prompt.matrices.clone(),
            prologue: prologue(prompt, demand.sketch),
            bodies,
        })
    }

    /// What comes once, before the first prompt.
    pub(crate) fn prologue(&self) -> &[Instr] {
        &self.prologue
    }

    pub(crate) fn matrix(&self, set: usize) -> Mat {
        self.matrices[set]
    }

    /// The instructions until nothing more is needed from the statistics of A, and those after them.
    pub(crate) fn body(&self, set: usize) -> (&[Instr], &[Instr]) {
        let body = &self.bodies[set];
        body.instrs.split_at(body.start)
    }
}

/// The vectors from the host arrive.
fn prologue(prompt: &Prompt, vectors: u16) -> Vec<Instr> {
    let arrival = |(stack, index): (BankVec, u16)| Instr {
        op: Op::In {
            dst: BankVec { index, ..stack },
            host: index,
        },
        guard: None,
        phase: Phase::Ingest,
    };
    let stack = prompt.sketch.into_iter();
    stack
        .flat_map(|stack| (0..vectors).map(move |index| (stack, index)))
        .map(arrival)
        .collect()
}

/// Writes the instructions of one prompt.
pub(crate) struct Emitter<'a> {
    pub(crate) w: &'a WorkloadParams,
    pub(crate) graph: &'a OpGraph,
    pub(crate) demand: Demand,
    pub(crate) matrix: Mat,
    pub(crate) prompt: &'a Prompt,
    pub(crate) product: &'a Product,
    pub(crate) transposed: &'a Product,
    pub(crate) next_part: u16,
    pub(crate) next_coefficient: usize,
    pub(crate) next_scalar: usize,
    /// Basis vectors of the next re-orthogonalization that are loaded already.
    pub(crate) loaded: u16,
    /// The vector that goes through what is done to the U vector of this step, with A^T u_i for u_i.
    pub(crate) mirror: Option<Buf>,
    pub(crate) guarded: bool,
    pub(crate) phase: Phase,
    start: usize,
    pub(crate) instrs: Vec<Instr>,
}

pub(crate) fn nth(first: Reg, n: u16) -> Reg {
    Reg(first.0 + n)
}

impl Emitter<'_> {
    pub(crate) fn emit(&mut self, op: Op) {
        // What a region of tiles holds must be known, so a breakdown does not skip it.
        let is_guarded = self.guarded && !matches!(op, Op::LdT { .. });
        self.instrs.push(Instr {
            op,
            guard: is_guarded.then_some(self.prompt.pred),
            phase: self.phase,
        });
    }

    pub(crate) fn side(&self, side: Side) -> &SideRegions {
        match side {
            Side::U => &self.prompt.u,
            Side::V => &self.prompt.v,
        }
    }

    /// The vector that is computed in step `step`.
    pub(crate) fn vector(&self, side: Side, step: u16) -> Buf {
        let vectors = &self.side(side).vectors;
        vectors[usize::from(step) % vectors.len()]
    }

    fn block(&self, side: Side, first: u16, count: u16) -> Vec<Buf> {
        (first..first + count)
            .map(|step| self.vector(side, step))
            .collect()
    }

    pub(crate) fn basis(&self, side: Side, index: u16) -> BankVec {
        BankVec {
            index,
            ..self.side(side).basis
        }
    }

    fn node(&mut self, node: &Node) {
        match *node {
            Node::Ingest => {
                self.statistics();
                self.start = self.instrs.len();
            }
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
                self.start = self.instrs.len();
            }
            Node::Sketch { first, count } => self.sketch(first, count),
            Node::MatVec { step } => self.product(Side::U, step, step, 1),
            Node::MatVecTransposed { step } => self.product(Side::V, step + 1, step, 1),
            Node::MatVecBoth { step } => self.both(step),
            Node::Update { step } => self.update(step),
            Node::Products {
                side,
                first,
                from,
                count,
            } => self.product(side, first, from, count),
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
                if let Some((z, v)) = self.mirrored(side, step - 1) {
                    self.load_known(step - 1);
                    self.emit(Op::Axpy { z, v, c });
                }
            }
            Node::Orthogonalize {
                side,
                step,
                against,
                scheme,
                kept,
            } => {
                self.phase = Phase::Reorth;
                match scheme {
                    GramSchmidt::Classical => self.classical(side, step, against, kept),
                    GramSchmidt::Modified => self.modified(side, step, against, kept),
                }
            }
            Node::Normalize {
                side,
                step,
                column,
                test,
                kept,
            } => self.normalize(side, step, column, test, kept),
            Node::TriangularSvd { band, transposed } => {
                self.guarded = false;
                self.phase = Phase::SmallSvd;
                let (mut u, mut v) = (self.prompt.u.small_vectors, self.prompt.v.small_vectors);
                if transposed {
                    std::mem::swap(&mut u, &mut v);
                }
                self.emit(Op::TSvd {
                    matrix: self.matrix,
                    u,
                    v,
                    t: self.prompt.scalars.alpha,
                    band,
                    k: self.graph.iterations,
                    r: self.graph.rank,
                    exponent: self.prompt.scalars.exponent,
                });
            }
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
        if self.demand.band.is_some() {
            // The norm of a vector that is dropped stays zero; coefficients are written for every vector.
            for entry in 0..self.graph.iterations {
                let dst = nth(self.prompt.scalars.alpha, entry);
                self.emit(Op::Ldi { dst, value: 0.0 });
            }
        }
    }

    /// Vectors of the start block, which arrived before the first prompt.
    fn sketch(&mut self, first: u16, count: u16) {
        self.phase = Phase::Ingest;
        let stack = self.prompt.sketch.expect("allocated for this algorithm");
        for (index, dst) in (0..).zip(self.block(Side::V, first, count)) {
            let src = BankVec { index, ..stack };
            self.emit(Op::Ld { dst, src });
        }
    }

    /// Vectors `[first, first + count)` of `side` from as many of the other side, `from` on.
    fn product(&mut self, side: Side, first: u16, from: u16, count: u16) {
        self.prefetch(side, first);
        self.phase = Phase::MatVec;
        let (product, input) = match side {
            Side::U => (self.product, Side::V),
            Side::V => (self.transposed, Side::U),
        };
        let (inputs, outputs) = (
            self.block(input, from, count),
            self.block(side, first, count),
        );
        let exponent = self.prompt.scalars.exponent;
        for op in product.ops(self.matrix, &inputs, &outputs, exponent) {
            self.emit(op);
        }
    }

    /// A v and A^T A v in one pass; the second one waits for what is done to the first.
    fn both(&mut self, step: u16) {
        self.prefetch(Side::U, step);
        self.phase = Phase::MatVec;
        let z = self.vector(Side::V, step + 1);
        let vectors = [self.vector(Side::V, step), self.vector(Side::U, step), z];
        let exponent = self.prompt.scalars.exponent;
        for op in self
            .product
            .both(self.transposed, self.matrix, vectors, exponent)
        {
            self.emit(op);
        }
        self.mirror = Some(z);
    }

    /// What went through the steps of u_j becomes A^T u_j once it is divided by alpha, too; it is kept for later steps.
    fn update(&mut self, step: u16) {
        self.phase = Phase::Norm;
        let z = self.mirror.take().expect("both products came before");
        let c = self.broadcast_scalar(Side::V, self.prompt.scalars.work);
        self.emit(Op::Scale { dst: z, src: z, c });
        let dst = self.known(step);
        self.emit(Op::St { dst, src: z });
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
