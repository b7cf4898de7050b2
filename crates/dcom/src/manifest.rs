//! A trace as `dcom check` sees it: manifest, headers, values, and the best-rank errors that the manifest records.

use std::path::Path;

use dcom_reference::best_rank_errors;
use dcom_trace::{Tensor, Trace};

use crate::failure::Failure;

/// Largest accepted distance of a recorded best-rank error from the one computed here: manifests have 12 digits.
const ERROR_TOLERANCE: f64 = 1e-9;

/// Checks all of a trace.
///
/// # Errors
/// File and line, or op and prompt, of the first thing that is wrong.
pub(crate) fn check(path: &Path) -> Result<String, Failure> {
    let trace = Trace::read(path)?;
    trace.check_values()?;
    for tensor in &trace.tensors {
        best_errors(&trace, tensor)?;
    }
    Ok(format!(
        "trace of {} layer {}: {} ops, {} prompts, {} tensors",
        trace.model.name,
        trace.layer,
        trace.ops.len(),
        trace.prompts.len(),
        trace.tensors.len()
    ))
}

fn best_errors(trace: &Trace, tensor: &Tensor) -> Result<(), Failure> {
    let ranks: Vec<usize> = tensor
        .best_rank_error
        .iter()
        .map(|(rank, _)| *rank)
        .collect();
    if ranks.is_empty() {
        return Ok(());
    }
    let best = best_rank_errors(&trace.load(tensor)?, &ranks)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    for ((rank, recorded), computed) in tensor.best_rank_error.iter().zip(&best.errors) {
        let distance = (recorded - computed.relative_frobenius).abs();
        if distance > ERROR_TOLERANCE + computed.error_bound {
            return Err(Failure::input(format!(
                "{}: best_rank_error of {} at rank {rank} = {recorded}: it is {}",
                trace.name(),
                tensor.file,
                computed.relative_frobenius
            )));
        }
    }
    Ok(())
}
