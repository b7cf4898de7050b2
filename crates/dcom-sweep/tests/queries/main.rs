//! Questions to the simulator: what decides about a point, for which machines the paper's claims hold, what the memory
//! bandwidth allows, and which machine is the smallest.

mod explain;
mod find;
mod roofline;
mod sensitivity;

use std::path::Path;

use dcom_sweep::Base;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn paper() -> Base {
    Base::read(
        &root().join("configs/arch/dcom-paper.toml"),
        &root().join("configs/workloads/paper-fig12.toml"),
    )
    .expect("the shipped files are valid")
}
