//! `cargo xtask sweep`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use dcom_report::write_atomic;
use dcom_sweep::{Sweep, SweepSpec};
use indicatif::{ProgressBar, ProgressStyle};

/// Runs a sweep file and writes CSV, SVG and PNG.
pub(crate) fn run(root: &Path, config: &Path, output: &Path) -> Result<()> {
    let config = std::path::absolute(config)?;
    let output = std::path::absolute(output)?;
    std::env::set_current_dir(root).context("entering the repository")?;
    let spec = SweepSpec::read(&config)?;
    let name = spec.name.clone();
    let x_label = spec
        .axes
        .last()
        .map_or_else(String::new, |axis| readable(&axis.keys[0]));

    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(spec.points() as u64)
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} points, {per_sec}, {eta} left",
    )?);
    let start = Instant::now();
    let sweep = Sweep::run(spec, || bar.inc(1))?;
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();

    std::fs::create_dir_all(&output).with_context(|| format!("creating {}", output.display()))?;
    let mut csv = Vec::new();
    sweep.write_csv(&mut csv)?;
    let csv_path = output.join(format!("{name}.csv"));
    write_atomic(&csv_path, &csv)?;
    let feasible = sweep.rows.iter().filter(|r| r.result.is_ok()).count();
    println!(
        "{} points ({} infeasible) in {seconds:.2} s",
        sweep.rows.len(),
        sweep.rows.len() - feasible
    );
    println!("{}", csv_path.display());
    if sweep.spec.axes.is_empty() || feasible == 0 {
        return Ok(());
    }
    let figure = match sweep.latency_plot(&x_label, series_name) {
        Ok(figure) => figure,
        Err(reason) => {
            eprintln!("no plot: {reason}");
            return Ok(());
        }
    };
    for extension in ["svg", "png"] {
        let path = output.join(format!("{name}.{extension}"));
        if let Err(reason) = figure.write(&path) {
            eprintln!("no plot: {reason}");
            return Ok(());
        }
        println!("{}", path.display());
    }
    Ok(())
}

/// The last part of a key, in words.
fn readable(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).replace('_', " ")
}

/// Legend of one line: array sizes as `16 x 16 = 256 clusters`, other settings as they are.
fn series_name(settings: &[(String, String)]) -> String {
    let find = |key: &str| {
        settings
            .iter()
            .find(|(k, _)| k == key)
            .and_then(|(_, v)| v.parse::<u64>().ok())
    };
    if let (Some(columns), Some(rows), 2) =
        (find("array.columns"), find("array.rows"), settings.len())
    {
        return format!("{columns} x {rows} = {} clusters", columns * rows);
    }
    let parts: Vec<String> = settings
        .iter()
        .map(|(k, v)| format!("{} {v}", readable(k)))
        .collect();
    if parts.is_empty() {
        "latency".to_owned()
    } else {
        parts.join(", ")
    }
}
