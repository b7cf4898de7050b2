//! Reading `.npy`.

use dcom_tensor::{ReadOptions, SourceType};
use half::f16;
use proptest::prelude::*;

use crate::support::{complaint, f32_bytes, npy, read};

fn header(descr: &str, order: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}")
}

fn complain(header: &str, data: &[u8]) -> String {
    complaint("a.npy", &npy(header, data), &ReadOptions::default())
}

#[test]
fn c_and_fortran_order_give_the_same_matrix() {
    let c = npy(
        &header("<f4", "False", "(2, 3)"),
        &f32_bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    );
    let fortran = npy(
        &header("<f4", "True", "(2, 3)"),
        &f32_bytes(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
    );
    let (c, fortran) = (
        read("a.npy", &c, &ReadOptions::default()),
        read("a.npy", &fortran, &ReadOptions::default()),
    );
    let (c, fortran) = (c.unwrap(), fortran.unwrap());
    assert_eq!(c.matrix.to_f32(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(c, fortran);
    assert_eq!(
        (c.tensor, c.source, c.rounded, c.overflowed),
        (None, SourceType::F32, 0, 0)
    );
}

#[test]
fn fp64_is_rounded_once() {
    // Just above the tie between 1 and 1 + 2^-10: fp32 in between would lose the 2^-40 and tie down.
    let values = [
        1.0 + 2.0_f64.powi(-11) + 2.0_f64.powi(-40),
        -1.0 - 2.0_f64.powi(-11),
        65520.0,
        1e300,
    ];
    let data = values
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect::<Vec<_>>();
    let loaded = read(
        "a.npy",
        &npy(&header("<f8", "False", "(2, 2)"), &data),
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(loaded.matrix.data(), [0x3c01, 0xbc00, 0x7c00, 0x7c00]);
    assert_eq!(
        (loaded.source, loaded.rounded, loaded.overflowed),
        (SourceType::F64, 4, 2)
    );
}

#[test]
fn all_three_header_versions_and_a_batch_of_one_are_read() {
    let text = header("<f2", "False", "(1, 1, 2)");
    for version in [1_u8, 2, 3] {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend_from_slice(&[version, 0]);
        match version {
            1 => bytes.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes()),
            _ => bytes.extend_from_slice(&u32::try_from(text.len()).unwrap().to_le_bytes()),
        }
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(&[0x00, 0x3c, 0x00, 0xc0]);
        let loaded = read("a.npy", &bytes, &ReadOptions::default()).unwrap();
        assert_eq!(
            (loaded.matrix.rows(), loaded.matrix.to_f32()),
            (1, vec![1.0, -2.0])
        );
    }
}

#[test]
fn each_defect_has_its_message() {
    let cases = [
        (
            header("<i4", "False", "(1, 1)"),
            4,
            "the array has dtype '<i4', accepted are '<f2', '<f4' and '<f8'",
        ),
        (
            header(">f4", "False", "(1, 1)"),
            4,
            "the array has dtype '>f4', accepted are",
        ),
        (
            header("<f4", "False", "(4,)"),
            16,
            "the array has shape [4], expected [rows, cols] or [1, rows, cols]",
        ),
        (
            header("<f4", "False", "(2, 2, 1)"),
            16,
            "the array has shape [2, 2, 1], expected",
        ),
        (
            header("<f4", "False", "(0, 3)"),
            0,
            "the array has shape [0, 3], all dimensions must be at least 1",
        ),
        (
            header("<f4", "False", "(2, 2)"),
            15,
            "the file has 84 bytes, but an array of the shape in its header needs 85",
        ),
        (
            header("<f4", "False", "(2, 2)"),
            17,
            "the file has 86 bytes, but its header accounts for 85",
        ),
        (
            header("<f4", "Maybe", "(2, 2)"),
            16,
            "bad npy header: expected True or False at byte 34 of it, found \"Maybe, 'shap\"",
        ),
        (
            "{'descr': '<f4', 'shape': (1, 1)}".into(),
            4,
            "bad npy header: key 'fortran_order' is missing",
        ),
        (
            "{'descr': '<f4', 'descr': '<f4'}".into(),
            4,
            "bad npy header: key 'descr' is given twice",
        ),
        (
            "{'colour': '<f4'}".into(),
            4,
            "bad npy header: unknown key 'colour'",
        ),
        (
            "{'shape': (99999999999999999999, 1)}".into(),
            4,
            "bad npy header: dimension 99999999999999999999 does not fit",
        ),
        (
            String::new(),
            4,
            "bad npy header: expected `{` at byte 0 of it",
        ),
    ];
    for (header, data, expected) in cases {
        let found = complain(&header, &vec![0; data]);
        assert!(found.starts_with(expected), "{header}: {found}");
    }
    let found = complaint("a.npy", b"PK\x03\x04 no npy", &ReadOptions::default());
    assert_eq!(
        found,
        "starts with bytes [50, 4b, 03, 04, 20, 6e], a npy file starts with [93, 4e, 55, 4d, 50, 59], \"\\x93NUMPY\""
    );
    let found = complaint(
        "a.npy",
        b"\x93NUMPY\x01\x00\x02\x00\xff\xfe",
        &ReadOptions::default(),
    );
    assert_eq!(found, "the header is not UTF-8 from byte 0 of it on");
    let found = complaint(
        "a.npy",
        b"\x93NUMPY\x09\x00\x02\x00{}",
        &ReadOptions::default(),
    );
    assert_eq!(
        found,
        "bad npy header: format version 9, known are 1, 2 and 3"
    );
    let named = ReadOptions {
        tensor: Some("x".into()),
        ..ReadOptions::default()
    };
    let found = complaint(
        "a.npy",
        &npy(&header("<f2", "False", "(1, 1)"), &[0; 2]),
        &named,
    );
    assert_eq!(found, "no tensor `x`; the file holds `(one unnamed array)`");
}

#[test]
fn the_first_non_finite_value_is_the_first_in_row_major_order() {
    // Column-major: the NaN of row 1 comes first in the file, the infinity of row 0 first in the matrix.
    let data = f32_bytes(&[0.0, f32::NAN, f32::INFINITY, 0.0]);
    let found = complain(&header("<f4", "True", "(2, 2)"), &data);
    assert_eq!(
        found,
        "the array has inf at row 0, column 1; all values must be finite"
    );
}

#[test]
fn the_element_limit_holds() {
    let options = ReadOptions {
        max_elements: 5,
        ..ReadOptions::default()
    };
    let found = complaint(
        "a.npy",
        &npy(&header("<f2", "False", "(2, 3)"), &[0; 12]),
        &options,
    );
    assert_eq!(found, "the array has 6 elements, the limit is 5");
}

proptest! {
    #[test]
    fn fp64_rounding_is_the_nearest_binary16(value in prop_oneof![-7e4..7e4_f64, -1e-3..1e-3_f64, -1e-7..1e-7_f64]) {
        let bytes = npy(&header("<f8", "False", "(1, 1)"), &value.to_le_bytes());
        let loaded = read("a.npy", &bytes, &ReadOptions::default()).unwrap();
        let bits = loaded.matrix.get(0, 0);
        let distance = |bits: u16| {
            // Infinity takes the place of 65536, the next step after 65504.
            let magnitude = f16::from_bits(bits & 0x7fff);
            let magnitude = if magnitude.is_infinite() { 65536.0 } else { magnitude.to_f64() };
            (magnitude - value.abs()).abs()
        };
        prop_assert_eq!(bits >> 15 == 1, value.is_sign_negative());
        let magnitude = bits & 0x7fff;
        for other in [magnitude.saturating_sub(1), (magnitude + 1).min(0x7c00)] {
            let nearer = distance(bits) < distance(other);
            let tie = distance(bits) == distance(other) && (magnitude.is_multiple_of(2) || magnitude == other);
            prop_assert!(nearer || tie || value.abs() > 65536.0, "{:e} became {:04x}", value, bits);
        }
    }
}
