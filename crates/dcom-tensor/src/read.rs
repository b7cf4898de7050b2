//! Reading one matrix from a file.
//!
//! Two steps: the format's header says where the matrix lies ([`Layout`], checked against the length of the file), then
//! the values are streamed through a small buffer into binary16. Peak memory is the fp16 matrix (twice for Fortran
//! order) and the header, whatever the size of the file.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::TensorError;
use crate::matrix::Matrix;
use crate::round::{Rounder, SourceType};
use crate::{npy, safetensors_header};

/// Bytes read at a time; a multiple of every element size.
const CHUNK_BYTES: usize = 256 * 1024;

/// What to read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Name of the tensor in a safetensors file; `None` takes the only two-dimensional one.
    pub tensor: Option<String>,
    /// Largest accepted number of elements.
    pub max_elements: u64,
}

impl Default for ReadOptions {
    /// Any tensor, at most 2^28 elements: 512 MiB of fp16, or 65536 tokens of 4096 channels.
    fn default() -> Self {
        Self {
            tensor: None,
            max_elements: 1 << 28,
        }
    }
}

/// A matrix and what became of its source values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The matrix; an overflowed value is infinite.
    pub matrix: Matrix,
    /// Name of the tensor; `None` for `.npy`, which has no names.
    pub tensor: Option<String>,
    /// Element type of the file.
    pub source: SourceType,
    /// Number of values that binary16 does not represent exactly, overflowed ones included.
    pub rounded: usize,
    /// Number of finite values beyond the binary16 range.
    pub overflowed: usize,
}

/// Where a matrix lies in a file. Its bytes are known to be inside the file.
pub(crate) struct Layout {
    pub(crate) tensor: Option<String>,
    pub(crate) source: SourceType,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) column_major: bool,
    pub(crate) offset_bytes: u64,
}

/// An open regular file, its path for messages, and its length.
pub(crate) struct Input<'a> {
    pub(crate) path: &'a Path,
    pub(crate) file: File,
    pub(crate) len_bytes: u64,
}

/// Reads one finite matrix from a `.safetensors` (fp16, bf16, fp32) or `.npy` (fp16, fp32, fp64) file.
///
/// A shape `[1, rows, cols]` is read as `[rows, cols]`. Values are rounded to binary16, to nearest, ties to even. Every
/// defect of the file is a [`TensorError`] that names the path, what was found and what would be right.
pub fn read_matrix(path: &Path, options: &ReadOptions) -> Result<Loaded, TensorError> {
    // The format is decided by the name, before the file is touched: a typo in the name gets the clearer message.
    let locate = match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => safetensors_header::locate,
        Some("npy") => npy::locate,
        _ => return Err(wrong_name(path)),
    };
    let mut input = open(path)?;
    let layout = locate(&mut input, options)?;
    load(&mut input, layout)
}

impl Input<'_> {
    /// Reads exactly `buffer`, which the caller knows to be inside the file.
    pub(crate) fn read_exact(&mut self, buffer: &mut [u8], what: &str) -> Result<(), TensorError> {
        self.file
            .read_exact(buffer)
            .map_err(|source| match source.kind() {
                // The file shrank after its length was taken.
                ErrorKind::UnexpectedEof => TensorError::Truncated {
                    path: self.path.to_owned(),
                    what: what.to_owned(),
                    needed: self.len_bytes,
                    found: self.len_bytes.saturating_sub(1),
                },
                _ => TensorError::Io {
                    path: self.path.to_owned(),
                    action: "read",
                    source,
                },
            })
    }

    /// Fails unless the file has `needed` bytes.
    pub(crate) fn require(&self, needed: u64, what: &str) -> Result<(), TensorError> {
        if needed <= self.len_bytes {
            return Ok(());
        }
        let path = self.path.to_owned();
        Err(TensorError::Truncated {
            path,
            what: what.to_owned(),
            needed,
            found: self.len_bytes,
        })
    }
}

