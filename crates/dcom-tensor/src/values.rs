//! The values of a tensor of any shape as fp32, exactly: for weights, which are not rounded to fp16 before a model runs.

use std::io::{Seek as _, SeekFrom};
use std::path::Path;

use half::{bf16, f16};

use crate::error::TensorError;
use crate::read::open;
use crate::round::SourceType;
use crate::safetensors_header::TensorEntry;

/// Reads a tensor that [`list_tensors`](crate::list_tensors) found in this file, row-major.
///
/// # Errors
/// Another element type than fp16, bf16 or fp32, a value that is not finite, or a file that changed since.
pub fn read_f32(path: &Path, entry: &TensorEntry) -> Result<Vec<f32>, TensorError> {
    let Some(source) = entry.source else {
        return Err(TensorError::UnsupportedDtype {
            path: path.to_owned(),
            tensor: entry.name.clone(),
            found: entry.dtype.clone(),
            accepted: "F16, BF16 and F32",
        });
    };
    let mut input = open(path)?;
    let elements: u64 = entry.shape.iter().product();
    let bytes = elements * source.bytes() as u64;
    input.require(entry.offset_bytes.saturating_add(bytes), "a tensor")?;
    input
        .file
        .seek(SeekFrom::Start(entry.offset_bytes))
        .map_err(|source| TensorError::Io {
            path: path.to_owned(),
            action: "seek",
            source,
        })?;
    let mut buffer = vec![0; usize::try_from(bytes).expect("no longer than the file")];
    input.read_exact(&mut buffer, "a tensor")?;
    let values = widened(source, &buffer);
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(values),
        Some(at) => {
            let columns = entry.shape.last().map_or(1, |columns| {
                usize::try_from(*columns).expect("no longer than the file")
            });
            Err(TensorError::NonFinite {
                path: path.to_owned(),
                tensor: entry.name.clone(),
                row: at / columns,
                col: at % columns,
                value: f64::from(values[at]),
            })
        }
    }
}

fn widened(source: SourceType, bytes: &[u8]) -> Vec<f32> {
    let pairs = || {
        bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
    };
    match source {
        SourceType::F16 => pairs().map(|bits| f16::from_bits(bits).to_f32()).collect(),
        SourceType::Bf16 => pairs().map(|bits| bf16::from_bits(bits).to_f32()).collect(),
        SourceType::F32 => bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
        SourceType::F64 => unreachable!("no header entry has this type"),
    }
}
