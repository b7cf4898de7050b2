//! `dcom cache`: what is in the cache of computed points, and clearing it.

use std::fmt::Write as _;
use std::io::{self, BufWriter};
use std::path::PathBuf;

use dcom_report::thousands;
use dcom_sweep::{METRICS, Outcome, SOURCES, clear, contents, default_folder, entries};

use crate::failure::Failure;
use crate::output;

/// Arguments of `dcom cache`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Folder of the cache [default: $DCOM_CACHE_DIR, or dcom in the user's cache folder]
    #[arg(long, value_name = "FOLDER", global = true)]
    cache: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Say where the cache is and what it holds, version by version
    Info,
    /// Print every point of this version of the simulator as CSV: key, status, reason, numbers
    List,
    /// Remove what it holds
    Clear {
        /// Keep the points of this version of the simulator
        #[arg(long)]
        old: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// A cache that cannot be read or cleared.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let fail = |error: dcom_sweep::CacheError| Failure::Write {
        place: error.path.display().to_string(),
        source: error.source,
    };
    let folder = match &args.cache {
        Some(folder) => folder.clone(),
        None => default_folder().map_err(|error| Failure::input(error.to_string()))?,
    };
    match args.action {
        Action::Info => {
            let mut text = format!("{}\n", folder.display());
            for version in contents(&folder).map_err(fail)? {
                let this = if version.sources == SOURCES {
                    " (this one)"
                } else {
                    ""
                };
                writeln!(
                    text,
                    "version {}{this}: {} points, {} bytes in {} segments",
                    version.sources,
                    thousands(version.entries),
                    thousands(version.bytes),
                    version.segments
                )
                .expect("writing to a String");
            }
            output::print(&text)
        }
        Action::List => {
            let mut csv = csv::Writer::from_writer(BufWriter::new(io::stdout().lock()));
            let metrics = METRICS.iter().map(|metric| metric.name);
            let mut result = csv.write_record(
                ["key", "status", "reason", "method", "bottleneck"]
                    .into_iter()
                    .chain(metrics),
            );
            entries(&folder, SOURCES, |key, outcome| {
                if result.is_ok() {
                    result = csv.write_record(fields(&key.to_string(), &outcome));
                }
            })
            .map_err(fail)?;
            let result = result.map_err(io::Error::other).and_then(|()| csv.flush());
            result.map_err(|source| match source.kind() {
                io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
                _ => Failure::Write {
                    place: "stdout".to_owned(),
                    source,
                },
            })
        }
        Action::Clear { old } => clear(&folder, old.then_some(SOURCES)).map_err(fail),
    }
}

fn fields(key: &str, outcome: &Outcome) -> Vec<String> {
    let mut fields = vec![key.to_owned()];
    match outcome {
        Outcome::Done(numbers) => {
            fields.extend([
                "ok".to_owned(),
                String::new(),
                numbers.method.clone(),
                numbers.bottleneck.clone(),
            ]);
            fields.extend(numbers.metrics.iter().map(f64::to_string));
        }
        Outcome::Infeasible(reason) | Outcome::Failed(reason) => {
            fields.extend(["infeasible".to_owned(), reason.clone()]);
            fields.resize(5 + METRICS.len(), String::new());
        }
    }
    fields
}
