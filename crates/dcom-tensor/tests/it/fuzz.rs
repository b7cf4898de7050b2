//! Damaged and random files never panic, and never make the reader allocate much more than the file is long.

use dcom_tensor::{ReadOptions, read_matrix};
use proptest::prelude::*;

use crate::allocation::counted;
use crate::support::{f32_bytes, npy, safetensors, scratch};

/// Bytes a header may cost per byte of its own: the JSON parser's tree of small values, and error texts.
const PER_BYTE: usize = 100;

/// Paths, messages and the first blocks of growing buffers.
const FIXED: usize = 16 * 1024;

fn survives(name: &str, bytes: &[u8]) -> bool {
    let file = scratch(name, bytes);
    // Without an element limit: the length of the file alone must protect.
    let options = ReadOptions {
        tensor: None,
        max_elements: u64::MAX,
    };
    let (result, allocated) = counted(|| read_matrix(&file.path, &options));
    let limit = FIXED + PER_BYTE * bytes.len();
    assert!(
        allocated <= limit,
        "{allocated} bytes allocated for a file of {}: {result:?}",
        bytes.len()
    );
    result.is_ok()
}

fn valid() -> Vec<(&'static str, Vec<u8>)> {
    let values = f32_bytes(&(0..60).map(|i| i as f32 * 0.3).collect::<Vec<_>>());
    let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,6,10],"data_offsets":[0,240]}}"#;
    vec![
        ("a.safetensors", safetensors(header, &values)),
        (
            "a.npy",
            npy(
                "{'descr': '<f4', 'fortran_order': True, 'shape': (6, 10), }      \n",
                &values,
            ),
        ),
    ]
}

#[test]
fn the_undamaged_files_are_valid() {
    for (name, bytes) in valid() {
        assert!(survives(name, &bytes), "{name}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    for (name, bytes) in valid() {
        for len in 0..bytes.len() {
            assert!(!survives(name, &bytes[..len]), "{name} cut to {len} bytes");
        }
    }
}

#[test]
fn headers_that_claim_terabytes_are_refused_before_allocating() {
    let huge = 1_u64 << 44;
    let lies = [
        (
            "a.safetensors",
            [huge.to_le_bytes().as_slice(), b"{}"].concat(),
        ),
        (
            "a.safetensors",
            [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat(),
        ),
        (
            "a.safetensors",
            safetensors(
                r#"{"a":{"dtype":"F32","shape":[2097152,2097152],"data_offsets":[0,17592186044416]}}"#,
                &[0; 64],
            ),
        ),
        (
            "a.safetensors",
            safetensors(
                r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
                &[],
            ),
        ),
        (
            "a.npy",
            [
                b"\x93NUMPY\x02\x00".as_slice(),
                &u32::MAX.to_le_bytes(),
                b"{",
            ]
            .concat(),
        ),
        (
            "a.npy",
            npy(
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2097152, 2097152)}",
                &[0; 64],
            ),
        ),
        (
            "a.npy",
            npy(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551615, 18446744073709551615)}",
                &[],
            ),
        ),
    ];
    for (name, bytes) in lies {
        assert!(!survives(name, &bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives("a.npy", &bytes);
        survives("a.safetensors", &bytes);
    }

    #[test]
    fn random_headers_behind_valid_starts_are_survived(header in "[\\[\\]{}(),:'\"a-z<0-9 TrueFals_]{0,80}", data in 0_usize..40) {
        survives("a.npy", &npy(&header, &vec![0; data]));
        survives("a.npy", &npy(&format!("{{'descr': '<f2', 'shape': ({header}"), &vec![0; data]));
        survives("a.safetensors", &safetensors(&header, &vec![0; data]));
        survives("a.safetensors", &safetensors(&format!("{{\"a\":{header}"), &vec![0; data]));
    }

    #[test]
    fn flipped_bits_are_survived(which in 0_usize..2, flips in proptest::collection::vec((any::<usize>(), 0_u8..8), 1..6)) {
        let (name, mut bytes) = valid().swap_remove(which);
        let len = bytes.len();
        for (at, bit) in flips {
            bytes[at % len] ^= 1 << bit;
        }
        survives(name, &bytes);
    }
}
