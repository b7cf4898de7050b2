//! Integration tests of the float64 references.

mod golub_kahan;
mod reconstruction;
mod residual;
mod small_svd;
mod spectrum;
mod support;
mod synthetic;
mod truncated;
