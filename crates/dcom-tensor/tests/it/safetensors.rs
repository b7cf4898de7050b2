//! Reading safetensors, and what is wrong with a path.

use std::path::Path;

use dcom_tensor::{ReadOptions, SourceType, read_matrix};

use crate::support::{complaint, f32_bytes, read, safetensors, scratch};

const ANY: ReadOptions = ReadOptions {
    tensor: None,
    max_elements: 1 << 28,
};

fn named(name: &str) -> ReadOptions {
    ReadOptions {
        tensor: Some(name.to_owned()),
        ..ANY
    }
}

fn one(dtype: &str, shape: &str, bytes: usize) -> String {
    format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{bytes}]}}}}"#)
}

/// A bias, two matrices and a batch of one.
fn several() -> Vec<u8> {
    let header = r#"{
        "bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
        "a":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]},
        "b":{"dtype":"BF16","shape":[2,1],"data_offsets":[12,16]},
        "batch":{"dtype":"F32","shape":[1,1,2],"data_offsets":[16,24]}}"#;
    let mut data = f32_bytes(&[9.0, 9.0]);
    data.extend_from_slice(&[0x00, 0x3c, 0x00, 0x40]);
    data.extend_from_slice(&[0x80, 0x3f, 0x40, 0xc0]);
    data.extend_from_slice(&f32_bytes(&[0.1, 1e6]));
    safetensors(header, &data)
}

#[test]
fn a_named_tensor_is_read_in_each_dtype() {
    let a = read("a.safetensors", &several(), &named("a")).unwrap();
    assert_eq!(
        (a.matrix.to_f32(), a.source, a.tensor.as_deref()),
        (vec![1.0, 2.0], SourceType::F16, Some("a"))
    );
    let b = read("a.safetensors", &several(), &named("b")).unwrap();
    assert_eq!(
        (b.matrix.to_f32(), b.matrix.rows(), b.source),
        (vec![1.0, -3.0], 2, SourceType::Bf16)
    );
    let batch = read("a.safetensors", &several(), &named("batch")).unwrap();
    assert_eq!(
        (batch.matrix.data(), batch.matrix.rows()),
        ([0x2e66, 0x7c00].as_slice(), 1)
    );
    assert_eq!((batch.rounded, batch.overflowed), (2, 1));
}

#[test]
fn without_a_name_the_only_matrix_is_taken_or_the_names_are_listed() {
    let header = r#"{"bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]}}"#;
    let loaded = read(
        "a.safetensors",
        &safetensors(header, &f32_bytes(&[7.0, 3.0])),
        &ANY,
    )
    .unwrap();
    assert_eq!(
        (loaded.tensor.as_deref(), loaded.matrix.to_f32()),
        (Some("w"), vec![3.0])
    );
    let found = complaint("a.safetensors", &several(), &ANY);
    assert_eq!(
        found,
        "2 tensors are matrices, name one of: `bias`, `a`, `b`, `batch`"
    );
    let found = complaint("a.safetensors", &several(), &named("c"));
    assert_eq!(
        found,
        "no tensor `c`; the file holds `bias`, `a`, `b`, `batch`"
    );
    let found = complaint("a.safetensors", &safetensors("{}", &[]), &ANY);
    assert_eq!(found, "0 tensors are matrices, name one of: no tensor");
}

