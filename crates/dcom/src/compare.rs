//! `dcom compare`: the algorithms on one matrix, on D-com and on a GPU.

use std::path::PathBuf;

use dcom_compare::{
    Candidate, CompareError, Comparison, Place, Subject, candidates, compare, figure, table,
};
use dcom_llm::Gpu;
use dcom_power::Technology;
use dcom_report::significant;
use dcom_trace::MAX_ITERATIONS;
use serde_json::json;

use crate::decompose::{load, parameters, use_all_clusters};
use crate::failure::Failure;
use crate::output::{self, Target};
use crate::progress;
use crate::setup::{Setup, assignment};

/// GPU when none is given.
const DEFAULT_GPU: &str = include_str!("../../../configs/gpu/a100-80gb.toml");
const DEFAULT_GPU_NAME: &str = "a100-80gb.toml (built in)";

/// Keys that the comparison sets itself.
const GIVEN: [&str; 8] = [
    "workload.rows",
    "workload.columns",
    "workload.rank",
    "workload.prompts",
    "workload.iterations",
    "workload.algorithm",
    "workload.block_size",
    "workload.power_iterations",
];

/// Arguments of `dcom compare`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Matrix to decompose: .safetensors (fp16, bf16, fp32) or .npy (fp16, fp32, fp64), rows = tokens
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Rank of the factors; at most the smaller side of the matrix
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=MAX_ITERATIONS as i64))]
    rank: u32,
    /// Machine description [default: the paper's, built in]
    #[arg(long, value_name = "FILE")]
    arch: Option<PathBuf>,
    /// Take the mapping from this workload file
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// GPU to compare with [default: A100 80GB, built in]
    #[arg(long, value_name = "FILE")]
    gpu: Option<PathBuf>,
    /// Technology for energy [default: NanGate 15 nm, built in]
    #[arg(long, value_name = "FILE")]
    tech: Option<PathBuf>,
    /// Override a key of the arch, the workload or the technology; may be repeated [keys: dcom parameters]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Prompts of a batch; times and energies are per prompt
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    prompts: u32,
    /// Tensor of a safetensors file [default: the only matrix in it]
    #[arg(long, value_name = "NAME")]
    tensor: Option<String>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print the table as CSV
    #[arg(long)]
    csv: bool,
    /// Draw error over time (.svg, .pdf or .png)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// The time of the plot's axis
    #[arg(long, value_name = "WHERE", default_value = "dcom", requires = "plot")]
    place: PlaceArg,
}

/// The time of the plot's axis.
#[derive(Clone, Copy, clap::ValueEnum)]
enum PlaceArg {
    /// D-com, whole run.
    Dcom,
    /// The GPU with fused kernels.
    GpuFused,
    /// The GPU as PyTorch runs it.
    GpuEager,
}

const AFTER_HELP: &str = "\
Errors are relative, ||A - U diag(s) V^T|| / ||A||, of the factors that the machine's arithmetic gives, bit for
bit. Algorithms and what is tried of each: docs/algorithms.md. `without small SVD` leaves out the fitted round
trip of the small SVD, which is the same for all.

Examples:
  dcom generate activation 468 4096 activation.npy
  dcom compare activation.npy --rank 10
  dcom compare activation.npy --rank 10 --prompts 64 --plot error-time.pdf
  dcom compare activation.npy --rank 10 --set bank.port_elements=128 --csv";

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let target = args.plot.as_deref().map(Target::new).transpose()?;
    let (arch, workload) = parameters(args.arch.as_deref(), args.workload.as_deref())?;
    let mut setup = Setup::new(arch, workload);
    if let Some(path) = &args.tech {
        setup.technology = Technology::read(path)?;
    }
    for (key, value) in &args.set {
        if GIVEN.contains(&key.as_str()) {
            let message =
                format!("--set {key}={value}: is given by the matrix and by what is compared");
            return Err(Failure::input(message));
        }
    }
    setup.apply(&args.set)?;
    let mut notes = Vec::new();
    if args.workload.is_none() {
        use_all_clusters(&mut setup, &mut notes)?;
    }
    let gpu = match &args.gpu {
        Some(path) => Gpu::read(path)?,
        None => Gpu::parse(dcom_config::Source::new(DEFAULT_GPU_NAME, DEFAULT_GPU))?,
    };
    let loaded = load(&args.file, args.tensor.as_deref())?;
    let smaller = u32::try_from(loaded.matrix.rows().min(loaded.matrix.cols())).unwrap_or(u32::MAX);
    if args.rank > smaller {
        return Err(Failure::input(format!(
            "--rank {}: {} has {} x {} elements; at most {smaller}",
            args.rank,
            args.file.display(),
            loaded.matrix.rows(),
            loaded.matrix.cols()
        )));
    }
    let arch = setup.machine()?;
    let subject = Subject {
        arch: &arch,
        workload: &setup.workload,
        technology: &setup.technology,
        gpu: &gpu,
        rank: args.rank,
        prompts: args.prompts,
    };
    let comparison = progress::during("comparing", || {
        compare(
            &subject,
            &loaded.matrix,
            &candidates(args.rank, smaller),
            || {},
        )
    })
    .map_err(failure)?;
    if let Some(target) = target {
        let place = match args.place {
            PlaceArg::Dcom => Place::Dcom,
            PlaceArg::GpuFused => Place::GpuFused,
            PlaceArg::GpuEager => Place::GpuEager,
        };
        let provenance = format!(
            "dcom {}, {}, rank {}",
            dcom_sweep::VERSION,
            args.file.display(),
            args.rank
        );
        let path = target.path();
        figure(&comparison, place, provenance)
            .write(path)
            .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
    }
    output::print(&rendered(args, &comparison, &notes, &arch.name, &gpu.name)?)
}

