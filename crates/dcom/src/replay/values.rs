//! The activations that linear ops read: their decomposition on D-com, and what it leaves of the recorded ones.

use dcom_arch::Arch;
use dcom_llm::{Decomposition, Outliers, Plan, Return};
use dcom_mapper::WorkloadParams;
use dcom_report::{Cell, Column};
use dcom_trace::{
    Calibration, Decomposer, Kept, OpId, PromptId, Reconstruction, Request, Sizes, Trace, Track,
};
use serde_json::{Value, json};

use super::wrong;
use crate::failure::Failure;
use crate::progress;
use crate::text::{percent, section};

/// What every activation is decomposed to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    rank: usize,
    /// As many more than the rank as is usual, unless a plan says it.
    iterations: Option<usize>,
    track: Track,
    /// Whether only the first activation of the layer is decomposed, and the others are projected onto its factors or stay
    /// dense.
    first_only: bool,
}

impl Job {
    /// From the plan or from the rank; none if neither asks for a decomposition of this layer.
    pub(super) fn new(trace: &Trace, plan: Option<&Plan>, rank: Option<u32>) -> Option<Job> {
        let whole = |count: u32| usize::try_from(count).expect("at most 65536");
        let planned = plan.and_then(|plan| Some((plan.flow, plan.layer(trace.layer)?)));
        if let Some((flow, layer)) = planned {
            return Some(Job {
                rank: whole(layer.rank),
                iterations: Some(whole(layer.iterations)),
                track: match layer.outliers {
                    Outliers::Exact => Track::Exact,
                    Outliers::Decomposed => Track::Decomposed(whole(layer.outlier_rank)),
                },
                first_only: flow.return_to_factors != Return::Decompose,
            });
        }
        rank.map(|rank| Job {
            rank: whole(rank),
            iterations: None,
            track: Track::Exact,
            first_only: false,
        })
    }
}

/// One activation of one prompt.
pub(super) struct Activation {
    value: String,
    prompt: String,
    shape: (usize, usize),
    sizes: Sizes,
    dcom_us: f64,
    /// Where values were recorded, with the names of the linear ops behind them.
    reconstruction: Option<(Reconstruction, Vec<String>)>,
}

/// Decomposes what linear ops read, prompt by prompt.
pub(super) fn evaluate(
    trace: &Trace,
    job: Job,
    arch: &Arch,
    workload: &WorkloadParams,
    timing: &dcom_llm::Decomposer,
    rules: Option<&Calibration>,
) -> Result<Vec<Activation>, Failure> {
    let decomposer = Decomposer::new(arch, workload.clone())?;
    let mut activations = Vec::new();
    let mut ops = trace.decomposable();
    if job.first_only {
        ops.truncate(1);
    }
    for op in ops {
        for prompt in trace.prompt_ids() {
            let evaluated = progress::during("decomposing", || {
                one(trace, job, (op, prompt), &decomposer, timing, rules)
            });
            activations.push(evaluated?);
        }
    }
    Ok(activations)
}

fn one(
    trace: &Trace,
    job: Job,
    (op, prompt): (OpId, PromptId),
    decomposer: &Decomposer<'_>,
    timing: &dcom_llm::Decomposer,
    rules: Option<&Calibration>,
) -> Result<Activation, Failure> {
    let (name, length) = (&trace.op(op).name, trace.prompt(prompt).length);
    let channels = trace.op(op).shape.channels().expect("a linear op reads it");
    let whole = |count: u32| usize::try_from(count).expect("32 bits");
    let sizes = Sizes::new(job.rank, job.iterations, whole(length.min(channels)));
    let narrow = |count: usize| u32::try_from(count).expect("at most 512");
    let timed = timing
        .job(&Decomposition {
            prompts: 1,
            rows: length,
            columns: channels,
            rank: narrow(sizes.rank),
            iterations: narrow(sizes.iterations),
        })
        .map_err(wrong)?;
    let reconstruction = if trace.activation(op, prompt).is_some() {
        let request = Request {
            op,
            prompt,
            rank: job.rank,
            iterations: job.iterations,
            outliers: rules.and_then(|rules| rules.rule(trace.layer, name)),
            track: job.track,
        };
        let found = dcom_trace::evaluate(trace, decomposer, &request)?;
        let names = found
            .outputs
            .iter()
            .map(|output| trace.op(output.op).name.clone());
        let names = names.collect();
        Some((found, names))
    } else {
        None
    };
    Ok(Activation {
        value: name.clone(),
        prompt: trace.prompt(prompt).id.clone(),
        shape: (whole(length), whole(channels)),
        sizes,
        dcom_us: timed.us,
        reconstruction,
    })
}

