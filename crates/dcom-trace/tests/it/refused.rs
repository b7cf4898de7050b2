//! One test per kind of bad trace, on the text of its error.

use crate::support::{Folder, raw};

/// Changes the manifest and expects this error.
#[track_caller]
fn edited(from: &str, to: &str, expected: &str) {
    let folder = Folder::new();
    folder.edit(from, to);
    assert_eq!(folder.refused(), expected);
}

/// Replaces a file and expects an error with these parts.
#[track_caller]
fn replaced(bytes: &[u8], parts: &[&str]) {
    let folder = Folder::new();
    folder.write("b.safetensors", bytes);
    let error = folder.refused();
    for part in parts {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

#[test]
fn the_trace_itself_is_fine() {
    Folder::new().read().unwrap().check_values().unwrap();
}

#[test]
fn missing_folder() {
    let folder = Folder::new();
    let error = dcom_trace::Trace::read(&folder.path().join("nothing"))
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("nothing/manifest.toml: there is no such file"),
        "{error}"
    );
}

#[test]
fn other_format() {
    edited(
        "format = 1",
        "format = 2",
        "manifest.toml:2:10: trace.format = 2: must be 1, the format that this version reads",
    );
}

#[test]
fn unknown_key() {
    edited(
        "kind = \"linear\"",
        "knid = \"linear\"",
        "manifest.toml:30:1: op.knid: unknown key; did you mean `kind`?",
    );
}

#[test]
fn unknown_table() {
    edited(
        "[[tensor]]",
        "[[tenser]]",
        "manifest.toml:35:3: tenser: unknown key; did you mean `tensor`?",
    );
}

#[test]
fn missing_key() {
    edited(
        "hidden = 2\n",
        "",
        "manifest.toml:6:1: model.hidden: is missing: an integer in 1..=1048576",
    );
}

#[test]
fn wrong_kind() {
    edited(
        "\"linear\"",
        "\"liner\"",
        "manifest.toml:30:8: op.kind = \"liner\": must be one of \"input\", \"rms_norm\", \"layer_norm\", \"linear\", \"rope\", \"attention_scores\", \"softmax\", \"attention_values\", \"attention\", \"rope_attention\", \"silu_multiply\", \"gelu\", \"add\"; did you mean \"linear\"?",
    );
}

#[test]
fn heads_that_do_not_divide() {
    edited(
        "kv_heads = 1",
        "kv_heads = 3",
        "manifest.toml:10:12: model.kv_heads = 3: must divide heads = 1: a key serves as many heads as every other",
    );
}

#[test]
fn duplicate_names() {
    edited(
        "name = \"q\"",
        "name = \"x\"",
        "manifest.toml:29:8: op.name = \"x\": is the name of two ops",
    );
    edited(
        "id = \"b\"",
        "id = \"a\"",
        "manifest.toml:19:6: prompt.id = \"a\": is the id of two prompts",
    );
    edited(
        "prompt = \"b\"",
        "prompt = \"a\"",
        "manifest.toml:43:8: tensor.file = \"b.safetensors\": tensor `x` has shape [2, 2], must be [3, 2]",
    );
    edited(
        "prompt = \"b\"\nfile = \"b.safetensors\"",
        "prompt = \"a\"\nfile = \"a.safetensors\"",
        "manifest.toml:40:1: tensor: is the second tensor of the same op and prompt",
    );
}

#[test]
fn unknown_input() {
    edited(
        "inputs = [\"x\"]",
        "inputs = [\"y\"]",
        "manifest.toml:31:11: op.inputs[0] = \"y\": must be the name of an op",
    );
}

#[test]
fn cyclic_ops() {
    let folder = Folder::new();
    folder.edit(
        "shape = [\"S\", 1]\ndtype = \"f16\"\n",
        "shape = [\"S\", 1]\ndtype = \"f16\"\n\n[[op]]\nname = \"r\"\nkind = \"rope\"\ninputs = [\"s\"]\nshape = [\"S\", 1]\ndtype = \"f16\"\n\n[[op]]\nname = \"s\"\nkind = \"rope\"\ninputs = [\"r\"]\nshape = [\"S\", 1]\ndtype = \"f16\"\n",
    );
    assert_eq!(
        folder.refused(),
        "manifest.toml:35:1: op: the ops `r`, `s` wait for each other: a cycle; every op must begin, by way of its inputs, at ops of kind \"input\""
    );
    edited(
        "inputs = [\"x\"]",
        "inputs = [\"q\"]",
        "manifest.toml:28:1: op: the ops `q` wait for each other: a cycle; every op must begin, by way of its inputs, at ops of kind \"input\"",
    );
}

#[test]
fn ops_out_of_order() {
    let folder = Folder::new();
    folder.edit("name = \"x\"", "name = \"z\"");
    folder.edit("kind = \"input\"", "kind = \"rope\"\ninputs = [\"x\"]");
    folder.edit(
        "name = \"q\"\nkind = \"linear\"\ninputs = [\"x\"]\nshape = [\"S\", 1]",
        "name = \"x\"\nkind = \"input\"\nshape = [\"S\", 2]",
    );
    assert_eq!(
        folder.refused(),
        "manifest.toml:22:1: op: op `z` stands before its input `x`; list ops in the order in which they run"
    );
}

#[test]
fn shapes_of_ops_that_do_not_fit() {
    let folder = Folder::new();
    folder.edit("kind = \"linear\"", "kind = \"rope\"");
    assert_eq!(
        folder.refused(),
        "manifest.toml:28:1: op: op `q` of shape [\"S\", 1]: rope gives [\"S\", 2]"
    );
    edited(
        "kind = \"linear\"",
        "kind = \"add\"",
        "manifest.toml:30:8: op.kind = \"add\": op `q`: add takes 2 inputs, not 1",
    );
}

#[test]
fn missing_tensor() {
    let folder = Folder::new();
    folder.tensor("b.safetensors", "xx", [2, 2], &[0.0; 4]);
    assert_eq!(
        folder.refused(),
        "manifest.toml:43:8: tensor.file = \"b.safetensors\": has no tensor `x`, only `xx`"
    );
}

#[test]
fn missing_file() {
    edited(
        "\"b.safetensors\"",
        "\"c.safetensors\"",
        "manifest.toml:43:8: tensor.file = \"c.safetensors\": there is no such file in the folder of the manifest",
    );
}

#[test]
fn shape_mismatch() {
    let folder = Folder::new();
    folder.tensor("w.safetensors", "q.weight", [2, 1], &[0.0; 2]);
    assert_eq!(
        folder.refused(),
        "manifest.toml:47:8: tensor.file = \"w.safetensors\": tensor `q.weight` has shape [2, 1], must be [1, 2]"
    );
}

#[test]
fn dtype_mismatch() {
    let folder = Folder::new();
    let header = r#"{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    folder.write("b.safetensors", &raw(header, &[0; 16]));
    assert_eq!(
        folder.refused(),
        "manifest.toml:43:8: tensor.file = \"b.safetensors\": tensor `x` has dtype f32, must be f16 (dtype of the op)"
    );
}

#[test]
fn truncated_file() {
    let header = r#"{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}"#;
    replaced(
        &raw(header, &[0; 5]),
        &["manifest.toml:43:8", "needs 72: truncated"],
    );
    replaced(&[1, 2, 3], &["the file has 3 bytes", "header length"]);
}

#[test]
fn hostile_headers() {
    // A header said to be as long as the address space is compared with the file before memory is taken.
    replaced(&[0xFF; 16], &["the file has 16 bytes", "truncated"]);
    let overlapping = r#"{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"y":{"dtype":"F16","shape":[2,2],"data_offsets":[4,12]}}"#;
    replaced(
        &raw(overlapping, &[0; 12]),
        &["bad safetensors header", "nvalid offset"],
    );
    let backwards = r#"{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[8,0]}}"#;
    replaced(&raw(backwards, &[0; 8]), &["bad safetensors header"]);
    let huge = r#"{"x":{"dtype":"F16","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#;
    replaced(&raw(huge, &[0; 8]), &["bad safetensors header"]);
    let trailing = r#"{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}"#;
    replaced(&raw(trailing, &[0; 20]), &["its header accounts for"]);
    replaced(&raw("no JSON", &[]), &["starts with bytes"]);
    replaced(
        &raw(&format!("{{\"x\":{}", "[".repeat(10_000)), &[]),
        &["bad safetensors header"],
    );
}

#[test]
fn values_that_are_no_numbers() {
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let folder = Folder::new();
        folder.tensor("b.safetensors", "x", [2, 2], &[0.0, 0.0, value, 0.0]);
        assert_eq!(
            folder.refused(),
            format!(
                "op `x`, prompt `b`: b.safetensors: x has {name} at row 1, column 0; all values must be finite"
            )
        );
    }
}

