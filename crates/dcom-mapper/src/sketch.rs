//! The random signs that randomized SVD and block Golub-Kahan begin with.

use dcom_isa::{Op, Program};

/// The vectors that a mapped program takes from the host, by number: random signs, the same for the same seed on every
/// platform.
#[must_use]
pub fn host_vectors(program: &Program, seed: u32) -> Vec<Vec<f32>> {
    let len = |dst: dcom_isa::BankVec| {
        let stack = program.banks[usize::from(dst.stack)];
        program.layouts[stack.layout.index()].len
    };
    let mut lens = Vec::new();
    for instr in &program.instrs {
        if let Op::In { dst, host } = instr.op {
            let host = usize::from(host);
            lens.resize(lens.len().max(host + 1), 0);
            lens[host] = len(dst);
        }
    }
    let vector = |(index, len): (u64, u32)| {
        let mut state = u64::from(seed) << 32 | index;
        let mut bits = 0;
        (0..len)
            .map(|k| {
                if k % 64 == 0 {
                    bits = split_mix(&mut state);
                }
                let sign = bits >> (k % 64) & 1;
                if sign == 0 { 1.0 } else { -1.0 }
            })
            .collect()
    };
    (0..).zip(lens).map(vector).collect()
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), whose constants these are.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
