//! The package that is kept with the sources.

use dcom_cosim::Build;

use crate::rtl;

/// The sources come with the package of the first build, for whoever reads or lints them by hand; builds generate their own.
#[test]
fn the_package_is_current() {
    let build = &Build::all()[0];
    let file = rtl().join("src/dcom_pkg.sv");
    let kept = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert!(
        kept == build.package(),
        "{} is stale: machine file or op list have changed; `cargo xtask rtl --package {} > rtl/src/dcom_pkg.sv` writes it",
        file.display(),
        build.name
    );
}
