//! What can be wrong with a spec or a result. Every message begins with the file and the line.

use thiserror::Error;

use crate::error::FigureError;

/// Why a result is not plotted.
#[derive(Debug, Error)]
pub enum PlotError {
    /// A line of the spec.
    #[error("{file}:{line}: {message}")]
    Spec {
        /// The spec.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The result file as a whole.
    #[error("{file}: {message}")]
    Result {
        /// The result.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// A line of a CSV file or a row of a Parquet file.
    #[error("{file}:{row}: {message}")]
    Row {
        /// The result.
        file: String,
        /// From 1; the heading of a CSV file is a line.
        row: u64,
        /// What is wrong.
        message: String,
    },
    /// What the data would look like is no faithful figure.
    #[error("{file}: {source}")]
    Figure {
        /// The spec.
        file: String,
        /// Why not.
        source: FigureError,
    },
}

/// `; did you mean ...?` or, where nothing is near, what there is.
pub(crate) fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    /// Assumed: two slips in a word of five letters are still recognized.
    const THRESHOLD: f64 = 0.6;
    /// The distance takes quadratic time and files may hold anything.
    const LONGEST: usize = 100;
    let cut = |text: &str| {
        text.chars()
            .take(LONGEST)
            .collect::<String>()
            .to_lowercase()
    };
    let known: Vec<&str> = known.collect();
    // The end of a dotted name is often all that is remembered of it.
    let likeness = |candidate: &str| {
        let end = candidate.rsplit('.').next().unwrap_or(candidate);
        let near = |text: &str| strsim::normalized_damerau_levenshtein(&cut(name), &cut(text));
        f64::max(near(candidate), near(end))
    };
    let best = known
        .iter()
        .map(|candidate| (likeness(candidate), *candidate))
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            Some(_) | None => Some(next),
        });
    match best {
        Some((near, candidate)) if near >= THRESHOLD => format!("; did you mean `{candidate}`?"),
        Some(_) | None => format!("; there are: {}", known.join(", ")),
    }
}
