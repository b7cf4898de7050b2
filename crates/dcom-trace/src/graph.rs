//! Order of the ops: no op waits for itself, and the list is an order in which they can run.

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

/// Why a list of ops cannot run in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrderError {
    /// Ops that wait for each other, in the order of the list.
    Cycle(Vec<usize>),
    /// An op that stands before one that it needs.
    Late {
        /// The op.
        op: usize,
        /// Which of its inputs.
        input: usize,
    },
}

/// Checks the inputs of all ops, given by their places in the list.
pub(crate) fn check_order(inputs: &[Vec<usize>]) -> Result<(), OrderError> {
    let edges = || {
        let edges =
            |(op, inputs): (usize, &Vec<usize>)| inputs.clone().into_iter().map(move |i| (i, op));
        inputs.iter().enumerate().flat_map(edges)
    };
    let Some((input, op)) = edges().find(|(input, op)| input >= op) else {
        return Ok(());
    };
    let graph = DiGraphMap::<usize, ()>::from_edges(edges());
    let in_cycle = |component: &Vec<usize>| {
        component.len() > 1 || graph.contains_edge(component[0], component[0])
    };
    let mut cycles = tarjan_scc(&graph);
    cycles.retain(in_cycle);
    cycles.iter_mut().for_each(|cycle| cycle.sort_unstable());
    match cycles.into_iter().min() {
        Some(cycle) => Err(OrderError::Cycle(cycle)),
        None => Err(OrderError::Late { op, input }),
    }
}
