//! The arithmetic of the machine's lanes and reduction trees, bit for bit.
//!
//! The hardware multiplies and adds IEEE 754 binary16 and binary32: round to nearest even, gradual
//! underflow, overflow to infinity. Values that are binary16 in the hardware are carried here as
//! `f32`s that lie on the binary16 grid; their `u16` bit patterns appear at the boundary and in the
//! stored matrix. Which results are rounded to binary16, and in which order sums are taken, is the
//! subject of this crate; `docs/machine.md` is the source of both.
//!
//! NaN is kept as NaN, but its payload and sign are not part of any result: compare after
//! [`to_bits`] or [`canon32`].
//!
//! To be read in this order: `format` (binary16), `accumulate` (modes and the tree), `pairwise` (the
//! order of chunk sums), `dot` and `correction` (what the lanes compute), `simd` and `matvec` (the
//! same sums, fast).

mod accumulate;
mod correction;
mod dot;
mod format;
mod matvec;
mod pairwise;
mod simd;

pub use accumulate::{Accumulate, MAX_EXPONENT, ParseAccumulateError};
pub use correction::{corrected, corrected_in_place, expanded_sum, expanded_sums};
pub use dot::{Lanes, dot};
pub use format::{add16, canon32, from_bits, mul16, round16, sub16, to_bits};
pub use matvec::MatVec;
pub use pairwise::PairwiseSum;
pub use simd::Backend;
