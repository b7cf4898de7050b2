//! Claims of this crate, on captured outputs of the tools and on a library written for the tests.

mod captured;
mod flow;
mod liberty;
mod table;
