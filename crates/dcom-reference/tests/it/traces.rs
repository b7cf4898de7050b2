//! The recorded activations in `traces/` are what their manifest says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dcom_reference::best_rank_errors;
use dcom_tensor::{ReadOptions, SourceType, read_matrix};
use serde::Deserialize;

#[derive(Deserialize)]
struct Manifest {
    traces: Vec<Trace>,
}

#[derive(Deserialize)]
struct Trace {
    file: String,
    tensor: String,
    shape: [usize; 2],
    text_licence: String,
    best_rank_relative_frobenius_error: BTreeMap<String, f64>,
}

#[test]
fn best_rank_errors_equal_the_manifest() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../traces");
    let manifest: Manifest =
        toml::from_str(&std::fs::read_to_string(folder.join("manifest.toml")).unwrap()).unwrap();
    assert_eq!(manifest.traces.len(), 6);
    for trace in &manifest.traces {
        let options = ReadOptions {
            tensor: Some(trace.tensor.clone()),
            ..ReadOptions::default()
        };
        let loaded = read_matrix(&folder.join(&trace.file), &options).unwrap();
        assert_eq!(
            [loaded.matrix.rows(), loaded.matrix.cols()],
            trace.shape,
            "{}",
            trace.file
        );
        assert_eq!(
            (loaded.source, loaded.rounded),
            (SourceType::F16, 0),
            "{}",
            trace.file
        );
        assert!(!trace.text_licence.is_empty(), "{}", trace.file);
        let (ranks, expected): (Vec<usize>, Vec<f64>) = trace
            .best_rank_relative_frobenius_error
            .iter()
            .map(|(rank, error)| (rank.parse::<usize>().unwrap(), *error))
            .unzip();
        let reference = best_rank_errors(&loaded.matrix, &ranks).unwrap();
        for (found, expected) in reference.errors.iter().zip(expected) {
            // The manifest has twelve decimals; both sides are float64 SVDs of the same fp16 values.
            let difference = (found.relative_frobenius - expected).abs();
            assert!(
                difference <= 1e-11,
                "{} rank {}: {difference:e}",
                trace.file,
                found.rank
            );
        }
    }
}

#[test]
fn the_folder_holds_the_manifest_and_its_files_only() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../traces");
    let manifest: Manifest =
        toml::from_str(&std::fs::read_to_string(folder.join("manifest.toml")).unwrap()).unwrap();
    let mut expected = manifest
        .traces
        .into_iter()
        .map(|trace| trace.file)
        .collect::<Vec<_>>();
    expected.push("manifest.toml".to_owned());
    expected.sort();
    let mut found = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    found.sort();
    assert_eq!(found, expected);
}
