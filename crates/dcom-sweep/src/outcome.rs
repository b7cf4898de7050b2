//! What evaluating a point comes to: numbers, or the reason why there are none. Also as bytes, for the cache.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::metric::METRICS;
use crate::point::{Base, Point, PointError, evaluate};

/// The end of a point.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It has numbers.
    Done(Numbers),
    /// It does not fit the machine; the reason.
    Infeasible(String),
    /// The simulator failed; what it said.
    Failed(String),
}

/// The numbers of a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// `simulated` in full, or `extrapolated` exactly.
    pub method: String,
    /// The largest part of the critical path.
    pub bottleneck: String,
    /// One value per entry of [`METRICS`].
    pub metrics: Vec<f64>,
}

impl Outcome {
    /// Evaluates a point. One that crashes the simulator must not take the others with it.
    #[must_use]
    pub fn of(base: &Base) -> Outcome {
        match catch_unwind(AssertUnwindSafe(|| evaluate(base))) {
            Ok(Ok(point)) => Outcome::Done(Numbers::of(&point)),
            Ok(Err(error)) if error.is_infeasible() => Outcome::Infeasible(reason(&error)),
            Ok(Err(error)) => Outcome::Failed(reason(&error)),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                Outcome::Failed(one_line(&format!(
                    "internal error: {}",
                    text.unwrap_or("a panic")
                )))
            }
        }
    }

    /// The outcome as bytes; a failure is not kept, so that it shows again.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Outcome::Done(numbers) => {
                bytes.push(0);
                put_text(&mut bytes, &numbers.method);
                put_text(&mut bytes, &numbers.bottleneck);
                for value in &numbers.metrics {
                    bytes.extend(value.to_le_bytes());
                }
            }
            Outcome::Infeasible(reason) => {
                bytes.push(1);
                put_text(&mut bytes, reason);
            }
            Outcome::Failed(_) => return None,
        }
        Some(bytes)
    }

    /// The reverse of [`Outcome::encode`]; `None` where the bytes are none of its.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Outcome> {
        let (tag, mut rest) = bytes.split_first()?;
        match tag {
            0 => {
                let method = take_text(&mut rest)?;
                let bottleneck = take_text(&mut rest)?;
                let (values, left) = rest.as_chunks::<8>();
                let whole = left.is_empty() && values.len() == METRICS.len();
                let metrics = values.iter().map(|v| f64::from_le_bytes(*v)).collect();
                whole.then_some(Outcome::Done(Numbers {
                    method,
                    bottleneck,
                    metrics,
                }))
            }
            1 => {
                let reason = take_text(&mut rest)?;
                rest.is_empty().then_some(Outcome::Infeasible(reason))
            }
            _ => None,
        }
    }
}

impl Numbers {
    /// Every metric of a point.
    #[must_use]
    pub fn of(point: &Point) -> Numbers {
        Numbers {
            method: point.summary.method.to_owned(),
            bottleneck: point.summary.bottleneck.clone(),
            metrics: METRICS.iter().map(|metric| metric.of(point)).collect(),
        }
    }
}

/// Key and problem, without the place: a reason must not depend on where a file lies.
fn reason(error: &PointError) -> String {
    one_line(&match error {
        PointError::Config(error) => match error.key() {
            Some(key) => format!("{key}: {}", error.message()),
            None => error.message().to_owned(),
        },
        other => other.to_string(),
    })
}

/// A row of a result is a line.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).expect("a message, not a book");
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}
