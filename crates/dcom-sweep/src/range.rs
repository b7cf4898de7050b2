//! The values of an axis that a sweep file gives as a range.
//!
//! Over an integer key the values are rounded to the nearest integer, and repeated ones are left out; over a number
//! they are rounded to 12 digits, so that steps of 0.1 read as written.

use dcom_config::{KeyInfo, Kind};
use serde::Deserialize;

/// Most values of one axis.
pub(crate) const MAX_VALUES: u64 = 1_000_000;

/// `linear = { from = 1, to = 9, step = 2 }`, or `points` instead of `step`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Linear {
    from: f64,
    to: f64,
    step: Option<f64>,
    points: Option<u64>,
}

/// `geometric = { from = 1, to = 64, factor = 2 }`, or `points` instead of `factor`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Geometric {
    from: f64,
    to: f64,
    factor: Option<f64>,
    points: Option<u64>,
}

impl Linear {
    /// The values as a key takes them.
    pub(crate) fn values(self, key: &KeyInfo) -> Result<Vec<String>, String> {
        let (from, to) = ends(self.from, self.to)?;
        let (step, count) = match (self.step, self.points) {
            (Some(step), None) => {
                if !(step.is_finite() && step > 0.0) {
                    return Err(format!("step = {step}: a step is above 0"));
                }
                (step, count((to - from) / step)?)
            }
            (None, Some(points)) => {
                let points = at_least_two(points)?;
                (span(from, to, points), points)
            }
            _ => return Err("linear = { from, to } with either `step` or `points`".to_owned()),
        };
        list(key, count, |i| from + step * i)
    }
}

impl Geometric {
    /// The values as a key takes them.
    pub(crate) fn values(self, key: &KeyInfo) -> Result<Vec<String>, String> {
        let (from, to) = ends(self.from, self.to)?;
        if from <= 0.0 {
            return Err(format!("from = {from}: a geometric range begins above 0"));
        }
        let (factor, count) = match (self.factor, self.points) {
            (Some(factor), None) => {
                if !(factor.is_finite() && factor > 1.0) {
                    return Err(format!("factor = {factor}: a factor is above 1"));
                }
                (factor.ln(), count((to / from).ln() / factor.ln())?)
            }
            (None, Some(points)) => {
                let points = at_least_two(points)?;
                (span(from.ln(), to.ln(), points), points)
            }
            _ => return Err("geometric = { from, to } with either `factor` or `points`".to_owned()),
        };
        list(key, count, |i| from * (factor * i).exp())
    }
}

fn ends(from: f64, to: f64) -> Result<(f64, f64), String> {
    if !(from.is_finite() && to.is_finite()) {
        return Err("from and to are finite".to_owned());
    }
    if from > to {
        return Err(format!(
            "from = {from} is above to = {to}; a range goes upwards"
        ));
    }
    Ok((from, to))
}

fn at_least_two(points: u64) -> Result<u64, String> {
    match points {
        0 | 1 => Err(format!(
            "points = {points}: a range has at least 2; write one value as `values = [...]`"
        )),
        2..=MAX_VALUES => Ok(points),
        _ => Err(format!(
            "points = {points}: at most {MAX_VALUES} values on one axis"
        )),
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most MAX_VALUES")]
fn span(from: f64, to: f64, points: u64) -> f64 {
    (to - from) / (points - 1) as f64
}

/// Values of a range of so many steps; a billionth of a step of rounding does not lose the last one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between 0 and MAX_VALUES"
)]
fn count(steps: f64) -> Result<u64, String> {
    let count = (steps + 1e-9).floor() + 1.0;
    if count > MAX_VALUES as f64 {
        return Err(format!(
            "{count:.0} values: at most {MAX_VALUES} on one axis"
        ));
    }
    Ok(count as u64)
}

#[expect(clippy::cast_precision_loss, reason = "at most MAX_VALUES")]
fn list(key: &KeyInfo, count: u64, value: impl Fn(f64) -> f64) -> Result<Vec<String>, String> {
    let text: fn(f64) -> String = match key.kind {
        Kind::Integer { .. } => |x| format!("{:.0}", x.round() + 0.0),
        Kind::Float { .. } => |x| {
            let digits = format!("{x:.11e}");
            digits
                .parse::<f64>()
                .expect("a float prints as a float")
                .to_string()
        },
        Kind::Bool | Kind::Text | Kind::Choice { .. } => {
            return Err(format!(
                "`{}` is {}; a range is of numbers",
                key.path,
                key.expectation()
            ));
        }
    };
    let mut values: Vec<String> = (0..count).map(|i| text(value(i as f64))).collect();
    values.dedup();
    Ok(values)
}
