//! The algorithm as a DAG of operations that know no hardware: tensors, shapes, dependencies.
//!
//! Nodes are operations, an edge carries the tensor that one produces and the other consumes. The
//! mapper walks the graph in topological order and lowers every node to instructions.

use std::fmt;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::operand::{Side, StartKind};

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE binary16.
    F16,
    /// IEEE binary32.
    F32,
}

/// Extents of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extents {
    /// A single value.
    Scalar,
    /// Elements.
    Vector(u32),
    /// Rows and columns.
    Matrix(u32, u32),
}

/// What an edge carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name, as in the paper's Algorithm 1.
    pub name: &'static str,
    /// Extents.
    pub shape: Extents,
    /// Element type.
    pub dtype: Dtype,
}

/// Which basis vectors a vector is made orthogonal to, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GramSchmidt {
    /// All coefficients from the same vector, then all corrections.
    Classical,
    /// Each correction before the next coefficient.
    Modified,
}

/// An operation. `step` counts Lanczos steps from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A arrives; sum of squares and column sums are taken.
    Ingest,
    /// The unnormalized start vector.
    Start(StartKind),
    /// u = A v.
    MatVec {
        /// Lanczos step.
        step: u16,
    },
    /// z = A^T u.
    MatVecTransposed {
        /// Lanczos step.
        step: u16,
    },
    /// Subtracts the multiple of the latest vector of the other recurrence that is known already:
    /// beta u_(j-1) or alpha v_j.
    ThreeTerm {
        /// Basis.
        side: Side,
        /// Lanczos step.
        step: u16,
    },
    /// Makes the vector orthogonal to the first `against` vectors of the basis.
    Orthogonalize {
        /// Basis.
        side: Side,
        /// Lanczos step.
        step: u16,
        /// Basis vectors.
        against: u16,
        /// Order of coefficients and corrections.
        scheme: GramSchmidt,
    },
    /// Norm, breakdown test, division; the vector joins its basis. The start vector has no test.
    Normalize {
        /// Basis.
        side: Side,
        /// Lanczos step; the vector becomes column `column` of the basis.
        step: u16,
        /// Column of the basis.
        column: u16,
    },
    /// SVD of the bidiagonal matrix of alphas and betas.
    SmallSvd,
    /// Combines a basis with the small singular vectors and sends the factor to the host.
    Factor {
        /// Which factor.
        side: Side,
    },
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The graph, with its size parameters.
#[derive(Clone, Debug)]
pub struct OpGraph {
    /// Operations and the tensors between them.
    pub graph: DiGraph<Node, Tensor>,
    /// Rows of A (tokens, S).
    pub rows: u32,
    /// Columns of A (channels, H).
    pub columns: u32,
    /// Columns of V at most.
    pub iterations: u16,
    /// Rank of the factors.
    pub rank: u16,
}

/// How vectors are kept orthogonal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorthogonalization {
    /// Subtract the known neighbour of the three-term recurrence first.
    pub three_term: bool,
    /// Gram-Schmidt against the whole basis.
    pub scheme: GramSchmidt,
    /// Gram-Schmidt passes; 0 leaves only the three-term recurrence.
    pub passes: u16,
}

