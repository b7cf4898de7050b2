//! Re-orthogonalization: each dot product and each correction meets the basis vector that the algorithm says, in its order,
//! however far vectors are loaded ahead.

use std::cell::Cell;
use std::collections::BTreeMap;

use dcom_isa::opgraph::{GramSchmidt, Node};
use dcom_isa::{BankVec, Buf, BufferKind, Op, Program, Side};
use dcom_mapper::{Algorithm, map};
use proptest::prelude::*;

use crate::random::each_case;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Use {
    Dot { side: Side, index: u16 },
    Correction { side: Side, index: u16 },
}

/// What the program does with basis vectors, by what was loaded last into the regions that it uses.
fn uses(program: &Program) -> Vec<Use> {
    // The start vector is V's first; what is stored first after it belongs to V, then to U.
    let mut stacks: Vec<u16> = Vec::new();
    let mut loaded: BTreeMap<Buf, BankVec> = BTreeMap::new();
    let mut uses = Vec::new();
    for instr in &program.instrs {
        match instr.op {
            Op::St { dst, .. } if !stacks.contains(&dst.stack) => stacks.push(dst.stack),
            Op::Ld { dst, src } => {
                loaded.insert(dst, src);
            }
            // A norm is the dot product of a vector with itself.
            Op::Dot { a, b, .. } if a != b => {
                let from = loaded[&a];
                uses.push(Use::Dot {
                    side: side(&stacks, from),
                    index: from.index,
                });
            }
            // The three-term recurrence has a scalar, and its vector at hand.
            Op::Corr { v, c, .. } | Op::Axpy { v, c, .. }
                if program.buffers[c.index()].kind != BufferKind::Scalar =>
            {
                let from = loaded[&v];
                uses.push(Use::Correction {
                    side: side(&stacks, from),
                    index: from.index,
                });
            }
            _ => {}
        }
    }
    uses
}

fn side(stacks: &[u16], v: BankVec) -> Side {
    match stacks.iter().position(|s| *s == v.stack) {
        Some(0) => Side::V,
        Some(1) => Side::U,
        other => panic!("{v} is in stack {other:?} in the order of first stores"),
    }
}

/// What Gram-Schmidt says.
fn expected(nodes: impl Iterator<Item = Node>) -> Vec<Use> {
    let mut uses = Vec::new();
    for node in nodes {
        let Node::Orthogonalize {
            side,
            against,
            scheme,
            ..
        } = node
        else {
            continue;
        };
        let dot = |index| Use::Dot { side, index };
        let correction = |index| Use::Correction { side, index };
        match scheme {
            GramSchmidt::Classical => {
                uses.extend((0..against).map(dot).chain((0..against).map(correction)))
            }
            GramSchmidt::Modified => {
                uses.extend((0..against).flat_map(|i| [dot(i), correction(i)]))
            }
        }
    }
    uses
}

#[test]
fn basis_vectors_are_used_in_order() {
    let checked = Cell::new(0);
    each_case(1500, |case| {
        let (arch, w) = (case.machine(), case.workload());
        let Ok(mapped) = map(&arch, &w) else {
            return Ok(());
        };
        // The walk above knows two bases, V's first.
        if w.prompts > 1 || w.algorithm != Algorithm::GolubKahan {
            return Ok(());
        }
        let nodes = mapped.graph.graph.node_weights().cloned();
        prop_assert_eq!(uses(&mapped.program), expected(nodes));
        checked.set(checked.get() + 1);
        Ok(())
    });
    assert!(checked.get() > 8, "only {} cases", checked.get());
}
