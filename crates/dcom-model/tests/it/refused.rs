//! What is not the checkpoint of a Llama, is incomplete or has wrong shapes: one clear error each, and nothing computed.

use std::path::Path;

use dcom_model::{Device, Method, Model, OutlierChoice, Treatment, Windows, perplexity};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

use crate::support::{folder, model, plan, windows};

/// The shipped model in a folder of its own, to be broken.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::write(
            copy.path().join(file),
            std::fs::read(folder().join(file)).unwrap(),
        )
        .unwrap();
    }
    copy
}

fn refusal(folder: &Path) -> String {
    Model::open(folder, Device::Cpu)
        .expect_err("it is broken")
        .to_string()
}

fn configured(from: &str, to: &str) -> String {
    let copy = copy();
    let path = copy.path().join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    std::fs::write(&path, text.replace(from, to)).unwrap();
    refusal(copy.path())
}

/// Writes some of the tensors as one file.
fn shard(to: &Path, keep: impl Fn(&str) -> bool) {
    let bytes = std::fs::read(folder().join("model.safetensors")).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let kept: Vec<(String, TensorView<'_>)> = all
        .tensors()
        .into_iter()
        .filter(|(name, _)| keep(name))
        .collect();
    std::fs::write(to, safetensors::serialize(kept, None).unwrap()).unwrap();
}

#[test]
fn another_architecture() {
    let error = configured("\"model_type\": \"llama\"", "\"model_type\": \"mistral\"");
    assert!(error.ends_with("config.json: is not the configuration of a Llama: model_type is \"mistral\", must be \"llama\" (LlamaForCausalLM)"), "{error}");
    assert!(refusal(Path::new("/no/such/folder")).contains("is not the folder of a checkpoint"));
    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(empty.path()).contains("config.json: there is no such file"));
}

#[test]
fn variants_that_would_compute_something_else() {
    for (from, to, expected) in [
        (
            "\"hidden_act\": \"silu\"",
            "\"hidden_act\": \"gelu\"",
            "hidden_act = \"gelu\": must be \"silu\"",
        ),
        (
            "\"attention_bias\": false",
            "\"attention_bias\": true",
            "linear layers with a bias are not supported",
        ),
        (
            "\"rope_scaling\": null",
            "\"rope_scaling\": {\"rope_type\": \"llama3\"}",
            "rope_type \"llama3\" is not supported",
        ),
        (
            "\"num_key_value_heads\": 5",
            "\"num_key_value_heads\": 2",
            "num_key_value_heads = 2: must divide num_attention_heads, 5",
        ),
        (
            "\"num_attention_heads\": 5",
            "\"num_attention_heads\": 0",
            "num_attention_heads = 0: must be in 1..=",
        ),
        ("\"hidden_size\": 160,", "", "missing field `hidden_size`"),
    ] {
        let error = configured(from, to);
        assert!(
            error.contains("config.json: ") && error.contains(expected),
            "{error}"
        );
    }
}

#[test]
fn wrong_shapes() {
    let error = configured("\"intermediate_size\": 432", "\"intermediate_size\": 431");
    assert!(error.ends_with("model.safetensors: tensor `model.layers.0.mlp.gate_proj.weight` has shape [432, 160], but [431, 160] follows from config.json"), "{error}");
}

#[test]
fn a_tensor_is_missing() {
    let copy = copy();
    shard(&copy.path().join("model.safetensors"), |name| {
        !name.contains("layers.3.")
    });
    let error = refusal(copy.path());
    assert!(error.ends_with("the checkpoint is incomplete: 9 of 74 tensors are missing, the first is `model.layers.3.input_layernorm.weight`"), "{error}");
    let error = configured(
        "\"tie_word_embeddings\": true",
        "\"tie_word_embeddings\": false",
    );
    assert!(
        error.ends_with("1 of 75 tensors are missing, the first is `lm_head.weight`"),
        "{error}"
    );
}

