//! Golub-Kahan-Lanczos, one vector at a time.

use petgraph::graph::NodeIndex;

use super::{Builder, Dtype, Extents, Node, OpGraph, Reorthogonalization, Size, Test, tensor};
use crate::operand::{Side, StartKind};

/// Golub-Kahan-Lanczos bidiagonalization (Algorithm 1 of the paper): `iterations` columns of V,
/// then the SVD of the bidiagonal matrix and the factors of rank `rank`. Reads A 2 K - 1 times.
///
/// # Panics
/// See [`Size`].
#[must_use]
pub fn golub_kahan(size: Size, start: StartKind, reorth: Reorthogonalization) -> OpGraph {
    let mut b = Builder::new(size, reorth);
    let mut bases = b.bases(start);
    for step in 0..size.iterations {
        let v = bases.vs[usize::from(step)];
        let product = b.product(Node::MatVec { step }, v, Side::V);
        let u = b.orthonormal(Side::U, step, product, &mut bases);
        if step + 1 < size.iterations {
            let product = b.product(Node::MatVecTransposed { step }, u, Side::U);
            b.orthonormal(Side::V, step + 1, product, &mut bases);
        }
    }
    b.bidiagonal(&bases)
}

/// Golub-Kahan-Lanczos with one read of A per iteration.
///
/// u_j = (A v_j - U c) / alpha, so A^T u_j = (A^T A v_j - (A^T U) c) / alpha: A v_j and A^T (A v_j) come from one pass over A, and
/// the columns A^T u_i of earlier steps are kept. Reads A K times; subtracts (K - 1) (K - 2) / 2 vectors
/// more per Gram-Schmidt pass.
///
/// # Panics
/// See [`Size`].
#[must_use]
pub fn one_read(size: Size, start: StartKind, reorth: Reorthogonalization) -> OpGraph {
    let mut b = Builder::new(size, reorth);
    let mut bases = b.bases(start);
    let mut updates: Vec<NodeIndex> = Vec::new();
    for step in 0..size.iterations {
        let v = bases.vs[usize::from(step)];
        if step + 1 == size.iterations {
            let product = b.product(Node::MatVec { step }, v, Side::V);
            b.orthonormal(Side::U, step, product, &mut bases);
            break;
        }
        let both = b.product(Node::MatVecBoth { step }, v, Side::V);
        let u = b.orthonormal(Side::U, step, both, &mut bases);
        let update = b.add(Node::Update { step }, both, b.vector(Side::V, "A^T A v"));
        b.graph
            .add_edge(u, update, tensor("alpha, c", Extents::Scalar, Dtype::F32));
        for known in &updates {
            b.graph
                .add_edge(*known, update, b.vector(Side::V, "A^T u_i"));
        }
        updates.push(update);
        b.orthonormal(Side::V, step + 1, update, &mut bases);
    }
    b.bidiagonal(&bases)
}

/// The vectors that are there: their norms are the alphas (U) and the betas (V but its first).
struct Bases {
    us: Vec<NodeIndex>,
    vs: Vec<NodeIndex>,
}

impl Builder {
    /// The bases with the normalized start vector.
    fn bases(&mut self, start: StartKind) -> Bases {
        let start = self.start(start);
        let v = self.add(
            Node::Normalize {
                side: Side::V,
                step: 0,
                column: 0,
                test: Test::None,
                kept: false,
            },
            start,
            self.vector(Side::V, "z_0"),
        );
        Bases {
            us: Vec::new(),
            vs: vec![v],
        }
    }

    /// Orthogonalizes a fresh product against its basis, normalizes it and lets it join.
    fn orthonormal(
        &mut self,
        side: Side,
        step: u16,
        product: NodeIndex,
        bases: &mut Bases,
    ) -> NodeIndex {
        let (basis, known) = match side {
            Side::U => (&bases.us, bases.vs.last().filter(|_| step > 0)),
            Side::V => (&bases.vs, bases.us.last()),
        };
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
                *known,
                node,
                tensor("coefficient", Extents::Scalar, Dtype::F32),
            );
        }
        let node = self.orthogonalized(side, step, node, basis, 0);
        let first = side == Side::U && step == 0;
        let node = self.add(
            Node::Normalize {
                side,
                step,
                column: step,
                test: if first { Test::First } else { Test::Next },
                kept: false,
            },
            node,
            self.vector(side, "vector"),
        );
        match side {
            Side::U => bases.us.push(node),
            Side::V => bases.vs.push(node),
        }
        node
    }

    /// SVD of the bidiagonal matrix, and the factors.
    fn bidiagonal(mut self, bases: &Bases) -> OpGraph {
        let svd = self.graph.add_node(Node::SmallSvd);
        for (name, nodes) in [("alpha", &bases.us[..]), ("beta", &bases.vs[1..])] {
            for node in nodes {
                let norm = tensor(name, Extents::Scalar, Dtype::F32);
                self.graph.add_edge(*node, svd, norm);
            }
        }
        self.finish(svd, &bases.us, &bases.vs)
    }
}
