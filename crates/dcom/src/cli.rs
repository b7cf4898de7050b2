//! The subcommands, and what becomes of their failures.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{self, Failure};
use crate::{
    cache, calibrate, check, compare, decompose, eval, explain, find, generate, gpu, itera, llm,
    parameters, plot, power, program, record, replay, run, sweep, timeline, trace,
};

/// Cycle-level simulator of the D-com accelerator, which decomposes LLM activations by Lanczos iteration.
///
/// A machine file (arch) says what the hardware is, a workload file says what to decompose and how to map it. `run`
/// tells how long that takes and why; `decompose` does it to a real matrix, bit for bit as the hardware would.
#[derive(Parser)]
#[command(version = dcom_sweep::VERSION, propagate_version = true, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Start here:
  dcom run --arch configs/arch/dcom-paper.toml --workload configs/workloads/llama2-7b.toml
  dcom decompose activation.safetensors --arch configs/arch/dcom-paper.toml --rank 10
  dcom sweep configs/sweeps/default.toml
  dcom parameters

Exit codes: 0 done, 1 results could not be delivered, 2 bad input (nothing is written), 130 stopped.";

#[derive(Subcommand)]
enum Command {
    /// Map a workload onto a machine and time it
    Run(run::Args),
    /// Area of a machine by component
    Area(power::AreaArgs),
    /// Energy and power of a run by component, and against other designs
    Power(power::PowerArgs),
    /// Name the bottleneck of a run, and what each parameter would buy
    Explain(explain::Args),
    /// Find the best point of a sweep under constraints
    Find(find::Args),
    /// Time a Llama model on GPUs and D-com under a decomposition plan
    Llm(llm::Args),
    /// Hold the GPU model against measured kernels
    Gpu(gpu::Args),
    /// Decompose a matrix file: factors, errors and cycles from one program
    Decompose(Box<decompose::Args>),
    /// Compare decomposition algorithms on a matrix: error, time and energy on D-com, time on a GPU
    Compare(Box<compare::Args>),
    /// Write a seeded matrix that looks like those of Llama models
    #[command(subcommand)]
    Generate(generate::Command),
    /// Decompose a weight into quantized factors: ITERA, SVD then quantization, quantization only
    Itera(itera::Args),
    /// Replay a recorded layer: every op on GPU or D-com, against recorded times and values
    Replay(Box<replay::Args>),
    /// Find the outlier thresholds of layers over recorded prompts
    Calibrate(calibrate::Args),
    /// Run a model, with or without a decomposition plan, and see how well it does
    #[command(subcommand)]
    Eval(eval::Command),
    /// Run a model and record a layer of it as a trace
    Record(record::Args),
    /// Write a trace without values, of a layer of a model
    #[command(subcommand)]
    Trace(trace::Command),
    /// Evaluate every point of a sweep file: a table with a row per point
    Sweep(sweep::Args),
    /// Inspect or clear the cache of computed points
    Cache(cache::Args),
    /// Translate a program from text to binary
    Asm(program::AsmArgs),
    /// Print a binary program as text
    Disasm(program::DisasmArgs),
    /// Write a run as a timeline for Perfetto or chrome://tracing
    Timeline(timeline::Args),
    /// Draw a result file: lines, bars, roofline, heat map, Pareto front, tornado
    Plot(plot::Args),
    /// Check files of any kind that the project uses
    Check(check::Args),
    /// Print the reference tables: keys of arch, workload and technology files, metrics of a design point
    Parameters(parameters::Args),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Area(args) => power::area(&args),
        Command::Power(args) => power::power(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Find(args) => find::run(&args),
        Command::Gpu(args) => gpu::run(&args),
        Command::Llm(args) => llm::run(&args),
        Command::Decompose(args) => decompose::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Generate(command) => generate::run(&command),
        Command::Itera(args) => itera::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Eval(command) => eval::run(&command),
        Command::Record(args) => record::run(&args),
        Command::Trace(command) => trace::run(&command),
        Command::Sweep(args) => sweep::run(&args),
        Command::Cache(args) => cache::run(&args),
        Command::Asm(args) => program::assemble(&args),
        Command::Disasm(args) => program::disassemble(&args),
        Command::Timeline(args) => timeline::run(&args),
        Command::Plot(args) => plot::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Parameters(args) => parameters::run(&args),
    };
    match result {
        // Whoever closed the pipe has read what they wanted.
        Ok(()) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(failure) => {
            failure::report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}
