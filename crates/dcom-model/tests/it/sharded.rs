//! A checkpoint as a user has it: random weights in two shards of bf16 and fp32, an index, a tokenizer, grouped queries, a head of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use dcom_llm::Plan;
use dcom_model::{Device, Method, Model, OutlierChoice, Treatment, perplexity};
use half::bf16;
use safetensors::tensor::{Dtype, TensorView};
use tempfile::TempDir;

use crate::support::plan;

const HIDDEN: usize = 48;
const HEAD: usize = 8;
const HEADS: usize = 6;
const FFN: usize = 80;
const LAYERS: usize = 3;
const WORDS: usize = 50;

struct Weights(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

impl Weights {
    /// Uniform in +-1 / sqrt(inputs), representable in bf16.
    fn random(kv_heads: usize) -> Weights {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut uniform = move || {
            // xorshift64
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let bits = u16::try_from(state >> 48).unwrap();
            f32::from(bits) / 32768.0 - 1.0
        };
        let mut all = BTreeMap::new();
        let mut add = |name: String, rows: usize, cols: usize| {
            let scale = 1.0 / f32::from(u8::try_from(cols).unwrap()).sqrt();
            let values = (0..rows * cols).map(|_| bf16::from_f32(uniform() * scale).to_f32());
            all.insert(name, (vec![rows, cols], values.collect()));
        };
        let (wide, kv_wide) = (HEADS * HEAD, kv_heads * HEAD);
        add("model.embed_tokens.weight".into(), WORDS, HIDDEN);
        add("lm_head.weight".into(), WORDS, HIDDEN);
        for layer in 0..LAYERS {
            for (part, rows, cols) in [
                ("self_attn.q_proj", wide, HIDDEN),
                ("self_attn.k_proj", kv_wide, HIDDEN),
                ("self_attn.v_proj", kv_wide, HIDDEN),
                ("self_attn.o_proj", HIDDEN, wide),
                ("mlp.gate_proj", FFN, HIDDEN),
                ("mlp.up_proj", FFN, HIDDEN),
                ("mlp.down_proj", HIDDEN, FFN),
            ] {
                add(format!("model.layers.{layer}.{part}.weight"), rows, cols);
            }
        }
        let mut norm = |name: String| all.insert(name, (vec![HIDDEN], vec![1.25; HIDDEN]));
        norm("model.norm.weight".into());
        for layer in 0..LAYERS {
            norm(format!("model.layers.{layer}.input_layernorm.weight"));
            norm(format!(
                "model.layers.{layer}.post_attention_layernorm.weight"
            ));
        }
        Weights(all)
    }

    /// The same function with a head of keys and values for every head of queries.
    fn ungrouped(&self, kv_heads: usize) -> Weights {
        let group = HEADS / kv_heads;
        let spread = |(name, (shape, values)): (&String, &(Vec<usize>, Vec<f32>))| {
            if !name.contains("k_proj") && !name.contains("v_proj") {
                return (name.clone(), (shape.clone(), values.clone()));
            }
            let heads = values.chunks_exact(HEAD * HIDDEN);
            let values = heads.flat_map(|head| head.repeat(group)).collect();
            (name.clone(), (vec![HEADS * HEAD, HIDDEN], values))
        };
        Weights(self.0.iter().map(spread).collect())
    }

    /// Everything up to layer 0 in one shard of bf16, the rest in one of fp32.
    fn write(&self, kv_heads: usize) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut map = String::new();
        for (shard, dtype) in [(1, Dtype::BF16), (2, Dtype::F32)] {
            let file = format!("model-0000{shard}-of-00002.safetensors");
            let first = |name: &str| name.contains("embed") || name.contains("layers.0.");
            let mut parts = Vec::new();
            for (name, (shape, values)) in &self.0 {
                if first(name) != (shard == 1) {
                    continue;
                }
                let bytes: Vec<u8> = match dtype {
                    Dtype::BF16 => values
                        .iter()
                        .flat_map(|x| bf16::from_f32(*x).to_le_bytes())
                        .collect(),
                    _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
                };
                write!(map, "\"{name}\": \"{file}\", ").unwrap();
                parts.push((name.clone(), shape.clone(), bytes));
            }
            let views = parts.iter().map(|(name, shape, bytes)| {
                let view = TensorView::new(dtype, shape.clone(), bytes).unwrap();
                (name.as_str(), view)
            });
            let bytes = safetensors::serialize(views, None).unwrap();
            std::fs::write(folder.path().join(file), bytes).unwrap();
        }
        let map = map.trim_end_matches(", ");
        let index = format!("{{\"metadata\": {{}}, \"weight_map\": {{{map}}}}}");
        std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
        std::fs::write(folder.path().join("config.json"), config(kv_heads)).unwrap();
        std::fs::write(folder.path().join("tokenizer.json"), tokenizer()).unwrap();
        folder
    }
}

