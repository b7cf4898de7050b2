//! Integration tests of the timing model.

mod exact;
mod extrapolation;
mod properties;
mod random;

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_mapper::WorkloadParams;

fn config(path: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs").join(path);
    Source::read(&path).expect("the file is there")
}

/// A machine file with some keys replaced.
fn machine(file: &str, set: &[(&str, &str)]) -> Arch {
    let mut params = ArchParams::parse(config(&format!("arch/{file}.toml"))).expect("the file is right");
    for (key, value) in set {
        params.set(key, value).expect("a key and its value");
    }
    Arch::new(&params).expect("a possible machine")
}

/// A workload file with some keys replaced.
fn workload(file: &str, set: &[(&str, &str)]) -> WorkloadParams {
    let mut params = WorkloadParams::parse(config(&format!("workloads/{file}.toml"))).expect("the file is right");
    for (key, value) in set {
        params.set(key, value).expect("a key and its value");
    }
    params
}
