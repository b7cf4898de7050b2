//! `dcom llm`: a model on GPUs and D-com, layer by layer.

use std::path::{Path, PathBuf};

use dcom_llm::schedule::timeline;
use dcom_llm::{Evaluation, FACTORED, KINDS, ORIGINAL, OpTime, Scenario, ScenarioError, System};
use dcom_report::{
    Axis, Cell, Column, Figure, FigureError, GanttPlot, GanttSpan, Page, Scale, Width, engineering,
};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{self, Target};
use crate::setup::assignment;
use crate::text::{Facts, percent, section};

/// Arguments of `dcom llm`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Scenario file, such as configs/scenarios/paper-table2.toml
    scenario: PathBuf,
    /// Override a key of the scenario; may be repeated [keys: dcom parameters scenario]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Print everything as JSON, every op included
    #[arg(long)]
    json: bool,
    /// Write when each machine did what, in the Chrome trace format
    #[arg(long, value_name = "FILE.json")]
    timeline: Option<PathBuf>,
    /// Draw it as a Gantt chart (.svg, .pdf or .png)
    #[arg(long, value_name = "FILE")]
    gantt: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
What a number counts, and what it rests on, is in docs/llm.md. Times are of one batch unless they say otherwise.

Examples:
  dcom llm configs/scenarios/paper-table2.toml
  dcom llm configs/scenarios/paper-table2.toml --set system.policy=overlapped --set batch.micro_batches=4 --gantt gantt.svg
  dcom llm configs/scenarios/paper-table2.toml --set batch.phase=decode --set files.plan=none";

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let trace = args.timeline.as_deref().map(Target::new).transpose()?;
    let chart = args.gantt.as_deref().map(Target::new).transpose()?;
    let mut scenario = Scenario::read(&args.scenario)?;
    for (key, value) in &args.set {
        scenario.set(key, value)?;
    }
    let system = scenario.open().map_err(failure)?;
    let evaluation = scenario.evaluate(&system).map_err(failure)?;
    if let Some(trace) = trace {
        trace.write(|out| out.write_all(timeline(&evaluation.schedule).as_bytes()))?;
    }
    if let Some(chart) = chart {
        draw(&scenario, &evaluation, chart.path())?;
    }
    let text = if args.json {
        format!("{:#}\n", json_of(&scenario, &evaluation))
    } else {
        text_of(&scenario, &system, &evaluation)
    };
    output::print(&text)
}

fn failure(error: ScenarioError) -> Failure {
    match error {
        ScenarioError::Config(error) => Failure::Config(error),
        error => Failure::input(error.to_string()),
    }
}

fn draw(scenario: &Scenario, evaluation: &Evaluation, path: &Path) -> Result<(), Failure> {
    let schedule = &evaluation.schedule;
    let merged = schedule.merged();
    let kinds: Vec<&str> = KINDS
        .into_iter()
        .filter(|kind| merged.iter().any(|span| span.kind == *kind))
        .collect();
    let spans = merged.iter().map(|span| GanttSpan {
        machine: span.machine,
        kind: kinds
            .iter()
            .position(|kind| *kind == span.kind)
            .expect("kept"),
        start: span.start_us * 1e-3,
        end: span.end_us * 1e-3,
    });
    let page = Page {
        width: Width::DoubleColumn,
        height_ratio: 0.2,
        provenance: Some(format!(
            "dcom {}, scenario {}",
            dcom_sweep::VERSION,
            scenario.hash()
        )),
        ..Page::default()
    };
    let figure = Figure::from(GanttPlot {
        page,
        x: Axis::new("time", Scale::Linear).unit("ms"),
        machines: schedule
            .machines
            .iter()
            .map(|machine| machine.name.clone())
            .collect(),
        spans: spans.collect(),
        kinds: kinds.into_iter().map(str::to_owned).collect(),
    });
    figure
        .write(path)
        .map_err(|error: FigureError| Failure::input(format!("{}: {error}", path.display())))
}

