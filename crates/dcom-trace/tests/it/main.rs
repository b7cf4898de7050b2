//! Traces in and out, what is refused, calibration, evaluation.

mod calibration;
mod evaluation;
mod format;
mod refused;
mod support;
