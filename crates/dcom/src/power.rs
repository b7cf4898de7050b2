//! `dcom area` and `dcom power`: what a machine takes, and what a run of it consumes.

use std::path::PathBuf;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_power::{Area, Compared, Design as Other, Designs, Energy, PowerModel, Ratio, Technology};
use dcom_report::{
    Arrangement, Axis, BarPlot, BarSeries, Cell, Column, Figure, Page, Scale, Table,
};
use dcom_sweep::{Base, fig13};
use dcom_timing::Options;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::account::power::{cells, energy_columns, energy_rows, interval, shown, shown_mm2};
use crate::failure::Failure;
use crate::output::{self, Target};
use crate::setup::{self, Design, Setup, assignment};
use crate::text::{Facts, section};

/// Draws of the coefficients behind the intervals of ratios, and their seed.
const DRAWS: usize = 400;
const SEED: u64 = 1;

/// Arguments of `dcom area`.
#[derive(clap::Args)]
#[command(after_help = AREA_HELP)]
pub(crate) struct AreaArgs {
    /// Machine description, such as configs/arch/dcom-paper.toml
    #[arg(long, value_name = "FILE")]
    arch: PathBuf,
    /// Technology, such as configs/tech/generic7.toml [default: NanGate 15 nm, built in]
    #[arg(long, value_name = "FILE")]
    tech: Option<PathBuf>,
    /// Override a key of either file; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    form: Form,
}

const AREA_HELP: &str = "\
Low and high have every coefficient at the end of its range; docs/power.md says what each component counts.

Examples:
  dcom area --arch configs/arch/dcom-paper.toml
  dcom area --arch A.toml --set implementation.trees=shared --plot area.svg
  dcom area --arch A.toml --tech configs/tech/generic45.toml --csv";

/// Arguments of `dcom power`.
#[derive(clap::Args)]
#[command(after_help = POWER_HELP)]
pub(crate) struct PowerArgs {
    #[command(flatten)]
    design: Design,
    #[command(flatten)]
    form: Form,
}

const POWER_HELP: &str = "\
Energies are per prompt; those of memory and link are not on the chip. Other designs have the machine's multipliers and
memory and run the same workload in their own way and time (docs/power.md).

Examples:
  dcom power --arch configs/arch/dcom-paper.toml --workload configs/workloads/paper-fig12.toml
  dcom power --arch A.toml --workload W.toml --set operating.temperature_c=85 --json";

/// How results are given.
#[derive(clap::Args)]
struct Form {
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV, one row per component
    #[arg(long)]
    csv: bool,
    /// Also draw the components, with error bars from low to high
    #[arg(long, value_name = "FILE.svg|png")]
    plot: Option<PathBuf>,
}

/// Runs `dcom area`.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn area(args: &AreaArgs) -> Result<(), Failure> {
    let target = args.form.plot.as_deref().map(Target::new).transpose()?;
    let mut params = ArchParams::parse(Source::read(&args.arch)?)?;
    let mut technology = match &args.tech {
        Some(path) => Technology::read(path)?,
        None => Technology::nangate15(),
    };
    for (key, value) in &args.set {
        if ArchParams::keys().iter().any(|info| info.path == key) {
            params.set(key, value)?;
        } else {
            technology.set(key, value)?;
        }
    }
    let arch = Arch::new(&params)?;
    let area = PowerModel::new(&arch, &technology).area();
    if let Some(target) = target {
        let provenance = format!("machine {}, technology {}", arch.hash, technology.hash());
        draw(&target, &area_figure(&area, provenance))?;
    }
    let text = if args.form.json {
        let parts: Map<String, Value> = area
            .parts
            .iter()
            .map(|(part, um2)| (part.name().to_owned(), interval(*um2)))
            .collect();
        let json = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "arch": {"name": arch.name, "hash": arch.hash},
            "technology": {"name": technology.name, "hash": technology.hash()},
            "area_um2": {"total": interval(area.total_um2), "parts": parts},
        });
        format!("{json:#}\n")
    } else if args.form.csv {
        csv(area_columns(), area_rows(&area))?
    } else {
        let mut facts = Facts::default();
        facts.add("area", shown_mm2(area.total_um2));
        facts.add(
            "machine",
            format!("{}, hash {}", args.arch.display(), arch.hash),
        );
        facts.add(
            "technology",
            format!(
                "{}, hash {}",
                technology.document().name(),
                technology.hash()
            ),
        );
        let title = format!("{} in {}\n", arch.name, technology.name);
        format!(
            "{title}\n{}{}",
            facts.to_text(),
            section(area_columns(), area_rows(&area))
        )
    };
    output::print(&text)
}

