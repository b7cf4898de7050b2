//! `dcom replay`: a recorded layer on a GPU and D-com, against recorded times, and its activations through the machine's
//! arithmetic.

mod layer;
mod values;

use std::path::PathBuf;

use dcom_config::Source;
use dcom_llm::{Decomposer, Gpu, Gpus, Kernels, Parallelism, Plan};
use dcom_report::{Cell, Column};
use dcom_trace::{Calibration, Dtype, Trace};
use serde_json::{Value, json};

use crate::decompose::{parameters, use_all_clusters};
use crate::failure::Failure;
use crate::output;
use crate::setup::{Setup, assignment};
use crate::text::section;

use layer::{Planned, Timed};
use values::Activation;

const DEFAULT_GPU: &str = include_str!("../../../configs/gpu/a100-80gb.toml");
const DEFAULT_GPU_NAME: &str = "a100-80gb.toml (built in)";

/// Arguments of `dcom replay`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Folder of a trace, or its manifest
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Machine description, such as configs/arch/dcom-paper.toml
    #[arg(long, value_name = "FILE")]
    arch: PathBuf,
    /// Plan, such as configs/plans/paper-best.toml: whether the layer is computed on factors, and of which rank
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Decompose what linear ops read at this rank, without a plan
    #[arg(long, value_name = "R", conflicts_with = "plan", value_parser = clap::value_parser!(u32).range(1..=512))]
    rank: Option<u32>,
    /// Outlier rules of `dcom calibrate`, for the reconstruction errors
    #[arg(long, value_name = "FILE")]
    outliers: Option<PathBuf>,
    /// GPU, such as configs/gpu/h100-80gb.toml [default: A100 80GB, built in]
    #[arg(long, value_name = "FILE")]
    gpu: Option<PathBuf>,
    /// Elementwise ops on the GPU: one kernel per tensor operation, or fused
    #[arg(long, value_enum, default_value_t = Elementwise::Fused)]
    elementwise: Elementwise,
    /// Take the mapping from this workload file; its sizes are replaced by those of the trace
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// Override a key of the arch or the workload; may be repeated [keys: dcom parameters]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Times are for all prompts of the trace. `GPU` is the kernel model of docs/llm.md, undisturbed; `recorded` is what the trace says.
With activations in the trace, errors are relative Frobenius norms: ||X - X'|| / ||X||, where X' are the machine's factors, bit
for bit; `best` is the least that any factors of the rank have. With weights, the last column is the error of the op's output.

Examples:
  dcom replay traces/llama-2-7b-s2048 --arch configs/arch/dcom-paper.toml
  dcom replay traces/llama-2-7b-s2048 --arch configs/arch/dcom-paper.toml --plan configs/plans/paper-best.toml
  dcom replay traces/tinyllama-layer5 --arch configs/arch/dcom-paper.toml --rank 10 --outliers traces/tinyllama-outliers.toml";

/// How elementwise ops are written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Elementwise {
    /// One kernel per tensor operation, as PyTorch runs them.
    Eager,
    /// One kernel per op.
    Fused,
}

/// Runs the command.
///
/// # Errors
/// Bad input, found before anything is computed, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let trace = Trace::read(&args.trace)?;
    let (arch, workload) = parameters(&args.arch, args.workload.as_deref())?;
    let mut setup = Setup::new(arch, workload);
    setup.apply(&args.set)?;
    let mut notes = Vec::new();
    if args.workload.is_none() {
        use_all_clusters(&mut setup, &mut notes)?;
    }
    let plan = args.plan.as_deref().map(Plan::read).transpose();
    let plan = plan.map_err(|error| Failure::input(error.to_string()))?;
    let rules = args
        .outliers
        .as_deref()
        .map(Calibration::read)
        .transpose()?;
    let gpus = gpus(args, &trace)?;
    trace.check_values()?;

    let arch = setup.machine()?;
    let decomposer = Decomposer::new(&setup.arch, &setup.workload).map_err(wrong)?;
    let timed = layer::timed(&trace, &gpus);
    let planned = match &plan {
        Some(plan) => layer::planned(&trace, plan, &gpus, &decomposer, &mut notes)?,
        None => None,
    };
    let job = values::Job::new(&trace, plan.as_ref(), args.rank);
    let activations = match job {
        Some(job) => values::evaluate(
            &trace,
            job,
            &arch,
            &setup.workload,
            &decomposer,
            rules.as_ref(),
        )?,
        None => Vec::new(),
    };
    if activations.is_empty() {
        notes.push("nothing is decomposed: give --rank, or a --plan with this layer".to_owned());
    }
    let report = Report {
        trace: &trace,
        machine: &arch.name,
        gpu: &gpus.gpu.name,
        timed,
        planned,
        activations,
        notes,
    };
    output::print(&if args.json {
        format!("{:#}\n", report.json())
    } else {
        report.text()
    })
}

