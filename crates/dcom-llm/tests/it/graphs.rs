//! Op-graphs: sizes against published ones, decomposed layers against products counted by hand.

use dcom_llm::{
    Attention, Batch, Flow, Graph, Kernels, LayerPlan, Op, Outliers, Plan, Return, Scan, Work,
    layer_graph, model_graph,
};
use petgraph::algo;

use crate::{model, rank};

fn op<'a>(graph: &'a Graph, name: &str) -> &'a Op {
    let mut found = graph.node_weights().filter(|op| op.name == name);
    let op = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "two of {name}");
    op
}

fn flops(graph: &Graph) -> u64 {
    graph.node_weights().map(Op::flops).sum()
}

/// Published parameter counts.
#[test]
fn models_have_their_published_sizes() {
    for (name, millions) in [
        ("llama-2-7b", 6_738),
        ("llama-2-13b", 13_015),
        ("llama-2-70b", 68_976),
        ("llama-3-8b", 8_030),
    ] {
        assert_eq!(model(name).weights() / 1_000_000, millions, "{name}");
    }
    // 8 (4 160^2 + 3 160 432 + 2 160) + 256 160 + 160
    assert_eq!(model("tiny").weights(), 8 * 310_080 + 41_120);
}

/// Products of a Llama-2-7B layer at S = 4096: 2 S (4 H^2 + 3 H F) for the weights and 4 S^2 H for the attention.
#[test]
fn operations_of_a_layer() {
    let graph = layer_graph(
        &model("llama-2-7b"),
        Batch::prefill(1, 4096),
        Attention::Naive,
        Flow::default(),
        None,
    );
    let products: u64 = graph
        .node_weights()
        .filter(|op| matches!(op.work, Work::Product { .. }))
        .map(Op::flops)
        .sum();
    assert_eq!(
        products,
        2 * 4096 * (4 * 4096 * 4096 + 3 * 4096 * 11008) + 4 * 4096 * 4096 * 4096
    );
}

/// Fused attention leaves out half of the scores in prefill, none in decode.
#[test]
fn causal_attention() {
    let model = model("llama-3-8b");
    let at = |batch, attention| layer_graph(&model, batch, attention, Flow::default(), None);
    let prefill = Batch::prefill(2, 100);
    let naive = at(prefill, Attention::Naive);
    let both = op(&naive, "scores").flops() + op(&naive, "values").flops();
    assert_eq!(
        op(&at(prefill, Attention::Fused), "attention").flops(),
        both / 2
    );
    // One query per head over 101 keys: 4 x 101 x 128 per head.
    let decode = at(Batch::decode(2, 100), Attention::Fused);
    assert_eq!(op(&decode, "attention").flops(), 2 * 32 * 4 * 101 * 128);
    // Eight heads of keys serve 32 of queries: keys and values are read once per group.
    assert_eq!(
        op(&decode, "attention").bytes(2, Kernels::Fused),
        2 * 2 * 8 * (4 + 101) * 128 * 2
    );
}

/// S = 6, H = 4 per prompt and rank 2, without outliers: V* = (2B x H)(H x N), then U V* back to S x N.
#[test]
fn a_decomposed_layer_multiplies_v_alone() {
    let model = model("tiny");
    let graph = layer_graph(
        &model,
        Batch::prefill(3, 100),
        Attention::Naive,
        Flow::default(),
        Some(&rank(2)),
    );
    assert_eq!(op(&graph, "decompose").shape(), "3 (100 x 160) to rank 2");
    assert_eq!(op(&graph, "gate.v").shape(), "(6 x 160) (160 x 432)");
    assert_eq!(
        op(&graph, "gate.reconstruct").shape(),
        "3 (100 x 2) (2 x 432)"
    );
    assert_eq!(
        op(&graph, "down.project").shape(),
        "3 (2 x 100) (100 x 432)"
    );
    // What the GPUs sum of the output projection is V*, not its product with U.
    assert_eq!(op(&graph, "o.sum").shape(), "960 elements");
    assert!(!algo::is_cyclic_directed(&graph));
}

