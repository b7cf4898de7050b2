//! Shared by the tests: data files, random numbers, and naive twins.

use std::path::PathBuf;

use dcom_reference::Dense;
use dcom_tensor::{Matrix, ReadOptions, read_matrix};
use serde_json::Value;

/// A matrix of `tests/data/lanczos` and its reference results.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) matrix: Dense,
    pub(crate) reference: Value,
}

/// All cases that `index.json` lists.
pub(crate) fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/lanczos");
    let json = |file: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
    };
    let index = json("index.json");
    let cases = index["matrices"].as_array().unwrap().iter().map(|entry| {
        let reference = json(entry["ref"].as_str().unwrap());
        let path = folder.join(entry["file"].as_str().unwrap());
        let matrix = match entry["dtype"].as_str().unwrap() {
            "float16" => Dense::from(&read_matrix(&path, &ReadOptions::default()).unwrap().matrix),
            // read_matrix would round to fp16; the reference is of the unrounded matrix.
            "float32" => {
                let (rows, cols) = (size(&entry["rows"]), size(&entry["cols"]));
                let bytes = std::fs::read(&path).unwrap();
                let (values, _) = bytes[bytes.len() - 4 * rows * cols..].as_chunks::<4>();
                let values = values
                    .iter()
                    .map(|x| f64::from(f32::from_le_bytes(*x)))
                    .collect();
                Dense::new(rows, cols, values).unwrap()
            }
            other => panic!("unknown dtype {other}"),
        };
        Case {
            name: entry["name"].as_str().unwrap().to_owned(),
            matrix,
            reference,
        }
    });
    cases.collect()
}

pub(crate) fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

/// Uniform in -1..1 (xorshift64*).
pub(crate) fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let top = u32::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap();
        f64::from(top) / f64::from(1_u32 << 31) - 1.0
    }
}

pub(crate) fn random_f32(len: usize, seed: u64) -> Vec<f32> {
    let mut next = uniform(seed);
    #[expect(clippy::cast_possible_truncation, reason = "any nearby value serves")]
    (0..len).map(|_| next() as f32).collect()
}

pub(crate) fn random_matrix(rows: usize, cols: usize, seed: u64) -> Matrix {
    Matrix::from_f32(rows, cols, &random_f32(rows * cols, seed))
        .unwrap()
        .matrix
}

/// Runs `task` on a pool of `threads`.
pub(crate) fn on_threads<T: Send>(threads: usize, task: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(task)
}
