//! Why a study has no results.

use std::path::PathBuf;

use dcom_config::ConfigError;
use dcom_llm::ScenarioError;
use dcom_model::ModelError;
use dcom_report::{FigureError, TableError, WriteError};
use dcom_sweep::PointError;
use dcom_trace::EvaluateError;
use thiserror::Error;

/// Why a study has no results.
#[derive(Debug, Error)]
pub enum QualityError {
    /// The study's file, or one that it names.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The model, the text or the questions.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The scenario.
    #[error(transparent)]
    Scenario(ScenarioError),
    /// The energy of a decomposition.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The machine cannot decompose.
    #[error(transparent)]
    Machine(#[from] EvaluateError),
    /// Checkpoint and scenario are of different models.
    #[error(
        "{key} is {checkpoint} in the checkpoint {folder} and {scenario} in the model file {model} of the scenario: they must be the same model"
    )]
    OtherModel {
        /// The size that differs.
        key: &'static str,
        /// Its value in the checkpoint.
        checkpoint: usize,
        /// The checkpoint.
        folder: String,
        /// Its value in the model file.
        scenario: u32,
        /// The model file.
        model: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What an earlier run left is of another study.
    #[error(
        "{}: was left by a run of another study of this name; restart to discard it", path.display()
    )]
    OtherStudy {
        /// The file.
        path: PathBuf,
    },
    /// A number that is not finite.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A plot that cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A result that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<ConfigError> for QualityError {
    fn from(error: ConfigError) -> QualityError {
        QualityError::Config(Box::new(error))
    }
}

impl From<ScenarioError> for QualityError {
    fn from(error: ScenarioError) -> QualityError {
        match error {
            ScenarioError::Config(error) => QualityError::Config(error),
            error => QualityError::Scenario(error),
        }
    }
}