#[test]
fn names_that_lead_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let real = outside.path().join("b.safetensors");
    std::fs::copy(Folder::new().path().join("b.safetensors"), &real).unwrap();
    let absolute = real.display().to_string();
    for name in [
        "../b.safetensors",
        "sub/b.safetensors",
        &absolute,
        "..",
        ".safetensors",
        "b.bin",
        "c:b.safetensors",
    ] {
        let folder = Folder::new();
        folder.edit("\"b.safetensors\"", &format!("\"{name}\""));
        let error = folder.refused();
        assert!(
            error.contains("must be the name of a file beside the manifest"),
            "{name}: {error}"
        );
    }
    #[cfg(unix)]
    {
        let folder = Folder::new();
        std::fs::remove_file(folder.path().join("b.safetensors")).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join("b.safetensors")).unwrap();
        assert_eq!(
            folder.refused(),
            "manifest.toml:43:8: tensor.file = \"b.safetensors\": is a link that leads out of the folder of the manifest; copy the file into the folder"
        );
    }
}

#[test]
fn tensors_of_what_has_none() {
    edited(
        "weight = \"q\"",
        "weight = \"x\"",
        "manifest.toml:46:10: tensor.weight = \"x\": is an op of kind input, only linear ops have weights",
    );
    edited(
        "prompt = \"b\"",
        "prompt = \"bb\"",
        "manifest.toml:42:10: tensor.prompt = \"bb\": must be the id of a prompt",
    );
    edited(
        "weight = \"q\"",
        "weight = \"q\"\nop = \"q\"",
        "manifest.toml:45:1: tensor: must have either op = \"...\" and prompt = \"...\", or weight = \"...\"",
    );
}

