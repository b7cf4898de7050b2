//! What can go wrong on the command line, and how it is shown: one line that says it all, the place in the file, help.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::Range;
use std::path::Path;

use dcom_config::ConfigError;
use dcom_model::ModelError;
use dcom_quality::QualityError;
use dcom_tensor::TensorError;
use dcom_trace::{EvaluateError, TraceError};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
    ThemeCharacters, ThemeStyles,
};
use thiserror::Error;

/// Why a command ends without its results.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// A machine or workload file, or an override.
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
    /// A matrix file.
    #[error(transparent)]
    Tensor(#[from] Box<TensorError>),
    /// A line of another text file.
    #[error("{}:{line}: {message}", source_code.name())]
    Line {
        /// The file.
        source_code: NamedSource<String>,
        /// The line, from 1.
        line: usize,
        /// Its bytes.
        span: Range<usize>,
        /// What is wrong with it.
        message: String,
    },
    /// Any other input.
    #[error("{message}")]
    Input {
        /// What is wrong, beginning with where.
        message: String,
        /// What would be right.
        help: Option<String>,
    },
    /// `check` found files that are wrong, and has said so.
    #[error("{bad} of {all} files are wrong")]
    Checked {
        /// Wrong ones.
        bad: usize,
        /// All of them.
        all: usize,
    },
    /// A result could not be written.
    #[error("{place}: {source}")]
    Write {
        /// Where to.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// A sweep was stopped by the user.
    #[error("{0}")]
    Stopped(String),
    /// Nobody reads stdout any more.
    #[error("stdout was closed")]
    ClosedPipe,
    /// The simulator contradicts itself.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Failure {
    pub(crate) fn input(message: impl Into<String>) -> Failure {
        Failure::Input {
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn input_with_help(message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure::Input {
            message: message.into(),
            help: Some(help.into()),
        }
    }

    /// What is wrong with a line of a text file.
    pub(crate) fn line(
        path: &Path,
        text: &str,
        line: usize,
        message: impl Into<String>,
    ) -> Failure {
        let start = text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum::<usize>();
        let length = text[start..]
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end()
            .len();
        Failure::Line {
            source_code: NamedSource::new(path.display().to_string(), text.to_owned()),
            line,
            span: start..start + length,
            message: printable(&message.into()),
        }
    }

    /// What a shell says of a process that Ctrl-C ended: 128 and the number of the signal.
    pub(crate) const STOPPED: u8 = 130;

    /// 2 for what the user can repair, 1 for the rest.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Config(_)
            | Failure::Tensor(_)
            | Failure::Line { .. }
            | Failure::Input { .. }
            | Failure::Checked { .. } => 2,
            Failure::Write { .. } | Failure::Internal(_) => 1,
            Failure::ClosedPipe => 0,
            Failure::Stopped(_) => Failure::STOPPED,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::Config(Box::new(error))
    }
}

impl From<TensorError> for Failure {
    fn from(error: TensorError) -> Failure {
        Failure::Tensor(Box::new(error))
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Failure {
        match error {
            TraceError::Manifest(error) => Failure::Config(error),
            TraceError::Values { .. }
            | TraceError::Overflow { .. }
            | TraceError::NoTensors { .. }
            | TraceError::Mismatch { .. } => Failure::input(error.to_string()),
        }
    }
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Failure {
        match error {
            EvaluateError::Trace(error) => error.into(),
            EvaluateError::NotRecorded { .. } | EvaluateError::Map(_) => {
                Failure::input(error.to_string())
            }
            EvaluateError::Verify(_)
            | EvaluateError::Execute(_)
            | EvaluateError::Reference(_)
            | EvaluateError::Factors(_) => Failure::Internal(error.to_string()),
        }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Failure {
        match error {
            ModelError::Tensor(error) => Failure::Tensor(error),
            ModelError::Machine(error) => error.into(),
            ModelError::File { .. }
            | ModelError::Line { .. }
            | ModelError::Incomplete { .. }
            | ModelError::Shape { .. }
            | ModelError::Request(_)
            | ModelError::Overflow { .. }
            | ModelError::NotFinite { .. } => Failure::input(error.to_string()),
            ModelError::Reference(_) | ModelError::Compute(_) => {
                Failure::Internal(error.to_string())
            }
        }
    }
}

impl From<QualityError> for Failure {
    fn from(error: QualityError) -> Failure {
        match error {
            QualityError::Config(error) => Failure::Config(error),
            QualityError::Model(error) => error.into(),
            QualityError::Machine(error) => error.into(),
            QualityError::Scenario(_)
            | QualityError::Point(_)
            | QualityError::OtherModel { .. }
            | QualityError::File { .. }
            | QualityError::OtherStudy { .. }
            | QualityError::Write(_) => Failure::input(error.to_string()),
            QualityError::Table(_) | QualityError::Figure(_) => {
                Failure::Internal(error.to_string())
            }
        }
    }
}

/// The message already says what is wrong: the labels only underline where.
impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            Failure::Config(error) => Diagnostic::help(error.as_ref()),
            Failure::Input { help, .. } => help
                .as_ref()
                .map(|help| Box::new(help) as Box<dyn fmt::Display>),
            Failure::Internal(_) => Some(Box::new(
                "this is a mistake in dcom, not in your input; please report it",
            )),
            Failure::Tensor(_)
            | Failure::Line { .. }
            | Failure::Checked { .. }
            | Failure::Write { .. }
            | Failure::Stopped(_)
            | Failure::ClosedPipe => None,
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        match self {
            // An override has been quoted in full by the message.
            Failure::Config(error) => error.position().and(error.source_code()),
            Failure::Line { source_code, .. } => Some(source_code),
            _ => None,
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self {
            Failure::Config(error) => {
                error.position()?;
                let spans: Vec<_> = error
                    .labels()?
                    .map(|label| LabeledSpan::new(None, label.offset(), label.len()))
                    .collect();
                Some(Box::new(spans.into_iter()))
            }
            Failure::Line { span, .. } => Some(Box::new(std::iter::once(LabeledSpan::new(
                None,
                span.start,
                span.len(),
            )))),
            _ => None,
        }
    }
}

/// Files may hold anything; a quoted piece of one must neither break the line nor talk to the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

/// Prints a failure to stderr: with colours and lines on a terminal, in plain ASCII elsewhere.
pub(crate) fn report(failure: &Failure) {
    let terminal = io::stderr().is_terminal();
    let colours = terminal && std::env::var_os("NO_COLOR").is_none();
    let theme = GraphicalTheme {
        characters: ThemeCharacters {
            error: "error:".to_owned(),
            ..if terminal {
                ThemeCharacters::unicode()
            } else {
                ThemeCharacters::ascii()
            }
        },
        styles: if colours {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        },
    };
    // Lines are not wrapped, so that a path or a value stays in one piece.
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_context_lines(1)
        .with_links(false)
        .with_wrap_lines(false)
        .without_cause_chain();
    let mut text = String::new();
    let rendered = handler.render_report(&mut text, failure);
    let text = match rendered {
        Ok(()) => text,
        Err(fmt::Error) => format!("error: {failure}\n"),
    };
    // Without stderr there is nobody to tell.
    drop(io::stderr().write_all(text.trim_start().as_bytes()));
}
