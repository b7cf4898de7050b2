//! Area, power and energy of a machine in a technology, and of the designs it is compared with.
//!
//! A machine and a technology file become a [`PowerModel`]; it has the area, and turns counters of activity and cycles into
//! energy. The counters are plain numbers ([`dcom_timing::Activity`]): those of the timing model or those of an RTL run.
//! What each component counts, every formula and every source is in `docs/power.md`.
//!
//! Every result is an [`Interval`]: all coefficients at the ends of their ranges that make it smallest, nominal, largest.
//! [`Designs::ratios`] compares designs over random draws instead, in which both have the same coefficients.
//!
//! Reading order: `technology` (the files), `coefficients`, `sram` and `unit` (parts), `tile`, `cluster` and `machine` (how many of
//! them, and what an event costs), `model` (results), `compare` (other designs), `held_out` (blocks that
//! were synthesized whole).

mod technology;

mod coefficients;
mod interval;

mod sram;
mod unit;

mod tile;

mod cluster;
mod machine;

mod model;

mod compare;

mod held_out;

pub use compare::{
    A100_MULTIPLIERS, Compared, Dataflow, Design, Designs, GpuCore, Ratio, Systolic, Work,
};
pub use held_out::predicted_um2;
pub use interval::Interval;
pub use machine::Component;
pub use model::{Area, Energy, PartEnergy, PowerModel};
pub use technology::{Accumulators, BufferPorts, Rotators, Subtractors, Technology, Trees};
pub use tile::Tile;
