//! What the crate promises, checked against exact integer arithmetic, the recorded golden vectors
//! and naive twins.

mod golden;
mod kernel;
mod naive;
mod oracle;
mod random;
mod scalar;
mod trees;
