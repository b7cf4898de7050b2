//! Multiple choice by log-likelihood, as for ARC: the choice that the model finds most likely behind the question is its answer.
//!
//! The text of a choice is `Question: ...\nAnswer: <choice>`, as in the ARC task of EleutherAI's lm-evaluation-harness. Its likelihood is the sum over
//! the tokens behind `Answer:`; the normalized one is divided by the bytes of the choice.

use std::path::Path;

use serde_json::Value as Json;

use crate::config::read_text;
use crate::error::ModelError;
use crate::model::Model;
use crate::perplexity::likelihoods;
use crate::treatment::Treatment;

/// Largest file of questions that is read; ARC has 3 MB.
const FILE_BYTES: u64 = 1 << 30;

/// A question and its choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The line it stands on, from 1.
    pub line: usize,
    /// The question.
    pub text: String,
    /// What to choose from; at least two.
    pub choices: Vec<String>,
    /// The place of the right one.
    pub answer: usize,
}

/// What the model made of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// log P of each choice, natural logarithm.
    pub log_likelihoods: Vec<f64>,
    /// Whether the most likely choice is the right one.
    pub right: bool,
    /// Whether the one that is most likely per byte is.
    pub right_per_byte: bool,
}

/// Shares of questions answered rightly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// By likelihood.
    pub accuracy: f64,
    /// By likelihood per byte of the choice.
    pub accuracy_per_byte: f64,
}

/// Reads questions, a JSON object a line: `question`, `choices`, `answer`. The two forms in which ARC is published are
/// read too.
///
/// # Errors
/// File and line of what is wrong.
pub fn questions(path: &Path) -> Result<Vec<Question>, ModelError> {
    let text = read_text(path, FILE_BYTES)?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    let questions = lines.map(|(i, line)| {
        question(i + 1, line).map_err(|problem| ModelError::Line {
            path: path.to_owned(),
            line: i + 1,
            problem,
        })
    });
    let questions: Vec<Question> = questions.collect::<Result<_, _>>()?;
    if questions.is_empty() {
        return Err(ModelError::File {
            path: path.to_owned(),
            problem: "has no questions; each line is an object with question, choices and answer"
                .to_owned(),
        });
    }
    Ok(questions)
}

/// Asks the model, treated or as it is.
///
/// # Errors
/// A question is too long for the model, a weight cannot be read, or a decomposition fails.
pub fn choose(
    model: &Model,
    questions: &[Question],
    treatment: Option<&Treatment<'_>>,
) -> Result<Vec<Answer>, ModelError> {
    let mut prompts = Vec::new();
    let mut given = Vec::new();
    for question in questions {
        let context = format!("Question: {}\nAnswer:", question.text);
        let known = model.tokens().encode(context.as_bytes(), true)?.len();
        for choice in &question.choices {
            let tokens = model
                .tokens()
                .encode(format!("{context} {choice}").as_bytes(), true)?;
            // A tokenizer that merges across the colon leaves less than one token of the choice; its last one is always predicted.
            given.push(known.clamp(1, tokens.len() - 1));
            prompts.push(tokens);
        }
    }
    let found = likelihoods(model, &prompts, treatment)?;
    let mut sums = found.iter().zip(given).map(|(likelihoods, given)| {
        // The first likelihood is that of the second token.
        likelihoods[given - 1..]
            .iter()
            .map(|x| f64::from(*x))
            .sum::<f64>()
    });
    let answer = |question: &Question| {
        Answer::new(
            question,
            sums.by_ref().take(question.choices.len()).collect(),
        )
    };
    Ok(questions.iter().map(answer).collect())
}

/// The share of right answers.
#[must_use]
pub fn score(answers: &[Answer]) -> Score {
    #[expect(clippy::cast_precision_loss, reason = "a count of questions")]
    let share = |right: fn(&Answer) -> bool| {
        answers.iter().filter(|answer| right(answer)).count() as f64 / answers.len() as f64
    };
    Score {
        accuracy: share(|answer| answer.right),
        accuracy_per_byte: share(|answer| answer.right_per_byte),
    }
}

impl Answer {
    #[expect(clippy::cast_precision_loss, reason = "bytes of a choice")]
    fn new(question: &Question, log_likelihoods: Vec<f64>) -> Answer {
        let per_byte: Vec<f64> = log_likelihoods
            .iter()
            .zip(&question.choices)
            .map(|(sum, choice)| sum / choice.len().max(1) as f64)
            .collect();
        Answer {
            right: most_likely(&log_likelihoods) == question.answer,
            right_per_byte: most_likely(&per_byte) == question.answer,
            log_likelihoods,
        }
    }
}

/// Of equals the first.
fn most_likely(values: &[f64]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}

fn question(line: usize, text: &str) -> Result<Question, String> {
    let object: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let asked = object.get("question").ok_or("there is no \"question\"")?;
    // AI2's own files nest the choices in the question.
    let (asked, listed) = match asked {
        Json::Object(nested) => (nested.get("stem"), nested.get("choices")),
        asked => (Some(asked), object.get("choices")),
    };
    let asked = asked
        .and_then(Json::as_str)
        .ok_or("\"question\" must be a text")?;
    let (choices, labels) = choices(listed.ok_or("there are no \"choices\"")?)?;
    if choices.len() < 2 {
        return Err(format!("{} choices: must be two or more", choices.len()));
    }
    let answer = object
        .get("answer")
        .or_else(|| object.get("answerKey"))
        .ok_or("there is no \"answer\"")?;
    Ok(Question {
        line,
        text: asked.to_owned(),
        answer: place(answer, &choices, &labels)?,
        choices,
    })
}

/// The texts of choices, and their labels if they have some.
fn choices(listed: &Json) -> Result<(Vec<String>, Vec<String>), String> {
    const FORM: &str = "\"choices\" must be a list of texts, or have \"text\" and \"label\"";
    let text = |value: &Json| value.as_str().map(str::to_owned).ok_or(FORM);
    let texts = |value: Option<&Json>| -> Result<Vec<String>, &str> {
        value
            .and_then(Json::as_array)
            .ok_or(FORM)?
            .iter()
            .map(text)
            .collect()
    };
    match listed {
        Json::Array(list) if list.iter().all(Json::is_object) => {
            let part = |key: &str| {
                list.iter()
                    .map(|choice| text(choice.get(key).ok_or(FORM)?))
                    .collect::<Result<Vec<_>, _>>()
            };
            Ok((part("text")?, part("label")?))
        }
        Json::Object(columns) => {
            let (choices, labels) = (texts(columns.get("text"))?, texts(columns.get("label"))?);
            if choices.len() == labels.len() {
                Ok((choices, labels))
            } else {
                Err(format!(
                    "{} texts and {} labels: must be as many",
                    choices.len(),
                    labels.len()
                ))
            }
        }
        list => Ok((texts(Some(list))?, Vec::new())),
    }
}

/// The place of the right choice: given by its label, its text, or counted from 0.
fn place(answer: &Json, choices: &[String], labels: &[String]) -> Result<usize, String> {
    let found = match answer {
        Json::String(text) => labels
            .iter()
            .position(|label| label == text)
            .or_else(|| choices.iter().position(|choice| choice == text)),
        number => number
            .as_u64()
            .and_then(|place| usize::try_from(place).ok())
            .filter(|place| *place < choices.len()),
    };
    found.ok_or_else(|| {
        let known = if labels.is_empty() {
            "its text"
        } else {
            "its label"
        };
        format!(
            "\"answer\" is {answer}: must be one of the {} choices, by {known} or counted from 0",
            choices.len()
        )
    })
}
