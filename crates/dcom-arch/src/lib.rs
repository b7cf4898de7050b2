//! The machine description: a TOML file becomes a validated [`Arch`].
//!
//! Every quantity the paper leaves open is a parameter, with its mark (given, derived, assumed,
//! fitted) and source in the file. This crate knows no algorithm and no program; what the
//! parameters mean cycle by cycle is defined in `docs/machine.md`.

mod params;

mod arch;

pub use arch::{
    Arch, Bank, Broadcast, Cluster, Ingest, Link, Memory, Network, Scalar, Sequencer, SmallSvd,
};
pub use params::{ArchParams, BankPorts};
