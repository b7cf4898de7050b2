//! Tensors of any shape as fp32.

use dcom_tensor::{list_tensors, read_f32};

use crate::support::{safetensors, scratch};

/// A vector in bf16 behind a 2 x 2 x 1 block in fp16 and a scalar in fp32: values that these formats hold exactly.
#[test]
fn values_arrive_unrounded() {
    let header = r#"{"block":{"dtype":"F16","shape":[2,2,1],"data_offsets":[0,8]},
"vector":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]},
"scalar":{"dtype":"F32","shape":[],"data_offsets":[14,18]}}"#;
    let mut data = Vec::new();
    // fp16: 1, -2, the smallest subnormal 2^-24, the largest 65504.
    for bits in [0x3c00_u16, 0xc000, 0x0001, 0x7bff] {
        data.extend(bits.to_le_bytes());
    }
    // bf16 is the upper half of fp32: 1, -1, 2^127.
    for bits in [0x3f80_u16, 0xbf80, 0x7f00] {
        data.extend(bits.to_le_bytes());
    }
    data.extend(0.1_f32.to_le_bytes());
    let file = scratch("w.safetensors", &safetensors(header, &data));
    let found: Vec<(String, Vec<f32>)> = list_tensors(&file.path)
        .unwrap()
        .iter()
        .map(|entry| (entry.name.clone(), read_f32(&file.path, entry).unwrap()))
        .collect();
    let expected = [
        (
            "block".to_owned(),
            vec![1.0, -2.0, 2.0_f32.powi(-24), 65504.0],
        ),
        ("vector".to_owned(), vec![1.0, -1.0, 2.0_f32.powi(127)]),
        ("scalar".to_owned(), vec![0.1]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_number_is_refused_with_its_place() {
    let header = r#"{"w":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}"#;
    let nan = [0, 0x3c, 0, 0x3c, 0, 0x7e, 0, 0x3c];
    let file = scratch("w.safetensors", &safetensors(header, &nan));
    let entry = &list_tensors(&file.path).unwrap()[0];
    let error = read_f32(&file.path, entry).unwrap_err().to_string();
    assert!(error.contains("w has NaN at row 1, column 0"), "{error}");
}

#[test]
fn a_type_without_fp32_values_is_refused() {
    let header = r#"{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#;
    let file = scratch("w.safetensors", &safetensors(header, &[0; 8]));
    let entry = &list_tensors(&file.path).unwrap()[0];
    let error = read_f32(&file.path, entry).unwrap_err().to_string();
    assert!(error.contains("I64"), "{error}");
}
