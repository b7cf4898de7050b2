//! The manifest of recorded activations: every file it lists is there and has the shape, type and
//! best-rank errors that it says. Those errors follow from the values, so the checksums, which are for readers without
//! this program, are not computed.

use std::path::Path;

use dcom_reference::best_rank_errors;
use serde::Deserialize;
use toml::Spanned;

use crate::decompose::load;
use crate::failure::Failure;

/// Largest accepted distance of a recorded best-rank error from the one computed here: the manifest has 12 digits.
const ERROR_TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the other keys are for readers; naming them here refuses misspelt ones"
)]
struct Manifest {
    model: Option<String>,
    model_package: Option<String>,
    recorded_with: Option<String>,
    orientation: Option<String>,
    tokenization: Option<String>,
    weights_file: Option<String>,
    weights: Option<Vec<String>>,
    traces: Vec<Trace>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "as above")]
struct Trace {
    file: Spanned<String>,
    model: Option<String>,
    tensor: String,
    op: Option<String>,
    layer: Option<u32>,
    shape: Spanned<[usize; 2]>,
    dtype: Spanned<String>,
    text_source: Option<String>,
    text_licence: Option<String>,
    best_rank_relative_frobenius_error: Option<Spanned<toml::Table>>,
    tensor_bytes_sha256: Option<String>,
}

/// Checks a manifest and the files that it lists.
///
/// # Errors
/// File and line of the first entry that is wrong.
pub(crate) fn check(path: &Path, text: &str) -> Result<String, Failure> {
    let line = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        Failure::line(
            path,
            text,
            line(error.span().map_or(0, |span| span.start)),
            error.message(),
        )
    })?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    for trace in &manifest.traces {
        trace.check(folder, |offset, message| {
            Failure::line(path, text, line(offset), message)
        })?;
    }
    Ok(format!(
        "manifest of {} recorded activations",
        manifest.traces.len()
    ))
}

impl Trace {
    fn check(
        &self,
        folder: &Path,
        wrong: impl Fn(usize, String) -> Failure,
    ) -> Result<(), Failure> {
        let file = self.file.get_ref();
        let loaded = load(&folder.join(file), Some(&self.tensor))
            .map_err(|error| wrong(self.file.span().start, error.to_string()))?;
        let found = [loaded.matrix.rows(), loaded.matrix.cols()];
        if found != *self.shape.get_ref() {
            return Err(wrong(
                self.shape.span().start,
                format!("shape = {:?}: {file} has {found:?}", self.shape.get_ref()),
            ));
        }
        let dtype = loaded.source.to_string().replace("fp", "f");
        if dtype != *self.dtype.get_ref() {
            return Err(wrong(
                self.dtype.span().start,
                format!("dtype = {:?}: {file} has {dtype}", self.dtype.get_ref()),
            ));
        }
        let Some(recorded) = &self.best_rank_relative_frobenius_error else {
            return Ok(());
        };
        let mut ranks = Vec::new();
        for (rank, error) in recorded.get_ref() {
            match (rank.parse::<usize>(), error.as_float()) {
                (Ok(rank), Some(error)) => ranks.push((rank, error)),
                _ => {
                    return Err(wrong(
                        recorded.span().start,
                        format!("{rank:?} = {error}: expected a rank and its error"),
                    ));
                }
            }
        }
        let wanted: Vec<usize> = ranks.iter().map(|(rank, _)| *rank).collect();
        let best = best_rank_errors(&loaded.matrix, &wanted)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        for ((rank, recorded_error), computed) in ranks.iter().zip(&best.errors) {
            let distance = (recorded_error - computed.relative_frobenius).abs();
            if distance > ERROR_TOLERANCE + computed.error_bound {
                let message = format!(
                    "best error of rank {rank} = {recorded_error}: it is {}",
                    computed.relative_frobenius
                );
                return Err(wrong(recorded.span().start, message));
            }
        }
        Ok(())
    }
}
