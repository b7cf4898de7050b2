//! What needs no simulation: lint of the whole machine for every build, and the package that is kept with the sources.

use dcom_cosim::Build;

use crate::{cache, rtl, verilator};

#[test]
fn machine_lints() {
    let Some(verilator) = verilator("lint of the whole machine") else {
        return;
    };
    for build in Build::all() {
        verilator
            .lint_machine(&build, &cache())
            .unwrap_or_else(|e| panic!("{}: {e}", build.name));
    }
}

/// The sources come with the package of the first build, for whoever reads or lints them by hand.
#[test]
fn the_package_is_current() {
    let build = &Build::all()[0];
    let file = rtl().join("machine/dcom_pkg.sv");
    let kept = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert!(
        kept == build.package(),
        "{} is stale: machine file or op list have changed; `cargo xtask rtl --package {} > rtl/machine/dcom_pkg.sv` writes it",
        file.display(),
        build.name
    );
}