fn config(kv_heads: usize) -> String {
    format!(
        r#"{{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": {HIDDEN}, "num_hidden_layers": {LAYERS},
"num_attention_heads": {HEADS}, "num_key_value_heads": {kv_heads}, "intermediate_size": {FFN}, "vocab_size": {WORDS},
"max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}}"#
    )
}

/// Words `w0`, `w1`, ...
fn tokenizer() -> String {
    let words: Vec<String> = (0..WORDS).map(|i| format!("\"w{i}\": {i}")).collect();
    format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": {{"type": "WhitespaceSplit"}},
"post_processor": null, "decoder": null, "model": {{"type": "WordLevel", "vocab": {{{}}}, "unk_token": "w0"}}}}"#,
        words.join(", ")
    )
}

fn open(folder: &Path) -> Model {
    Model::open(folder, Device::Cpu).unwrap()
}

/// Two windows of 32 words, by a stride without a common divisor.
fn prompts(model: &Model) -> Vec<Vec<u32>> {
    let text: Vec<String> = (0..64).map(|i| format!("w{}", i * 17 % WORDS)).collect();
    let tokens = model
        .tokens()
        .encode(text.join(" ").as_bytes(), false)
        .unwrap();
    tokens.chunks_exact(32).map(<[u32]>::to_vec).collect()
}

fn under(model: &Model, plan: &Plan) -> f64 {
    let treatment = Treatment::new(plan, Method::Svd, OutlierChoice::default());
    perplexity(model, &prompts(model), Some(&treatment))
        .unwrap()
        .value()
}

#[test]
fn two_shards_with_grouped_queries_compute_what_one_head_of_keys_per_head_computes() {
    let grouped = Weights::random(2);
    let folder = grouped.write(2);
    let whole = grouped.ungrouped(2).write(HEADS);
    let (a, b) = (open(folder.path()), open(whole.path()));
    let value = |model: &Model| perplexity(model, &prompts(model), None).unwrap().value();
    let (a, b) = (value(&a), value(&b));
    assert!((a / b - 1.0).abs() < 1e-5, "{a} and {b}");
    // Random weights know nothing: the perplexity is near the number of words, and above it.
    assert!((f64::from(50) * 0.9..100.0).contains(&a), "{a}");
}

#[test]
fn factors_of_full_rank_change_nothing_and_those_of_rank_1_do() {
    let folder = Weights::random(2).write(2);
    let model = open(folder.path());
    let original = perplexity(&model, &prompts(&model), None).unwrap().value();
    // 32 tokens: rank 32 is full for every value, 48 for every weight.
    let full = under(&model, &plan("[0, 2]", "rank = 32\nweight_rank = 48"));
    assert!(
        (full / original - 1.0).abs() < 1e-4,
        "{full} and {original}"
    );
    for more in ["rank = 1", "rank = 32\nweight_rank = 1"] {
        let changed = under(&model, &plan("[0, 2]", more));
        assert!(
            (changed / original - 1.0).abs() > 1e-3,
            "{more}: {changed} and {original}"
        );
    }
}

#[test]
fn a_shard_of_another_model_is_named() {
    let folder = Weights::random(2).write(2);
    std::fs::write(folder.path().join("config.json"), config(3)).unwrap();
    let error = Model::open(folder.path(), Device::Cpu)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("tensor `model.layers.0.self_attn.k_proj.weight` has shape [16, 48], but [24, 48] follows from config.json"),
        "{error}"
    );
    let other = config(2).replace("\"llama\"", "\"gpt2\"");
    std::fs::write(folder.path().join("config.json"), other).unwrap();
    let error = Model::open(folder.path(), Device::Cpu)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("model_type is \"gpt2\", must be \"llama\""),
        "{error}"
    );
}
