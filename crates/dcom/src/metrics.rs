//! How good the factors of a decomposition are, and how good they could be.

use std::time::Instant;

use dcom_reference::{
    Errors, Method, OrthogonalityLoss, Reference, ReferenceError, best_rank_errors,
    orthogonality_loss, reconstruction,
};
use dcom_report::{engineering, significant};
use dcom_tensor::Matrix;
use dcom_trace::Decomposition;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::progress;
use crate::text::{Facts, Record, percent};

/// Singular values that are printed for readers.
const LISTED: usize = 8;

/// Beyond ten times the best possible error, only the two errors themselves tell something.
const MUCH: f64 = 10.0;

/// What was measured about factors. Nothing is measured about factors that are not finite.
pub(crate) struct Quality {
    singular_values: Vec<f64>,
    errors: Option<Errors>,
    u_loss: Option<OrthogonalityLoss>,
    v_loss: Option<OrthogonalityLoss>,
    reference: Option<Reference>,
    metrics_seconds: f64,
}

impl Quality {
    /// Measures factors against the matrix; with `reference` also the best possible error.
    ///
    /// # Errors
    /// The reference does not converge.
    pub(crate) fn measure(
        matrix: &Matrix,
        decomposition: &Decomposition,
        rank: usize,
        reference: bool,
    ) -> Result<Quality, Failure> {
        let internal = |error: ReferenceError| Failure::Internal(error.to_string());
        let started = Instant::now();
        let factors = &decomposition.factors;
        let finite = decomposition.finite();
        let measured = progress::during("measuring errors", || {
            if !finite {
                return Ok((None, None, None));
            }
            // Columns without a singular value are zero on purpose: only the others should be orthonormal.
            let used = factors.s().iter().filter(|s| **s > 0.0).count();
            let (u, v) = (
                orthogonality_loss(&decomposition.u[..used])?,
                orthogonality_loss(&decomposition.v[..used])?,
            );
            Ok((Some(reconstruction(matrix, factors)?), Some(u), Some(v)))
        });
        let (errors, u_loss, v_loss) = measured.map_err(internal)?;
        let metrics_seconds = started.elapsed().as_secs_f64();
        let reference = if reference {
            let best = progress::during("computing the best possible error", || {
                best_rank_errors(matrix, &[rank])
            });
            Some(best.map_err(internal)?)
        } else {
            None
        };
        Ok(Quality {
            singular_values: decomposition.singular_values.clone(),
            errors,
            u_loss,
            v_loss,
            reference,
            metrics_seconds,
        })
    }

    fn best(&self) -> Option<f64> {
        self.reference
            .as_ref()
            .map(|reference| reference.errors[0].relative_frobenius)
    }

    /// The largest |q_i . q_j| of both factors.
    fn off_diagonal(&self) -> Option<f64> {
        Some(
            self.u_loss?
                .max_off_diagonal
                .max(self.v_loss?.max_off_diagonal),
        )
    }

    pub(crate) fn facts(&self, facts: &mut Facts) {
        match &self.errors {
            Some(errors) => {
                let excess = self
                    .best()
                    .map(|best| errors.relative_frobenius / best - 1.0)
                    .filter(|excess| *excess < MUCH);
                let above = excess
                    .map(|excess| format!(", {} % above the best possible", percent(excess)))
                    .unwrap_or_default();
                facts.add(
                    "relative error",
                    significant(errors.relative_frobenius, 4) + &above,
                );
                if let Some(best) = self.best() {
                    facts.add("best possible", significant(best, 4));
                }
                let (median, max) = (errors.per_token_median, errors.per_token_max);
                facts.add(
                    "error per token",
                    format!(
                        "{} median, {} largest",
                        significant(median, 3),
                        significant(max, 3)
                    ),
                );
            }
            None => facts.add("relative error", "none: the factors are not finite"),
        }
        for (label, loss) in [
            ("orthogonality of U", &self.u_loss),
            ("orthogonality of V", &self.v_loss),
        ] {
            if let Some(loss) = loss {
                let (off, on) = (loss.max_off_diagonal, loss.max_diagonal_deviation);
                facts.add(
                    label,
                    format!(
                        "off by {} between vectors, {} in length squared",
                        small(off),
                        small(on)
                    ),
                );
            }
        }
        let listed = self
            .singular_values
            .iter()
            .take(LISTED)
            .map(|s| significant(*s, 4))
            .collect::<Vec<_>>();
        let more = match self.singular_values.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        facts.add("singular values", listed.join(", ") + &more);
        if let Some(reference) = &self.reference {
            let bound = reference.errors[0].error_bound;
            facts.add(
                "reference",
                format!(
                    "{}, {}, within {}",
                    method(reference.method),
                    engineering(reference.seconds, "s"),
                    small(bound)
                ),
            );
        }
    }

    pub(crate) fn json(&self, json: &mut Map<String, Value>) {
        let loss = |loss: &Option<OrthogonalityLoss>| {
            loss.map(|l| json!({"off_diagonal": l.max_off_diagonal, "diagonal": l.max_diagonal_deviation}))
        };
        json.insert(
            "relative_error".into(),
            json!(self.errors.map(|e| e.relative_frobenius)),
        );
        json.insert("best_rank_error".into(), json!(self.best()));
        json.insert(
            "per_token_error".into(),
            json!(
                self.errors
                    .map(|e| json!({"median": e.per_token_median, "max": e.per_token_max}))
            ),
        );
        json.insert("orthogonality_loss".into(), json!(self.off_diagonal()));
        json.insert(
            "orthogonality".into(),
            json!({"u": loss(&self.u_loss), "v": loss(&self.v_loss)}),
        );
        json.insert("singular_values".into(), json!(self.singular_values));
        json.insert("metrics_seconds".into(), self.metrics_seconds.into());
        let reference = self.reference.as_ref().map(|r| {
            json!({"method": method(r.method), "seconds": r.seconds, "error_bound": r.errors[0].error_bound, "residual_bound": r.residual_bound})
        });
        json.insert("reference".into(), json!(reference));
    }

    pub(crate) fn record(&self, record: &mut Record) {
        record.add_some("relative_error", self.errors.map(|e| e.relative_frobenius));
        record.add_some("best_rank_error", self.best());
        record.add_some("per_token_median", self.errors.map(|e| e.per_token_median));
        record.add_some("per_token_max", self.errors.map(|e| e.per_token_max));
        for (name, loss) in [("u", &self.u_loss), ("v", &self.v_loss)] {
            record.add_some(
                format!("orthogonality_loss_{name}"),
                loss.map(|l| l.max_off_diagonal),
            );
            record.add_some(
                format!("orthogonality_diagonal_{name}"),
                loss.map(|l| l.max_diagonal_deviation),
            );
        }
        let values: Vec<String> = self.singular_values.iter().map(f64::to_string).collect();
        record.add("singular_values", values.join(" "));
    }
}

/// A deviation from zero, in two digits.
fn small(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{value:.1e}")
    }
}

fn method(method: Method) -> String {
    match method {
        Method::FullSvd => "full SVD in double precision".to_owned(),
        Method::BlockLanczos {
            basis, converged, ..
        } => {
            let end = if converged {
                "converged"
            } else {
                "not converged"
            };
            format!("block Lanczos in double precision, {end} with {basis} vectors")
        }
    }
}
