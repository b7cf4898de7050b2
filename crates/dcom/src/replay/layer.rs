//! The ops of a trace on the GPU, and the layer on factors as a plan has it.

use dcom_config::Source;
use dcom_llm::{
    Attention, Batch, Decomposer, Elementwise, Gpus, Linear, Model, Op, Plan, Work, layer_graph,
};
use dcom_report::{Cell, Column};
use dcom_trace::{Kind, OpId, Run, Trace};
use serde::Serialize;

use super::wrong;
use crate::failure::Failure;
use crate::text::section;

/// A model whose sizes are replaced by those of the trace.
const ANY_MODEL: &str = include_str!("../../../../configs/models/llama-2-7b.toml");

/// An op of the trace on the GPU.
#[derive(Debug, Serialize)]
pub(super) struct Timed {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) shape: String,
    /// All prompts.
    pub(super) us: f64,
    pub(super) recorded_us: Option<f64>,
}

/// The layer on factors.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    pub(super) plan: String,
    ops: Vec<PlannedOp>,
    gpu_us: f64,
    dcom_us: f64,
}

#[derive(Debug, Serialize)]
struct PlannedOp {
    name: String,
    shape: String,
    on_dcom: bool,
    us: f64,
}

/// Prompts and tokens that run at once, as the durations were taken; without durations each prompt by itself.
fn batches(trace: &Trace) -> Vec<(u64, u64)> {
    let lengths = trace.prompts.iter().map(|prompt| u64::from(prompt.length));
    match trace.recording.as_ref().map(|recording| recording.run) {
        Some(Run::Together) => {
            let prompts = u64::try_from(trace.prompts.len()).expect("a count");
            vec![(prompts, lengths.max().expect("at least one prompt"))]
        }
        Some(Run::OneByOne) | None => lengths.map(|length| (1, length)).collect(),
    }
}

/// Times every op of the trace but its inputs.
pub(super) fn timed(trace: &Trace, gpus: &Gpus) -> Vec<Timed> {
    let batches = batches(trace);
    let ops = trace
        .op_ids()
        .filter(|id| trace.op(*id).kind != Kind::Input);
    ops.map(|id| {
        let op = trace.op(id);
        let works = batches.iter().flat_map(|batch| works(trace, id, *batch));
        Timed {
            name: op.name.clone(),
            kind: op.kind.name(),
            shape: op.shape.to_string(),
            us: works.map(|work| kernel_us(gpus, work)).sum(),
            recorded_us: trace.recorded_us(id),
        }
    })
    .collect()
}

pub(super) fn total(ops: &[Timed]) -> f64 {
    ops.iter().map(|op| op.us).sum()
}

fn kernel_us(gpus: &Gpus, work: Work) -> f64 {
    let op = Op {
        name: String::new(),
        layer: None,
        work,
        split: true,
    };
    gpus.time(&op).us
}

/// What an op of the trace is on the GPU.
fn works(trace: &Trace, id: OpId, (prompts, tokens): (u64, u64)) -> Vec<Work> {
    let (op, model) = (trace.op(id), &trace.model);
    let short = u32::try_from(tokens).expect("a prompt's length is a u32");
    let elements = prompts * op.shape.at(short).iter().product::<u64>();
    let elementwise = |kind| Work::Elementwise { kind, elements };
    let (heads, kv_heads) = (u64::from(model.heads), u64::from(model.kv_heads));
    let head = u64::from(model.head_size);
    // Heads that share a head of keys are one product with their queries below each other.
    let (count, queries) = (prompts * kv_heads, tokens * heads / kv_heads);
    let product = |k, n| Work::Product {
        count,
        m: queries,
        k,
        n,
        weight: false,
    };
    let rope = |heads| Work::Elementwise {
        kind: Elementwise::Rope,
        elements: prompts * tokens * heads * head,
    };
    let fused = Work::FusedAttention {
        count,
        queries,
        keys: tokens,
        channels: head,
        // Keys after the query are left out in a decoder, which has rotary embeddings here, and not in an encoder.
        causal: op.kind == Kind::RopeAttention,
    };
    match op.kind {
        Kind::Input => Vec::new(),
        Kind::RmsNorm | Kind::LayerNorm => vec![elementwise(Elementwise::Norm)],
        Kind::Linear => {
            let channels = |id: OpId| {
                trace
                    .op(id)
                    .shape
                    .channels()
                    .map(u64::from)
                    .expect("checked by the reader")
            };
            let (k, n) = (channels(op.inputs[0]), channels(id));
            vec![Work::Product {
                count: 1,
                m: prompts * tokens,
                k,
                n,
                weight: true,
            }]
        }
        Kind::Rope => vec![elementwise(Elementwise::Rope)],
        Kind::AttentionScores => vec![product(head, tokens)],
        Kind::Softmax => vec![elementwise(Elementwise::Softmax)],
        Kind::AttentionValues => vec![product(tokens, head)],
        Kind::Attention => vec![fused],
        Kind::RopeAttention => vec![rope(heads), rope(kv_heads), fused],
        Kind::SiluMultiply => vec![elementwise(Elementwise::SiluMul)],
        // Every element is read and written once, as by a copy.
        Kind::Gelu => vec![elementwise(Elementwise::Gather)],
        Kind::Add => vec![elementwise(Elementwise::Residual)],
    }
}

