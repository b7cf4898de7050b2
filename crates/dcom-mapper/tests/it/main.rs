//! Integration tests of the mapper.

mod batch;
mod fits;
mod random;
mod tiny;
