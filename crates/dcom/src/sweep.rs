//! `dcom sweep`: every point of a sweep file, as a table.

use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use dcom_config::Source;
use dcom_quality::{Report, Study};
use dcom_report::thousands;
use dcom_sweep::{
    Options, Space, SpecError, SweepError, SweepSpec, default_folder, dry_run, run as run_sweep,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use miette::NamedSource;

use crate::failure::Failure;
use crate::output;
use crate::setup::assignment;

/// Arguments of `dcom sweep`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Sweep file, such as configs/sweeps/default.toml
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder for NAME.csv, NAME.json and, for many rows, NAME.parquet
    #[arg(short, long, value_name = "FOLDER", default_value = "reports/sweeps")]
    output: PathBuf,
    /// Override a key at every point; may be repeated [keys: dcom parameters]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Threads that evaluate points [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Discard what an earlier run left, instead of going on from there
    #[arg(long)]
    restart: bool,
    /// Write a Parquet file for few rows, too
    #[arg(long)]
    parquet: bool,
    #[command(flatten)]
    cache: CacheArgs,
    /// Say how many points there are and show the first and the last, without evaluating any
    #[arg(long)]
    dry_run: bool,
}

/// Which cache.
#[derive(clap::Args)]
pub(crate) struct CacheArgs {
    /// Folder of the cache [default: $DCOM_CACHE_DIR, or dcom in the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
    /// Neither read nor write the cache
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
}

const AFTER_HELP: &str = "\
Stopped in whatever way, the same command goes on where it was. Ctrl-C keeps all rows that are done. Points that were computed before,
in this or any other sweep, come from the cache. docs/sweeps.md describes the file.

Examples:
  dcom sweep configs/sweeps/default.toml
  dcom sweep configs/sweeps/policies.toml --set workload.prompts=1 --output results
  dcom sweep big.toml --dry-run
  dcom sweep configs/sweeps/quality.toml --output my-quality      # a model under plans: docs/quality.md

Exit codes: 0 done, 1 a point failed or results could not be written, 2 bad input, 130 stopped.";