#[test]
fn durations_that_do_not_fit() {
    edited(
        "shape = [\"S\", 1]",
        "shape = [\"S\", 1]\nmicroseconds = [1, 2]",
        "manifest.toml:28:1: op: microseconds: durations need a device; add [recording] with device = \"...\" and prompts = \"one_by_one\" or \"together\"",
    );
    let folder = Folder::new();
    folder.edit(
        "[[prompt]]",
        "[recording]\ndevice = \"d\"\nprompts = \"one_by_one\"\n\n[[prompt]]",
    );
    folder.edit(
        "shape = [\"S\", 1]",
        "shape = [\"S\", 1]\nmicroseconds = [1]",
    );
    assert_eq!(
        folder.refused(),
        "manifest.toml:32:1: op: microseconds: has 1 durations, must have 2: one per prompt"
    );
}

#[test]
fn results_too_large_to_count() {
    let folder = Folder::new();
    folder.edit("length = 3", "length = 1048576");
    folder.edit("shape = [\"S\", 2]", "shape = [\"S\", 1048576]");
    assert_eq!(
        folder.refused(),
        "manifest.toml:22:1: op: op `x` of shape [\"S\", 1048576]: has 2199023255552 elements over all prompts, at most 1099511627776"
    );
    edited(
        "length = 3",
        "length = 1048577",
        "manifest.toml:16:10: prompt.length = 1048577: must be in 1..=1048576",
    );
}
