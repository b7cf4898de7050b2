//! `dcom decompose`: a matrix file goes in, factors, errors and cycles come out of one program.
//!
//! The executor computes the values and says which breakdown tests passed; the timing model takes these outcomes and
//! counts the cycles of the same program.

use std::path::{Path, PathBuf};
use std::time::Instant;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_exec::Outcome;
use dcom_mapper::WorkloadParams;
use dcom_tensor::{Loaded, ReadOptions, read_matrix, write_factors};
use dcom_timing::Options;
use dcom_trace::{MAX_ITERATIONS, MORE_ITERATIONS, Sizes};
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::failure::Failure;
use crate::metrics::Quality;
use crate::output::{self, Target};
use crate::progress;
use crate::setup::{self, Setup, assignment};
use crate::text::{Facts, Record};

/// Mapping when no workload is given.
const DEFAULT_WORKLOAD: &str = include_str!("../../../configs/workloads/llama2-7b.toml");
const DEFAULT_WORKLOAD_NAME: &str = "llama2-7b.toml (built in)";

/// Arguments of `dcom decompose`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Matrix to decompose: .safetensors (fp16, bf16, fp32) or .npy (fp16, fp32, fp64), rows = tokens
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Machine description, such as configs/arch/dcom-paper.toml
    #[arg(long, value_name = "FILE")]
    arch: PathBuf,
    /// Rank of the factors; at most the smaller side of the matrix
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=MAX_ITERATIONS as i64))]
    rank: u32,
    /// Lanczos iterations, at least the rank [default: rank + 5]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=MAX_ITERATIONS as i64))]
    iterations: Option<u32>,
    /// Tensor of a safetensors file [default: the only matrix in it]
    #[arg(long, value_name = "NAME")]
    tensor: Option<String>,
    /// Take the mapping from this workload file; its sizes are replaced by those of the matrix
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// Override a key of the arch or the workload; may be repeated [keys: dcom parameters]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Write the factors: u (rows x r) and v (columns x r) in fp16, s (r) in fp32
    #[arg(long, value_name = "FILE.safetensors")]
    output: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print one record as CSV
    #[arg(long)]
    csv: bool,
    /// Skip the best possible error, which takes longer than the rest on large matrices
    #[arg(long)]
    no_reference: bool,
}

const AFTER_HELP: &str = "\
The values are those of the hardware, bit for bit (docs/machine.md, section 2). Errors are
relative: ||A - U diag(s) V^T|| / ||A||, Frobenius norm. The best possible error of the rank is
computed in double precision and timed apart.

Examples:
  dcom decompose activation.safetensors --arch configs/arch/dcom-paper.toml --rank 10
  dcom decompose x.npy --arch A.toml --rank 20 --iterations 40 --output factors.safetensors
  dcom decompose x.npy --arch A.toml --rank 10 --set mapping.gram_schmidt=classical --json";

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let target = args.output.as_deref().map(Target::new).transpose()?;
    let (arch_params, workload) = read_parameters(args)?;
    let loaded = load(&args.file, args.tensor.as_deref())?;
    let plan = Plan::new(args, arch_params, workload, &loaded)?;
    let arch = plan.setup.machine()?;
    let program = plan.setup.program(&arch)?;

    let started = Instant::now();
    let decomposition = progress::during("executing", || {
        dcom_trace::run(&program, &loaded.matrix, plan.rank)
    })
    .map_err(|error| Failure::Internal(error.to_string()))?;
    let outcome = &decomposition.outcome;
    let execution_seconds = started.elapsed().as_secs_f64();
    let run = setup::time(
        &program,
        Options {
            tests: Some(&outcome.trace.passed),
            full: false,
        },
    )?;
    let quality = Quality::measure(
        &loaded.matrix,
        &decomposition,
        plan.rank,
        !args.no_reference,
    )?;

    let report = Report {
        args,
        loaded: &loaded,
        plan: &plan,
        arch: &arch,
        outcome,
        quality: &quality,
        account: Account::new(&plan.setup, &program, &run),
        execution_seconds,
    };
    let text = if args.json {
        format!("{:#}\n", report.json())
    } else if args.csv {
        report.csv()?
    } else {
        report.text()
    };
    if let Some(target) = target {
        write_factors(target.path(), &decomposition.factors)?;
    }
    output::print(&text)
}

fn read_parameters(args: &Args) -> Result<(ArchParams, WorkloadParams), Failure> {
    parameters(&args.arch, args.workload.as_deref())
}

