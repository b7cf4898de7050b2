//! Integration tests of the mapper.

mod batch;
mod fits;
mod order;
mod random;
mod reference;
mod tiny;
