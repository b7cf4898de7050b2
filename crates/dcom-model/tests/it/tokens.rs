//! A checkpoint with a tokenizer.

use dcom_model::{Device, Model, perplexity};

use crate::support::folder;

/// Words a and b, and a begin of sequence; `b` has the given id.
fn tokenizer(b: u32) -> String {
    format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
"pre_tokenizer": {{"type": "Whitespace"}}, "decoder": null,
"post_processor": {{"type": "TemplateProcessing",
  "single": [{{"SpecialToken": {{"id": "<s>", "type_id": 0}}}}, {{"Sequence": {{"id": "A", "type_id": 0}}}}],
  "pair": [{{"Sequence": {{"id": "A", "type_id": 0}}}}, {{"Sequence": {{"id": "B", "type_id": 1}}}}],
  "special_tokens": {{"<s>": {{"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}}}},
"model": {{"type": "WordLevel", "vocab": {{"<unk>": 0, "<s>": 1, "a": 97, "b": {b}}}, "unk_token": "<unk>"}}}}"#
    )
}

fn with_tokenizer(text: &str) -> Result<Model, String> {
    let copy = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(folder().join(file), copy.path().join(file)).unwrap();
    }
    std::fs::write(copy.path().join("tokenizer.json"), text).unwrap();
    Model::open(copy.path(), Device::Cpu).map_err(|error| error.to_string())
}

#[test]
fn words_become_tokens() {
    let model = with_tokenizer(&tokenizer(98)).unwrap();
    let tokens = model.tokens();
    assert_eq!(tokens.encode(b"a b c", false).unwrap(), [97, 98, 0]);
    assert_eq!(tokens.encode(b"b a", true).unwrap(), [1, 98, 97]);
    let error = tokens.encode(b"a\xff", false).unwrap_err().to_string();
    assert!(error.contains("not UTF-8 from byte 1 on"), "{error}");
}

#[test]
fn a_broken_tokenizer_and_that_of_another_model_are_refused() {
    let error = with_tokenizer("{}").unwrap_err();
    assert!(error.contains("tokenizer.json: "), "{error}");
    // The weights are gone with their folder, but the prompt is checked first.
    let model = with_tokenizer(&tokenizer(300)).unwrap();
    let prompt = model.tokens().encode(b"a b", false).unwrap();
    let error = perplexity(&model, &[prompt], None).unwrap_err().to_string();
    assert!(
        error.contains("token 300 is beyond the vocabulary of 256"),
        "{error}"
    );
}
