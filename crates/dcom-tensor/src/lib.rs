//! Matrix files in and out: fp16 matrices from safetensors and `.npy`, factors to safetensors.
//!
//! Every matrix in the project is a row-major array of binary16 bit patterns, rows = tokens S, columns = channels H.
//! Reading rounds fp32, bf16 and fp64 sources to binary16 (round to nearest, ties to even) and reports how many values
//! that changed. Input files are untrusted: sizes in a header are compared with the length of the file before anything
//! is allocated.
//!
//! Start reading at [`read_matrix`].

mod matrix;
mod round;

mod error;
mod npy;
mod read;
mod safetensors_header;
mod values;

mod factors;
mod write;

pub use error::TensorError;
pub use factors::{Factors, FactorsError};
pub use matrix::{FromF32, Matrix, MatrixError};
pub use read::{Loaded, ReadOptions, read_matrix};
pub use round::SourceType;
pub use safetensors_header::{TensorEntry, list_tensors};
pub use values::read_f32;
pub use write::{write_factors, write_npy};
