//! `dcom find`: the best point of a sweep under constraints.

use std::path::PathBuf;

use dcom_report::{Cell, Column, engineering, significant, thousands};
use dcom_sweep::find::{Candidate, Certainty, Found, Query, find};
use dcom_sweep::{METRICS, SweepSpec};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output;
use crate::setup::assignment;
use crate::sweep;
use crate::text::{Facts, percent, section};

/// Arguments of `dcom find`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Sweep file: the space to look in
    #[arg(value_name = "SWEEP")]
    sweep: PathBuf,
    /// Metric or numeric key to minimize
    #[arg(long, value_name = "QUANTITY")]
    minimize: String,
    /// Constraint on a metric or numeric key: <=, <, >= or > and a number; may be repeated
    #[arg(long, value_name = "CONSTRAINT")]
    subject_to: Vec<String>,
    /// Override a key at every point; may be repeated [keys: dcom parameters]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Points to evaluate at most, about; beyond, the answer is searched instead of exact
    #[arg(long, value_name = "POINTS", default_value_t = 1_000_000)]
    budget: usize,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Metrics: dcom parameters metrics. docs/queries.md says when an answer is exact, and where the 1549 us come from.

Examples:
  dcom find configs/sweeps/smallest.toml --minimize clusters --subject-to \"time_us_per_prompt <= 1549\"
  dcom find configs/sweeps/smallest.toml --minimize time_us_per_prompt --subject-to \"clusters <= 64\" --json";

/// Metrics that are printed for readers, where they exist.
const SHOWN: [&str; 8] = [
    "time_us_per_prompt",
    "clusters",
    "banks",
    "multipliers",
    "bank_bytes",
    "buffer_bytes",
    "lanes_utilization",
    "memory_utilization",
];

/// Runs the command.
///
/// # Errors
/// Bad input.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let query = Query::parse(&args.minimize, &args.subject_to).map_err(|error| {
        Failure::input_with_help(
            error.to_string(),
            "`dcom parameters` lists metrics and keys",
        )
    })?;
    let space = sweep::space(&args.sweep, &args.set)?;
    // Draws on stderr, and not at all where that is no terminal.
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {pos} points evaluated, {per_sec}");
    bar.set_style(style.map_err(|error| Failure::Internal(error.to_string()))?);
    let found = find(&space, &query, args.budget, || bar.inc(1))
        .map_err(|error| Failure::input(error.to_string()))?;
    bar.finish_and_clear();
    let text = if args.json {
        format!("{:#}\n", json_of(space.spec(), &query, &found))
    } else {
        text_of(space.spec(), &query, &found)
    };
    output::print(&text)
}

fn text_of(spec: &SweepSpec, query: &Query, found: &Found) -> String {
    let mut text = format!("{}\n", answer(query, found));
    let mut facts = Facts::default();
    facts.add("certainty", certainty(found));
    if let (count @ 1.., Some(reason)) = &found.infeasible {
        let count = thousands(i128::try_from(*count).expect("counts fit 127 bits"));
        facts.add(
            "infeasible",
            format!("{count} of the points evaluated; the first one: {reason}"),
        );
    }
    for note in &found.notes {
        facts.add("note", note.as_str());
    }
    text.push_str(&facts.to_text());
    let shown: Vec<(&str, &Candidate)> = [
        ("best", found.best.as_ref()),
        ("runner-up", found.runner_up.as_ref()),
        ("nearest", found.nearest.as_ref().map(|(c, _)| c)),
    ]
    .into_iter()
    .filter_map(|(name, candidate)| Some((name, candidate?)))
    .collect();
    text.push_str(&candidates(query, &shown));
    text + &format!(
        "\n  sweep {}, dcom {}\n",
        spec.name,
        env!("CARGO_PKG_VERSION")
    )
}

/// Settings and numbers, one column per candidate.
fn candidates(query: &Query, shown: &[(&str, &Candidate)]) -> String {
    let Some((_, first)) = shown.first() else {
        return String::new();
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (at, (key, _)) in first.settings.iter().enumerate() {
        let mut row = vec![Cell::from(key.as_str())];
        row.extend(
            shown
                .iter()
                .map(|(_, c)| Cell::from(c.settings[at].1.as_str())),
        );
        rows.push(row);
    }
    let asked = |name: &str| {
        SHOWN.contains(&name)
            || query.objective.name() == name
            || query.constraints.iter().any(|c| c.quantity.name() == name)
    };
    for metric in METRICS.iter().filter(|m| asked(m.name)) {
        let unit = if metric.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", metric.unit)
        };
        let mut row = vec![Cell::from(format!("{}{unit}", metric.name))];
        row.extend(
            shown
                .iter()
                .map(|(_, c)| Cell::from(number(metric.of(&c.point)))),
        );
        rows.push(row);
    }
    let mut row = vec![Cell::from("bottleneck")];
    row.extend(
        shown
            .iter()
            .map(|(_, c)| Cell::from(c.point.summary.bottleneck.as_str())),
    );
    rows.push(row);
    let mut columns = vec![Column::new("")];
    columns.extend(shown.iter().map(|(name, _)| Column::new(*name)));
    section(columns, rows)
}

