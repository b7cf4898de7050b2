//! Algorithms that multiply A by several vectors in one pass.

use petgraph::graph::NodeIndex;

use super::{Builder, Dtype, Extents, Node, OpGraph, Reorthogonalization, Size, Test, tensor};
use crate::operand::{Side, StartKind};

/// Block Golub-Kahan: blocks of `block` vectors, the first one the start vector and random signs. A V = U T with an upper
/// triangular T of `block` diagonals above the main one (Golub, Luk and Overton, ACM TOMS 7 (1981) 149). Reads A twice per block,
/// once for the last one.
///
/// # Panics
/// See [`Size`]; `block` and the Gram-Schmidt passes must be at least 1.
#[must_use]
pub fn block_golub_kahan(
    size: Size,
    start: StartKind,
    reorth: Reorthogonalization,
    block: u16,
) -> OpGraph {
    assert!(block >= 1, "a block has at least one vector");
    let mut b = Blocks::new(size, reorth);
    let block = block.min(size.iterations);
    let band = block.min(size.iterations - 1);
    let mut fresh = vec![b.builder.start(start)];
    fresh.extend(b.sketch(1, block - 1));
    b.orthonormal(Side::V, 0, &fresh, Kind::Tested);
    for first in (0..size.iterations).step_by(block.into()) {
        let count = block.min(size.iterations - first);
        let product = b.products(Side::U, first, first, count);
        b.orthonormal(Side::U, first, &product, Kind::Kept { band });
        let next = first + count;
        let count = block.min(size.iterations - next);
        if count > 0 {
            // The next block of V comes from as many of the vectors that were just made.
            let product = b.products(Side::V, next, first, count);
            b.orthonormal(Side::V, next, &product, Kind::Tested);
        }
    }
    b.finish(band, false)
}

/// Randomized SVD (Halko, Martinsson and Tropp, SIAM Review 53 (2011) 217): the range of A times `iterations` vectors of random
/// signs, made orthonormal by Gram-Schmidt, which the machine has; `power` times through A^T and A again, orthonormal after each
/// product; then A^T Q = V R and the SVD of R. Reads A 2 + 2 `power` times.
///
/// # Panics
/// See [`Size`]; the Gram-Schmidt passes must be at least 1.
#[must_use]
pub fn randomized(size: Size, reorth: Reorthogonalization, power: u16) -> OpGraph {
    let mut b = Blocks::new(size, reorth);
    let count = size.iterations;
    b.vs = b.sketch(0, count);
    for _ in 0..power {
        for side in [Side::U, Side::V] {
            let product = b.products(side, 0, 0, count);
            b.orthonormal(side, 0, &product, Kind::Tested);
        }
    }
    let product = b.products(Side::U, 0, 0, count);
    b.orthonormal(Side::U, 0, &product, Kind::Tested);
    let product = b.products(Side::V, 0, 0, count);
    let band = count - 1;
    b.orthonormal(Side::V, 0, &product, Kind::Kept { band });
    b.finish(band, true)
}

/// What becomes of the coefficients and norms of a block.
#[derive(Clone, Copy)]
enum Kind {
    /// Norms are tested.
    Tested,
    /// Norms are tested; with the coefficients of `band` neighbours they are entries of the triangular matrix.
    Kept { band: u16 },
}

struct Blocks {
    builder: Builder,
    us: Vec<NodeIndex>,
    vs: Vec<NodeIndex>,
    /// Where the entries of the triangular matrix come from.
    entries: Vec<NodeIndex>,
}

impl Blocks {
    fn new(size: Size, reorth: Reorthogonalization) -> Blocks {
        assert!(
            reorth.passes >= 1,
            "the coefficients are those of Gram-Schmidt"
        );
        Blocks {
            builder: Builder::new(size, reorth),
            us: Vec::new(),
            vs: Vec::new(),
            entries: Vec::new(),
        }
    }

    fn basis(&mut self, side: Side) -> &mut Vec<NodeIndex> {
        match side {
            Side::U => &mut self.us,
            Side::V => &mut self.vs,
        }
    }

    /// Random vectors of V, a node each time they are used.
    fn sketch(&mut self, first: u16, count: u16) -> Vec<NodeIndex> {
        if count == 0 {
            return Vec::new();
        }
        let node = self.builder.graph.add_node(Node::Sketch { first, count });
        vec![node; count.into()]
    }

    /// A times a block of the other basis.
    fn products(&mut self, side: Side, first: u16, from: u16, count: u16) -> Vec<NodeIndex> {
        let (input, factors) = match side {
            Side::U => (Side::V, &self.vs),
            Side::V => (Side::U, &self.us),
        };
        let factors = factors[from.into()..][..count.into()].to_vec();
        let node = self.builder.graph.add_node(Node::Products {
            side,
            first,
            from,
            count,
        });
        self.builder.reads_matrix(node);
        for factor in factors {
            let vector = self.builder.vector(input, "vector");
            self.builder.graph.add_edge(factor, node, vector);
        }
        vec![node; count.into()]
    }

    /// Makes fresh vectors, of which the first becomes column `first`, orthonormal to the basis and one another.
    fn orthonormal(&mut self, side: Side, first: u16, fresh: &[NodeIndex], kind: Kind) {
        let kept = match kind {
            Kind::Kept { band } => band,
            Kind::Tested => 0,
        };
        self.basis(side).truncate(first.into());
        for (column, &node) in (first..).zip(fresh) {
            let basis = self.basis(side).clone();
            let b = &mut self.builder;
            let node = b.orthogonalized(side, column, node, &basis, kept.min(column));
            // A start block is compared with its own first norm, what follows with that of U's first vector.
            let test = if column == 0 { Test::First } else { Test::Next };
            let normalize = Node::Normalize {
                side,
                step: column,
                column,
                test,
                kept: matches!(kind, Kind::Kept { .. }),
            };
            let node = b.add(normalize, node, b.vector(side, "vector"));
            if matches!(kind, Kind::Kept { .. }) {
                self.entries.push(node);
            }
            self.basis(side).push(node);
        }
    }

    /// SVD of the triangular matrix, and the factors.
    fn finish(mut self, band: u16, transposed: bool) -> OpGraph {
        let svd = self
            .builder
            .graph
            .add_node(Node::TriangularSvd { band, transposed });
        for entry in &self.entries {
            let norm = tensor("row of T", Extents::Scalar, Dtype::F32);
            self.builder.graph.add_edge(*entry, svd, norm);
        }
        self.builder.finish(svd, &self.us, &self.vs)
    }
}
