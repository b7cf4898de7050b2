//! Finding matrices in a safetensors file.
//!
//! Format: 8 bytes little-endian header length, a JSON header, the tensors without gaps
//! (<https://huggingface.co/docs/safetensors>). The `safetensors` crate parses and validates the JSON; it would want the
//! whole file in memory to do the rest, so the length checks are made here.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::error::TensorError;
use crate::read::{Input, Layout, ReadOptions, matrix_shape, open};
use crate::round::SourceType;

/// Bytes of the length field.
const LENGTH_BYTES: u64 = 8;

/// Longest accepted header (bytes): the limit of the `safetensors` crate.
const MAX_HEADER_BYTES: u64 = 100_000_000;

const ACCEPTED: &str = "F16, BF16 and F32";

/// What a header says of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorEntry {
    /// Its name.
    pub name: String,
    /// Its element type; `None` for one that matrices cannot have.
    pub source: Option<SourceType>,
    /// Its element type as the format calls it, such as `F16`.
    pub dtype: String,
    /// Its dimensions.
    pub shape: Vec<u64>,
    /// Where its values begin in the file.
    pub offset_bytes: u64,
}

/// The tensors of a safetensors file in the order of its data, from the header alone.
///
/// # Errors
/// Every defect of the header, and a length of the file that the header does not account for.
pub fn list_tensors(path: &Path) -> Result<Vec<TensorEntry>, TensorError> {
    let mut input = open(path)?;
    let (header_bytes, metadata) = read_header(&mut input)?;
    let entry = |name: String| {
        let info = metadata.info(&name)?;
        Some(TensorEntry {
            source: source_type(info.dtype),
            dtype: format!("{:?}", info.dtype),
            shape: shape(info),
            offset_bytes: data_offset(header_bytes, info),
            name,
        })
    };
    Ok(metadata
        .offset_keys()
        .into_iter()
        .filter_map(entry)
        .collect())
}

/// Finds the tensor that `options` asks for.
pub(crate) fn locate(input: &mut Input<'_>, options: &ReadOptions) -> Result<Layout, TensorError> {
    let (header_bytes, metadata) = read_header(input)?;
    let (name, info) = choose(input, &metadata, options)?;
    let Some(source) = source_type(info.dtype) else {
        return Err(TensorError::UnsupportedDtype {
            path: input.path.to_owned(),
            tensor: name,
            found: format!("{:?}", info.dtype),
            accepted: ACCEPTED,
        });
    };
    let (rows, cols) = matrix_shape(input.path, &name, &shape(info), options.max_elements)?;
    Ok(Layout {
        tensor: Some(name),
        source,
        rows,
        cols,
        column_major: false,
        offset_bytes: data_offset(header_bytes, info),
    })
}

fn read_header(input: &mut Input<'_>) -> Result<(u64, Metadata), TensorError> {
    input.require(LENGTH_BYTES, "the safetensors header length")?;
    let mut length = [0; 8];
    input.read_exact(&mut length, "the safetensors header length")?;
    let header_bytes = u64::from_le_bytes(length);
    input.require(
        header_bytes.saturating_add(LENGTH_BYTES),
        "the safetensors header",
    )?;
    if header_bytes > MAX_HEADER_BYTES {
        let reason = format!("it is {header_bytes} bytes long, the limit is {MAX_HEADER_BYTES}");
        return Err(bad_header(input, reason));
    }
    let mut header = vec![0; usize::try_from(header_bytes).expect("below the limit")];
    input.read_exact(&mut header, "the safetensors header")?;
    if header.first() != Some(&b'{') {
        return Err(TensorError::BadMagic {
            path: input.path.to_owned(),
            format: "safetensors",
            found: format!("{length:02x?} {:02x?}", &header[..header.len().min(4)]),
            expected: "8 bytes of header length and a JSON object, `{`",
        });
    }
    let text = std::str::from_utf8(&header).map_err(|error| TensorError::HeaderNotUtf8 {
        path: input.path.to_owned(),
        offset: error.valid_up_to(),
    })?;
    // Parsing also checks that the tensors follow each other without gaps and that each is as long as its shape says.
    let metadata: Metadata =
        serde_json::from_str(text).map_err(|error| bad_header(input, error.to_string()))?;
    let data_bytes = u64::try_from(metadata.data_len()).expect("usize is at most 64 bits");
    let end = data_bytes.saturating_add(LENGTH_BYTES + header_bytes);
    input.require(end, "the tensors its header lists")?;
    if input.len_bytes > end {
        let path = input.path.to_owned();
        return Err(TensorError::TrailingBytes {
            path,
            expected: end,
            found: input.len_bytes,
        });
    }
    Ok((header_bytes, metadata))
}

fn choose<'m>(
    input: &Input<'_>,
    metadata: &'m Metadata,
    options: &ReadOptions,
) -> Result<(String, &'m TensorInfo), TensorError> {
    // In file order, so that messages and the choice do not depend on a hash map.
    let named = || {
        metadata
            .offset_keys()
            .into_iter()
            .filter_map(|name| Some((metadata.info(&name)?, name)))
    };
    let available = || named().map(|(_, name)| name).collect::<Vec<_>>();
    if let Some(wanted) = &options.tensor {
        let info = metadata
            .info(wanted)
            .ok_or_else(|| TensorError::NoSuchTensor {
                path: input.path.to_owned(),
                wanted: wanted.clone(),
                available: available(),
            })?;
        return Ok((wanted.clone(), info));
    }
    let mut all = named().collect::<Vec<_>>();
    if all.len() == 1 {
        // A lone tensor of another shape is reported as such, not as "0 matrices".
        let (info, name) = all.remove(0);
        return Ok((name, info));
    }
    let mut matrices = all
        .into_iter()
        .filter(|(info, _)| info.shape.len() == 2)
        .collect::<Vec<_>>();
    if matrices.len() == 1 {
        let (info, name) = matrices.remove(0);
        return Ok((name, info));
    }
    Err(TensorError::AmbiguousTensor {
        path: input.path.to_owned(),
        candidates: matrices.len(),
        available: available(),
    })
}

fn source_type(dtype: Dtype) -> Option<SourceType> {
    match dtype {
        Dtype::F16 => Some(SourceType::F16),
        Dtype::BF16 => Some(SourceType::Bf16),
        Dtype::F32 => Some(SourceType::F32),
        _ => None,
    }
}

/// Where the values of a tensor begin in the file.
fn data_offset(header_bytes: u64, info: &TensorInfo) -> u64 {
    let begin = u64::try_from(info.data_offsets.0).expect("usize is at most 64 bits");
    LENGTH_BYTES + header_bytes + begin
}

fn shape(info: &TensorInfo) -> Vec<u64> {
    info.shape
        .iter()
        .map(|&dim| u64::try_from(dim).expect("usize is at most 64 bits"))
        .collect()
}

fn bad_header(input: &Input<'_>, reason: String) -> TensorError {
    TensorError::BadHeader {
        path: input.path.to_owned(),
        format: "safetensors",
        reason,
    }
}
