//! Random machines and workloads, as parameters of `configs/arch/small.toml` and `configs/workloads/paper-fig12.toml`.
//! The tests of `dcom-timing` use this file as well.

use std::path::Path;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_mapper::WorkloadParams;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

type Keys = Vec<(&'static str, String)>;

/// A machine and a workload by the keys that make them.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    machine: Keys,
    workload: Keys,
}

impl Case {
    pub(crate) fn machine(&self) -> Arch {
        machine("small", &self.machine)
    }

    pub(crate) fn workload(&self) -> WorkloadParams {
        workload("paper-fig12", &self.workload)
    }
}

fn config(path: &str) -> Source {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../configs")
        .join(path);
    Source::read(&path).expect("the file is there")
}

/// A machine file with some keys replaced.
pub(crate) fn machine<V: AsRef<str>>(file: &str, set: &[(&str, V)]) -> Arch {
    let mut params =
        ArchParams::parse(config(&format!("arch/{file}.toml"))).expect("the file is right");
    for (key, value) in set {
        params
            .set(key, value.as_ref())
            .expect("a key and its value");
    }
    Arch::new(&params).expect("a possible machine")
}

/// A workload file with some keys replaced.
pub(crate) fn workload<V: AsRef<str>>(file: &str, set: &[(&str, V)]) -> WorkloadParams {
    let mut params = WorkloadParams::parse(config(&format!("workloads/{file}.toml")))
        .expect("the file is right");
    for (key, value) in set {
        params
            .set(key, value.as_ref())
            .expect("a key and its value");
    }
    params
}

/// Values of one key, chosen by `choose`.
fn one_of(
    key: &'static str,
    values: &'static [&'static str],
) -> BoxedStrategy<(&'static str, String)> {
    prop::sample::select(values)
        .prop_map(move |v| (key, v.to_owned()))
        .boxed()
}

fn within(
    key: &'static str,
    range: std::ops::RangeInclusive<u32>,
) -> BoxedStrategy<(&'static str, String)> {
    range.prop_map(move |v| (key, v.to_string())).boxed()
}

const BOOL: &[&str] = &["true", "false"];

fn machine_keys() -> Vec<BoxedStrategy<(&'static str, String)>> {
    vec![
        within("array.columns", 2..=5),
        within("array.rows", 1..=4),
        one_of("cluster.lanes_x", &["1", "2", "3", "4", "8"]),
        one_of("cluster.lanes_y", &["1", "2", "4", "5"]),
        one_of("cluster.accumulate", &["m16a16", "m16a32", "x32"]),
        one_of("cluster.buffer_bytes", &["1024", "2048", "4096", "16384"]),
        one_of("cluster.buffer_read_elements", &["1", "3", "16", "64"]),
        one_of("cluster.ingest_elements", &["1", "3", "8", "64"]),
        within("cluster.buffer_read_cycles", 1..=3),
        within("cluster.buffer_write_cycles", 1..=3),
        within("cluster.multiply_cycles", 1..=4),
        within("cluster.add16_cycles", 1..=4),
        within("cluster.add32_cycles", 1..=6),
        within("bank.columns", 1..=2),
        one_of("bank.capacity_bytes", &["8192", "65536", "1048576"]),
        one_of("bank.port_elements", &["1", "3", "4", "8", "16", "64"]),
        one_of("bank.ports", &["1rw", "1r1w"]),
        within("bank.read_cycles", 1..=4),
        within("network.hop_cycles", 0..=3),
        within("network.width_words", 1..=8),
        one_of("broadcast.capacity_words", &["512", "2048", "65536"]),
        within("broadcast.width_words", 1..=9),
        within("broadcast.write_ports", 1..=4),
        within("broadcast.write_cycles", 1..=3),
        one_of("scalar.registers", &["64", "256"]),
        one_of("memory.bandwidth_gb_per_s", &["0.7", "3.5", "16", "100"]),
        within("memory.exposed_latency_cycles", 0..=30),
        one_of("memory.capacity_bytes", &["9000", "1048576"]),
        one_of("link.bandwidth_gb_per_s", &["0.3", "1.5", "8", "50"]),
        within("link.latency_cycles", 0..=40),
        within("ingest.width_elements", 1..=9),
        within("svd.round_trip_cycles", 0..=300),
        within("svd.millicycles_per_k3", 0..=2000),
        within("sequencer.decode_cycles", 1..=3),
        one_of("sequencer.layouts", &["2", "16"]),
        one_of("sequencer.buffer_regions", &["40", "128", "256"]),
        one_of("sequencer.bank_vectors", &["40", "256"]),
        one_of("sequencer.global_regions", &["20", "256"]),
        one_of("sequencer.predicates", &["3", "32"]),
        one_of("sequencer.partial_registers", &["12", "64"]),
    ]
}

fn workload_keys() -> Vec<BoxedStrategy<(&'static str, String)>> {
    let size = |key| {
        prop_oneof![4 => within(key, 2..=70), 1 => one_of(key, &["1", "7", "13", "150"])].boxed()
    };
    vec![
        size("workload.rows"),
        size("workload.columns"),
        within("workload.prompts", 1..=12),
        within("workload.iterations", 4..=12),
        within("workload.rank", 1..=4),
        one_of("workload.algorithm", &["golub_kahan", "golub_kahan", "one_read", "block_golub_kahan", "randomized"]),
        within("workload.block_size", 1..=5),
        within("workload.power_iterations", 0..=2),
        one_of("workload.start", &["mean", "ones", "e1", "alternating", "signs"]),
        one_of("workload.scale_input", BOOL),
        prop_oneof![3 => within("mapping.expansion_factor", 1..=9), 1 => one_of("mapping.expansion_factor", &["30", "1000"])].boxed(),
        within("mapping.clusters_per_partition", 1..=4),
        one_of("mapping.placement", &["compact", "spread"]),
        one_of("mapping.reduction", &["tree", "chain"]),
        one_of("mapping.partial_sums", &["expand", "sum_first"]),
        one_of("mapping.three_term", BOOL),
        one_of("mapping.gram_schmidt", &["classical", "modified"]),
        prop_oneof![1 => within("mapping.gram_schmidt_passes", 0..=0), 4 => within("mapping.gram_schmidt_passes", 1..=2)].boxed(),
        within("mapping.prefetch", 0..=3),
        one_of("mapping.product", &["gather", "reduce"]),
        one_of("mapping.transposed_product", &["gather", "reduce"]),
        one_of("mapping.product_banks", &["0", "0", "1", "2"]),
        one_of("mapping.residency", &["streamed", "streamed", "resident"]),
        one_of("mapping.overlap_ingest", BOOL),
        one_of("mapping.prompts_in_flight", &["1", "1", "2", "3", "4"]),
        one_of("mapping.windows", &["shared", "disjoint"]),
    ]
}

/// Any machine with any workload; many do not fit.
pub(crate) fn case() -> impl Strategy<Value = Case> {
    (machine_keys(), workload_keys()).prop_map(|(machine, workload)| Case { machine, workload })
}

/// Runs `test` on `cases` cases, always the same ones.
pub(crate) fn each_case(cases: u32, test: impl Fn(Case) -> Result<(), TestCaseError>) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner.run(&case(), test).unwrap_or_else(|e| panic!("{e}"));
}
