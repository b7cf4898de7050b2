//! Integration tests of the ISA: text and binary forms, verification, layouts, the reference table.

mod allocation;
mod assembler;
mod forms;
mod layout;
mod random;
mod reference;
mod verify;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;

/// The machine of `configs/arch/small.toml` with some keys replaced.
fn machine(set: &[(&str, &str)]) -> Arch {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/arch/small.toml");
    let source = Source::read(std::path::Path::new(path)).expect("the file is there");
    let mut params = ArchParams::parse(source).expect("the file is right");
    for (key, value) in set {
        params.set(key, value).expect("a key and its value");
    }
    Arch::new(&params).expect("a possible machine")
}
