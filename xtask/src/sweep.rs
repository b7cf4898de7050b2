//! `cargo xtask sweep`: a sweep, and a plot of its table; or a study of a checkpoint.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use dcom_config::Source;
use dcom_quality::{Report, Study};
use dcom_sweep::{
    Options, Space, SweepError, SweepSpec, default_folder, latency_plot, run as run_sweep,
};
use indicatif::{ProgressBar, ProgressStyle};

/// Runs a sweep file, and writes its table and a plot of latency over the last axis.
pub(crate) fn run(root: &Path, config: &Path, output: &Path, restart: bool) -> Result<()> {
    let config = std::path::absolute(config)?;
    let output = std::path::absolute(output)?;
    std::env::set_current_dir(root).context("entering the repository")?;
    let source = Source::read(&config)?;
    if Study::is_one(&source) {
        return study(&Study::parse(source)?, &config, &output, restart);
    }
    let spec = SweepSpec::parse(source)?;
    let space = Space::open(spec.clone(), &[])?;
    let drawn = Space::open(spec, &[])?;
    let name = drawn.spec().name.clone();

    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(space.points())
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {human_pos} of {human_len} points, {per_sec}, {eta} left",
    )?);
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed))?;
    let options = Options {
        output: output.clone(),
        threads: None,
        restart,
        cache: Some(default_folder()?),
        parquet: false,
    };
    let start = Instant::now();
    let finished = run_sweep(space, &options, &stop, |counts| {
        bar.set_position(counts.passed());
    });
    bar.finish_and_clear();
    let finished = finished?;
    println!("{}", finished.summary(start.elapsed()));
    ensure!(
        finished.counts.failed == 0,
        "{} points failed; their rows say why",
        finished.counts.failed
    );

    let figure = match latency_plot(&drawn, &finished.csv) {
        Ok(figure) => figure,
        // Not every sweep has a last axis of numbers; the table is there all the same.
        Err(SweepError::Plot(reason)) => {
            println!("no plot of latency over the last axis: {reason}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    for extension in ["svg", "png"] {
        let path = output.join(format!("{name}.{extension}"));
        figure
            .write(&path)
            .map_err(|error| anyhow!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Runs a study and writes its table, plots and page.
fn study(study: &Study, config: &Path, output: &Path, restart: bool) -> Result<()> {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(study.points() as u64)
    } else {
        ProgressBar::hidden()
    };
    let results = dcom_quality::run(study, output, restart, &mut |progress| {
        bar.set_position(progress.done as u64);
    })?;
    bar.finish_and_clear();
    let root = std::env::current_dir()?;
    let shown = |path: &Path| {
        path.strip_prefix(&root)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let command = format!(
        "cargo xtask sweep {} --output {}",
        shown(config),
        shown(output)
    );
    for path in Report::new(&study.name, &results).write(output, &command)? {
        println!("{}", shown(&path));
    }
    Ok(())
}