fn area_columns() -> Vec<Column> {
    let mut columns = vec![Column::new("component")];
    columns.extend(["area", "low", "high"].map(|name| Column::new(name).unit("um2")));
    columns.push(Column::new("share").unit("%"));
    columns
}

fn area_rows(area: &Area) -> Vec<Vec<Cell>> {
    let parts = area.parts.iter().map(|(part, um2)| (part.name(), *um2));
    let all = parts.chain([("chip", area.total_um2)]);
    all.map(|(name, um2)| {
        let mut row = vec![Cell::from(name)];
        row.extend(cells(um2, 1.0));
        row.push(Cell::real(100.0 * um2.nominal / area.total_um2.nominal, 3));
        row
    })
    .collect()
}

/// Runs `dcom power`.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn power(args: &PowerArgs) -> Result<(), Failure> {
    let target = args.form.plot.as_deref().map(Target::new).transpose()?;
    let setup = Setup::read(&args.design)?;
    let arch = setup.machine()?;
    let program = setup.program(&arch)?;
    let run = setup::time(&program, Options::default())?;
    let account = Account::new(&setup, &program, &run);
    let energy = account.energy();
    if let Some(target) = target {
        let technology = setup.technology.hash();
        let provenance = format!(
            "machine {}, workload {}, technology {technology}",
            arch.hash,
            setup.workload.hash()
        );
        draw(
            &target,
            &energy_figure(energy, setup.workload.prompts, provenance),
        )?;
    }
    if args.form.csv {
        return output::print(&csv(
            energy_columns(),
            energy_rows(energy, setup.workload.prompts),
        )?);
    }
    let base = Base {
        arch: setup.arch.clone(),
        workload: setup.workload.clone(),
        technology: setup.technology.clone(),
    };
    let work = fig13::work(&base).map_err(|error| {
        Failure::input(format!("the work without computation expansion: {error}"))
    })?;
    let designs = Designs {
        arch: &arch,
        technology: &setup.technology,
        work,
        activity: run.activity(),
        cycles: run.cycles.0,
    };
    let others: Vec<(Other, Compared, Ratio)> = fig13::designs(&arch)
        .into_iter()
        .map(|other| {
            (
                other,
                designs.compare(&other),
                designs.ratios(&other, DRAWS, SEED),
            )
        })
        .collect();
    let text = if args.form.json {
        let mut json = Map::new();
        account.json(&mut json);
        json.insert("designs".into(), others.iter().map(design_json).collect());
        format!("{:#}\n", Value::from(json))
    } else {
        let mut facts = Facts::default();
        let per_prompt = 1.0 / f64::from(setup.workload.prompts);
        facts.add("chip", shown(energy.chip_w(), "W"));
        facts.add("energy per prompt", shown(energy.chip_j * per_prompt, "J"));
        facts.add(
            "memory per prompt",
            shown(energy.memory_j * per_prompt, "J"),
        );
        facts.add("link per prompt", shown(energy.link_j * per_prompt, "J"));
        format!(
            "{}\n{}{}{}{}",
            account.title(),
            facts.to_text(),
            account.energy_tables(),
            design_table(&others),
            account.provenance()
        )
    };
    output::print(&text)
}

