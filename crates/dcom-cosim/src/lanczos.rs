//! Whole Lanczos decompositions as cases: workloads that the mapper turns into programs, with prompts.

use dcom_arch::Arch;
use dcom_config::{ConfigError, Source};
use dcom_mapper::{MapError, WorkloadParams, host_vectors, map};
use dcom_tensor::Matrix;
use thiserror::Error;

use crate::check::Case;
use crate::values::{Random, Values};

/// Replaced parameters of the workload `configs/workloads/paper-fig12.toml`.
type Parameters<'a> = &'a [(&'a str, &'a str)];

/// What all workloads here have in common, small enough for the builds.
const SIZE: Parameters<'_> = &[
    ("workload.rows", "24"),
    ("workload.columns", "18"),
    ("workload.prompts", "2"),
    ("workload.iterations", "4"),
    ("workload.rank", "3"),
    ("mapping.clusters_per_partition", "1"),
    ("mapping.expansion_factor", "4"),
];

/// Workloads that every build runs.
pub const WORKLOADS: [(&str, Parameters<'static>); 17] = [
    ("one read", &[("workload.algorithm", "one_read")]),
    (
        "one read, two prompts in flight",
        &[
            ("workload.algorithm", "one_read"),
            ("workload.prompts", "3"),
            ("mapping.prompts_in_flight", "2"),
            ("mapping.gram_schmidt", "classical"),
            ("mapping.three_term", "true"),
        ],
    ),
    (
        "blocks",
        &[
            ("workload.algorithm", "block_golub_kahan"),
            ("workload.block_size", "3"),
            ("mapping.gram_schmidt_passes", "2"),
        ],
    ),
    (
        "randomized",
        &[
            ("workload.algorithm", "randomized"),
            ("mapping.product", "reduce"),
        ],
    ),
    (
        "expansion 1",
        &[
            ("mapping.expansion_factor", "1"),
            ("mapping.clusters_per_partition", "4"),
        ],
    ),
    (
        "expansion 2",
        &[
            ("mapping.expansion_factor", "2"),
            ("mapping.clusters_per_partition", "2"),
        ],
    ),
    ("expansion 4", &[]),
    (
        "expansion beyond the machine",
        &[("mapping.expansion_factor", "11")],
    ),
    (
        "resident",
        &[
            ("mapping.residency", "resident"),
            ("mapping.expansion_factor", "2"),
            ("mapping.clusters_per_partition", "2"),
        ],
    ),
    (
        "three prompts in flight, overlapped",
        &[
            ("workload.prompts", "7"),
            ("mapping.prompts_in_flight", "3"),
            ("mapping.overlap_ingest", "true"),
        ],
    ),
    (
        "two prompts in windows of their own",
        &[
            ("workload.prompts", "5"),
            ("mapping.prompts_in_flight", "2"),
            ("mapping.windows", "disjoint"),
            ("mapping.expansion_factor", "2"),
        ],
    ),
    (
        "uneven lengths",
        &[
            ("workload.rows", "37"),
            ("workload.columns", "23"),
            ("mapping.expansion_factor", "3"),
            ("mapping.placement", "spread"),
            ("mapping.reduction", "chain"),
        ],
    ),
    (
        "products by reduction",
        &[
            ("mapping.product", "reduce"),
            ("mapping.transposed_product", "reduce"),
            ("mapping.expansion_factor", "2"),
            ("mapping.clusters_per_partition", "2"),
        ],
    ),
    (
        "classical, twice, after three terms",
        &[
            ("mapping.gram_schmidt", "classical"),
            ("mapping.gram_schmidt_passes", "2"),
            ("mapping.three_term", "true"),
        ],
    ),
    ("sums first", &[("mapping.partial_sums", "sum_first")]),
    (
        "more columns than rows",
        &[
            ("workload.rows", "9"),
            ("workload.columns", "50"),
            ("workload.iterations", "6"),
            ("workload.rank", "6"),
            ("workload.start", "signs"),
        ],
    ),
    (
        // Three rows: the fourth vector breaks down.
        "breakdown",
        &[
            ("workload.rows", "3"),
            ("workload.start", "ones"),
            ("workload.scale_input", "false"),
        ],
    ),
];

/// Why a workload is no program.
#[derive(Debug, Error)]
pub enum WorkloadError {
    /// A parameter that there is not, or that cannot have its value.
    #[error("{name}: {source}")]
    Parameter {
        /// The workload.
        name: String,
        /// Key and value.
        source: ConfigError,
    },
    /// The mapper refuses it.
    #[error("{name}: {source}")]
    Refused {
        /// The workload.
        name: String,
        /// What the mapper says.
        source: MapError,
    },
}

impl WorkloadError {
    /// Whether the machine is too small: the mapper names a parameter of the machine then, or the number of prompts that
    /// are to have partitions of their own.
    #[must_use]
    pub fn is_for_lack_of_room(&self) -> bool {
        match self {
            WorkloadError::Parameter { .. } => false,
            WorkloadError::Refused { source, .. } => {
                let workload = ["workload.", "mapping."];
                source.key == "mapping.prompts_in_flight"
                    || !workload.iter().any(|part| source.key.starts_with(part))
            }
        }
    }
}

/// The decompositions of [`WORKLOADS`] for a machine: name and case. Values and seeds go round with the workloads, from
/// another start for each `turn`.
pub fn decompositions(
    arch: &Arch,
    turn: usize,
) -> impl Iterator<Item = (&'static str, Result<Case, WorkloadError>)> {
    let values = [Values::Tame, Values::Finite, Values::Any];
    (turn..).zip(WORKLOADS).map(move |(i, (name, workload))| {
        let case = Case::lanczos(arch, name, workload, values[i % values.len()], i as u64);
        (name, case)
    })
}

impl Case {
    /// A decomposition of seeded matrices.
    ///
    /// # Errors
    /// A parameter that is refused, or why the mapper does not find room.
    pub fn lanczos(
        arch: &Arch,
        name: &str,
        workload: Parameters<'_>,
        values: Values,
        seed: u64,
    ) -> Result<Case, WorkloadError> {
        let source = Source::new(
            "configs/workloads/paper-fig12.toml",
            include_str!("../../../configs/workloads/paper-fig12.toml"),
        );
        let mut params = WorkloadParams::parse(source).expect("a workload file of the project");
        for (key, value) in SIZE.iter().chain(workload) {
            params
                .set(key, value)
                .map_err(|source| WorkloadError::Parameter {
                    name: name.to_owned(),
                    source,
                })?;
        }
        let mapped = map(arch, &params).map_err(|source| WorkloadError::Refused {
            name: name.to_owned(),
            source,
        })?;
        let host_vectors = host_vectors(&mapped.program, params.sketch_seed);
        let mut random = Random::new(seed);
        let prompts = (0..params.prompts)
            .map(|_| values.matrix(&mut random, params.rows.into(), params.columns.into()))
            .collect::<Vec<Matrix>>();
        Ok(Case {
            name: name.replace(' ', "-"),
            program: mapped.program,
            prompts,
            host_vectors,
        })
    }

    /// A random workload with random prompts.
    ///
    /// # Errors
    /// Why the mapper does not find room for it.
    pub fn random_lanczos(arch: &Arch, seed: u64) -> Result<Case, WorkloadError> {
        let random = &mut Random::new(seed);
        let number = |random: &mut Random, low, high| random.within(low, high).to_string();
        let (k, clusters) = (random.within(1, 6), arch.clusters());
        let most = random.pick(&[14, 14, 14, 40]);
        let residency = random.pick(&["streamed", "streamed", "resident"]);
        let settings = [
            ("workload.rows", number(random, 2, most)),
            ("workload.columns", number(random, 2, most)),
            ("workload.prompts", number(random, 1, 5)),
            ("workload.iterations", k.to_string()),
            ("workload.rank", number(random, 1, k)),
            ("mapping.expansion_factor", number(random, 1, 9)),
            (
                "mapping.clusters_per_partition",
                number(random, 1, clusters),
            ),
            ("mapping.gram_schmidt_passes", number(random, 1, 2)),
            ("mapping.prefetch", number(random, 0, 3)),
            ("mapping.prompts_in_flight", number(random, 1, 3)),
        ];
        let choices = [
            ("mapping.residency", residency),
            (
                "workload.start",
                random.pick(&["mean", "ones", "e1", "alternating", "signs"]),
            ),
            ("workload.scale_input", random.pick(&["false", "true"])),
            ("mapping.placement", random.pick(&["compact", "spread"])),
            ("mapping.reduction", random.pick(&["tree", "chain"])),
            (
                "mapping.partial_sums",
                random.pick(&["expand", "sum_first"]),
            ),
            ("mapping.three_term", random.pick(&["false", "true"])),
            (
                "mapping.gram_schmidt",
                random.pick(&["classical", "modified"]),
            ),
            ("mapping.product", random.pick(&["gather", "reduce"])),
            (
                "mapping.transposed_product",
                random.pick(&["gather", "reduce"]),
            ),
            ("mapping.overlap_ingest", random.pick(&["false", "true"])),
            ("mapping.windows", random.pick(&["shared", "disjoint"])),
            (
                "workload.algorithm",
                random.pick(&["golub_kahan", "one_read", "block_golub_kahan", "randomized"]),
            ),
            ("workload.block_size", random.pick(&["1", "2", "3"])),
            ("workload.power_iterations", random.pick(&["0", "1"])),
        ];
        let values = random.pick(&[Values::Tame, Values::Tame, Values::Finite, Values::Any]);
        let workload: Vec<_> = settings
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .chain(choices)
            .collect();
        let name = format!("lanczos-seed-{seed}");
        Case::lanczos(arch, &name, &workload, values, seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Build;

    /// Whether a workload is refused for lack of room; none if it is not refused.
    fn refusal(workload: Parameters<'_>) -> Option<bool> {
        let arch = &Build::all()[0].arch;
        let case = Case::lanczos(arch, "a test", workload, Values::Tame, 1);
        case.err().map(|e| e.is_for_lack_of_room())
    }

    #[test]
    fn mistakes_are_no_lack_of_room() {
        assert_eq!(refusal(&[]), None);
        assert_eq!(refusal(&[("workload.row", "24")]), Some(false));
        assert_eq!(refusal(&[("workload.rank", "5")]), Some(false));
        assert_eq!(refusal(&[("workload.rows", "9000")]), Some(true));
    }
}
