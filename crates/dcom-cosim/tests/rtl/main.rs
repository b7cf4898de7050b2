//! The RTL against the models: bits of every memory, cycles of every instruction; the arithmetic units alone against `dcom-fp`.
//!
//! Without Verilator nothing is compared: one line says so, and the tests pass, unless `DCOM_REQUIRE_TOOLS=1` asks for it. Builds are kept under the target folder by a hash
//! of what they depend on.

mod agreement;
mod coverage;
mod mutations;
mod package;
mod synthesis;
mod units;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use dcom_cosim::{Bench, Build, Verilator};

/// Verilator with the project's RTL; without it a line on what is left out, once, or a failure where `DCOM_REQUIRE_TOOLS` is 1.
///
/// The line goes past the capture of the output of tests that pass: `eprintln!` would not be seen.
fn verilator() -> Option<Verilator> {
    static FOUND: LazyLock<Option<Verilator>> = LazyLock::new(|| {
        let found = Verilator::find(&rtl());
        if found.is_none() {
            let line = "left out: the RTL against executor and timing model: Verilator is not installed, or does not run (packages `verilator`, `g++`, `make`)";
            let required = std::env::var("DCOM_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
            assert!(!required, "DCOM_REQUIRE_TOOLS=1, but {line}");
            writeln!(std::io::stderr(), "\n{line}").expect("somebody listens");
        }
        found
    });
    FOUND.clone()
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
