//! The RTL of one cluster against the models: bits of `dcom-fp`, cycles of `dcom-timing`.
//!
//! Without Verilator nothing is compared; each test says so in a line and passes.

mod agreement;
mod case;
mod expectation;
mod generator;
mod machines;
mod random;
mod static_checks;
mod units;

use std::path::{Path, PathBuf};

use dcom_cosim::Verilator;

/// Verilator with the project's RTL, or a line on what is left out.
fn verilator(left_out: &str) -> Option<Verilator> {
    let found = Verilator::find(&rtl());
    if found.is_none() {
        eprintln!("left out: {left_out}: Verilator is not installed (`apt-get install verilator`)");
    }
    found
}

fn rtl() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rtl")
}

/// Where benches are built; kept between runs.
fn build_directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
