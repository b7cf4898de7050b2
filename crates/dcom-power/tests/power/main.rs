//! What a reader of area and energy may rely on, and the files that are refused.

mod designs;
mod files;
mod held_out;
mod properties;
mod results;

use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_power::Interval;
use dcom_timing::Activity;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn params() -> ArchParams {
    let path = project("configs/arch/dcom-paper.toml");
    ArchParams::parse(Source::read(path).expect("readable")).expect("valid")
}

fn arch(set: &[(&str, String)]) -> Arch {
    let mut params = params();
    for (key, value) in set {
        params.set(key, value).expect("in range");
    }
    Arch::new(&params).expect("consistent")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(project("configs/tech").join(name)).expect("readable")
}

fn activity(n: u64) -> Activity {
    Activity {
        multiplications: 7 * n,
        additions: 6 * n,
        network_additions: n / 3,
        buffer_read_elements: 2 * n,
        buffer_write_elements: n,
        bank_read_elements: n / 2,
        bank_write_elements: n / 5,
        stream_elements: 3 * n,
        network_words: n / 4,
        global_write_words: n / 7,
        global_read_words: n / 6,
        scalar_operations: n / 100,
        statistics_elements: n,
        link_in_bytes: 2 * n,
        link_out_bytes: n / 9,
        memory_read_bytes: 6 * n,
        memory_write_bytes: n / 2,
        instructions: n / 1000,
    }
}

fn ordered(i: Interval) -> bool {
    i.low.is_finite() && i.high.is_finite() && i.low <= i.nominal && i.nominal <= i.high
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
