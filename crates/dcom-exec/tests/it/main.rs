//! The executor against a naive machine of explicit cluster memories, and hand-written programs against float64.

mod random;
mod twin;
mod twin_ops;

mod agreement;