/// Reduces a shape to rows and columns and applies the caller's limit. `tensor` names it in messages.
pub(crate) fn matrix_shape(
    path: &Path,
    tensor: &str,
    shape: &[u64],
    max_elements: u64,
) -> Result<(usize, usize), TensorError> {
    let (path, tensor) = (path.to_owned(), tensor.to_owned());
    let (rows, cols) = match *shape {
        [rows, cols] | [1, rows, cols] => (rows, cols),
        _ => {
            return Err(TensorError::NotAMatrix {
                path,
                tensor,
                shape: shape.to_owned(),
            });
        }
    };
    if rows == 0 || cols == 0 {
        return Err(TensorError::EmptyShape {
            path,
            tensor,
            shape: shape.to_owned(),
        });
    }
    let elements = rows.saturating_mul(cols);
    match (usize::try_from(rows), usize::try_from(cols)) {
        (Ok(rows), Ok(cols)) if elements <= max_elements => Ok((rows, cols)),
        _ => Err(TensorError::TooLarge {
            path,
            tensor,
            elements,
            max_elements,
        }),
    }
}

pub(crate) fn open(path: &Path) -> Result<Input<'_>, TensorError> {
    let io_error = |action| {
        move |source| TensorError::Io {
            path: path.to_owned(),
            action,
            source,
        }
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(source) if source.kind() == ErrorKind::NotFound => {
            return Err(TensorError::Missing {
                path: path.to_owned(),
            });
        }
        Err(source) => return Err(io_error("look at it")(source)),
    };
    if !metadata.is_file() {
        let found = if metadata.is_dir() {
            "a directory"
        } else {
            "a device or pipe"
        };
        return Err(TensorError::NotAFile {
            path: path.to_owned(),
            found,
        });
    }
    let file = File::open(path).map_err(io_error("open it"))?;
    Ok(Input {
        path,
        file,
        len_bytes: metadata.len(),
    })
}

fn load(input: &mut Input<'_>, layout: Layout) -> Result<Loaded, TensorError> {
    let Layout {
        tensor,
        source,
        rows,
        cols,
        column_major,
        offset_bytes,
    } = layout;
    input
        .file
        .seek(SeekFrom::Start(offset_bytes))
        .map_err(|source| TensorError::Io {
            path: input.path.to_owned(),
            action: "seek",
            source,
        })?;
    let place = |index| {
        if column_major {
            (index % rows, index / rows)
        } else {
            (index / cols, index % cols)
        }
    };
    let mut rounder = Rounder::with_capacity(rows * cols);
    let mut left_bytes = rows * cols * source.bytes();
    let mut buffer = vec![0; CHUNK_BYTES.min(left_bytes)];
    while left_bytes > 0 {
        let chunk = &mut buffer[..CHUNK_BYTES.min(left_bytes)];
        input.read_exact(chunk, "the matrix")?;
        rounder.push_bytes(source, chunk, place);
        left_bytes -= chunk.len();
    }
    let done = rounder.finish();
    if let Some(bad) = done.non_finite {
        return Err(TensorError::NonFinite {
            path: input.path.to_owned(),
            tensor: tensor.unwrap_or_else(|| npy::UNNAMED.to_owned()),
            row: bad.row,
            col: bad.col,
            value: bad.value,
        });
    }
    let (stored_rows, stored_cols) = if column_major {
        (cols, rows)
    } else {
        (rows, cols)
    };
    let stored = Matrix::new(stored_rows, stored_cols, done.bits)
        .expect("a checked shape, filled completely");
    let matrix = if column_major {
        stored.transposed()
    } else {
        stored
    };
    Ok(Loaded {
        matrix,
        tensor,
        source,
        rounded: done.rounded,
        overflowed: done.overflowed,
    })
}

fn wrong_name(path: &Path) -> TensorError {
    if path.is_dir() {
        return TensorError::NotAFile {
            path: path.to_owned(),
            found: "a directory",
        };
    }
    let found = match path.extension() {
        Some(extension) => format!("unknown extension `.{}`", extension.to_string_lossy()),
        None => "no extension".to_owned(),
    };
    TensorError::UnknownExtension {
        path: path.to_owned(),
        found,
    }
}
