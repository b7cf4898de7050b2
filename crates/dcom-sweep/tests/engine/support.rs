//! A sweep over the small machine, in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dcom_config::Source;
use dcom_sweep::{Finished, Options, Space, SweepSpec, run};

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A sweep over a tiny workload on the small machine; the text of the axes begins on line 12.
pub(crate) fn text(axes: &str) -> String {
    // A key is on an axis or set, never both.
    let set = |key: &str, value: u32| {
        let free = !axes.contains(&format!("\"{key}\""));
        free.then(|| format!("set.{key} = {value}\n"))
    };
    let tiny = [
        ("workload.rows", 24),
        ("workload.columns", 16),
        ("workload.prompts", 2),
        ("workload.iterations", 3),
        ("workload.rank", 3),
        ("mapping.expansion_factor", 2),
        ("mapping.clusters_per_partition", 2),
    ];
    let mut lines: Vec<String> = tiny
        .into_iter()
        .filter_map(|(key, value)| set(key, value))
        .collect();
    while lines.len() < 8 {
        lines.push("\n".to_owned());
    }
    format!(
        "name = \"t\"\narch = \"{0}/configs/arch/small.toml\"\nworkload = \"{0}/configs/workloads/paper-fig12.toml\"\n{1}{axes}",
        root().display(),
        lines.concat()
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
