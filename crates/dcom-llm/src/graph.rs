//! The op-graph of a decoder layer and of a model, as it is or with layers computed on factors.
//!
//! A decomposed layer keeps its activations as `U (S x r)` times `V (r x C)` plus outlier channels `X_o (S x o)`. A linear map works on
//! `V` alone (section 3.2, equation 6): `V* = V W`. Where the original shape is needed (rotary embedding and softmax, activation function,
//! residual), `U V* + X_o W_o` is formed as one product with r + o inner columns. After each of these, [`Flow::return_to_factors`]
//! says how factors come back. With factors of the weight too, all of that happens in its p columns (equation 7), and the last
//! product with `V_W` is one for all prompts.

use petgraph::graph::{DiGraph, NodeIndex};

use crate::model::{Linear, Model};
use crate::op::{Decomposition, Elementwise, Op, Work};
use crate::plan::{Flow, LayerPlan, Outliers, Plan, Return, Scan};

/// Ops, and the elements that pass from one to the next.
pub type Graph = DiGraph<Op, u64>;

/// What runs through a model at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Prompts, B.
    pub prompts: u64,
    /// Tokens of a prompt that are computed, S: all of it in prefill, one in decode.
    pub tokens: u64,
    /// Tokens that attention looks at: those computed, and in decode those before.
    pub context: u64,
}

impl Batch {
    /// Prompts are read.
    #[must_use]
    pub fn prefill(prompts: u64, tokens: u64) -> Batch {
        Batch {
            prompts,
            tokens,
            context: tokens,
        }
    }

    /// The next token of every prompt after `context` others.
    ///
    /// An activation then is a single row, which is its own factor of rank 1: there is nothing to decompose, and a plan changes a
    /// layer only by its weights' factors.
    #[must_use]
    pub fn decode(prompts: u64, context: u64) -> Batch {
        Batch {
            prompts,
            tokens: 1,
            context: context + 1,
        }
    }

    fn rows(&self) -> u64 {
        self.prompts * self.tokens
    }
}

/// How attention is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Scores go to memory and back.
    Naive,
    /// One kernel; scores stay on chip, those after the query are left out.
    Fused,
}

/// The op-graph of a whole model.
#[must_use]
pub fn model_graph(model: &Model, batch: Batch, attention: Attention, plan: &Plan) -> Graph {
    let mut build = Build::new(model, batch, attention);
    let hidden = u64::from(model.hidden);
    let mut x = build.elementwise("embed", Elementwise::Embed, batch.rows() * hidden, &[]);
    for layer in 0..model.layers {
        build.layer = Some(layer);
        x = build.decoder_layer(x, plan.flow, plan.layer(layer));
    }
    build.layer = None;
    let norm = build.elementwise("norm", Elementwise::Norm, batch.rows() * hidden, &[x]);
    build.linear("head", norm, hidden, u64::from(model.vocabulary));
    build.graph
}

/// The op-graph of one decoder layer; its first node stands for the incoming activation.
#[must_use]
pub fn layer_graph(
    model: &Model,
    batch: Batch,
    attention: Attention,
    flow: Flow,
    plan: Option<&LayerPlan>,
) -> Graph {
    let mut build = Build::new(model, batch, attention);
    build.layer = Some(0);
    build.decoder_layer(NodeIndex::end(), flow, plan);
    build.graph
}

struct Build<'a> {
    model: &'a Model,
    batch: Batch,
    attention: Attention,
    layer: Option<u32>,
    graph: Graph,
}

/// An activation on factors.
#[derive(Clone, Copy)]
struct Factored<'a> {
    plan: &'a LayerPlan,
    flow: Flow,
    /// Rank, not above the tokens.
    rank: u64,
    /// What `U` comes from.
    left: NodeIndex,
    /// What `V` comes from.
    right: NodeIndex,
    /// What the outlier channels, or their factors, come from.
    outliers: NodeIndex,
    /// Channels.
    channels: u64,
}