/// Reads a machine, and a workload for its mapping or the one built in.
///
/// # Errors
/// File, line, key, value and range of what is wrong.
pub(crate) fn parameters(
    arch: &Path,
    workload: Option<&Path>,
) -> Result<(ArchParams, WorkloadParams), Failure> {
    let arch = ArchParams::parse(Source::read(arch)?)?;
    let workload = match workload {
        Some(path) => Source::read(path)?,
        None => Source::new(DEFAULT_WORKLOAD_NAME, DEFAULT_WORKLOAD),
    };
    Ok((arch, WorkloadParams::parse(workload)?))
}

/// Reads a matrix that fp16 can hold.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn load(path: &Path, tensor: Option<&str>) -> Result<Loaded, Failure> {
    let options = ReadOptions {
        tensor: tensor.map(str::to_owned),
        ..ReadOptions::default()
    };
    let loaded = progress::during("reading", || read_matrix(path, &options))?;
    if loaded.overflowed > 0 {
        return Err(Failure::input_with_help(
            format!(
                "{}: {} values are beyond the fp16 range of +-65504",
                path.display(),
                loaded.overflowed
            ),
            "the machine works on fp16; scale the matrix by a power of two before",
        ));
    }
    Ok(loaded)
}

/// What is decomposed, and what was changed to make it fit.
struct Plan {
    setup: Setup,
    rank: usize,
    iterations: usize,
    notes: Vec<String>,
}

impl Plan {
    fn new(
        args: &Args,
        arch: ArchParams,
        workload: WorkloadParams,
        loaded: &Loaded,
    ) -> Result<Plan, Failure> {
        let (rows, columns) = (loaded.matrix.rows(), loaded.matrix.cols());
        let smaller = rows.min(columns);
        let mut notes = Vec::new();
        let wanted = |count: u32| usize::try_from(count).expect("at most 512");
        let asked = args.iterations.map(wanted);
        let sizes = Sizes::new(wanted(args.rank), asked, smaller);
        note_clamped("rank", wanted(args.rank), smaller, &mut notes);
        match asked {
            Some(asked) => note_clamped("iterations", asked, smaller, &mut notes),
            None => note_iterations(sizes, &mut notes),
        }
        let Sizes { rank, iterations } = sizes;
        if iterations < rank {
            return Err(Failure::input(format!(
                "--iterations {iterations}: must be at least the rank, {rank}"
            )));
        }

        let file = args.file.display().to_string();
        let sizes = [
            ("workload.rows", rows, file.as_str()),
            ("workload.columns", columns, &file),
            ("workload.prompts", 1, "decompose"),
            ("workload.iterations", iterations, "--iterations"),
            ("workload.rank", rank, "--rank"),
        ];
        let mut setup = Setup::new(arch, workload);
        for (key, value) in &args.set {
            if let Some((_, _, source)) = sizes.iter().find(|(size, ..)| size == key) {
                let message = format!("--set {key}={value}: is given by {source}");
                return Err(Failure::input(message));
            }
        }
        setup.apply(&args.set)?;
        if args.workload.is_none() {
            use_all_clusters(&mut setup, &mut notes)?;
        }
        for (key, value, source) in sizes {
            setup.pin(key, value, source)?;
        }
        Ok(Plan {
            setup,
            rank,
            iterations,
            notes,
        })
    }
}

/// Small machines have fewer clusters than the built-in mapping wants in one partition.
pub(crate) fn use_all_clusters(setup: &mut Setup, notes: &mut Vec<String>) -> Result<(), Failure> {
    const KEY: &str = "mapping.clusters_per_partition";
    let clusters = setup.arch.columns * setup.arch.rows;
    let chosen = setup.overrides.iter().any(|(key, _)| key == KEY);
    if !chosen && setup.workload.clusters_per_partition > clusters {
        notes.push(format!("{KEY} = {clusters}: all that the machine has"));
        let clusters = usize::try_from(clusters).expect("at most 2^20 clusters");
        setup.pin(KEY, clusters, "clusters of the machine")?;
    }
    Ok(())
}

/// No matrix has more singular values than its smaller side.
fn note_clamped(what: &str, wanted: usize, smaller: usize, notes: &mut Vec<String>) {
    if wanted > smaller {
        notes.push(format!(
            "{what} {wanted} is beyond the smaller side of the matrix: {smaller} instead"
        ));
    }
}