/// A decomposition that has no time is the fault of machine or mapping.
fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::input(error.to_string())
}

fn gpus(args: &Args, trace: &Trace) -> Result<Gpus, Failure> {
    let gpu = match &args.gpu {
        Some(path) => Gpu::read(path)?,
        None => Gpu::parse(Source::new(DEFAULT_GPU_NAME, DEFAULT_GPU))?,
    };
    let element_bytes = match trace.ops[0].dtype {
        Dtype::F16 | Dtype::Bf16 => 2,
        Dtype::F32 => 4,
    };
    Ok(Gpus {
        gpu,
        count: 1,
        parallelism: Parallelism::Tensor,
        kernels: match args.elementwise {
            Elementwise::Eager => Kernels::Eager,
            Elementwise::Fused => Kernels::Fused,
        },
        element_bytes,
    })
}

/// Everything that is printed.
struct Report<'a> {
    trace: &'a Trace,
    machine: &'a str,
    gpu: &'a str,
    timed: Vec<Timed>,
    planned: Option<Planned>,
    activations: Vec<Activation>,
    notes: Vec<String>,
}

impl Report<'_> {
    fn text(&self) -> String {
        let trace = self.trace;
        let lengths: Vec<u32> = trace.prompts.iter().map(|p| p.length).collect();
        let tokens = match (lengths.iter().min(), lengths.iter().max()) {
            (Some(least), Some(most)) if least < most => format!("{least} to {most} tokens"),
            _ => format!("{} tokens", lengths[0]),
        };
        let mut text = format!(
            "{} layer {}: {} ops, {} of {tokens}, on {} and {}\n",
            trace.model.name,
            trace.layer,
            trace.ops.len(),
            match trace.prompts.len() {
                1 => "a prompt".to_owned(),
                prompts => format!("{prompts} prompts"),
            },
            self.gpu,
            self.machine
        );
        for note in &self.notes {
            text += &format!("  note   {note}\n");
        }
        text += &self.op_table();
        if let Some(recording) = &trace.recording {
            text += &format!("  recorded on {}\n", recording.device);
        }
        if let Some(planned) = &self.planned {
            text += &format!("\nOn factors, plan {}:\n", planned.plan);
            text += &planned.table(layer::total(&self.timed));
        }
        if !self.activations.is_empty() {
            text += "\nDecompositions:\n";
            text += &values::table(&self.activations);
        }
        text
    }

    fn op_table(&self) -> String {
        let recorded = self.timed.iter().any(|op| op.recorded_us.is_some());
        let mut columns = vec![
            Column::new("op"),
            Column::new("kind"),
            Column::new("result"),
            Column::new("on"),
            Column::new("GPU").unit("us"),
        ];
        if recorded {
            columns.extend([
                Column::new("recorded").unit("us"),
                Column::new("GPU / recorded"),
            ]);
        }
        let cells = |op: &Timed| {
            let mut row: Vec<Cell> = vec![
                op.name.as_str().into(),
                op.kind.into(),
                op.shape.replace('"', "").into(),
                "GPU".into(),
                Cell::real(op.us, 4),
            ];
            if recorded {
                row.push(op.recorded_us.map_or(Cell::Missing, |us| Cell::real(us, 4)));
                let ratio = op.recorded_us.filter(|us| *us > 0.0).map(|us| op.us / us);
                row.push(ratio.map_or(Cell::Missing, |ratio| Cell::real(ratio, 3)));
            }
            row
        };
        let mut rows: Vec<Vec<Cell>> = self.timed.iter().map(cells).collect();
        // Ops without a recorded time are on neither side of the comparison.
        let both = self
            .timed
            .iter()
            .filter_map(|op| Some((op.us, op.recorded_us?)));
        let (gpu, measured) = both.fold((0.0, 0.0), |sum, op| (sum.0 + op.0, sum.1 + op.1));
        let mut sum: Vec<Cell> = ["total", "", "", ""].map(Cell::from).to_vec();
        sum.push(Cell::real(layer::total(&self.timed), 4));
        if recorded {
            sum.push(Cell::real(measured, 4));
            sum.push(if measured > 0.0 {
                Cell::real(gpu / measured, 3)
            } else {
                Cell::Missing
            });
        }
        rows.push(sum);
        section(columns, rows)
    }

    fn json(&self) -> Value {
        json!({
            "trace": self.trace.name(),
            "model": self.trace.model.name,
            "layer": self.trace.layer,
            "prompts": self.trace.prompts.iter().map(|p| json!({"id": p.id, "length": p.length})).collect::<Vec<_>>(),
            "machine": self.machine,
            "gpu": self.gpu,
            "recording_device": self.trace.recording.as_ref().map(|r| &r.device),
            "notes": self.notes,
            "ops": self.timed,
            "gpu_us": layer::total(&self.timed),
            "planned": self.planned,
            "decompositions": self.activations.iter().map(Activation::json).collect::<Vec<_>>(),
        })
    }
}
