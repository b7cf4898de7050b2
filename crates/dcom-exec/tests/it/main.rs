//! The executor against a naive machine of explicit cluster memories, and hand-written programs against float64.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the naive machine converts small numbers and rounds on purpose"
)]

mod algorithms;
mod random;
mod twin;
mod twin_ops;

mod agreement;
mod breakdown;
mod inputs;
mod lanczos;
mod references;
mod values;
