//! Running a sweep on all cores: rows in the order of the points, written as they come.
//!
//! One thread deals out points and writes rows; the others evaluate. What is dealt and not yet written is bounded, so
//! memory does not grow with the sweep. A deal grows until it takes about a millisecond: slow points are
//! dealt one by one, fast ones do not spend their time in queues. (A parallel iterator would either gather all rows or wait
//! for the slowest point of each block.)

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use dcom_report::thousands;
use thiserror::Error;

use crate::cache::{Cache, CacheError};
use crate::outcome::Outcome;
use crate::parquet_file;
use crate::point::PointError;
use crate::result_file::{self, Begun, Names, Part, Status};
use crate::space::{SOURCES, Space};

/// Deals per thread that are not yet written. Assumed: enough that nobody waits for a point ten times slower than others.
const DEALS_PER_THREAD: usize = 16;

/// What a deal should take.
const DEAL_TIME: Duration = Duration::from_millis(1);

/// Most points of a deal.
const MAX_DEAL: usize = 256;

/// How soon a request to stop is noticed.
const STOP_LATENCY: Duration = Duration::from_millis(20);

/// Rows beyond which a Parquet file is written without being asked for. Assumed: where CSV begins to be slow to read.
pub const PARQUET_ROWS: u64 = 100_000;

/// Why a sweep could not be run or written.
#[derive(Debug, Error)]
pub enum SweepError {
    /// Machine or workload file.
    #[error(transparent)]
    Base(#[from] PointError),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Writing.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// An unfinished result that does not go on with this one.
    #[error(
        "{}: holds the rows of an unfinished sweep of the same name with another machine, workload, technology, sweep file or version; finish that one, or discard it with --restart",
        part.display()
    )]
    Other {
        /// Its rows.
        part: PathBuf,
    },
    /// The sweep is running already.
    #[error("{}: another process is running this sweep", part.display())]
    Busy {
        /// Its rows.
        part: PathBuf,
    },
    /// It was asked to stop.
    #[error("stopped after {} of {} points; the same command goes on from there", .0.passed(), .1)]
    Stopped(Counts, u64),
    /// Parquet.
    #[error("writing Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Reading a result.
    #[error("{}: {message}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Plotting.
    #[error("plotting the results: {0}")]
    Plot(String),
    /// A worker ended before its time.
    #[error("internal error: the threads that evaluate points have ended")]
    Threads,
}

/// How to run a sweep.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the results.
    pub output: PathBuf,
    /// Threads that evaluate; `None`: one per core.
    pub threads: Option<NonZeroUsize>,
    /// Discard what an earlier run has left.
    pub restart: bool,
    /// Folder of the cache, if there is to be one.
    pub cache: Option<PathBuf>,
    /// Write Parquet, too, whatever the number of rows.
    pub parquet: bool,
}

/// Points by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows with status `ok`.
    pub ok: u64,
    /// Rows with status `infeasible`.
    pub infeasible: u64,
    /// Rows with status `violates`.
    pub violates: u64,
    /// Rows with status `failed`.
    pub failed: u64,
    /// Points that `where` leaves out.
    pub left_out: u64,
    /// Rows that were there when the run began.
    pub resumed: u64,
    /// Rows from the cache.
    pub cached: u64,
    /// Rows that could not be written to the cache; they are right all the same.
    pub unstored: u64,
}

/// A finished sweep.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Points.
    pub counts: Counts,
    /// The table.
    pub csv: PathBuf,
    /// The same as Parquet, where it was written.
    pub parquet: Option<PathBuf>,
    /// What the table depends on.
    pub manifest: PathBuf,
}

impl Counts {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.ok + self.infeasible + self.violates + self.failed
    }

    /// Rows that this run computed.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.rows() - self.resumed - self.cached
    }

    /// Points of the grid that are dealt with.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.rows() + self.left_out
    }

    pub(crate) fn add(&mut self, status: Status) {
        *self.of_mut(status) += 1;
    }

    pub(crate) fn of(&self, status: Status) -> u64 {
        let mut copy = *self;
        *copy.of_mut(status)
    }

    pub(crate) fn of_mut(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Ok => &mut self.ok,
            Status::Infeasible => &mut self.infeasible,
            Status::Violates => &mut self.violates,
            Status::Failed => &mut self.failed,
        }
    }
}