/// Whole numbers in full, others rounded.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value}")
    } else {
        significant(value, 5)
    }
}

/// The answer in a sentence.
fn answer(query: &Query, found: &Found) -> String {
    let conditions: Vec<String> = query.constraints.iter().map(ToString::to_string).collect();
    let under = if conditions.is_empty() {
        String::new()
    } else {
        format!(" with {}", conditions.join(" and "))
    };
    let objective = query.objective.name();
    match (&found.best, &found.nearest) {
        (Some(best), _) => {
            let settings: Vec<String> = best
                .settings
                .iter()
                .map(|(k, v)| format!("{k} = {v}"))
                .collect();
            format!(
                "The smallest {objective}{under} is {}{}: {} ({} per prompt).",
                number(best.objective),
                unit(query.objective.unit()),
                settings.join(", "),
                engineering(best.point.time_us_per_prompt * 1e-6, "s")
            )
        }
        (None, Some((_, miss))) => {
            format!(
                "No point evaluated satisfies {}; the nearest misses by {} %.",
                conditions.join(" and "),
                percent(*miss)
            )
        }
        (None, None) => "No point evaluated can be built.".to_owned(),
    }
}

fn unit(unit: &str) -> String {
    if unit.is_empty() {
        String::new()
    } else {
        format!(" {unit}")
    }
}

fn certainty(found: &Found) -> String {
    let count = |n: usize| thousands(i128::try_from(n).expect("counts fit 127 bits"));
    let counts = format!(
        "{} of {} points evaluated",
        count(found.evaluated),
        count(found.points)
    );
    match &found.certainty {
        Certainty::Exhaustive => format!("exact: {counts}"),
        Certainty::Ordered => {
            format!("exact: {counts}, in the order of what is minimized; no other point is better")
        }
        Certainty::Bisected { axis, quantities } => format!(
            "exact by bisection: {counts}; {} monotone along {axis}, as declared and found at every point evaluated or else evaluated in full",
            quantities.join(", ")
        ),
        Certainty::Searched => format!("searched, not proven: {counts}; a better point may exist"),
    }
}

fn json_of(spec: &SweepSpec, query: &Query, found: &Found) -> Value {
    let candidate = |c: &Candidate| {
        let settings = c
            .settings
            .iter()
            .map(|(k, v)| (k.clone(), v.clone().into()));
        let metrics = METRICS
            .iter()
            .map(|m| (m.name.to_owned(), m.of(&c.point).into()));
        json!({
            "point": c.index,
            "objective": c.objective,
            "settings": settings.collect::<Map<_, _>>(),
            "metrics": metrics.collect::<Map<_, _>>(),
            "bottleneck": c.point.summary.bottleneck,
            "arch_hash": c.hashes[0],
            "workload_hash": c.hashes[1],
            "technology_hash": c.hashes[2],
        })
    };
    let how = match &found.certainty {
        Certainty::Exhaustive => json!({"how": "exhaustive"}),
        Certainty::Ordered => json!({"how": "ordered"}),
        Certainty::Bisected { axis, quantities } => {
            json!({"how": "bisected", "axis": axis, "monotone": quantities})
        }
        Certainty::Searched => json!({"how": "searched"}),
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "sweep": spec.name,
        "minimize": query.objective.name(),
        "subject_to": query.constraints.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "answer": answer(query, found),
        "exact": found.certainty.is_exact(),
        "certainty": how,
        "points": found.points,
        "evaluated": found.evaluated,
        "infeasible": {"points": found.infeasible.0, "first": found.infeasible.1},
        "notes": found.notes,
        "best": found.best.as_ref().map(candidate),
        "runner_up": found.runner_up.as_ref().map(candidate),
        "nearest": found.nearest.as_ref().map(|(c, miss)| json!({"missed_by": miss, "point": candidate(c)})),
    })
}
