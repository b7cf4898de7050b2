//! Tests of models that run, on the trained byte model that is shipped with the crate.

mod choices;
mod golden;
mod plans;
mod record;
mod refused;
mod sharded;
mod support;
mod tokens;
