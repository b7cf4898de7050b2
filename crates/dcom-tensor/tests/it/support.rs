//! Shared by the tests: making files and reading them back.

use std::path::PathBuf;

use dcom_tensor::{Loaded, ReadOptions, TensorError, read_matrix};
use tempfile::TempDir;

/// A file in a folder of its own, removed at the end.
pub(crate) struct Scratch {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn scratch(name: &str, bytes: &[u8]) -> Scratch {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Scratch { folder, path }
}

pub(crate) fn read(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Loaded, TensorError> {
    read_matrix(&scratch(name, bytes).path, options)
}

/// The message of the error, without the path in front.
pub(crate) fn complaint(name: &str, bytes: &[u8], options: &ReadOptions) -> String {
    let file = scratch(name, bytes);
    let message = read_matrix(&file.path, options)
        .expect_err("the file is bad")
        .to_string();
    let path = file.path.display().to_string();
    message
        .strip_prefix(&path)
        .expect("a message starts with the path")
        .trim_start_matches(": ")
        .to_owned()
}

/// A safetensors file of `header` and `data`.
pub(crate) fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut out = u64::try_from(header.len()).unwrap().to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(data);
    out
}

/// An npy file, version 1, of `header` (unpadded: readers must not rely on padding) and `data`.
pub(crate) fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend_from_slice(&u16::try_from(header.len()).unwrap().to_le_bytes());
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(data);
    out
}

pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}