#[test]
fn a_file_is_missing_or_cut() {
    let none = copy();
    std::fs::remove_file(none.path().join("model.safetensors")).unwrap();
    assert!(refusal(none.path()).ends_with("the checkpoint is incomplete: there is neither model.safetensors nor model.safetensors.index.json"));
    let cut = copy();
    let path = cut.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(refusal(cut.path()).contains("truncated, or a wrong header"));
}

/// Two shards with an index are the same model; without one of them it is incomplete.
#[test]
fn shards() {
    let copy = copy();
    std::fs::remove_file(copy.path().join("model.safetensors")).unwrap();
    let (first, second) = (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    );
    let early = |name: &str| {
        ["layers.0.", "layers.1.", "layers.2.", "embed"]
            .iter()
            .any(|part| name.contains(part))
    };
    shard(&copy.path().join(first), early);
    shard(&copy.path().join(second), |name| !early(name));
    let index = format!(
        "{{\"metadata\": {{}}, \"weight_map\": {{\"a\": \"{second}\", \"b\": \"{first}\", \"c\": \"{second}\"}}}}"
    );
    std::fs::write(copy.path().join("model.safetensors.index.json"), index).unwrap();
    let sharded = Model::open(copy.path(), Device::Cpu).unwrap();
    let whole = model();
    let windows = windows(&whole, 0, 1);
    assert_eq!(
        perplexity(&sharded, &windows, None).unwrap(),
        perplexity(&whole, &windows, None).unwrap()
    );

    std::fs::remove_file(copy.path().join(second)).unwrap();
    assert!(refusal(copy.path()).ends_with(&format!(
        "the checkpoint is incomplete: there is no {second} beside the index"
    )));
    let outside = "{\"weight_map\": {\"a\": \"../model.safetensors\"}}";
    std::fs::write(copy.path().join("model.safetensors.index.json"), outside).unwrap();
    assert!(refusal(copy.path()).contains("must be a file beside the index"));
}

#[test]
fn weights_that_are_no_numbers() {
    let copy = copy();
    let path = copy.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    // The last tensor is the final norm; fp16 infinity.
    bytes[end - 2..].copy_from_slice(&[0x00, 0x7c]);
    std::fs::write(&path, bytes).unwrap();
    let broken = Model::open(copy.path(), Device::Cpu).unwrap();
    let error = perplexity(&broken, &windows(&broken, 0, 1), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("inf"), "{error}");
}

#[test]
fn a_model_on_tokens_needs_its_tokenizer() {
    let error = configured("\"vocab_size\": 256", "\"vocab_size\": 32000");
    assert!(
        error.contains("tokenizer.json: the checkpoint is incomplete: there is no such file"),
        "{error}"
    );
}

#[test]
fn windows_that_do_not_suit_text_or_model() {
    let tokens: Vec<u32> = (0..100).collect();
    let cut = |length, offset, count| {
        Windows {
            length,
            offset,
            count,
        }
        .cut(&tokens)
    };
    assert_eq!(cut(30, 10, None).unwrap().len(), 3);
    assert_eq!(
        cut(30, 10, Some(1)).unwrap(),
        [(10..40).collect::<Vec<u32>>()]
    );
    assert!(
        cut(30, 11, Some(3))
            .unwrap_err()
            .to_string()
            .contains("enough for 2 windows")
    );
    assert!(
        cut(30, 200, None)
            .unwrap_err()
            .to_string()
            .contains("enough for 0 windows")
    );
    assert!(
        cut(1, 0, None)
            .unwrap_err()
            .to_string()
            .contains("needs two tokens")
    );
    let long = vec![vec![0; 257]];
    let error = perplexity(&model(), &long, None).unwrap_err().to_string();
    assert!(
        error.contains("a prompt of 257 bytes: the model takes 2 to 256"),
        "{error}"
    );
}

#[test]
fn a_plan_for_a_deeper_model() {
    let model = model();
    let plan = plan("[7, 8]", "rank = 10");
    let treatment = Treatment::new(&plan, Method::Svd, OutlierChoice::default());
    let error = perplexity(&model, &windows(&model, 0, 1), Some(&treatment)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("decomposes layer 8, the model has layers 0 to 7"),
        "{error}"
    );
}