/// The layer on factors; none, with a note, if the plan leaves it as it is.
///
/// # Errors
/// The trace is not a whole decoder layer, or D-com cannot hold an activation.
pub(super) fn planned(
    trace: &Trace,
    plan: &Plan,
    gpus: &Gpus,
    decomposer: &Decomposer,
    notes: &mut Vec<String>,
) -> Result<Option<Planned>, Failure> {
    let Some(layer) = plan.layer(trace.layer) else {
        notes.push(format!(
            "plan {} computes layer {} as it is",
            plan.name, trace.layer
        ));
        return Ok(None);
    };
    let Some(model) = decoder_model(trace)? else {
        notes.push("the trace is not a whole Llama decoder layer: what its ops cost on factors is not known".to_owned());
        return Ok(None);
    };
    let naive = trace.ops.iter().any(|op| op.kind == Kind::Softmax);
    let attention = if naive {
        Attention::Naive
    } else {
        Attention::Fused
    };
    let mut ops: Vec<PlannedOp> = Vec::new();
    for (prompts, tokens) in batches(trace) {
        let graph = layer_graph(
            &model,
            Batch::prefill(prompts, tokens),
            attention,
            plan.flow,
            Some(layer),
        );
        for op in graph.node_weights() {
            let (us, on_dcom) = planned_us(op, gpus, decomposer)?;
            match ops.iter_mut().find(|known| known.name == op.name) {
                Some(known) => known.us += us,
                None => ops.push(PlannedOp {
                    name: op.name.clone(),
                    shape: op.shape(),
                    on_dcom,
                    us,
                }),
            }
        }
    }
    let sum = |on_dcom| {
        ops.iter()
            .filter(|op| op.on_dcom == on_dcom)
            .map(|op| op.us)
            .sum()
    };
    let (gpu_us, dcom_us) = (sum(false), sum(true));
    Ok(Some(Planned {
        plan: plan.name.clone(),
        ops,
        gpu_us,
        dcom_us,
    }))
}

fn planned_us(op: &Op, gpus: &Gpus, decomposer: &Decomposer) -> Result<(f64, bool), Failure> {
    match &op.work {
        Work::Decompose(decomposition) => {
            Ok((decomposer.job(decomposition).map_err(wrong)?.us, true))
        }
        Work::Product { .. }
        | Work::Elementwise { .. }
        | Work::FusedAttention { .. }
        | Work::AllReduce { .. } => Ok((gpus.time(op).us, false)),
    }
}

/// The trace's model, if its linear ops are those of a Llama decoder layer.
fn decoder_model(trace: &Trace) -> Result<Option<Model>, Failure> {
    let mut model = Model::parse(Source::new("llama-2-7b.toml (built in)", ANY_MODEL))?;
    let m = &trace.model;
    for (key, size) in [
        ("model.hidden", m.hidden),
        ("model.feed_forward", m.ffn),
        ("attention.heads", m.heads),
        ("attention.kv_heads", m.kv_heads),
        ("attention.head_channels", m.head_size),
    ] {
        model.set(key, &size.to_string())?;
    }
    let channels = |id: OpId| trace.op(id).shape.channels().map_or(0, u64::from);
    let linear = trace
        .op_ids()
        .filter(|id| trace.op(*id).kind == Kind::Linear);
    let mut found: Vec<(u64, u64)> = linear
        .map(|id| (channels(trace.op(id).inputs[0]), channels(id)))
        .collect();
    let mut expected = model.linears().map(|(_, k, n): (Linear, u64, u64)| (k, n));
    found.sort_unstable();
    expected.sort_unstable();
    Ok((found == expected).then_some(model))
}

impl Planned {
    /// The ops, and the sum beside that of the original layer.
    pub(super) fn table(&self, original_us: f64) -> String {
        let columns = vec![
            Column::new("op"),
            Column::new("shape of the first batch"),
            Column::new("on"),
            Column::new("time").unit("us"),
        ];
        let row = |op: &PlannedOp| -> Vec<Cell> {
            vec![
                op.name.as_str().into(),
                op.shape.as_str().into(),
                if op.on_dcom { "D-com" } else { "GPU" }.into(),
                Cell::real(op.us, 4),
            ]
        };
        let mut rows: Vec<Vec<Cell>> = self.ops.iter().map(row).collect();
        for (name, on, us) in [
            ("total", "GPU", self.gpu_us),
            ("total", "D-com", self.dcom_us),
        ] {
            rows.push(vec![name.into(), "".into(), on.into(), Cell::real(us, 4)]);
        }
        let one_after_the_other = self.gpu_us + self.dcom_us;
        let longer = self.gpu_us.max(self.dcom_us);
        let ratio = |us: f64| format!("{:.3}", us / original_us);
        section(columns, rows)
            + &format!(
                "  against the original layer: {} one after the other, {} with both machines always at work\n",
                ratio(one_after_the_other),
                ratio(longer)
            )
    }
}
