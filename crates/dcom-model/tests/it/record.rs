//! Recording into traces.

use dcom_model::record;
use dcom_trace::{Of, Trace};

use crate::support::{model, windows};

#[test]
fn a_recorded_layer_is_a_trace_with_the_values_of_the_shipped_one() {
    let model = model();
    let prompts = windows(&model, 100_000, 1);
    let folder = tempfile::tempdir().unwrap();
    let texts = [("bytes-100000".to_owned(), "held-out text".to_owned())];
    let written = record(&model, 2, &prompts, &texts, folder.path()).unwrap();
    std::fs::write(folder.path().join("manifest.toml"), written.manifest()).unwrap();
    let trace = Trace::read(folder.path()).unwrap();
    trace.check_values().unwrap();
    assert_eq!(trace.decomposable().len(), 4);

    // Recorded by PyTorch from the same weights, rounded to fp16.
    let shipped =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../traces/tinyllama-layer2");
    let shipped = Trace::read(&shipped).unwrap();
    let names = |trace: &Trace| {
        trace
            .ops
            .iter()
            .map(|op| (op.name.clone(), op.kind))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&trace), names(&shipped));
    let mut compared = 0;
    for tensor in &trace.tensors {
        let same = match tensor.of {
            Of::Activation(op, _) => {
                let prompt = shipped
                    .prompt_ids()
                    .find(|p| shipped.prompt(*p).id == "bytes-100000")
                    .unwrap();
                shipped.activation(op, prompt)
            }
            Of::Weight(op) => shipped.weight(op),
        };
        let (found, expected) = (
            trace.load(tensor).unwrap().to_f32(),
            shipped.load(same.unwrap()).unwrap().to_f32(),
        );
        for (a, b) in found.iter().zip(&expected) {
            // Half a unit in the last place of fp16 either way, and what fp32 sums in another order differ by.
            assert!(
                (a - b).abs() <= 2e-3 * b.abs() + 1e-4,
                "{}: {a} and {b}",
                tensor.name
            );
        }
        compared += found.len();
    }
    assert_eq!(
        compared,
        256 * (160 * 3 + 432) + 4 * 160 * 160 + 3 * 160 * 432
    );
}

#[test]
fn a_layer_that_is_not_there_is_refused() {
    let model = model();
    let folder = tempfile::tempdir().unwrap();
    let error = record(
        &model,
        8,
        &windows(&model, 0, 1),
        &[(String::new(), String::new())],
        folder.path(),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "layer 8: the model has layers 0 to 7");
}
