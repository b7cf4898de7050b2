//! A sweep over the small machine, in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dcom_config::Source;
use dcom_sweep::{Finished, Options, Space, SweepSpec, run};

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A sweep over a tiny workload on the small machine; the text of the axes begins on line 10.
pub(crate) fn text(axes: &str) -> String {
    format!(
        "name = \"t\"\narch = \"{0}/configs/arch/small.toml\"\nworkload = \"{0}/configs/workloads/paper-fig12.toml\"\n\
         set.workload = {{ rows = 24, columns = 16, prompts = 2, iterations = 3, rank = 3 }}\n\
         set.mapping = {{ expansion_factor = 2, clusters_per_partition = 2 }}\n\n\n\n\n{axes}",
        root().display()
    )
}

pub(crate) fn spec(axes: &str) -> Result<SweepSpec, String> {
    SweepSpec::parse(Source::new("t.toml", text(axes))).map_err(|error| error.to_string())
}

#[track_caller]
pub(crate) fn space(axes: &str) -> Space {
    Space::open(spec(axes).expect("a legal sweep"), &[]).expect("legal files")
}

/// The settings of every point that is in the sweep.
pub(crate) fn points(space: &Space) -> Vec<Vec<&str>> {
    let inside = (0..space.points()).filter(|point| space.contains(*point));
    inside
        .map(|point| space.settings(point).collect())
        .collect()
}

pub(crate) fn options(folder: &Path) -> Options {
    Options {
        output: folder.to_owned(),
        threads: None,
        restart: false,
        cache: None,
        parquet: false,
    }
}

pub(crate) fn finish(space: Space, options: &Options) -> Finished {
    run(space, options, &AtomicBool::new(false), |_| ()).expect("runs")
}

pub(crate) fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).expect("a text file")
}
