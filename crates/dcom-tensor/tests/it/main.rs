//! Integration tests of the matrix files.

mod allocation;
mod fuzz;
mod matrix;
mod npy;
mod safetensors;
mod support;
mod values;
mod write;
