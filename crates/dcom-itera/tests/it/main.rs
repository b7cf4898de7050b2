//! Formats against their definitions, decompositions against what mathematics says of them.

mod decompositions;
mod formats;
mod hardware;
