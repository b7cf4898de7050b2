//! The machine's sums written down as `docs/machine.md` defines them, with lists of operands that
//! carry their padding.

use dcom_fp::{Accumulate, Lanes, from_bits};

/// Adjacent pairs over operands padded with +0 to the next power of two.
pub(crate) fn tree(mode: Accumulate, operands: &[f32]) -> f32 {
    let mut level = operands.to_vec();
    level.resize(operands.len().next_power_of_two(), 0.0);
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| mode.add(pair[0], pair[1]))
            .collect();
    }
    level[0]
}

/// Products of one chunk, with +0 on the lanes that have no element.
fn lanes(mode: Accumulate, count: usize, a: &[f32], b: &[f32], exponent: i32) -> Vec<f32> {
    (0..count)
        .map(|lane| {
            if lane < a.len() {
                mode.product(a[lane], b[lane], exponent)
            } else {
                0.0
            }
        })
        .collect()
}

/// Chunks over one row tree of `width` lanes.
pub(crate) fn row_dot(mode: Accumulate, width: usize, a: &[f32], b: &[f32], exponent: i32) -> f32 {
    let chunks = a.chunks(width).zip(b.chunks(width));
    let sums: Vec<f32> = chunks
        .map(|(a, b)| tree(mode, &lanes(mode, width, a, b, exponent)))
        .collect();
    tree(mode, &sums)
}

pub(crate) fn dot(mode: Accumulate, Lanes { x, y }: Lanes, a: &[f32], b: &[f32]) -> f32 {
    let chunk_sum = |(a, b): (&[f32], &[f32])| {
        let row_sums: Vec<f32> = lanes(mode, x * y, a, b, 0)
            .chunks(x)
            .map(|row| tree(mode, row))
            .collect();
        tree(mode, &row_sums)
    };
    let sums: Vec<f32> = a
        .chunks(x * y)
        .zip(b.chunks(x * y))
        .map(chunk_sum)
        .collect();
    tree(mode, &sums)
}

/// One output of a matrix-vector product; `column` yields the bits of a\[k\]\[o\].
pub(crate) fn matvec_output(
    mode: Accumulate,
    width: usize,
    column: impl Iterator<Item = u16>,
    x: &[f32],
    exponent: i32,
) -> f32 {
    let column: Vec<f32> = column.map(from_bits).collect();
    row_dot(mode, width, &column, x, exponent)
}
