//! The RTL's arithmetic units alone against `dcom-fp`.
//!
//! Without Verilator nothing is compared; each test says so in a line and passes.

mod random;
mod units;

use std::path::{Path, PathBuf};

use dcom_cosim::Verilator;

/// Verilator with the project's RTL, or a line on what is left out.
fn verilator(left_out: &str) -> Option<Verilator> {
    let rtl = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rtl");
    let found = Verilator::find(&rtl);
    if found.is_none() {
        eprintln!("left out: {left_out}: Verilator is not installed (`apt-get install verilator`)");
    }
    found
}

/// Where benches are built; kept between runs.
fn build_directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
