//! Everything that can be wrong with a matrix file, with the path, what was found and what would be right.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a matrix file cannot be read or written.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say what each field is")]
pub enum TensorError {
    /// The path does not exist.
    #[error("{}: no such file", path.display())]
    Missing { path: PathBuf },
    /// The path is a directory or a device.
    #[error("{}: is {found}, expected a regular file", path.display())]
    NotAFile { path: PathBuf, found: &'static str },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        path: PathBuf,
        action: &'static str,
        source: io::Error,
    },
    /// The extension names no known format.
    #[error("{}: {found}, expected a file named *.safetensors or *.npy", path.display())]
    UnknownExtension { path: PathBuf, found: String },
    /// The file does not start as its format requires.
    #[error("{}: starts with bytes {found}, a {format} file starts with {expected}", path.display())]
    BadMagic {
        path: PathBuf,
        format: &'static str,
        found: String,
        expected: &'static str,
    },
    /// The file ends before something its header promises.
    #[error("{}: the file has {found} bytes, but {what} needs {needed}: truncated, or a wrong header", path.display())]
    Truncated {
        path: PathBuf,
        what: String,
        needed: u64,
        found: u64,
    },
    /// The file goes on after its last value.
    #[error("{}: the file has {found} bytes, but its header accounts for {expected}", path.display())]
    TrailingBytes {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    /// The header is not text.
    #[error("{}: the header is not UTF-8 from byte {offset} of it on", path.display())]
    HeaderNotUtf8 { path: PathBuf, offset: usize },
    /// The header is text, but not one of this format.
    #[error("{}: bad {format} header: {reason}", path.display())]
    BadHeader {
        path: PathBuf,
        format: &'static str,
        reason: String,
    },
    /// The element type is not a supported one.
    #[error("{}: {tensor} has dtype {found}, accepted are {accepted}", path.display())]
    UnsupportedDtype {
        path: PathBuf,
        tensor: String,
        found: String,
        accepted: &'static str,
    },
    /// The shape is not that of a matrix.
    #[error(
        "{}: {tensor} has shape {shape:?}, expected [rows, cols] or [1, rows, cols]",
        path.display()
    )]
    NotAMatrix {
        path: PathBuf,
        tensor: String,
        shape: Vec<u64>,
    },
    /// A dimension is zero.
    #[error("{}: {tensor} has shape {shape:?}, all dimensions must be at least 1", path.display())]
    EmptyShape {
        path: PathBuf,
        tensor: String,
        shape: Vec<u64>,
    },
    /// The matrix has more elements than the caller allows.
    #[error("{}: {tensor} has {elements} elements, the limit is {max_elements}", path.display())]
    TooLarge {
        path: PathBuf,
        tensor: String,
        elements: u64,
        max_elements: u64,
    },
    /// The tensor asked for is not there.
    #[error("{}: no tensor `{wanted}`; the file holds {}", path.display(), list(available))]
    NoSuchTensor {
        path: PathBuf,
        wanted: String,
        available: Vec<String>,
    },
    /// No tensor was asked for and not exactly one is a matrix.
    #[error("{}: {candidates} tensors are matrices, name one of: {}", path.display(), list(available))]
    AmbiguousTensor {
        path: PathBuf,
        candidates: usize,
        available: Vec<String>,
    },
    /// A value is NaN or infinite.
    #[error("{}: {tensor} has {value} at row {row}, column {col}; all values must be finite", path.display())]
    NonFinite {
        path: PathBuf,
        tensor: String,
        row: usize,
        col: usize,
        value: f64,
    },
    /// A factor value does not survive the rounding to fp16.
    #[error("{}: factor {factor} has {value} at index {index}; fp16 needs finite values below 65520", path.display())]
    FactorRange {
        path: PathBuf,
        factor: &'static str,
        index: usize,
        value: f32,
    },
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return "no tensor".to_owned();
    }
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}
