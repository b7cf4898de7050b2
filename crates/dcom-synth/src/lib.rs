//! The RTL through yosys and OpenSTA: cell area, flops and minimum period of units and of whole tiles.
//!
//! Needs a standard cell library in Liberty format, which the user points to; nothing of it is kept
//! here. In reading order: `liberty` (what the flow has to know of the library), `design` (what is
//! synthesized), `script` (what the tools are told), `output` (what they answer), `flow` (running
//! them), `simulation` (whether the netlist does what the RTL does), `table` (the CSV), `reference` (the comparison with measured units).

mod design;
mod error;
mod flow;
mod liberty;
mod output;
mod reference;
mod script;
mod simulation;
mod table;

#[cfg(test)]
mod tests;

pub use design::{Design, Group, Mapping, designs};
pub use error::SynthError;
pub use flow::{Flow, Tools};
pub use liberty::{Cell, CellKind, ClockGate, Liberty};
pub use output::{Statistics, Timing};
pub use reference::{Comparison, Reference};
pub use table::{Result, Table};