#[test]
fn each_defect_has_its_message() {
    let cases = [
        (
            one("I32", "[1,1]", 4),
            4,
            "x has dtype I32, accepted are F16, BF16 and F32",
        ),
        (one("F64", "[1,1]", 8), 8, "x has dtype F64, accepted are"),
        (
            one("F9", "[1,1]", 4),
            4,
            "bad safetensors header: unknown variant `F9`, expected one of",
        ),
        (
            one("F32", "[4]", 16),
            16,
            "x has shape [4], expected [rows, cols] or [1, rows, cols]",
        ),
        (
            one("F32", "[2,2,1]", 16),
            16,
            "x has shape [2, 2, 1], expected",
        ),
        (
            one("F32", "[0,3]", 0),
            0,
            "x has shape [0, 3], all dimensions must be at least 1",
        ),
        (
            one("F32", "[2,2]", 16),
            15,
            "the file has 80 bytes, but the tensors its header lists needs 81",
        ),
        (
            one("F32", "[2,2]", 16),
            17,
            "the file has 82 bytes, but its header accounts for 81",
        ),
        (one("F32", "[2,2]", 12), 12, "bad safetensors header: "),
        (
            "{".to_owned(),
            0,
            "bad safetensors header: EOF while parsing",
        ),
    ];
    for (header, data, expected) in cases {
        let found = complaint("a.safetensors", &safetensors(&header, &vec![0; data]), &ANY);
        assert!(found.starts_with(expected), "{header}: {found}");
    }
    let found = complaint("a.safetensors", &[0; 7], &ANY);
    assert!(
        found.starts_with("the file has 7 bytes, but the safetensors header length needs 8"),
        "{found}"
    );
    // A zip archive, such as a pickled checkpoint, claims a header of exabytes.
    let found = complaint(
        "a.safetensors",
        b"PK\x03\x04\x00\x00\x00\x10 checkpoint",
        &ANY,
    );
    assert!(
        found.starts_with("the file has 19 bytes, but the safetensors header needs 11529"),
        "{found}"
    );
    let found = complaint("a.safetensors", &safetensors("hello", &[]), &ANY);
    assert!(found.starts_with("starts with bytes [05, 00,"), "{found}");
    let mut broken = safetensors("{\"aa\":1}", &[]);
    broken[10] = 0xff;
    assert_eq!(
        complaint("a.safetensors", &broken, &ANY),
        "the header is not UTF-8 from byte 2 of it on"
    );
}

#[test]
fn non_finite_values_and_large_matrices_are_refused() {
    let bytes = safetensors(&one("F16", "[2,2]", 8), &[0, 0, 0, 0, 0, 0x7e, 0, 0x7c]);
    assert_eq!(
        complaint("a.safetensors", &bytes, &ANY),
        "x has NaN at row 1, column 0; all values must be finite"
    );
    let options = ReadOptions {
        max_elements: 3,
        ..ANY
    };
    assert_eq!(
        complaint("a.safetensors", &bytes, &options),
        "x has 4 elements, the limit is 3"
    );
}

#[test]
fn wrong_paths_have_their_messages() {
    let file = scratch("weights.bin", b"");
    let folder = file.folder.path();
    let message = |path: &Path| read_matrix(path, &ANY).unwrap_err().to_string();
    let ends =
        |path: &Path, end: &str| assert_eq!(message(path), format!("{}{end}", path.display()));
    ends(
        &file.path,
        ": unknown extension `.bin`, expected a file named *.safetensors or *.npy",
    );
    ends(
        &folder.join("none"),
        ": no extension, expected a file named *.safetensors or *.npy",
    );
    ends(&folder.join("none.npy"), ": no such file");
    ends(folder, ": is a directory, expected a regular file");
    std::fs::create_dir(folder.join("dir.npy")).unwrap();
    ends(
        &folder.join("dir.npy"),
        ": is a directory, expected a regular file",
    );
}

#[test]
fn a_matrix_longer_than_the_read_buffer_arrives_whole() {
    let (rows, cols) = (300, 701);
    let values = (0..rows * cols)
        .map(|i| f32::from(u16::try_from(i % 2000).unwrap()))
        .collect::<Vec<_>>();
    let bytes = safetensors(
        &one("F32", &format!("[{rows},{cols}]"), values.len() * 4),
        &f32_bytes(&values),
    );
    assert_eq!(
        read("a.safetensors", &bytes, &ANY).unwrap().matrix.to_f32(),
        values
    );
}