fn note_iterations(sizes: Sizes, notes: &mut Vec<String>) {
    let Sizes { rank, iterations } = sizes;
    notes.push(if iterations == rank + MORE_ITERATIONS {
        format!("{iterations} iterations: rank + {MORE_ITERATIONS}; --iterations takes others")
    } else {
        format!("{iterations} iterations: there are no more")
    });
}

/// Everything that is printed.
struct Report<'a> {
    args: &'a Args,
    loaded: &'a Loaded,
    plan: &'a Plan,
    arch: &'a Arch,
    outcome: &'a Outcome,
    quality: &'a Quality,
    account: Account<'a>,
    execution_seconds: f64,
}

impl Report<'_> {
    fn text(&self) -> String {
        let matrix = &self.loaded.matrix;
        let title = format!(
            "{} on {}: {} x {} {}, rank {}, {} iterations\n",
            self.args.file.display(),
            self.arch.name,
            matrix.rows(),
            matrix.cols(),
            self.loaded.source,
            self.plan.rank,
            self.plan.iterations
        );
        let mut facts = Facts::default();
        for note in &self.plan.notes {
            facts.add("note", note);
        }
        if self.loaded.rounded > 0 {
            facts.add(
                "note",
                format!(
                    "{} values were rounded to fp16 on reading",
                    dcom_report::thousands(self.loaded.rounded as i128)
                ),
            );
        }
        self.quality.facts(&mut facts);
        let prompt = &self.outcome.prompts[0];
        facts.add("overflows", self.outcome.overflow_count.to_string());
        facts.add("scaling", format!("A x 2^{}", prompt.exponent));
        facts.add(
            "breakdown",
            match prompt.broke_down_after {
                None => "none".to_owned(),
                // The tests alternate between the norms of U's and of V's vectors, beginning with U.
                Some(passed) => format!(
                    "after {} of {} iterations: what is left is below 2^-{} of the largest norm",
                    passed.div_ceil(2),
                    self.plan.iterations,
                    self.plan.setup.workload.breakdown_tolerance_log2
                ),
            },
        );
        let mut times = Facts::default();
        self.account.facts(&mut times);
        times.add(
            "simulator took",
            format!(
                "{} to execute",
                dcom_report::engineering(self.execution_seconds, "s")
            ),
        );
        format!(
            "{title}\n{}\n{}{}{}",
            facts.to_text(),
            times.to_text(),
            self.account.phase_table(),
            self.account.provenance()
        )
    }

    fn json(&self) -> Value {
        let mut json = Map::new();
        let prompt = &self.outcome.prompts[0];
        json.insert("file".into(), self.args.file.display().to_string().into());
        json.insert("tensor".into(), self.loaded.tensor.clone().into());
        json.insert("dtype".into(), self.loaded.source.to_string().into());
        json.insert("rows".into(), self.loaded.matrix.rows().into());
        json.insert("columns".into(), self.loaded.matrix.cols().into());
        json.insert("rounded_values".into(), self.loaded.rounded.into());
        json.insert("rank".into(), self.plan.rank.into());
        json.insert("iterations".into(), self.plan.iterations.into());
        json.insert("notes".into(), self.plan.notes.clone().into());
        self.quality.json(&mut json);
        json.insert("alpha".into(), json!(prompt.alpha));
        json.insert("beta".into(), json!(prompt.beta));
        json.insert("overflow_count".into(), self.outcome.overflow_count.into());
        json.insert("scaling_exponent".into(), prompt.exponent.into());
        json.insert("broke_down_after".into(), prompt.broke_down_after.into());
        json.insert("execution_seconds".into(), self.execution_seconds.into());
        self.account.json(&mut json);
        json.into()
    }

    fn csv(&self) -> Result<String, Failure> {
        let mut record = Record::default();
        let prompt = &self.outcome.prompts[0];
        record.add("file", self.args.file.display());
        record.add("rows", self.loaded.matrix.rows());
        record.add("columns", self.loaded.matrix.cols());
        record.add("rank", self.plan.rank);
        record.add("iterations", self.plan.iterations);
        self.quality.record(&mut record);
        record.add("overflow_count", self.outcome.overflow_count);
        record.add("scaling_exponent", prompt.exponent);
        record.add_some("broke_down_after", prompt.broke_down_after);
        self.account.record(&mut record);
        record.to_csv()
    }
}