impl CacheArgs {
    /// The cache's folder, if there is to be one.
    ///
    /// # Errors
    /// No folder is given, and there is none for the user.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>, Failure> {
        if self.no_cache {
            return Ok(None);
        }
        match &self.cache {
            Some(folder) => Ok(Some(folder.clone())),
            None => default_folder()
                .map(Some)
                .map_err(|error| Failure::input(error.to_string())),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Bad input, a result that cannot be written, a stop, or points that the simulator failed at.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let source = Source::read(&args.file)?;
    if Study::is_one(&source) {
        return run_study(args, source);
    }
    let space = space(&args.file, &args.set)?;
    let cache = args.cache.folder()?;
    if args.dry_run {
        return output::print(&preview(&space, cache.as_deref())?);
    }
    let options = Options {
        output: args.output.clone(),
        threads: args.threads,
        restart: args.restart,
        cache,
        parquet: args.parquet,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    #[expect(clippy::exit, reason = "whoever asks twice does not want to wait")]
    ctrlc::set_handler(move || {
        // While rows are computed, the first one is seen within a moment. What lies on the disk is whole at any time, so
        // the second one need not wait for the rest.
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(Failure::STOPPED.into());
        }
    })
    .map_err(|error| Failure::Internal(format!("Ctrl-C cannot be handled: {error}")))?;
    let bar = progress(space.points());
    let start = Instant::now();
    let finished = run_sweep(space, &options, &stop, |counts| {
        bar.set_position(counts.passed())
    });
    bar.finish_and_clear();
    let finished = finished.map_err(sweep_failure)?;
    output::print(&format!("{}\n", finished.summary(start.elapsed())))?;
    match finished.counts.failed {
        0 => Ok(()),
        failed => Err(Failure::Internal(format!(
            "the simulator failed at {failed} points; {} has the reasons in the rows with status `failed`",
            finished.csv.display()
        ))),
    }
}

/// Runs a study of a checkpoint.
fn run_study(args: &Args, source: Source) -> Result<(), Failure> {
    if args.parquet || args.threads.is_some() {
        let message =
            "--parquet, --threads: not for a study of a checkpoint, whose prompts share all cores";
        return Err(Failure::input(message));
    }
    let mut study = Study::parse(source)?;
    for (key, value) in &args.set {
        study
            .set(key, value)
            .map_err(|message| Failure::input(format!("--set {key}={value}: {message}")))?;
    }
    if args.dry_run {
        return output::print(&format!("{} points, a model run each\n", study.points()));
    }
    let bar = progress(study.points() as u64);
    let results = dcom_quality::run(&study, &args.output, args.restart, &mut |progress| {
        bar.set_position(progress.done as u64);
    })?;
    bar.finish_and_clear();
    let (file, folder) = (args.file.display(), args.output.display());
    let set = args
        .set
        .iter()
        .map(|(key, value)| format!(" --set {key}={value}"));
    let command = format!(
        "dcom sweep {file} --output {folder}{}",
        set.collect::<String>()
    );
    let written = Report::new(&study.name, &results).write(&args.output, &command)?;
    let lines = written.iter().map(|path| format!("{}\n", path.display()));
    output::print(&lines.collect::<String>())
}

/// The points of a sweep file with overrides.
///
/// # Errors
/// What is wrong with the files or the overrides; a key cannot be overridden and on an axis.
pub(crate) fn space(file: &Path, set: &[(String, String)]) -> Result<Space, Failure> {
    let spec = SweepSpec::read(file).map_err(spec_failure)?;
    let on_axis = |key: &str| {
        spec.axes
            .iter()
            .any(|axis| axis.keys.iter().any(|k| k.path == key))
    };
    if let Some((key, value)) = set.iter().find(|(key, _)| on_axis(key)) {
        return Err(Failure::input(format!(
            "--set {key}={value}: `{key}` is on an axis of {}",
            file.display()
        )));
    }
    for (key, value) in set {
        dcom_sweep::find_key(key)
            .map_err(|message| Failure::input(format!("--set {key}={value}: {message}")))?;
    }
    Space::open(spec, set).map_err(|error| sweep_failure(error.into()))
}

/// A bar on a terminal, and nothing elsewhere.
fn progress(points: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos} of {human_len} points, {per_sec}, {eta} left",
    )
    .expect("a legal template");
    // Ten times a second is as much as one reads.
    let bar = ProgressBar::with_draw_target(Some(points), ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(style)
}

fn preview(space: &Space, cache: Option<&Path>) -> Result<String, Failure> {
    let (kept, known) = dry_run(space, cache).map_err(sweep_failure)?;
    let mut text = format!(
        "{} points, {} left out by `where`, {} in the cache\n",
        thousands(kept),
        thousands(space.points() - kept),
        thousands(known)
    );
    let first = (0..space.points()).find(|point| space.contains(*point));
    let last = (0..space.points())
        .rev()
        .find(|point| space.contains(*point));
    for point in first
        .into_iter()
        .chain(last.filter(|last| first != Some(*last)))
    {
        let settings: Vec<String> = space
            .columns()
            .zip(space.settings(point))
            .map(|(column, value)| format!("{}={value}", column.name))
            .collect();
        text += &format!("point {point}: {}\n", settings.join(" "));
    }
    Ok(text)
}

/// A mistake in a sweep file, shown with its line.
pub(crate) fn spec_failure(error: SpecError) -> Failure {
    match error {
        SpecError::Read(error) => Failure::Config(error),
        SpecError::Wrong(mistake) => Failure::Line {
            source_code: NamedSource::new(mistake.file.clone(), mistake.text.clone()),
            line: mistake.line,
            span: mistake.span.clone(),
            message: format!("{}: {}", mistake.column, mistake.message),
        },
    }
}

fn sweep_failure(error: SweepError) -> Failure {
    match error {
        SweepError::Base(dcom_sweep::PointError::Config(error)) => Failure::Config(error),
        SweepError::Stopped(..) => Failure::Stopped(error.to_string()),
        SweepError::Write { path, source } => Failure::Write {
            place: path.display().to_string(),
            source,
        },
        SweepError::Threads => Failure::Internal(error.to_string()),
        error => Failure::input(error.to_string()),
    }
}
