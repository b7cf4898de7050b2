//! Writing factors and matrices.
//!
//! A file is written beside its destination and renamed when complete: a failure leaves neither a partial file nor a
//! damaged older one.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::Builder;

use crate::error::TensorError;
use crate::factors::Factors;
use crate::matrix::Matrix;
use crate::npy;

/// Writes `factors` as safetensors: `u` (S x r) and `v` (H x r) in fp16, rounded to nearest even, `s` (r) in fp32.
///
/// The bytes depend on the factors only. A value of u or v that is not finite in fp16 is an error.
pub fn write_factors(path: &Path, factors: &Factors) -> Result<(), TensorError> {
    let u = f16_bytes(path, "u", factors.u())?;
    let v = f16_bytes(path, "v", factors.v())?;
    let s = factors
        .s()
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect::<Vec<_>>();
    let rank = factors.rank();
    let view = |dtype, shape, bytes| {
        TensorView::new(dtype, shape, bytes).expect("lengths checked by Factors::new")
    };
    let tensors = [
        ("u", view(Dtype::F16, vec![factors.rows(), rank], &u)),
        ("s", view(Dtype::F32, vec![rank], &s)),
        ("v", view(Dtype::F16, vec![factors.cols(), rank], &v)),
    ];
    let bytes = safetensors::serialize(tensors, None).expect("three tensors with short names");
    write_whole(path, |out| out.write_all(&bytes))
}

/// Writes `matrix` as `.npy`, fp16, C order. Bit patterns are kept, NaN and infinities included.
pub fn write_npy(path: &Path, matrix: &Matrix) -> Result<(), TensorError> {
    write_whole(path, |out| {
        out.write_all(&npy::f16_header(matrix.rows(), matrix.cols()))?;
        matrix
            .data()
            .iter()
            .try_for_each(|bits| out.write_all(&bits.to_le_bytes()))
    })
}

fn f16_bytes(path: &Path, factor: &'static str, values: &[f32]) -> Result<Vec<u8>, TensorError> {
    let mut bytes = Vec::with_capacity(values.len() * 2);
    for (index, &value) in values.iter().enumerate() {
        let rounded = f16::from_f32(value);
        if !rounded.is_finite() {
            return Err(TensorError::FactorRange {
                path: path.to_owned(),
                factor,
                index,
                value,
            });
        }
        bytes.extend_from_slice(&rounded.to_le_bytes());
    }
    Ok(bytes)
}

fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), TensorError> {
    if path.is_dir() {
        return Err(TensorError::NotAFile {
            path: path.to_owned(),
            found: "a directory",
        });
    }
    let failed = |action| {
        move |source| TensorError::Io {
            path: path.to_owned(),
            action,
            source,
        }
    };
    // The same directory, so that the rename stays inside one file system.
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut builder = Builder::new();
    // tempfile's own default, 0600, would make the result unreadable for others; the umask still applies to 0666.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder
        .prefix(".dcom-")
        .suffix(".tmp")
        .tempfile_in(parent)
        .map_err(failed("create a file beside it"))?;
    let mut out = BufWriter::new(temporary);
    fill(&mut out).map_err(failed("write"))?;
    let temporary = out
        .into_inner()
        .map_err(|error| failed("write")(error.into_error()))?;
    temporary.as_file().sync_all().map_err(failed("write"))?;
    temporary
        .persist(path)
        .map_err(|error| failed("rename the finished file to it")(error.error))?;
    Ok(())
}
