//! The matrix itself: rounding, shapes, transposition.

use dcom_tensor::{Matrix, MatrixError};
use half::f16;
use proptest::prelude::*;

#[test]
fn rounding_is_to_nearest_even_and_counts_what_changed() {
    // 1 + 2^-11 ties down to 1, 1 + 3 x 2^-11 ties up; 65519 still rounds to 65504, 65520 overflows; 2^-25 ties to zero.
    let values = [
        1.0,
        1.0 + 2.0_f32.powi(-11),
        1.0 + 3.0 * 2.0_f32.powi(-11),
        65519.0,
        65520.0,
        -1e9,
        2.0_f32.powi(-25),
        -0.0,
    ];
    let loaded = Matrix::from_f32(2, 4, &values).unwrap();
    assert_eq!(
        loaded.matrix.data(),
        [
            0x3c00, 0x3c00, 0x3c02, 0x7bff, 0x7c00, 0xfc00, 0x0000, 0x8000
        ]
    );
    assert_eq!((loaded.rounded, loaded.overflowed), (6, 2));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    assert_eq!(
        Matrix::new(2, 3, vec![0; 5]),
        Err(MatrixError::Length {
            rows: 2,
            cols: 3,
            len: 5
        })
    );
    assert_eq!(
        Matrix::new(0, 3, vec![]),
        Err(MatrixError::Empty { rows: 0, cols: 3 })
    );
    assert_eq!(
        Matrix::new(usize::MAX, 2, vec![]),
        Err(MatrixError::Length {
            rows: usize::MAX,
            cols: 2,
            len: 0
        })
    );
    let message = Matrix::from_f32(1, 3, &[0.0, 1.0, f32::NAN])
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "the value at row 0, column 2 is NaN; all values must be finite"
    );
}

#[test]
fn rows_elements_and_f32_agree() {
    let matrix = Matrix::from_f32(2, 3, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
        .unwrap()
        .matrix;
    assert_eq!(matrix.to_f32(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(matrix.row(1), &matrix.data()[3..]);
    assert_eq!(f16::from_bits(matrix.get(1, 2)).to_f32(), 5.0);
    let mut row = [0.0; 3];
    matrix.row_to_f32(1, &mut row);
    assert_eq!(row, [3.0, 4.0, 5.0]);
}

proptest! {
    #[test]
    fn transposition_moves_every_element(rows in 1_usize..80, cols in 1_usize..80) {
        let data = (0..rows * cols).map(|i| u16::try_from(i).unwrap()).collect::<Vec<_>>();
        let matrix = Matrix::new(rows, cols, data).unwrap();
        let transposed = matrix.transposed();
        for row in 0..rows {
            for col in 0..cols {
                prop_assert_eq!(transposed.get(col, row), matrix.get(row, col));
            }
        }
        prop_assert_eq!(transposed.transposed(), matrix);
    }
}