/// Golub-Kahan-Lanczos bidiagonalization (Algorithm 1 of the paper): `iterations` columns of V,
/// then the SVD of the bidiagonal matrix and the factors of rank `rank`.
///
/// `iterations` and `rank` must be at least 1, `rank` at most `iterations`, `iterations` at most
/// the smaller of `rows` and `columns`.
#[must_use]
pub fn golub_kahan(
    rows: u32,
    columns: u32,
    iterations: u16,
    rank: u16,
    start: StartKind,
    reorth: Reorthogonalization,
) -> OpGraph {
    assert!(
        1 <= rank && rank <= iterations && u32::from(iterations) <= rows.min(columns),
        "rank {rank}, iterations {iterations}, {rows} x {columns}"
    );
    let mut b = Builder {
        graph: DiGraph::new(),
        rows,
        columns,
        reorth,
    };
    let a = tensor("A", Extents::Matrix(rows, columns), Dtype::F16);
    let coefficients = Extents::Matrix(iterations.into(), rank.into());
    let ingest = b.graph.add_node(Node::Ingest);
    let start = b.add(
        Node::Start(start),
        ingest,
        tensor("column sums", Extents::Vector(columns), Dtype::F32),
    );
    let mut v = b.add(
        Node::Normalize {
            side: Side::V,
            step: 0,
            column: 0,
        },
        start,
        b.vector(Side::V, "z_0"),
    );
    let (mut alphas, mut betas) = (Vec::new(), Vec::new());
    let (mut us, mut vs): (Vec<NodeIndex>, Vec<NodeIndex>) = (Vec::new(), vec![v]);
    for step in 0..iterations {
        if step > 0 {
            let u = us[us.len() - 1];
            let product = b.add(
                Node::MatVecTransposed { step: step - 1 },
                u,
                b.vector(Side::U, "u"),
            );
            b.graph.add_edge(ingest, product, a);
            v = b.orthonormal(Side::V, step, product, &vs, alphas.last().copied());
            betas.push(v);
            vs.push(v);
        }
        let product = b.add(Node::MatVec { step }, v, b.vector(Side::V, "v"));
        b.graph.add_edge(ingest, product, a);
        let u = b.orthonormal(Side::U, step, product, &us, betas.last().copied());
        alphas.push(u);
        us.push(u);
    }
    let svd = b.graph.add_node(Node::SmallSvd);
    for (name, nodes) in [("alpha", &alphas), ("beta", &betas)] {
        for node in nodes {
            b.graph
                .add_edge(*node, svd, tensor(name, Extents::Scalar, Dtype::F32));
        }
    }
    for (side, basis, name) in [(Side::U, &us, "U_h"), (Side::V, &vs, "V_h")] {
        let factor = b.add(
            Node::Factor { side },
            svd,
            tensor(name, coefficients, Dtype::F16),
        );
        for vector in basis {
            b.graph
                .add_edge(*vector, factor, b.vector(side, "basis vector"));
        }
    }
    OpGraph {
        graph: b.graph,
        rows,
        columns,
        iterations,
        rank,
    }
}

fn tensor(name: &'static str, shape: Extents, dtype: Dtype) -> Tensor {
    Tensor { name, shape, dtype }
}

struct Builder {
    graph: DiGraph<Node, Tensor>,
    rows: u32,
    columns: u32,
    reorth: Reorthogonalization,
}

impl Builder {
    fn vector(&self, side: Side, name: &'static str) -> Tensor {
        let len = match side {
            Side::U => self.rows,
            Side::V => self.columns,
        };
        tensor(name, Extents::Vector(len), Dtype::F16)
    }

    fn add(&mut self, node: Node, from: NodeIndex, tensor: Tensor) -> NodeIndex {
        let to = self.graph.add_node(node);
        self.graph.add_edge(from, to, tensor);
        to
    }

    /// Orthogonalizes a fresh product against its basis and normalizes it.
    fn orthonormal(
        &mut self,
        side: Side,
        step: u16,
        product: NodeIndex,
        basis: &[NodeIndex],
        known: Option<NodeIndex>,
    ) -> NodeIndex {
        let mut node = product;
        if let (true, Some(last), Some(known)) = (self.reorth.three_term, basis.last(), known) {
            node = self.add(
                Node::ThreeTerm { side, step },
                node,
                self.vector(side, "product"),
            );
            self.graph
                .add_edge(*last, node, self.vector(side, "neighbour"));
            self.graph.add_edge(
                known,
                node,
                tensor("coefficient", Extents::Scalar, Dtype::F32),
            );
        }
        let against = u16::try_from(basis.len()).expect("iterations fit 16 bits");
        for _ in 0..self.reorth.passes {
            if against == 0 {
                break;
            }
            let scheme = self.reorth.scheme;
            node = self.add(
                Node::Orthogonalize {
                    side,
                    step,
                    against,
                    scheme,
                },
                node,
                self.vector(side, "vector"),
            );
            for vector in basis {
                self.graph
                    .add_edge(*vector, node, self.vector(side, "basis vector"));
            }
        }
        self.add(
            Node::Normalize {
                side,
                step,
                column: step,
            },
            node,
            self.vector(side, "vector"),
        )
    }
}