impl Finished {
    /// One line: counts, time, files.
    #[must_use]
    pub fn summary(&self, time: Duration) -> String {
        let counts = &self.counts;
        let mut parts = vec![format!("{} computed", thousands(counts.computed()))];
        let others = [
            (counts.cached, "from the cache"),
            (counts.resumed, "there already"),
            (counts.infeasible, "infeasible"),
            (counts.violates, "breaking a constraint"),
            (counts.failed, "failed"),
            (counts.left_out, "left out by `where`"),
            (counts.unstored, "not stored in the cache"),
        ];
        let there = others.iter().filter(|(count, _)| *count > 0);
        parts.extend(there.map(|(count, what)| format!("{} {what}", thousands(*count))));
        let seconds = time.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "reporting")]
        let rate = (counts.computed() + counts.cached) as f64 / seconds.max(1e-9);
        let files = [Some(&self.csv), self.parquet.as_ref(), Some(&self.manifest)];
        let files: Vec<String> = files
            .into_iter()
            .flatten()
            .map(|file| file.display().to_string())
            .collect();
        format!(
            "{} points ({}) in {seconds:.2} s, {rate:.0} per second: {}",
            thousands(counts.rows()),
            parts.join(", "),
            files.join(", ")
        )
    }
}

/// Points to evaluate, in order.
struct Deal {
    number: u64,
    points: Vec<u64>,
    left_out: u64,
}

/// Their rows.
struct Rows {
    number: u64,
    csv: Vec<u8>,
    counts: Counts,
    points: usize,
    time: Duration,
}

/// What the evaluating threads share.
struct Shared {
    space: Space,
    cache: Option<Cache>,
}

/// Runs a sweep, or what is missing of it. `stop` ends it early; `tick` is told the counts as rows are written.
///
/// # Errors
/// What cannot be read or written, or [`SweepError::Stopped`]. A point without numbers is a row, not an error.
pub fn run(
    space: Space,
    options: &Options,
    stop: &AtomicBool,
    mut tick: impl FnMut(&Counts),
) -> Result<Finished, SweepError> {
    let part = match result_file::begin(&space, &options.output, options.restart)? {
        Begun::Complete(counts) => {
            return finish(&space, Names::new(&space, &options.output), counts, options);
        }
        Begun::Part(part) => part,
    };
    let cache = options
        .cache
        .as_deref()
        .map(|folder| Cache::open(folder, SOURCES))
        .transpose()?;
    let shared = Arc::new(Shared { space, cache });
    let threads = options
        .threads
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let (part, counts) = deal(&shared, part, threads, stop, &mut tick)?;
    let names = part.finish(&shared.space, &counts)?;
    finish(&shared.space, names, counts, options)
}

/// Deals out the points that are missing, and writes their rows in order.
fn deal(
    shared: &Arc<Shared>,
    mut part: Part,
    threads: usize,
    stop: &AtomicBool,
    tick: &mut impl FnMut(&Counts),
) -> Result<(Part, Counts), SweepError> {
    let window = threads * DEALS_PER_THREAD;
    let (deals, work) = bounded::<Deal>(window);
    let (done, rows) = unbounded::<Rows>();
    // Not joined: when the sweep is stopped, a slow point must not hold up the end. A thread ends with its channels.
    let workers: Vec<thread::JoinHandle<()>> = (0..threads)
        .map(|_| {
            let (shared, work, done) = (Arc::clone(shared), work.clone(), done.clone());
            thread::spawn(move || evaluate_all(&shared, &work, &done))
        })
        .collect();
    drop((work, done));
    let mut dealer = Dealer {
        next: part.next,
        number: 0,
        size: 1,
    };
    let mut counts = part.counts;
    let mut waiting: BTreeMap<u64, Rows> = BTreeMap::new();
    let mut written = 0;
    loop {
        while dealer.number - written < window as u64
            && let Some(deal) = dealer.deal(&shared.space)
        {
            deals.send(deal).map_err(|_| SweepError::Threads)?;
        }
        if written == dealer.number {
            return Ok((part, counts));
        }
        if stop.load(Ordering::Relaxed) {
            return Err(SweepError::Stopped(counts, shared.space.points()));
        }
        match rows.recv_timeout(STOP_LATENCY) {
            Ok(rows) => {
                dealer.adapt(rows.points, rows.time);
                waiting.insert(rows.number, rows);
            }
            // Whoever ends while there is work has panicked, and its rows will never come.
            Err(RecvTimeoutError::Timeout)
                if workers.iter().any(thread::JoinHandle::is_finished) =>
            {
                return Err(SweepError::Threads);
            }
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Err(SweepError::Threads),
        }
        while let Some(rows) = waiting.remove(&written) {
            part.append(&rows.csv)?;
            written += 1;
            for (_, status) in Status::ALL {
                *counts.of_mut(status) += rows.counts.of(status);
            }
            counts.left_out += rows.counts.left_out;
            counts.cached += rows.counts.cached;
            counts.unstored += rows.counts.unstored;
            tick(&counts);
        }
    }
}

