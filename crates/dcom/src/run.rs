//! `dcom run`: map, verify, time, and say where the time goes.

use std::path::PathBuf;

use dcom_timing::Options;
use serde_json::Map;

use crate::account::Account;
use crate::failure::Failure;
use crate::output::{self, Target};
use crate::parameters;
use crate::setup::{self, Design, Setup};
use crate::text::{Facts, Record};

/// Arguments of `dcom run`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    design: Design,
    /// Print everything as JSON, with the marks of fitted and assumed parameters
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print one record as CSV
    #[arg(long)]
    csv: bool,
    /// Simulate every iteration of every loop, also those that repeat exactly
    #[arg(long)]
    full: bool,
    /// Write the mapped program in its binary form, for `dcom disasm`
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Print every parameter with value, unit, mark and source instead of running
    #[arg(long, conflicts_with_all = ["csv", "full", "program"])]
    explain_parameters: bool,
}

const AFTER_HELP: &str = "\
A cycle is one clock period of the machine, counted as docs/machine.md defines it.

Examples:
  dcom run --arch configs/arch/dcom-paper.toml --workload configs/workloads/llama2-7b.toml
  dcom run --arch A.toml --workload W.toml --set mapping.expansion_factor=4 --set array.columns=32
  dcom run --arch A.toml --workload W.toml --json | jq .time_us_per_prompt
  dcom run --arch A.toml --workload W.toml --explain-parameters";

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let target = args.program.as_deref().map(Target::new).transpose()?;
    let setup = Setup::read(&args.design)?;
    let arch = setup.machine()?;
    if args.explain_parameters {
        return output::print(&parameters::explain(&setup, args.json)?);
    }
    let program = setup.program(&arch)?;
    let run = setup::time(
        &program,
        Options {
            tests: None,
            full: args.full,
        },
    )?;
    let account = Account::new(&setup, &program, &run);
    let text = if args.json {
        let mut json = Map::new();
        account.json(&mut json);
        format!("{:#}\n", serde_json::Value::from(json))
    } else if args.csv {
        let mut record = Record::default();
        account.record(&mut record);
        record.to_csv()?
    } else {
        let mut facts = Facts::default();
        account.facts(&mut facts);
        format!(
            "{}\n{}{}{}",
            account.title(),
            facts.to_text(),
            account.tables(),
            account.provenance()
        )
    };
    if let Some(target) = target {
        let bytes = program.program().encode();
        target.write(|out| out.write_all(&bytes))?;
    }
    output::print(&text)
}