fn design_json((other, compared, ratio): &(Other, Compared, Ratio)) -> Value {
    json!({
        "name": other.name(),
        "area_um2": interval(compared.area_um2),
        "chip_j": interval(compared.chip_j),
        "time_s": interval(compared.time_s),
        "chip_w": interval(compared.power_w),
        "machine_over_design": {
            "area": interval(ratio.area),
            "power": interval(ratio.power),
            "energy": interval(ratio.energy),
            "time": interval(ratio.time),
        },
    })
}

fn design_table(others: &[(Other, Compared, Ratio)]) -> String {
    let rows = others.iter().map(|(other, compared, ratio)| {
        vec![
            Cell::from(other.name()),
            Cell::real(compared.area_um2.nominal * 1e-6, 3),
            Cell::real(compared.power_w.nominal, 3),
            Cell::real(compared.time_s.nominal * 1e3, 3),
            Cell::real(ratio.area.nominal, 3),
            Cell::real(ratio.power.nominal, 3),
            Cell::real(ratio.energy.nominal, 3),
        ]
    });
    let columns = vec![
        Column::new("same workload on"),
        Column::new("area").unit("mm2"),
        Column::new("power").unit("W"),
        Column::new("time").unit("ms"),
        Column::new("machine/it: area"),
        Column::new("power"),
        Column::new("energy"),
    ];
    section(columns, rows.collect())
}

fn area_figure(area: &Area, provenance: String) -> Figure {
    let parts: Vec<_> = area
        .parts
        .iter()
        .map(|(part, um2)| (part.name(), *um2))
        .collect();
    bars(
        &parts,
        1e-6,
        Axis::new("placed area", Scale::Linear).unit("mm²"),
        provenance,
    )
}

fn energy_figure(energy: &Energy, prompts: u32, provenance: String) -> Figure {
    let parts = energy
        .parts
        .iter()
        .map(|part| (part.component.name(), part.total_j()));
    let outside = [("memory", energy.memory_j), ("link", energy.link_j)];
    let parts: Vec<_> = parts.chain(outside).collect();
    let axis = Axis::new("energy per prompt", Scale::Linear).unit("mJ");
    bars(&parts, 1e3 / f64::from(prompts), axis, provenance)
}

fn bars(
    parts: &[(&str, dcom_power::Interval)],
    factor: f64,
    y: Axis,
    provenance: String,
) -> Figure {
    let values = parts.iter().map(|(_, value)| *value * factor);
    let series = BarSeries {
        name: "nominal, from low to high".to_owned(),
        values: values.clone().map(|value| value.nominal).collect(),
        error: Some(values.map(|value| (value.low, value.high)).collect()),
    };
    Figure::from(BarPlot {
        page: Page {
            height_ratio: 0.8,
            provenance: Some(format!("dcom {}, {provenance}", env!("CARGO_PKG_VERSION"))),
            ..Page::default()
        },
        x_label: None,
        y,
        arrangement: Arrangement::Grouped,
        categories: parts
            .iter()
            .map(|(name, _)| name.replace('_', " "))
            .collect(),
        series: vec![series],
    })
}

/// Draws into a file whose place has been checked; its name says which format.
fn draw(target: &Target<'_>, figure: &Figure) -> Result<(), Failure> {
    figure
        .write(target.path())
        .map_err(|error| Failure::input(format!("{}: {error}", target.path().display())))
}

fn csv(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Result<String, Failure> {
    let internal = |error: &dyn std::error::Error| Failure::Internal(error.to_string());
    let mut table = Table::new(columns);
    for row in rows {
        table.push(row).map_err(|e| internal(&e))?;
    }
    let mut bytes = Vec::new();
    table.to_csv(&mut bytes).map_err(|e| internal(&e))?;
    String::from_utf8(bytes).map_err(|e| internal(&e))
}
