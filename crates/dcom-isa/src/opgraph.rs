//! The algorithm as a DAG of operations that know no hardware: tensors, shapes, dependencies.
//!
//! Four algorithms build such graphs: Golub-Kahan-Lanczos, the same with one read of A per iteration, block Golub-Kahan and
//! randomized SVD. Nodes are operations, an edge carries the tensor that one produces and the other consumes. The
//! mapper walks the graph in topological order and lowers every node to instructions.

use std::fmt;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::operand::{Side, StartKind};

mod algorithms;
mod block;

pub use algorithms::{golub_kahan, one_read};
pub use block::{block_golub_kahan, randomized};

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
    /// Vectors `[first, first + count)` of V come from the host: random signs, the same for every prompt.
    Sketch {
        /// First vector.
        first: u16,
        /// Vectors.
        count: u16,
    },
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
    /// u = A v and z = A^T u in one pass over A.
    MatVecBoth {
        /// Lanczos step.
        step: u16,
    },
    /// The pass has given A^T of the vector before it was made orthogonal and normalized; the same steps, with the vectors
    /// A^T u_i that are known, make it A^T u, which joins them.
    Update {
        /// Lanczos step.
        step: u16,
    },
    /// A, or its transpose, times a block of vectors in one pass over A.
    Products {
        /// Basis of the results.
        side: Side,
        /// First result.
        first: u16,
        /// Its factor.
        from: u16,
        /// Vectors.
        count: u16,
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
        /// Coefficients of this many neighbours before the vector are entries of the triangular matrix. They are those of the
        /// first pass; what later passes add is the loss of orthogonality that fp16 leaves, and the scalar unit does not add.
        kept: u16,
    },
    /// Norm, breakdown test, division; the vector joins its basis. A breakdown ends a bidiagonalization; of a block only the
    /// dependent vector becomes zero.
    Normalize {
        /// Basis.
        side: Side,
        /// Lanczos step; the vector becomes column `column` of the basis.
        step: u16,
        /// Column of the basis.
        column: u16,
        /// What the norm is compared with.
        test: Test,
        /// The norm is an entry of the triangular matrix.
        kept: bool,
    },
    /// SVD of the bidiagonal matrix of alphas and betas.
    SmallSvd,
    /// SVD of the upper triangular matrix of norms and coefficients.
    TriangularSvd {
        /// Diagonals above the main one.
        band: u16,
        /// Its rows belong to V instead of U.
        transposed: bool,
    },
    /// Combines a basis with the small singular vectors and sends the factor to the host.
    Factor {
        /// Which factor.
        side: Side,
    },
}

/// The breakdown test of a norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// None: a start vector.
    None,
    /// The first of its kind: only zero fails.
    First,
    /// Against the largest of its kind so far.
    Next,
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

fn tensor(name: &'static str, shape: Extents, dtype: Dtype) -> Tensor {
    Tensor { name, shape, dtype }
}

/// What is decomposed, into what. `iterations` and `rank` are at least 1, `rank` at most `iterations`, and `iterations` at
/// most the smaller of `rows` and `columns`; the functions that build graphs panic where they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows of A.
    pub rows: u32,
    /// Columns of A.
    pub columns: u32,
    /// Vectors of either basis.
    pub iterations: u16,
    /// Rank of the factors.
    pub rank: u16,
}

struct Builder {
    graph: DiGraph<Node, Tensor>,
    ingest: NodeIndex,
    size: Size,
    reorth: Reorthogonalization,
}

impl Builder {
    fn new(size: Size, reorth: Reorthogonalization) -> Builder {
        let Size {
            rows,
            columns,
            iterations,
            rank,
        } = size;
        assert!(
            1 <= rank && rank <= iterations && u32::from(iterations) <= rows.min(columns),
            "rank {rank}, iterations {iterations}, {rows} x {columns}"
        );
        let mut graph = DiGraph::new();
        let ingest = graph.add_node(Node::Ingest);
        Builder {
            graph,
            ingest,
            size,
            reorth,
        }
    }

    /// A itself goes into a product.
    fn reads_matrix(&mut self, product: NodeIndex) {
        let shape = Extents::Matrix(self.size.rows, self.size.columns);
        self.graph
            .add_edge(self.ingest, product, tensor("A", shape, Dtype::F16));
    }

    /// A product of A and a vector.
    fn product(&mut self, node: Node, from: NodeIndex, input: Side) -> NodeIndex {
        let product = self.add(node, from, self.vector(input, "vector"));
        self.reads_matrix(product);
        product
    }

    /// The unnormalized start vector from the statistics of A.
    fn start(&mut self, start: StartKind) -> NodeIndex {
        let sums = Extents::Vector(self.size.columns);
        self.add(
            Node::Start(start),
            self.ingest,
            tensor("column sums", sums, Dtype::F32),
        )
    }

    /// Gram-Schmidt passes against a basis; `kept` neighbours' coefficients are entries of the triangular matrix.
    fn orthogonalized(
        &mut self,
        side: Side,
        step: u16,
        mut node: NodeIndex,
        basis: &[NodeIndex],
        kept: u16,
    ) -> NodeIndex {
        let against = u16::try_from(basis.len()).expect("iterations fit 16 bits");
        if against == 0 {
            return node;
        }
        for pass in 0..self.reorth.passes {
            node = self.add(
                Node::Orthogonalize {
                    side,
                    step,
                    against,
                    scheme: self.reorth.scheme,
                    kept: if pass == 0 { kept } else { 0 },
                },
                node,
                self.vector(side, "vector"),
            );
            for vector in basis {
                self.graph
                    .add_edge(*vector, node, self.vector(side, "basis vector"));
            }
        }
        node
    }

    /// Both factors from the small SVD and the bases.
    fn finish(mut self, svd: NodeIndex, us: &[NodeIndex], vs: &[NodeIndex]) -> OpGraph {
        let Size {
            rows,
            columns,
            iterations,
            rank,
        } = self.size;
        let coefficients = Extents::Matrix(iterations.into(), rank.into());
        for (side, basis, name) in [(Side::U, us, "U_h"), (Side::V, vs, "V_h")] {
            let factor = self.add(
                Node::Factor { side },
                svd,
                tensor(name, coefficients, Dtype::F16),
            );
            for vector in basis {
                self.graph
                    .add_edge(*vector, factor, self.vector(side, "basis vector"));
            }
        }
        OpGraph {
            graph: self.graph,
            rows,
            columns,
            iterations,
            rank,
        }
    }

    fn vector(&self, side: Side, name: &'static str) -> Tensor {
        let len = match side {
            Side::U => self.size.rows,
            Side::V => self.size.columns,
        };
        tensor(name, Extents::Vector(len), Dtype::F16)
    }

    fn add(&mut self, node: Node, from: NodeIndex, tensor: Tensor) -> NodeIndex {
        let to = self.graph.add_node(node);
        self.graph.add_edge(from, to, tensor);
        to
    }
}
