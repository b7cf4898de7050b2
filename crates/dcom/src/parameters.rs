//! `dcom parameters`, the reference table of all keys and metrics, and `--explain-parameters`, their values in a run.

use std::fmt::Write as _;

use clap::ValueEnum;
use dcom_arch::ArchParams;
use dcom_config::KeyInfo;
use dcom_llm::{Gpu, Model, Scenario};
use dcom_mapper::WorkloadParams;
use dcom_power::Technology;
use dcom_quality::Setting;
use dcom_sweep::{METRICS, Metric};

use crate::failure::Failure;
use crate::output;
use crate::setup::{Parameter, Setup};

/// Arguments of `dcom parameters`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// What to list [default: all]
    kind: Option<Kind>,
    /// Print Markdown tables
    #[arg(long)]
    markdown: bool,
}

const AFTER_HELP: &str = "\
Every key can be overridden: dcom run --arch A --workload W --set KEY=VALUE

Examples:
  dcom parameters arch
  dcom parameters workload --markdown";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Machine descriptions
    Arch,
    /// Workloads and mappings
    Workload,
    /// Technologies and choices of the area model
    Technology,
    /// Llama models on GPUs and D-com
    Scenario,
    /// Studies of a checkpoint under plans
    Study,
    /// Shapes of models
    Model,
    /// GPUs
    Gpu,
    /// Numbers of a design point: columns of sweeps, what queries and plots refer to
    Metrics,
}

/// Runs the command.
///
/// # Errors
/// Results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let schemas = [
        (
            Kind::Arch,
            "Keys of a machine file (arch)",
            ArchParams::keys(),
            ArchParams::reference_table(),
        ),
        (
            Kind::Workload,
            "Keys of a workload file",
            WorkloadParams::keys(),
            WorkloadParams::reference_table(),
        ),
        (
            Kind::Technology,
            "Keys of a technology file",
            Technology::keys(),
            Technology::reference_table(),
        ),
        (
            Kind::Scenario,
            "Keys of a scenario file",
            Scenario::keys(),
            Scenario::reference_table(),
        ),
        (
            Kind::Study,
            "Keys of a study, beside those of its scenario",
            Setting::keys(),
            Setting::reference_table(),
        ),
        (
            Kind::Model,
            "Keys of a model file",
            Model::keys(),
            Model::reference_table(),
        ),
        (
            Kind::Gpu,
            "Keys of a GPU file",
            Gpu::keys(),
            Gpu::reference_table(),
        ),
    ];
    let chosen = schemas
        .into_iter()
        .filter(|(kind, ..)| args.kind.is_none_or(|wanted| wanted == *kind));
    let texts = chosen.map(|(_, heading, keys, markdown)| {
        if args.markdown {
            format!("## {heading}\n\n{markdown}")
        } else {
            format!("{heading}\n{}", reference(keys))
        }
    });
    let metrics = args
        .kind
        .is_none_or(|wanted| wanted == Kind::Metrics)
        .then(|| metrics(args.markdown));
    output::print(&texts.chain(metrics).collect::<Vec<_>>().join("\n"))
}

/// The metrics: name, unit, meaning.
fn metrics(markdown: bool) -> String {
    let unit = |metric: &Metric| {
        if metric.unit.is_empty() {
            "-"
        } else {
            metric.unit
        }
    };
    if markdown {
        let rows = METRICS
            .iter()
            .map(|m| format!("| `{}` | {} | {} |\n", m.name, unit(m), m.doc));
        let rows: String = rows.collect();
        return format!("## Metrics\n\n| metric | unit | meaning |\n|---|---|---|\n{rows}");
    }
    let rows = METRICS
        .iter()
        .map(|m| format!("  {:36}  {:8}  {}\n", m.name, unit(m), m.doc));
    let rows: String = rows.collect();
    format!("Metrics of a design point\n\n{rows}")
}

/// The keys, table by table: name, allowed values, default, meaning.
fn reference(keys: &[KeyInfo]) -> String {
    let name_width = keys
        .iter()
        .map(|key| key.leaf().len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    let mut table = "";
    for key in keys {
        if key.table() != table {
            table = key.table();
            writeln!(text, "\n[{table}]").expect("writing to a String");
        }
        let default = key
            .default
            .map(|default| format!(", default {default}"))
            .unwrap_or_default();
        let indent = " ".repeat(name_width);
        writeln!(
            text,
            "  {:name_width$}  {}{default}\n  {indent}  {}",
            key.leaf(),
            key.expectation(),
            key.doc
        )
        .expect("writing to a String");
    }
    text
}

/// Every parameter of a run with value, unit, mark and source.
///
/// # Errors
/// None that input could cause.
pub(crate) fn explain(setup: &Setup, json: bool) -> Result<String, Failure> {
    let parameters = setup.parameters();
    if json {
        let text = serde_json::to_string_pretty(&parameters)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        return Ok(text + "\n");
    }
    let value = |p: &Parameter<'_>| match p.unit {
        Some(unit) => format!("{} {unit}", p.value),
        None => p.value.to_string(),
    };
    let width = |column: &dyn Fn(&Parameter<'_>) -> usize| {
        parameters.iter().map(column).max().unwrap_or_default()
    };
    let (name_width, value_width) = (width(&|p| leaf(p.key).len()), width(&|p| value(p).len()));
    let mut text = String::new();
    let mut table = "";
    for p in &parameters {
        let (next, name) = p.key.rsplit_once('.').unwrap_or(("", p.key));
        if next != table {
            writeln!(text, "{}[{next}]", if table.is_empty() { "" } else { "\n" })
                .expect("writing to a String");
            table = next;
        }
        let mark = p
            .mark
            .map_or_else(|| "-".to_owned(), |mark| mark.to_string());
        let line = format!(
            "  {name:name_width$}  {:value_width$}  {mark:7}  {}",
            value(p),
            p.source.unwrap_or("-")
        );
        writeln!(text, "{}", line.trim_end()).expect("writing to a String");
    }
    Ok(text)
}

fn leaf(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}
