//! `dcom timeline`: every instruction and every unit over time, for a trace viewer.

use std::path::PathBuf;

use dcom_report::thousands;
use dcom_timing::{Options, write_timeline};

use crate::failure::Failure;
use crate::output::{self, Target};
use crate::setup::{self, Design, Setup};

/// Arguments of `dcom timeline`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    design: Design,
    /// Trace to write, in the Chrome trace format
    #[arg(short, long, value_name = "FILE.json")]
    output: PathBuf,
}

const AFTER_HELP: &str = "\
Open the file in https://ui.perfetto.dev or chrome://tracing. One microsecond of the trace is one cycle. Loop
iterations that repeat exactly are shown once.

Example:
  dcom timeline --arch A.toml --workload W.toml --set workload.prompts=2 -o trace.json";

/// Runs the command.
///
/// # Errors
/// Bad input, or a file that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let target = Target::new(&args.output)?;
    let setup = Setup::read(&args.design)?;
    let arch = setup.machine()?;
    let program = setup.program(&arch)?;
    let run = setup::time(&program, Options::default())?;
    target.write(|out| write_timeline(&run, &program, out))?;
    let cycles = run
        .executed
        .iter()
        .map(|e| e.done.0)
        .max()
        .unwrap_or_default();
    output::print(&format!(
        "{}: {} instructions over {} cycles{}\n",
        target.path().display(),
        thousands(i128::try_from(run.executed.len()).expect("counts fit 127 bits")),
        thousands(cycles),
        match run.extrapolated_iterations {
            0 => String::new(),
            n => format!(
                "; {} loop iterations that repeat exactly are left out",
                thousands(n)
            ),
        }
    ))
}
