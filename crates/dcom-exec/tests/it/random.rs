//! Random machines and programs, each from an explicit seed; the generator is the one that the RTL is tested with.

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_cosim::{Case, Wishes};
pub(crate) use dcom_cosim::{Random, Values};

/// The paper's machine with some parameters changed.
pub(crate) fn machine(changes: &[(&str, String)]) -> Arch {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/arch/dcom-paper.toml");
    let mut params = ArchParams::parse(Source::read(path).expect("the file is there"))
        .expect("the file is valid");
    for (key, value) in changes {
        params.set(key, value).expect("a valid change");
    }
    Arch::new(&params).expect("a valid machine")
}

/// A small machine whose sizes are seldom powers of two.
pub(crate) fn random_machine(random: &mut Random, mode: &str) -> Arch {
    let columns = random.within(1, 5);
    let mut changes = vec![("cluster.accumulate", mode.to_owned())];
    let sizes = [
        ("array.columns", columns),
        ("array.rows", random.within(1, 5)),
        ("bank.columns", random.within(1, columns)),
        ("bank.port_elements", random.within(1, 40)),
        ("cluster.lanes_x", random.within(1, 6)),
        ("cluster.lanes_y", random.within(1, 6)),
        ("ingest.width_elements", random.within(1, 9)),
        ("broadcast.width_words", random.within(1, 6)),
        ("broadcast.capacity_words", 1 << 24),
        ("cluster.buffer_bytes", 1 << 28),
        ("bank.capacity_bytes", 1 << 30),
    ];
    changes.extend(sizes.map(|(key, value)| (key, value.to_string())));
    machine(&changes)
}

/// A program for `arch` that runs every operation on random layouts, twice in a loop, and what it needs.
pub(crate) fn random_program(
    random: &mut Random,
    arch: &Arch,
    values: Values,
    sizes: [u64; 2],
) -> Case {
    let wishes = Wishes {
        values,
        sizes,
        both: true,
    };
    Case::wished(arch, random, wishes)
}