impl<'a> Build<'a> {
    fn new(model: &'a Model, batch: Batch, attention: Attention) -> Build<'a> {
        Build {
            model,
            batch,
            attention,
            layer: None,
            graph: Graph::new(),
        }
    }

    fn add(&mut self, name: &str, work: Work, split: bool, inputs: &[NodeIndex]) -> NodeIndex {
        let node = self.graph.add_node(Op {
            name: name.to_owned(),
            layer: self.layer,
            work,
            split,
        });
        for input in inputs.iter().filter(|input| **input != NodeIndex::end()) {
            let elements = output_elements(&self.graph[*input].work);
            self.graph.update_edge(*input, node, elements);
        }
        node
    }

    /// The residual stream and its norms are on every GPU; the rest is split.
    fn elementwise(
        &mut self,
        name: &str,
        kind: Elementwise,
        elements: u64,
        inputs: &[NodeIndex],
    ) -> NodeIndex {
        let split = !matches!(
            kind,
            Elementwise::Norm | Elementwise::Residual | Elementwise::Embed
        );
        self.add(name, Work::Elementwise { kind, elements }, split, inputs)
    }

    /// `count` products of activations.
    fn product(
        &mut self,
        name: &str,
        [count, m, k, n]: [u64; 4],
        inputs: &[NodeIndex],
    ) -> NodeIndex {
        let work = Work::Product {
            count,
            m,
            k,
            n,
            weight: false,
        };
        self.add(name, work, true, inputs)
    }

    /// `rows` rows times a weight.
    fn weighted(
        &mut self,
        name: &str,
        rows: u64,
        k: u64,
        n: u64,
        input: &[NodeIndex],
    ) -> NodeIndex {
        let work = Work::Product {
            count: 1,
            m: rows,
            k,
            n,
            weight: true,
        };
        self.add(name, work, true, input)
    }

    fn linear(&mut self, name: &str, input: NodeIndex, k: u64, n: u64) -> NodeIndex {
        self.weighted(name, self.batch.rows(), k, n, &[input])
    }

    fn decoder_layer(&mut self, x: NodeIndex, flow: Flow, plan: Option<&LayerPlan>) -> NodeIndex {
        // A single row is its own factor of rank 1.
        let activations = plan.filter(|_| self.batch.tokens > 1);
        let hidden = u64::from(self.model.hidden);
        let stream = self.batch.rows() * hidden;
        let [q, k, v, o, gate, up, down] = self.model.linears();

        let norm = self.elementwise("norm1", Elementwise::Norm, stream, &[x]);
        let input = activations.map(|plan| self.decompose(norm, plan, flow));
        let q = self.map(q, norm, input, plan);
        let k = self.map(k, norm, input, plan);
        let v = self.map(v, norm, input, plan);
        let mixed = self.attention(q, k, v);
        let input = input
            .and_then(|first| self.again("attention", mixed, first, self.model.query_channels()));
        let o = self.map_summed(o, mixed, input, plan);
        let x = self.elementwise("residual1", Elementwise::Residual, stream, &[x, o]);

        let norm = self.elementwise("norm2", Elementwise::Norm, stream, &[x]);
        let first = input;
        let input = first.and_then(|first| self.again("mlp", norm, first, hidden));
        let gate = self.map(gate, norm, input, plan);
        let up = self.map(up, norm, input, plan);
        let inner = u64::from(self.model.feed_forward);
        let elements = self.batch.rows() * inner;
        let product = self.elementwise("silu_mul", Elementwise::SiluMul, elements, &[gate, up]);
        let input = first.and_then(|first| self.again("down", product, first, inner));
        let down = self.map_summed(down, product, input, plan);
        self.elementwise("residual2", Elementwise::Residual, stream, &[x, down])
    }

    fn attention(&mut self, q: NodeIndex, k: NodeIndex, v: NodeIndex) -> NodeIndex {
        let (model, batch) = (self.model, self.batch);
        let rows = batch.rows();
        let q = self.elementwise(
            "rope_q",
            Elementwise::Rope,
            rows * model.query_channels(),
            &[q],
        );
        let k = self.elementwise(
            "rope_k",
            Elementwise::Rope,
            rows * model.kv_channels(),
            &[k],
        );
        let kv_heads = u64::from(model.kv_heads);
        let count = batch.prompts * kv_heads;
        let queries = batch.tokens * u64::from(model.heads) / kv_heads;
        let channels = u64::from(model.head_channels);
        match self.attention {
            Attention::Fused => {
                let work = Work::FusedAttention {
                    count,
                    queries,
                    keys: batch.context,
                    channels,
                    causal: batch.tokens == batch.context,
                };
                self.add("attention", work, true, &[q, k, v])
            }
            Attention::Naive => {
                let scores =
                    self.product("scores", [count, queries, channels, batch.context], &[q, k]);
                let elements = count * queries * batch.context;
                let softmax =
                    self.elementwise("softmax", Elementwise::Softmax, elements, &[scores]);
                self.product(
                    "values",
                    [count, queries, batch.context, channels],
                    &[softmax, v],
                )
            }
        }
    }

    /// The factors of the layer's input, and its outlier channels.
    fn decompose<'p>(&mut self, x: NodeIndex, plan: &'p LayerPlan, flow: Flow) -> Factored<'p> {
        let channels = u64::from(self.model.hidden);
        let scanned = match flow.outlier_scan {
            Scan::Gpu => self.scan("input", x, plan, channels),
            Scan::Dcom => x,
        };
        let node = self.decomposition("decompose", scanned, channels, plan.rank, plan.iterations);
        // Found while A arrives: the GPU copies the channels out when it knows them.
        let found = match flow.outlier_scan {
            Scan::Gpu => scanned,
            Scan::Dcom => node,
        };
        let outliers = self.outliers("input", x, found, plan, channels);
        Factored {
            plan,
            flow,
            rank: u64::from(plan.rank).min(self.batch.tokens),
            left: node,
            right: node,
            outliers,
            channels,
        }
    }

    fn decomposition(
        &mut self,
        name: &str,
        x: NodeIndex,
        columns: u64,
        rank: u32,
        iterations: u32,
    ) -> NodeIndex {
        let small =
            |count: u64| u32::try_from(count).expect("the files' ranges keep sizes below 2^32");
        let (rows, columns) = (small(self.batch.tokens), small(columns));
        let side = rows.min(columns);
        let work = Work::Decompose(Decomposition {
            prompts: small(self.batch.prompts),
            rows,
            columns,
            rank: rank.min(side),
            iterations: iterations.min(side),
        });
        self.add(name, work, true, &[x])
    }

    fn scan(&mut self, name: &str, x: NodeIndex, plan: &LayerPlan, channels: u64) -> NodeIndex {
        if plan.outlier_percent == 0.0 {
            return x;
        }
        let elements = self.batch.rows() * channels;
        self.elementwise(
            &format!("{name}.scan"),
            Elementwise::OutlierScan,
            elements,
            &[x],
        )
    }

    /// The outlier channels of `x`, copied out, or their factors.
    fn outliers(
        &mut self,
        name: &str,
        x: NodeIndex,
        found: NodeIndex,
        plan: &LayerPlan,
        channels: u64,
    ) -> NodeIndex {
        let outliers = plan.outlier_channels(channels);
        if outliers == 0 {
            return x;
        }
        let gathered = self.elementwise(
            &format!("{name}.outliers"),
            Elementwise::Gather,
            self.batch.rows() * outliers,
            &[x, found],
        );
        match plan.outliers {
            Outliers::Exact => gathered,
            Outliers::Decomposed => {
                let rank = plan.outlier_rank;
                let name = format!("{name}.outliers.decompose");
                self.decomposition(&name, gathered, outliers, rank, rank)
            }
        }
    }

    /// An activation that was reconstructed, on factors again; none if it stays dense.
    fn again<'p>(
        &mut self,
        name: &str,
        x: NodeIndex,
        first: Factored<'p>,
        channels: u64,
    ) -> Option<Factored<'p>> {
        let Factored { plan, flow, .. } = first;
        let prompts = self.batch.prompts;
        let (left, right) = match flow.return_to_factors {
            Return::Dense => return None,
            Return::Project => {
                let shape = [prompts, first.rank, self.batch.tokens, channels];
                let right = self.product(&format!("{name}.project"), shape, &[first.left, x]);
                (first.left, right)
            }
            Return::Decompose => {
                let name = format!("{name}.decompose");
                let node = self.decomposition(&name, x, channels, plan.rank, plan.iterations);
                (node, node)
            }
        };
        let found = self.scan(name, x, plan, channels);
        let outliers = self.outliers(name, x, found, plan, channels);
        Some(Factored {
            left,
            right,
            outliers,
            channels,
            ..first
        })
    }

    /// A linear map whose input every GPU has; the result has its original shape.
    fn map(
        &mut self,
        (linear, k, n): (Linear, u64, u64),
        x: NodeIndex,
        input: Option<Factored<'_>>,
        plan: Option<&LayerPlan>,
    ) -> NodeIndex {
        let name = linear.name();
        match (input, plan.and_then(|plan| plan.weight_rank)) {
            (None, None) => self.linear(name, x, k, n),
            (None, Some(p)) => {
                let p = u64::from(p).min(k).min(n);
                let inner = self.linear(&format!("{name}.u"), x, k, p);
                self.linear(&format!("{name}.v"), inner, p, n)
            }
            (Some(input), None) => {
                let right = self.right(name, input, n);
                self.multiply_out(name, "reconstruct", input, right, n, true)
            }
            (Some(input), Some(p)) => {
                let p = u64::from(p).min(k).min(n);
                let right = self.right_both(name, input, p);
                let inner = self.multiply_out(name, "inner", input, right, p, true);
                self.linear(&format!("{name}.v"), inner, p, n)
            }
        }
    }

    /// A linear map whose input is split over the GPUs by channels, so that their results are summed: on factors where there are
    /// some, which every GPU then multiplies out.
    fn map_summed(
        &mut self,
        linear: (Linear, u64, u64),
        x: NodeIndex,
        input: Option<Factored<'_>>,
        plan: Option<&LayerPlan>,
    ) -> NodeIndex {
        let (kind, k, n) = linear;
        let name = kind.name();
        let weight_rank = plan.and_then(|plan| plan.weight_rank);
        let sum = format!("{name}.sum");
        let Some(input) = input else {
            let dense = self.map(linear, x, None, plan);
            let elements = self.batch.rows() * n;
            return self.add(&sum, Work::AllReduce { elements }, true, &[dense]);
        };
        // What the GPUs sum is small; the outlier channels, which every GPU has a part of, are gathered.
        let outliers = self.batch.rows() * input.plan.outlier_factors(k);
        let rank = self.batch.prompts * input.rank;
        if let Some(p) = weight_rank {
            let p = u64::from(p).min(k).min(n);
            let right = self.right_both(name, input, p);
            let elements = rank * p + outliers;
            let right = self.add(
                &sum,
                Work::AllReduce { elements },
                true,
                &[right, input.outliers],
            );
            let inner = self.multiply_out(name, "inner", input, right, p, false);
            // Every GPU multiplies out what every GPU needs.
            let work = Work::Product {
                count: 1,
                m: self.batch.rows(),
                k: p,
                n,
                weight: true,
            };
            return self.add(&format!("{name}.v"), work, false, &[inner]);
        }
        let right = self.right(name, input, n);
        let elements = rank * n + outliers;
        let right = self.add(
            &sum,
            Work::AllReduce { elements },
            true,
            &[right, input.outliers],
        );
        self.multiply_out(name, "reconstruct", input, right, n, false)
    }

    /// `V* = V W` (equation 6).
    fn right(&mut self, name: &str, input: Factored<'_>, n: u64) -> NodeIndex {
        let rows = self.batch.prompts * input.rank;
        self.weighted(
            &format!("{name}.v"),
            rows,
            input.channels,
            n,
            &[input.right],
        )
    }

    /// `V U_W S_W`, the part of equation 7 that needs no tokens.
    fn right_both(&mut self, name: &str, input: Factored<'_>, p: u64) -> NodeIndex {
        let rows = self.batch.prompts * input.rank;
        let left = self.weighted(
            &format!("{name}.u"),
            rows,
            input.channels,
            p,
            &[input.right],
        );
        self.weighted(&format!("{name}.sigma"), rows, p, p, &[left])
    }

    /// The factors times `right` and the outlier channels times their rows of the weight, as one product of `r + o` inner columns;
    /// each prompt has outlier channels of its own, so these rows are copied for each.
    fn multiply_out(
        &mut self,
        name: &str,
        what: &str,
        input: Factored<'_>,
        right: NodeIndex,
        n: u64,
        split: bool,
    ) -> NodeIndex {
        let (prompts, tokens) = (self.batch.prompts, self.batch.tokens);
        let outliers = input.plan.outlier_channels(input.channels);
        let factors = input.plan.outlier_factors(input.channels);
        let mut inputs = vec![input.left, right];
        if outliers > 0 {
            let elements = prompts * outliers * n;
            let mut rows = self.elementwise(
                &format!("{name}.rows"),
                Elementwise::Gather,
                elements,
                &[input.outliers],
            );
            if factors < outliers {
                rows = self.product(
                    &format!("{name}.outliers"),
                    [prompts, factors, outliers, n],
                    &[rows],
                );
            }
            inputs.push(rows);
        }
        let work = Work::Product {
            count: prompts,
            m: tokens,
            k: input.rank + factors,
            n,
            weight: false,
        };
        self.add(&format!("{name}.{what}"), work, split, &inputs)
    }
}

/// Elements of an op's result.
#[must_use]
pub fn output_elements(work: &Work) -> u64 {
    match *work {
        Work::Product { count, m, n, .. } => count * m * n,
        Work::Elementwise {
            kind: Elementwise::OutlierScan,
            ..
        } => 0,
        Work::Elementwise { elements, .. } | Work::AllReduce { elements } => elements,
        Work::FusedAttention {
            count,
            queries,
            channels,
            ..
        } => count * queries * channels,
        Work::Decompose(Decomposition {
            prompts,
            rows,
            columns,
            rank,
            ..
        }) => u64::from(prompts) * u64::from(rank) * (u64::from(rows) + u64::from(columns)),
    }
}
