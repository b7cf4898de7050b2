//! `cargo xtask`: sweeps, the reproduction of the paper, the RTL, synthesis. Orchestrates; the logic is in the crates.

#![expect(clippy::print_stdout, reason = "results and file names go to stdout")]

mod algorithms;
mod itera;
mod reproduce;
mod rtl;
mod sensitivity;
mod sweep;
mod synth;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sweeps, reproduction of the paper's figures, synthesis of the RTL.
#[derive(Parser)]
#[command(name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a sweep on all cores, as `dcom sweep` does, and plot latency over the last axis.
    ///
    /// Without a file: expansion factor x cluster count at the paper's B = 64, S = H = 4096, K = 10.
    Sweep {
        /// Sweep file.
        #[arg(default_value = "configs/sweeps/default.toml")]
        config: PathBuf,
        /// Directory for `<name>.csv`, `.json`, `.svg` and `.png`.
        #[arg(long, default_value = "reports/sweeps")]
        output: PathBuf,
        /// Discard what an earlier run left, instead of going on from there.
        #[arg(long)]
        restart: bool,
    },
    /// Put the paper beside what is simulated, under `reports/paper`: everything but the sensitivity, or one part.
    Reproduce {
        #[command(subcommand)]
        what: Option<Reproduction>,
        /// Keep the report although the error of a claim grew.
        #[arg(long)]
        accept: bool,
    },
    /// The RTL of the machine against executor and timing model: bits and cycles. The last line has the counts.
    ///
    /// Needs the Debian packages `verilator`, `g++` and `make`. Each build is compiled once, in some minutes, and kept under the
    /// target folder. Also says how much faster the timing model is than Verilator on one program of each build.
    Rtl(rtl::Arguments),
    /// Area and minimum period of the RTL's units and tiles, with yosys and OpenSTA.
    ///
    /// Needs the Debian packages `yosys` and `opensta`, and `verilator` to compare netlists with the RTL. Units take seconds to
    /// minutes each, tiles many minutes: `--only` names some. reports/synth/README.md says what the columns mean.
    Synth {
        /// Standard cell library in Liberty format, packed with gzip or not.
        #[arg(long)]
        liberty: PathBuf,
        /// Directory for the tables.
        #[arg(long, default_value = "reports/synth")]
        out: PathBuf,
        /// Only designs whose names contain this; the other rows of the tables stay.
        #[arg(long)]
        only: Option<String>,
        /// Leave out the simulation of every netlist beside its RTL, most of the time of a run.
        #[arg(long)]
        without_simulation: bool,
    },
}

#[derive(Subcommand)]
enum Reproduction {
    /// Fig. 12: latency over the expansion factor, against C4 and C5.
    Fig12,
    /// Fig. 13: area and power against other designs, against C9 and C10.
    Fig13,
    /// The constant per prompt, fitted to Table 2's three decomposition times.
    Fit,
    /// D-com and the A100 beside what the memory bandwidth allows.
    Roofline,
    /// Which algorithm wins for which shapes, ranks and memories; takes minutes.
    Algorithms,
    /// ITERA-LLM on the weights at hand: errors at equal storage, latency at equal error, Pareto front. Takes minutes.
    Itera(itera::Args),
    /// In what share of plausible machines C4 and C5 hold, and which parameters decide.
    Sensitivity(sensitivity::Args),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Paths in sweep files and defaults are those of the repository.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let result = match arguments.command {
        Command::Sweep {
            config,
            output,
            restart,
        } => sweep::run(&root, &config, &output, restart),
        Command::Reproduce { what, accept } => match what {
            None => reproduce::all(&root, accept),
            Some(Reproduction::Algorithms) => algorithms::run(&root),
            Some(Reproduction::Fig12) => reproduce::fig12(&root),
            Some(Reproduction::Fig13) => reproduce::fig13(&root),
            Some(Reproduction::Fit) => reproduce::fit(&root),
            Some(Reproduction::Roofline) => reproduce::roofline(&root),
            Some(Reproduction::Itera(args)) => itera::run(&root, &args),
            Some(Reproduction::Sensitivity(args)) => sensitivity::run(&root, &args),
        },
        Command::Rtl(arguments) => rtl::run(&root, &arguments),
        Command::Synth {
            liberty,
            out,
            only,
            without_simulation,
        } => synth::run(&root, &liberty, &out, only.as_deref(), !without_simulation),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