/// Goes through the points in order.
struct Dealer {
    next: u64,
    number: u64,
    size: usize,
}

impl Dealer {
    /// The next points; `None` behind the last one.
    fn deal(&mut self, space: &Space) -> Option<Deal> {
        let end = space.points();
        if self.next == end {
            return None;
        }
        let mut deal = Deal {
            number: self.number,
            points: Vec::with_capacity(self.size),
            left_out: 0,
        };
        // A long stretch that `where` leaves out is passed on, too, so that progress shows and a request to stop is seen.
        while self.next < end && deal.points.len() < self.size && deal.left_out < 1 << 16 {
            if space.contains(self.next) {
                deal.points.push(self.next);
            } else {
                deal.left_out += 1;
            }
            self.next += 1;
        }
        self.number += 1;
        Some(deal)
    }

    fn adapt(&mut self, points: usize, time: Duration) {
        if points >= self.size && time < DEAL_TIME {
            self.size = (self.size * 2).min(MAX_DEAL);
        } else if time > DEAL_TIME * 4 {
            self.size = (self.size / 2).max(1);
        }
    }
}

/// The work of a thread: until there is none, or nobody takes the rows.
fn evaluate_all(shared: &Shared, work: &Receiver<Deal>, done: &Sender<Rows>) {
    for deal in work {
        let start = Instant::now();
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut counts = Counts {
            left_out: deal.left_out,
            ..Counts::default()
        };
        let mut fresh = Vec::new();
        for point in &deal.points {
            let identity = shared.space.identity(*point);
            let known = shared
                .cache
                .as_ref()
                .and_then(|cache| cache.known(&identity));
            counts.cached += u64::from(known.is_some());
            let outcome = known.unwrap_or_else(|| {
                let outcome = evaluate_one(&shared.space, *point);
                let key = if matches!(outcome, Outcome::Done(_)) {
                    identity.numbers
                } else {
                    identity.reason
                };
                fresh.extend(outcome.encode().map(|bytes| (key, bytes)));
                outcome
            });
            counts.add(result_file::row(
                &shared.space,
                *point,
                &outcome,
                &identity.hashes,
                &mut csv,
            ));
        }
        if let Some(cache) = &shared.cache
            && cache.put(&fresh).is_err()
        {
            counts.unstored += fresh.len() as u64;
        }
        let rows = Rows {
            number: deal.number,
            csv: csv.into_inner().expect("writing to memory"),
            counts,
            points: deal.points.len(),
            time: start.elapsed(),
        };
        if done.send(rows).is_err() {
            return;
        }
    }
}

fn evaluate_one(space: &Space, point: u64) -> Outcome {
    match space.at(point) {
        Ok(base) => Outcome::of(&base),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Writes what is made from the table.
fn finish(
    space: &Space,
    names: Names,
    counts: Counts,
    options: &Options,
) -> Result<Finished, SweepError> {
    let parquet = if options.parquet || counts.rows() > PARQUET_ROWS {
        parquet_file::write(space, &counts, &names)?;
        Some(names.parquet)
    } else {
        // One of an earlier run would not be of these rows.
        match std::fs::remove_file(&names.parquet) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(SweepError::Write {
                    path: names.parquet,
                    source,
                });
            }
            _ => None,
        }
    };
    Ok(Finished {
        counts,
        csv: names.csv,
        parquet,
        manifest: names.manifest,
    })
}

/// How many points of a sweep are in the sweep, and how many of those in a cache.
///
/// # Errors
/// The cache cannot be opened.
pub fn dry_run(space: &Space, cache: Option<&std::path::Path>) -> Result<(u64, u64), SweepError> {
    let cache = cache
        .map(|folder| Cache::open(folder, SOURCES))
        .transpose()?;
    let (mut kept, mut known) = (0, 0);
    for point in (0..space.points()).filter(|point| space.contains(*point)) {
        kept += 1;
        if let Some(cache) = &cache {
            known += u64::from(cache.known(&space.identity(point)).is_some());
        }
    }
    Ok((kept, known))
}
