//! `cargo xtask reproduce sensitivity`.

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use dcom_report::{Table, write_atomic};
use dcom_sweep::Base;
use dcom_sweep::sensitivity::{Ranges, Study};
use indicatif::{ProgressBar, ProgressStyle};

/// Arguments of `cargo xtask reproduce sensitivity`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Machines drawn per population: one that varies the machine's numbers, one that varies everything
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    samples: u32,
    /// Seed of the drawing
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Plausible ranges, with reasons
    #[arg(
        long,
        value_name = "FILE",
        default_value = "configs/sensitivity/paper.toml"
    )]
    ranges: PathBuf,
    /// Directory for sensitivity.md, its tables and its figures
    #[arg(long, value_name = "DIR", default_value = "reports/paper")]
    output: PathBuf,
    /// Also write every machine drawn, with its times, as CSV (about 5 MB per 10000 machines)
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
}

/// Draws, evaluates and reports.
pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let rows = args.rows.as_deref().map(std::path::absolute).transpose()?;
    std::env::set_current_dir(root).context("entering the repository")?;
    let ranges = Ranges::read(&args.ranges)?;
    let base = Base::read(&ranges.arch, &ranges.workload)?;
    if let Some(reason) = ranges.misfit(&base) {
        bail!("{}: {reason}", args.ranges.display());
    }
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("creating {}", args.output.display()))?;
    // Opened before anything is computed, so that a wrong path costs nothing.
    let rows = rows
        .map(|path| {
            let file = File::create(&path).with_context(|| format!("creating {}", path.display()));
            file.map(|file| (path, file))
        })
        .transpose()?;

    let machines = Study::machines(&ranges, args.samples);
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(machines)
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} machines, {per_sec}, {eta} left",
    )?);
    let start = Instant::now();
    let study = Study::run(ranges, base, args.samples, args.seed, || bar.inc(1))?;
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();

    write(
        &args.output,
        "sensitivity_shares.csv",
        &study.shares_table()?,
    )?;
    write(
        &args.output,
        "sensitivity_deciders.csv",
        &study.deciders_table()?,
    )?;
    write(&args.output, "sensitivity_alone.csv", &study.alone_table()?)?;
    let figures = [
        ("sensitivity_factors", Some(study.factor_figure())),
        ("sensitivity_deciders", Some(study.decider_figure())),
        ("sensitivity_alone", study.alone_figure()),
    ];
    for (name, figure) in figures {
        if let Some(figure) = figure {
            figure.write(args.output.join(format!("{name}.svg")))?;
            figure.write(args.output.join(format!("{name}.png")))?;
        }
    }
    let page = args.output.join("sensitivity.md");
    write_atomic(&page, study.markdown()?.as_bytes())?;
    if let Some((path, file)) = rows {
        study.write_samples(BufWriter::new(file))?;
        println!("{}", path.display());
    }
    ensure!(
        study.nominal.engaged.is_ok(),
        "the files themselves cannot be built"
    );
    println!(
        "{machines} machines at 14 points each in {seconds:.1} s; {}",
        page.display()
    );
    println!("{}", study.answer());
    Ok(())
}

fn write(folder: &Path, name: &str, table: &Table) -> Result<()> {
    let mut bytes = Vec::new();
    table.to_csv(&mut bytes)?;
    Ok(write_atomic(folder.join(name), &bytes)?)
}
