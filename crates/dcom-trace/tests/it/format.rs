//! The format: the example of the documentation, shipped traces, round trips.

use std::path::PathBuf;

use dcom_config::Source;
use dcom_reference::best_rank_errors;
use dcom_trace::{Dtype, Kind, Model, Prompt, Recording, Run, Trace, decoder_layer};
use proptest::prelude::*;

use crate::support::{Folder, project, safetensors};

fn llama(hidden: u32, heads: u32, kv_heads: u32, head_size: u32, ffn: u32) -> Model {
    Model {
        name: "a \"model\"\\".to_owned(),
        hidden,
        heads,
        kv_heads,
        head_size,
        ffn,
    }
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let text = std::fs::read_to_string(project("docs/traces.md")).unwrap();
    let start = text.find("```toml\n[trace]").expect("an example") + 8;
    let end = start + text[start..].find("```").expect("its end");
    let folder = Folder::with_manifest(&text[start..end]);
    folder.tensor("a.safetensors", "x", [6, 8], &[1.0; 48]);
    folder.write(
        "weights.safetensors",
        &safetensors(&[("q.weight", [8, 8], &[0.5; 64])]),
    );
    let trace = folder.read().unwrap();
    trace.check_values().unwrap();
    assert_eq!(
        (
            trace.layer,
            trace.prompts.len(),
            trace.ops.len(),
            trace.tensors.len()
        ),
        (5, 2, 2, 2)
    );
    let q = trace.find("q").unwrap();
    assert_eq!(trace.recorded_us(q), Some(23.5));
    assert_eq!(trace.recording.as_ref().unwrap().run, Run::OneByOne);
    assert_eq!(trace.tensors[0].best_rank_error, [(1, 0.5)]);
    assert_eq!(
        Trace::parse(&Source::new("again", trace.manifest()), folder.path()).unwrap(),
        trace
    );
}

#[test]
fn a_decoder_layer_has_its_ops_in_order() {
    let ops = decoder_layer(&llama(4096, 32, 8, 128, 11008), Dtype::F16);
    let names: Vec<&str> = ops.iter().map(|op| op.name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "x input_norm q k v rope_q rope_k scores softmax values o attention_residual ffn_norm gate up act down out"
    );
    let shape = |name: &str| ops.iter().find(|op| op.name == name).unwrap().shape.at(468);
    // Eight heads of keys of 128 channels, 32 heads of queries.
    assert_eq!(shape("k"), [468, 1024]);
    assert_eq!(shape("scores"), [32, 468, 468]);
    assert_eq!(shape("values"), [468, 4096]);
    assert_eq!(shape("act"), [468, 11008]);
    assert_eq!(shape("out"), [468, 4096]);
}

fn shipped() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(project("traces")).unwrap();
    let folders = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    folders
}

#[test]
fn shipped_traces_are_whole() {
    let folders = shipped();
    assert_eq!(folders.len(), 12);
    for folder in folders {
        let trace = Trace::read(&folder).unwrap();
        trace.check_values().unwrap();
        let again = Trace::parse(&Source::new("again", trace.manifest()), &folder).unwrap();
        assert_eq!(again, trace, "{}", folder.display());
        // Every file is named by the manifest.
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = trace.tensors.iter().any(|tensor| tensor.file == name);
            assert!(
                known || name == "manifest.toml",
                "{}/{name}",
                folder.display()
            );
        }
        for tensor in trace
            .tensors
            .iter()
            .filter(|tensor| !tensor.best_rank_error.is_empty())
        {
            let (ranks, expected): (Vec<usize>, Vec<f64>) =
                tensor.best_rank_error.iter().copied().unzip();
            let found = best_rank_errors(&trace.load(tensor).unwrap(), &ranks).unwrap();
            for (found, expected) in found.errors.iter().zip(expected) {
                // The manifest has twelve decimals; both sides are float64 SVDs of the same fp16 values.
                let difference = (found.relative_frobenius - expected).abs();
                assert!(
                    difference <= 1e-11,
                    "{} rank {}: {difference:e}",
                    tensor.file,
                    found.rank
                );
            }
        }
    }
}

#[test]
fn shape_only_traces_are_those_of_llama_2_7b() {
    for tokens in [468, 2048, 4096] {
        let trace = Trace::read(&project(&format!("traces/llama-2-7b-s{tokens}"))).unwrap();
        assert_eq!(trace.ops, decoder_layer(&trace.model, Dtype::F16));
        let m = &trace.model;
        assert_eq!(
            (m.hidden, m.heads, m.kv_heads, m.head_size, m.ffn),
            (4096, 32, 32, 128, 11008)
        );
        assert_eq!((trace.prompts.len(), trace.prompts[0].length), (1, tokens));
        assert!(!trace.has_activations());
        let linear = trace
            .ops
            .iter()
            .filter(|op| op.kind == Kind::Linear)
            .count();
        assert_eq!(linear, 7);
    }
}

proptest! {
    /// A trace of any sizes is read back as it was written, whatever its texts hold.
    #[test]
    fn manifests_round_trip(
        sizes in (1_u32..5000, 1_u32..9, 1_u32..200, 1_u32..5000),
        lengths in prop::collection::vec(1_u32..10_000, 1..5),
        text in "[^\\p{Cc}]{1,40}",
        us in 0.0..1e9,
    ) {
        let (hidden, kv_heads, head_size, ffn) = sizes;
        let model = llama(hidden, kv_heads * 3, kv_heads, head_size, ffn);
        let mut ops = decoder_layer(&model, Dtype::Bf16);
        ops[1].microseconds = vec![us; lengths.len()];
        let prompts = lengths.iter().enumerate().map(|(i, length)| Prompt {
            id: format!("{text}{i}").chars().take(100).collect(),
            length: *length,
            text: Some(text.clone()),
        });
        let trace = Trace {
            folder: PathBuf::from("."),
            model,
            layer: 7,
            source: text.clone(),
            recording: Some(Recording { device: text.clone(), run: Run::OneByOne }),
            prompts: prompts.collect(),
            ops,
            tensors: Vec::new(),
        };
        let read = Trace::parse(&Source::new("written", trace.manifest()), &trace.folder);
        prop_assert_eq!(read.unwrap(), trace);
    }

    /// Bytes that are no trace are an error, never a panic.
    #[test]
    fn any_file_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = Folder::new();
        folder.write("b.safetensors", &bytes);
        prop_assert!(folder.read().is_err());
    }
}
