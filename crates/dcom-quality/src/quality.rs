//! How well the model answers at a point.

use dcom_arch::Arch;
use dcom_llm::Plan;
use dcom_mapper::WorkloadParams;
use dcom_model::{
    Device, Method, Model, ModelError, Question, Treatment, Windows, choose, perplexity, questions,
    score,
};
use dcom_trace::Decomposer;
use serde::{Deserialize, Serialize};

use crate::error::QualityError;
use crate::setting::{By, OutliersBy, Setting};
use crate::study::Study;

/// How well a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Perplexity of the text, if there is one.
    pub perplexity: Option<f64>,
    /// Share of questions answered rightly by likelihood, if there are some.
    pub accuracy: Option<f64>,
    /// The same by likelihood per byte of the choice.
    pub accuracy_per_byte: Option<f64>,
    /// Outlier channels of the activations that were decomposed, mean over all (percent); none where nothing was.
    pub outlier_percent: Option<f64>,
}

/// The model of a study, with what it reads.
pub(crate) struct Reader {
    pub(crate) model: Model,
    tokens: Vec<u32>,
    questions: Vec<Question>,
}

/// The machine whose bits are computed.
pub(crate) struct Machine<'a> {
    pub(crate) arch: &'a Arch,
    pub(crate) workload: &'a WorkloadParams,
}

impl Reader {
    /// Opens the model and reads text and questions.
    pub(crate) fn open(study: &Study) -> Result<Reader, QualityError> {
        let device = match study.cuda {
            None => Device::Cpu,
            Some(index) => Device::new_cuda(index).map_err(ModelError::from)?,
        };
        let model = Model::open(&study.checkpoint, device)?;
        let tokens = match &study.text {
            None => Vec::new(),
            Some(path) => {
                let text = std::fs::read(path).map_err(|source| QualityError::File {
                    path: path.clone(),
                    source,
                })?;
                model.tokens().encode(&text, false)?
            }
        };
        let questions = match &study.questions {
            None => Vec::new(),
            Some(path) => questions(path)?,
        };
        Ok(Reader {
            model,
            tokens,
            questions,
        })
    }

    /// Layers of the model.
    pub(crate) fn layers(&self) -> u32 {
        u32::try_from(self.model.config().layers).expect("checked with the configuration")
    }

    /// Checks that the text has the windows of a point.
    pub(crate) fn check(&self, setting: &Setting) -> Result<(), ModelError> {
        match self.tokens.is_empty() {
            true => Ok(()),
            false => self.windows(setting).map(|_| ()),
        }
    }

    /// Runs the model under the point's plan.
    pub(crate) fn quality(
        &self,
        setting: &Setting,
        machine: &Machine<'_>,
    ) -> Result<Quality, QualityError> {
        let indices = setting.indices(self.layers())?;
        let percent = match setting.outliers_by {
            OutliersBy::Percent => setting.percent,
            OutliersBy::Threshold => 0.0,
        };
        let plan: Plan = setting.plan(&indices, percent);
        let method = match setting.by {
            By::Svd => Method::Svd,
            By::Lanczos => Method::Lanczos,
            By::Machine => {
                Method::Machine(Decomposer::new(machine.arch, machine.workload.clone())?)
            }
        };
        let treatment = (!indices.is_empty())
            .then(|| Treatment::new(&plan, method, setting.outlier_choice(&indices)));
        let treated = treatment.as_ref();
        let perplexity = match self.tokens.is_empty() {
            true => None,
            false => Some(perplexity(&self.model, &self.windows(setting)?, treated)?.value()),
        };
        let asked = self.asked(setting);
        let score = match asked.is_empty() {
            true => None,
            false => Some(score(&choose(&self.model, asked, treated)?)),
        };
        Ok(Quality {
            perplexity,
            accuracy: score.map(|score| score.accuracy),
            accuracy_per_byte: score.map(|score| score.accuracy_per_byte),
            outlier_percent: treated.and_then(Treatment::outlier_percent),
        })
    }

    fn windows(&self, setting: &Setting) -> Result<Vec<Vec<u32>>, ModelError> {
        let windows = Windows {
            length: index(setting.window),
            offset: index(setting.offset),
            count: (setting.windows > 0).then(|| index(setting.windows)),
        };
        windows.cut(&self.tokens)
    }

    fn asked(&self, setting: &Setting) -> &[Question] {
        match setting.limit {
            0 => &self.questions,
            limit => &self.questions[..index(limit).min(self.questions.len())],
        }
    }
}

fn index(value: u32) -> usize {
    usize::try_from(value).expect("32 bits")
}