fn text_of(scenario: &Scenario, system: &System, e: &Evaluation) -> String {
    let us = |value: f64| engineering(value * 1e-6, "s");
    let mut facts = Facts::default();
    facts.add("time", us(e.us()));
    if e.us() != e.original_us {
        facts.add(
            "without the plan",
            format!(
                "{}; with it {} % of that",
                us(e.original_us),
                percent(e.ratio())
            ),
        );
        facts.add(
            "decompositions",
            format!(
                "{} on D-com; {} on a GPU kernel by kernel, {} fused",
                us(e.dcom_us),
                us(e.gpu_eager_us),
                us(e.gpu_fused_us)
            ),
        );
    }
    if scenario.batches > 1 {
        let all = f64::from(scenario.batches);
        facts.add(
            "the whole task",
            format!(
                "{} in {} batches; {} without the plan",
                us(e.us() * all),
                scenario.batches,
                us(e.original_us * all)
            ),
        );
    }
    let saved = |(original, planned): (u64, u64), share: f64| {
        format!(
            "{} of {}, {} % saved",
            bytes(planned),
            bytes(original),
            percent(share)
        )
    };
    facts.add(
        "activations of a prompt",
        saved(e.activation_bytes, e.activation_reduction()),
    );
    facts.add("weights", saved(e.weight_bytes, e.weight_reduction()));
    format!(
        "{} on {} x {}: {} prompts of {} tokens, plan {}\n{}{}{}",
        system.model.name,
        scenario.gpus,
        system.gpus.gpu.name,
        scenario.prompts,
        scenario.tokens,
        if system.plan.name.is_empty() {
            "none"
        } else {
            &system.plan.name
        },
        facts.to_text(),
        machines(e),
        ops(e)
    )
}

fn bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "printed with few digits")]
    engineering(count as f64, "B")
}

/// What each machine did, and whom it waited for.
fn machines(e: &Evaluation) -> String {
    let names: Vec<&str> = e
        .schedule
        .machines
        .iter()
        .map(|machine| machine.name.as_str())
        .collect();
    let mut columns = vec![
        Column::new("machine"),
        Column::new("busy").unit("%"),
        Column::new("slowed").unit("%"),
    ];
    columns.extend(
        names
            .iter()
            .map(|name| Column::new(format!("waits for {name}")).unit("%")),
    );
    columns.push(Column::new("done").unit("%"));
    let share = |us: f64| Cell::Text(percent(us / e.us()));
    let row = |machine: &dcom_llm::schedule::MachineUse| {
        let mut row = vec![
            Cell::Text(machine.name.clone()),
            share(machine.busy_us),
            share(machine.slowed_us),
        ];
        row.extend(machine.waited_us.iter().map(|us| share(*us)));
        row.push(share(machine.done_us));
        row
    };
    section(columns, e.schedule.machines.iter().map(row).collect())
}

/// The ops of one original and one decomposed layer.
fn ops(e: &Evaluation) -> String {
    let first = |kind: &str| {
        e.ops
            .iter()
            .find(|op| op.layer.is_some() && op.kind == kind)
            .and_then(|op| op.layer)
    };
    let shown = [first(ORIGINAL), first(FACTORED)];
    let row = |op: &OpTime| {
        vec![
            op.layer
                .map_or(Cell::Missing, |layer| Cell::Integer(layer.into())),
            Cell::Text(op.name.clone()),
            Cell::Text(op.shape.clone()),
            Cell::Text(if op.on_dcom { "D-com" } else { "GPU" }.to_owned()),
            Cell::real(op.us, 4),
            Cell::Text(percent(op.memory_share)),
        ]
    };
    let rows = e
        .ops
        .iter()
        .filter(|op| op.layer.is_none() || shown.contains(&op.layer));
    section(
        vec![
            Column::new("layer"),
            Column::new("op"),
            Column::new("shape"),
            Column::new("on"),
            Column::new("time").unit("us"),
            Column::new("memory-bound").unit("%"),
        ],
        rows.map(row).collect(),
    )
}

fn json_of(scenario: &Scenario, e: &Evaluation) -> serde_json::Value {
    let parameters = scenario.entries();
    let parameters = parameters
        .iter()
        .map(|entry| (entry.path.to_owned(), json!(entry.value.to_string())));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "scenario": serde_json::Map::from_iter(parameters),
        "scenario_hash": scenario.hash(),
        "time_us": e.us(),
        "original_us": e.original_us,
        "ratio": e.ratio(),
        "dcom_us": e.dcom_us,
        "gpu_eager_us": e.gpu_eager_us,
        "gpu_fused_us": e.gpu_fused_us,
        "activation_bytes": {"original": e.activation_bytes.0, "planned": e.activation_bytes.1},
        "weight_bytes": {"original": e.weight_bytes.0, "planned": e.weight_bytes.1},
        "machines": e.schedule.machines,
        "ops": e.ops,
    })
}