/// One row per activation.
pub(super) fn table(activations: &[Activation]) -> String {
    let recorded = activations.iter().any(|a| a.reconstruction.is_some());
    let mut columns = vec![
        Column::new("value"),
        Column::new("prompt"),
        Column::new("tokens x channels"),
        Column::new("rank"),
        Column::new("D-com").unit("us"),
    ];
    if recorded {
        columns.extend([
            Column::new("error"),
            Column::new("best"),
            Column::new("outliers").unit("%"),
            Column::new("error without them"),
            Column::new("best without"),
            Column::new("error of outputs, with -> without outliers"),
        ]);
    }
    let row = |a: &Activation| {
        let mut row: Vec<Cell> = vec![
            a.value.as_str().into(),
            a.prompt.as_str().into(),
            format!("{} x {}", a.shape.0, a.shape.1).into(),
            Cell::Integer(i128::try_from(a.sizes.rank).expect("small")),
            Cell::real(a.dcom_us, 4),
        ];
        match &a.reconstruction {
            Some((found, names)) => row.extend(errors(found, names)),
            None if recorded => row.extend(vec![Cell::Missing; 6]),
            None => {}
        }
        row
    };
    section(columns, activations.iter().map(row).collect())
}

fn errors(found: &Reconstruction, names: &[String]) -> Vec<Cell> {
    let error = |kept: &Kept| {
        kept.errors
            .map_or(Cell::Missing, |e| Cell::real(e.relative_frobenius, 4))
    };
    let best = |kept: &Kept| Cell::real(kept.best, 4);
    let some = |error: Option<f64>| error.map(|e| format!("{e:.4}"));
    let output = |(name, output): (&String, &dcom_trace::OutputErrors)| match (
        some(output.plain),
        some(output.extracted),
    ) {
        (Some(plain), Some(extracted)) => format!("{name} {plain} -> {extracted}"),
        (Some(plain), None) => format!("{name} {plain}"),
        (None, _) => format!("{name}: factors not finite"),
    };
    let outputs: Vec<String> = names.iter().zip(&found.outputs).map(output).collect();
    let extracted = found.extracted.as_ref();
    vec![
        error(&found.plain),
        best(&found.plain),
        percent(share(found)).into(),
        extracted.map_or(Cell::Missing, error),
        extracted.map_or(Cell::Missing, best),
        if outputs.is_empty() {
            Cell::Missing
        } else {
            outputs.join(", ").into()
        },
    ]
}

/// Outlier channels over channels.
#[expect(clippy::cast_precision_loss, reason = "counts of channels")]
fn share(found: &Reconstruction) -> f64 {
    found.outliers.len() as f64 / found.shape.1 as f64
}

impl Activation {
    pub(super) fn json(&self) -> Value {
        let kept = |kept: &Kept| {
            json!({
                "relative_error": kept.errors.map(|e| e.relative_frobenius),
                "per_token_median": kept.errors.map(|e| e.per_token_median),
                "per_token_max": kept.errors.map(|e| e.per_token_max),
                "best_rank_error": kept.best,
            })
        };
        let values = self.reconstruction.as_ref().map(|(found, names)| {
            let output = |(name, o): (&String, &dcom_trace::OutputErrors)| {
                json!({"op": name, "plain": o.plain, "extracted": o.extracted})
            };
            json!({
                "plain": kept(&found.plain),
                "outlier_channels": found.outliers,
                "extracted": found.extracted.as_ref().map(kept),
                "outputs": names.iter().zip(&found.outputs).map(output).collect::<Vec<_>>(),
            })
        });
        json!({
            "value": self.value,
            "prompt": self.prompt,
            "rows": self.shape.0,
            "columns": self.shape.1,
            "rank": self.sizes.rank,
            "iterations": self.sizes.iterations,
            "dcom_us": self.dcom_us,
            "reconstruction": values,
        })
    }
}
