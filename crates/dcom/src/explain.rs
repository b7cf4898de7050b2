//! `dcom explain`: the bottleneck in words, and what each parameter would buy.

use dcom_report::{Cell, Column};
use dcom_sweep::Base;
use dcom_sweep::explain::{Change, Explanation, Lever, NOTHING, Role, STEP, Step, explain};
use dcom_timing::Options;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::failure::Failure;
use crate::output;
use crate::progress;
use crate::setup::{self, Design, Setup};
use crate::text::{fixed_cell, section};

/// Pairs that are printed.
const PAIRS: usize = 5;

/// Arguments of `dcom explain`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    design: Design,
    /// Print everything as JSON: the run as in `dcom run --json`, the sentences, and every neighbour tried
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
What a parameter buys is simulated, one change at a time; docs/queries.md says how the neighbours are chosen.

Examples:
  dcom explain --arch configs/arch/dcom-paper.toml --workload configs/workloads/paper-fig12.toml
  dcom explain --arch A.toml --workload W.toml --set mapping.expansion_factor=4 --json | jq .sentences";

/// Runs the command.
///
/// # Errors
/// Bad input.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let setup = Setup::read(&args.design)?;
    let arch = setup.machine()?;
    let program = setup.program(&arch)?;
    let run = setup::time(&program, Options::default())?;
    let account = Account::new(&setup, &program, &run);
    let base = Base {
        arch: setup.arch.clone(),
        workload: setup.workload.clone(),
    };
    // The point itself has just been mapped and timed, so what fails now is not the input.
    let explanation = progress::during("trying neighbours", || explain(&base))
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let text = if args.json {
        let mut json = Map::new();
        account.json(&mut json);
        json.insert("sentences".into(), json!(explanation.sentences()));
        let levers = explanation.levers.iter().map(lever_json);
        json.insert("levers".into(), levers.collect::<Vec<_>>().into());
        let pairs = explanation.pairs.iter();
        let pairs = pairs.map(|p| json!({"keys": p.keys, "relative": p.relative}));
        json.insert("pairs".into(), pairs.collect::<Vec<_>>().into());
        format!("{:#}\n", Value::from(json))
    } else {
        let tables = [
            account.path_table(),
            account.unit_table(),
            account.op_table(),
            lever_table(&explanation),
            pair_table(&explanation),
            choice_table(&explanation),
            problem_table(&explanation),
            idle_text(&explanation),
            infeasible_text(&explanation),
        ];
        format!(
            "{}\n{}\n{}{}",
            account.title(),
            explanation.sentences().join("\n"),
            tables.concat(),
            account.provenance()
        )
    };
    output::print(&text)
}

fn lever_json(lever: &Lever) -> Value {
    let neighbours = lever.neighbours.iter().map(|n| {
        let (step, value) = (n.step.name(), &n.value);
        match &n.outcome {
            Ok(c) => json!({
                "step": step, "value": value, "time_us_per_prompt": c.time_us_per_prompt,
                "relative": c.relative, "elasticity": c.elasticity,
            }),
            Err(reason) => json!({"step": step, "value": value, "infeasible": reason}),
        }
    });
    json!({
        "key": lever.key,
        "unit": lever.unit,
        "role": lever.role.name(),
        "mark": lever.mark.map(|m| m.to_string()),
        "value": lever.value.to_string(),
        "neighbours": neighbours.collect::<Vec<_>>(),
    })
}

/// Numeric parameters of machine and mapping that change the time, the one with the most to gain first.
fn lever_table(explanation: &Explanation) -> String {
    numeric_table(explanation, "parameter", |l| l.role != Role::Problem)
}

/// The same for the problem's parameters.
fn problem_table(explanation: &Explanation) -> String {
    numeric_table(explanation, "if the problem were another", |l| {
        l.role == Role::Problem
    })
}

