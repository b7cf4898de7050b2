//! Why there is no result.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a design was not synthesized, or its result is refused.
#[derive(Debug, Error)]
pub enum SynthError {
    /// A tool is not on the search path.
    #[error(
        "{tool} is not installed: install the package `{package}` (`apt-get install {package}`)"
    )]
    Missing {
        /// The program.
        tool: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The library does not have what the flow needs.
    #[error("{file}: {problem}")]
    Liberty {
        /// The library.
        file: String,
        /// What is wrong, with the line where there is one.
        problem: String,
    },
    /// A tool failed.
    #[error("{design}: {tool} failed ({status}); its log is {log}\n{last}", log = log.display())]
    Failed {
        /// What was synthesized.
        design: String,
        /// The program.
        tool: &'static str,
        /// Its exit status.
        status: String,
        /// Where all that it printed is.
        log: PathBuf,
        /// The lines that say why, or the last ones.
        last: String,
    },
    /// The answer of a tool is not what the flow expects of it.
    #[error("{design}: {tool}: {problem}")]
    Unexpected {
        /// What was synthesized.
        design: String,
        /// The program.
        tool: &'static str,
        /// What was expected and what came.
        problem: String,
    },
    /// The netlist must not be used: latches, loops, open or shorted wires, unconstrained paths.
    #[error("{design}: {problem}")]
    Refused {
        /// What was synthesized.
        design: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A table of results could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        source: csv::Error,
    },
    /// No design has this name.
    #[error("no design is called {name:?}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names.
        known: String,
    },
}

impl SynthError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> SynthError {
        let path = path.into();
        move |source| SynthError::File { path, source }
    }
}
