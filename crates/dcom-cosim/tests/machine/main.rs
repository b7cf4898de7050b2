//! The RTL of the whole machine against executor and timing model: bits of every memory, cycles of every instruction.
//!
//! Without Verilator nothing is compared; each test says so in a line and passes. Builds are kept under the target folder
//! by a hash of what they depend on.

mod agreement;
mod mutations;
mod package;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dcom_cosim::{Bench, Build, Verilator};

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

/// Where benches are built, as `cargo xtask rtl` does.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../rtl")
}

/// The bench of a build. One is built at a time, on all cores.
fn bench(verilator: &Verilator, build: &Build) -> Bench {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    verilator
        .machine(build, &cache())
        .unwrap_or_else(|e| panic!("{}: {e}", build.name))
}