fn failure(error: CompareError) -> Failure {
    match error {
        CompareError::Config(error) => (*error).into(),
        error @ CompareError::Map(_) => Failure::input(error.to_string()),
        error => Failure::Internal(error.to_string()),
    }
}

fn rendered(
    args: &Args,
    comparison: &Comparison,
    notes: &[String],
    machine: &str,
    gpu: &str,
) -> Result<String, Failure> {
    if args.json {
        return Ok(format!("{:#}\n", json(comparison, machine, gpu)));
    }
    let table = table(comparison).map_err(|error| Failure::Internal(error.to_string()))?;
    if args.csv {
        let mut bytes = Vec::new();
        table
            .to_csv(&mut bytes)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        return String::from_utf8(bytes).map_err(|error| Failure::Internal(error.to_string()));
    }
    let mut text = format!(
        "{} on {machine} and {gpu}: {} x {}, rank {}, {} per batch\n\
         best error of the rank {}, placed area {} mm2 ({} to {})\n",
        args.file.display(),
        comparison.rows,
        comparison.columns,
        comparison.rank,
        match args.prompts {
            1 => "1 prompt".to_owned(),
            n => format!("{n} prompts"),
        },
        significant(comparison.best_error, 5),
        significant(comparison.area_mm2.nominal, 4),
        significant(comparison.area_mm2.low, 3),
        significant(comparison.area_mm2.high, 3),
    );
    for note in notes {
        text += &format!("note: {note}\n");
    }
    text += "\n";
    text += &table.to_text();
    for (candidate, reason) in &comparison.infeasible {
        text += &format!(
            "does not fit: {}, {} vectors: {reason}\n",
            candidate.label(),
            candidate.iterations
        );
    }
    Ok(text)
}

fn json(comparison: &Comparison, machine: &str, gpu: &str) -> serde_json::Value {
    let interval =
        |i: dcom_power::Interval| json!({"low": i.low, "nominal": i.nominal, "high": i.high});
    let candidate = |c: &Candidate| {
        json!({
            "algorithm": c.name(),
            "iterations": c.iterations,
            "block_size": c.block_size,
            "power_iterations": c.power_iterations,
        })
    };
    let outcomes: Vec<_> = comparison
        .outcomes
        .iter()
        .map(|o| {
            json!({
                "candidate": candidate(&o.candidate),
                "relative_error": o.error,
                "overflows": o.overflows,
                "reads": o.cost.reads,
                "cycles": o.cost.cycles,
                "time_us": o.cost.us,
                "time_without_small_svd_us": o.cost.array_us,
                "chip_energy_uj": interval(o.cost.chip_uj),
                "memory_and_link_energy_uj": o.cost.transfer_uj,
                "gpu_eager_us": o.cost.gpu_eager_us,
                "gpu_fused_us": o.cost.gpu_fused_us,
            })
        })
        .collect();
    let infeasible: Vec<_> = comparison
        .infeasible
        .iter()
        .map(|(c, reason)| json!({"candidate": candidate(c), "reason": reason}))
        .collect();
    json!({
        "machine": machine,
        "gpu": gpu,
        "rows": comparison.rows,
        "columns": comparison.columns,
        "rank": comparison.rank,
        "best_rank_error": comparison.best_error,
        "area_mm2": interval(comparison.area_mm2),
        "outcomes": outcomes,
        "infeasible": infeasible,
    })
}