fn numeric_table(
    explanation: &Explanation,
    heading: &str,
    wanted: impl Fn(&Lever) -> bool,
) -> String {
    let moving = |l: &&Lever| wanted(l) && is_numeric(l) && !l.is_idle();
    let rows = explanation.levers.iter().filter(moving).map(|l| {
        vec![
            Cell::from(l.key),
            Cell::from(l.value.to_string()),
            change_cell(l.change(Step::Double)),
            change_cell(l.change(Step::Halve)),
            elasticity_cell(l.change(Step::Up)),
            elasticity_cell(l.change(Step::Down)),
        ]
    });
    let columns = vec![
        Column::new(heading),
        Column::new("value"),
        Column::new("doubled").unit("%"),
        Column::new("halved").unit("%"),
        Column::new("elasticity up"),
        Column::new("down"),
    ];
    let table = section(columns, rows.collect());
    if table.is_empty() {
        return table;
    }
    format!(
        "{table}\n  doubled, halved: change of the time per prompt; elasticity: d log time / d log parameter over {} % (integers: the next\n  feasible value at least that far away)\n",
        STEP * 100.0
    )
}

/// Names, switches and what is zero, one row per alternative.
fn choice_table(explanation: &Explanation) -> String {
    let choices = explanation.levers.iter().filter(|l| !is_numeric(l));
    let rows = choices.flat_map(|l| {
        let feasible = l.neighbours.iter();
        let feasible = feasible.filter_map(|n| Some((n, n.outcome.as_ref().ok()?)));
        feasible.map(|(n, c)| {
            vec![
                Cell::from(l.key),
                Cell::from(l.value.to_string()),
                Cell::from(n.value.as_str()),
                change_cell(Some(*c)),
            ]
        })
    });
    let columns = vec![
        Column::new("choice"),
        Column::new("value"),
        Column::new("instead"),
        Column::new("change").unit("%"),
    ];
    section(columns, rows.collect())
}

fn idle_text(explanation: &Explanation) -> String {
    let idle = explanation
        .levers
        .iter()
        .filter(|l| is_numeric(l) && l.is_idle());
    let names: Vec<&str> = idle.map(|l| l.key).collect();
    if names.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n  less than {} % at every neighbour, in either direction:\n",
        NOTHING * 100.0
    );
    let mut line = String::new();
    for name in names {
        if line.len() + name.len() > 110 {
            text.push_str(&format!("    {}\n", line.trim_end()));
            line.clear();
        }
        line.push_str(name);
        line.push_str("  ");
    }
    text + &format!("    {}\n", line.trim_end())
}

/// Neighbours that cannot be built: per parameter, the values tried and the first reason.
fn infeasible_text(explanation: &Explanation) -> String {
    let mut text = String::new();
    for lever in &explanation.levers {
        let tried = lever.neighbours.iter();
        let refused = tried.filter_map(|n| Some((n.value.as_str(), n.outcome.as_ref().err()?)));
        let (mut values, reasons): (Vec<&str>, Vec<&String>) = refused.unzip();
        values.dedup();
        if let Some(reason) = reasons.first() {
            let key = lever.key;
            text.push_str(&format!("    {key} = {}: {reason}\n", values.join(", ")));
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\n  infeasible, with the reason of the first:\n{text}")
}

fn pair_table(explanation: &Explanation) -> String {
    let rows = explanation.pairs.iter().take(PAIRS).map(|p| {
        let [a, b] = p.keys;
        vec![
            Cell::from(a),
            Cell::from(b),
            Cell::Text(format!("{:+.1}", p.relative * 100.0)),
        ]
    });
    let columns = vec![
        Column::new("doubled together"),
        Column::new("with"),
        Column::new("change").unit("%"),
    ];
    section(columns, rows.collect())
}

/// Whether the parameter can be doubled: it is a number and not zero.
fn is_numeric(lever: &Lever) -> bool {
    use dcom_config::Value as Parameter;
    match &lever.value {
        Parameter::Integer(value) => *value != 0,
        Parameter::Float(value) => *value != 0.0,
        Parameter::Bool(_) | Parameter::Text(_) | Parameter::Choice(_) => false,
    }
}

fn change_cell(change: Option<Change>) -> Cell {
    change.map_or(Cell::Missing, |c| {
        if c.relative == 0.0 {
            Cell::Integer(0)
        } else if c.relative.abs() < 5e-4 {
            Cell::from("<0.1")
        } else {
            Cell::Text(format!("{:+.1}", c.relative * 100.0))
        }
    })
}

fn elasticity_cell(change: Option<Change>) -> Cell {
    let elasticity = change.and_then(|c| c.elasticity);
    elasticity.map_or(Cell::Missing, |e| fixed_cell(e, 2))
}