/// 5 % of 160 channels are 8 outliers: 8 more inner columns, their rows of the weight copied per prompt.
#[test]
fn outliers_are_inner_columns() {
    let plan = LayerPlan {
        outlier_percent: 5.0,
        ..rank(2)
    };
    let batch = Batch::prefill(3, 100);
    let graph = layer_graph(
        &model("tiny"),
        batch,
        Attention::Naive,
        Flow::default(),
        Some(&plan),
    );
    assert_eq!(
        op(&graph, "q.reconstruct").shape(),
        "3 (100 x 10) (10 x 160)"
    );
    assert_eq!(op(&graph, "q.rows").shape(), "3840 elements");
    let decomposed = LayerPlan {
        outliers: Outliers::Decomposed,
        outlier_rank: 3,
        ..plan
    };
    let graph = layer_graph(
        &model("tiny"),
        batch,
        Attention::Naive,
        Flow::default(),
        Some(&decomposed),
    );
    assert_eq!(
        op(&graph, "input.outliers.decompose").shape(),
        "3 (100 x 8) to rank 3"
    );
    assert_eq!(op(&graph, "q.outliers").shape(), "3 (3 x 8) (8 x 160)");
    assert_eq!(op(&graph, "q.reconstruct").shape(), "3 (100 x 5) (5 x 160)");
}

/// Factors of the weight too: V U_W, the core, then p columns for every token.
#[test]
fn decomposed_weights_work_in_their_columns() {
    let plan = LayerPlan {
        weight_rank: Some(7),
        ..rank(2)
    };
    let graph = layer_graph(
        &model("tiny"),
        Batch::prefill(3, 100),
        Attention::Naive,
        Flow::default(),
        Some(&plan),
    );
    assert_eq!(op(&graph, "up.u").shape(), "(6 x 160) (160 x 7)");
    assert_eq!(op(&graph, "up.sigma").shape(), "(6 x 7) (7 x 7)");
    assert_eq!(op(&graph, "up.inner").shape(), "3 (100 x 2) (2 x 7)");
    assert_eq!(op(&graph, "up.v").shape(), "(300 x 7) (7 x 432)");
}

/// A single row is its own factor: in decode only the weights' factors change anything.
#[test]
fn decode_has_no_activation_to_decompose() {
    let model = model("llama-2-7b");
    let batch = Batch::decode(64, 2048);
    let at = |plan: Option<&LayerPlan>| {
        layer_graph(&model, batch, Attention::Naive, Flow::default(), plan)
    };
    assert_eq!(flops(&at(Some(&rank(10)))), flops(&at(None)));
    let both = LayerPlan {
        weight_rank: Some(10),
        ..rank(10)
    };
    let graph = at(Some(&both));
    assert!(
        graph
            .node_weights()
            .all(|op| !matches!(op.work, Work::Decompose(_)))
    );
    assert_eq!(op(&graph, "q.u").shape(), "(64 x 4096) (4096 x 10)");
}

/// Returns to factors: one decomposition per layer, four, or one and dense products after the attention.
#[test]
fn ways_back_to_factors() {
    let model = model("tiny");
    let count = |return_to_factors| {
        let flow = Flow {
            return_to_factors,
            outlier_scan: Scan::Gpu,
        };
        let graph = layer_graph(
            &model,
            Batch::prefill(1, 64),
            Attention::Fused,
            flow,
            Some(&rank(4)),
        );
        let decompositions = graph
            .node_weights()
            .filter(|op| matches!(op.work, Work::Decompose(_)))
            .count();
        let dense = graph.node_weights().filter(|op| op.name == "down").count();
        (decompositions, dense)
    };
    assert_eq!(count(Return::Project), (1, 0));
    assert_eq!(count(Return::Decompose), (4, 0));
    assert_eq!(count(Return::Dense), (1, 1));
}

/// The whole model is its layers, an embedding and a head; ops of a layer have names of their own.
#[test]
fn a_model_is_its_layers() {
    let model = model("tiny");
    let batch = Batch::prefill(2, 64);
    let plan = Plan::uniform("two", Flow::default(), &[2, 5], rank(4));
    let graph = model_graph(&model, batch, Attention::Naive, &plan);
    let layer = |plan| {
        flops(&layer_graph(
            &model,
            batch,
            Attention::Naive,
            Flow::default(),
            plan,
        ))
    };
    let rest: u64 = graph
        .node_weights()
        .filter(|op| op.layer.is_none())
        .map(Op::flops)
        .sum();
    assert_eq!(
        flops(&graph),
        6 * layer(None) + 2 * layer(Some(&rank(4))) + rest
    );
    for index in 0..8 {
        let mut names: Vec<&str> = graph
            .node_weights()
            .filter(|op| op.layer == Some(index))
            .map(|op| op.name.as_str())
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "layer {index}");
    }
}
