//! Writing factors and matrices.

use std::path::Path;

use dcom_tensor::{
    Factors, FactorsError, Matrix, ReadOptions, TensorError, read_matrix, write_factors, write_npy,
};
use safetensors::{Dtype, SafeTensors};

use crate::support::scratch;

fn factors() -> Factors {
    let u = [vec![1.0, 0.5, 0.1], vec![0.0, -1.0, 2.0]];
    let v = [vec![0.25, -0.5], vec![1.0, 0.0]];
    Factors::from_columns(&u, vec![0.1, 1e6], &v).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn factors_are_u_and_v_in_fp16_and_s_in_fp32() {
    let file = scratch("f.safetensors", b"an older file");
    write_factors(&file.path, &factors()).unwrap();
    assert_eq!(
        files(file.folder.path()),
        ["f.safetensors"],
        "no temporary file is left"
    );
    let bytes = std::fs::read(&file.path).unwrap();
    let read = SafeTensors::deserialize(&bytes).unwrap();
    let (u, s, v) = (
        read.tensor("u").unwrap(),
        read.tensor("s").unwrap(),
        read.tensor("v").unwrap(),
    );
    assert_eq!((u.dtype(), u.shape()), (Dtype::F16, [3, 2].as_slice()));
    assert_eq!((v.dtype(), v.shape()), (Dtype::F16, [2, 2].as_slice()));
    assert_eq!((s.dtype(), s.shape()), (Dtype::F32, [2].as_slice()));
    assert_eq!(
        s.data(),
        [0.1_f32.to_le_bytes(), 1e6_f32.to_le_bytes()].concat()
    );
    let u = read_matrix(
        &file.path,
        &ReadOptions {
            tensor: Some("u".into()),
            ..ReadOptions::default()
        },
    )
    .unwrap();
    // 0.1 is 0x2e66 in fp16; rows hold the entries of both vectors.
    assert_eq!(
        u.matrix.data(),
        [0x3c00, 0x0000, 0x3800, 0xbc00, 0x2e66, 0x4000]
    );
    let again = scratch("g.safetensors", b"");
    write_factors(&again.path, &factors()).unwrap();
    assert_eq!(
        std::fs::read(&again.path).unwrap(),
        bytes,
        "equal factors give equal bytes"
    );
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let file = scratch("f.safetensors", b"old");
    let bad = Factors::new(1, 1, vec![1.0], vec![1.0], vec![65520.0]).unwrap();
    let error = write_factors(&file.path, &bad).unwrap_err();
    assert!(
        matches!(
            error,
            TensorError::FactorRange {
                factor: "v",
                index: 0,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(std::fs::read(&file.path).unwrap(), b"old");
    assert_eq!(files(file.folder.path()), ["f.safetensors"]);
    let folder = file.folder.path();
    assert!(matches!(
        write_factors(folder, &factors()),
        Err(TensorError::NotAFile { .. })
    ));
    let nowhere = folder.join("none/f.safetensors");
    assert!(matches!(
        write_factors(&nowhere, &factors()),
        Err(TensorError::Io { .. })
    ));
}

#[test]
fn npy_comes_back_as_it_was() {
    let matrix = Matrix::new(3, 5, (0..15).map(|i| i * 2000).collect()).unwrap();
    let file = scratch("m.npy", b"");
    write_npy(&file.path, &matrix).unwrap();
    assert_eq!(
        read_matrix(&file.path, &ReadOptions::default())
            .unwrap()
            .matrix,
        matrix
    );
    let bytes = std::fs::read(&file.path).unwrap();
    assert_eq!(bytes.len(), 128 + 30, "numpy aligns the data to 64 bytes");
    assert_eq!(bytes[127], b'\n');
}

#[test]
fn factors_that_do_not_fit_are_refused() {
    let found = Factors::new(2, 3, vec![0.0; 4], vec![0.0; 2], vec![0.0; 5]).unwrap_err();
    assert_eq!(
        found,
        FactorsError::Length {
            factor: "v",
            rows: 3,
            rank: 2,
            found: 5
        }
    );
    assert!(matches!(
        Factors::new(2, 3, vec![], vec![], vec![]),
        Err(FactorsError::Empty { .. })
    ));
    let ragged = Factors::from_columns(
        &[vec![0.0; 2], vec![0.0; 3]],
        vec![0.0; 2],
        &[vec![0.0], vec![0.0]],
    );
    assert!(matches!(
        ragged,
        Err(FactorsError::Columns { factor: "u", .. })
    ));
}
