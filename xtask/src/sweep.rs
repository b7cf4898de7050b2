//! `cargo xtask sweep`: a sweep, and a plot of its table.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use dcom_sweep::{
    Options, Space, SweepError, SweepSpec, default_folder, latency_plot, run as run_sweep,
};
use indicatif::{ProgressBar, ProgressStyle};

/// Runs a sweep file, and writes its table and a plot of latency over the last axis.
pub(crate) fn run(root: &Path, config: &Path, output: &Path, restart: bool) -> Result<()> {
    let config = std::path::absolute(config)?;
    let output = std::path::absolute(output)?;
    std::env::set_current_dir(root).context("entering the repository")?;
    let spec = SweepSpec::read(&config)?;
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
