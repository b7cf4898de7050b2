//! Operations on sliced vectors: dot products, corrections, scaling, combinations.

use dcom_fp::{
    MatVec, corrected, corrected_in_place, dot, expanded_sums, from_bits, round16, to_bits,
};
use dcom_isa::{BankVec, Buf, Part};

use crate::machine::Machine;
use crate::state::Scalar;

impl Machine<'_> {
    pub(crate) fn narrow(&mut self, dst: Buf, src: Buf) -> u64 {
        let wide = self.state.single(src);
        let bits: Vec<u16> = wide.iter().map(|&w| to_bits(w)).collect();
        let overflowed = count(&bits, |k| wide[k].is_finite());
        *self.state.half_mut(dst) = bits;
        overflowed
    }

    pub(crate) fn dot(&mut self, dst: Part, a: Buf, b: Buf) -> u64 {
        let deal = self.deal(self.layout_of(a));
        let (a, b) = (self.state.half(a), self.state.half(b));
        // Local elements of all clusters of a partition; masked addresses stay +0.
        let local = || vec![0.0; deal.clusters * deal.round_len];
        let mut values = Vec::with_capacity(deal.parts);
        let mut overflowed = 0;
        for slice in 0..deal.parts {
            let (mut local_a, mut local_b) = (local(), local());
            for block in deal.blocks(slice) {
                let at = deal.local_address(&block);
                widen_to(&a[block.elements.clone()], &mut local_a[at..]);
                widen_to(&b[block.elements], &mut local_b[at..]);
            }
            let pairs = local_a
                .chunks_exact(deal.round_len)
                .zip(local_b.chunks_exact(deal.round_len));
            let sums: Vec<f32> = pairs
                .map(|(a, b)| dot(self.mode, self.lanes, a, b))
                .collect();
            let mut value = [0.0];
            deal.partition_sum(self.mode, &sums, &mut value);
            let finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
            overflowed += u64::from(!value[0].is_finite() && finite(&local_a) && finite(&local_b));
            values.push(value[0]);
        }
        let register = &mut self.state.parts[dst.index()];
        register.resize(register.len().max(values.len()), 0.0);
        register[..values.len()].copy_from_slice(&values);
        overflowed
    }

    pub(crate) fn corr(&mut self, z: Buf, v: Buf, c: Buf) -> u64 {
        let (coefficients, v) = (widen(self.state.half(c)), self.state.half(v));
        let mut sums = vec![0.0; v.len()];
        expanded_sums(self.mode, self.lanes.x, &coefficients, v, &mut sums);
        let before = self.state.half(z);
        let mut values = widen(before);
        corrected_in_place(self.mode, &mut values, &sums);
        let bits = narrowed(&values);
        let finite_coefficients = coefficients.iter().all(|c| c.is_finite());
        let overflowed = count(&bits, |k| {
            finite_coefficients && is_finite16(before[k]) && is_finite16(v[k])
        });
        *self.state.half_mut(z) = bits;
        overflowed
    }

    pub(crate) fn axpy(&mut self, z: Buf, v: Buf, c: Buf) -> u64 {
        let (before, v, scalar) = (self.state.half(z), self.state.half(v), self.state.scalar(c));
        let product = |v: u16| {
            let exact = times(from_bits(v), scalar);
            if self.mode.rounds_products() {
                round16(exact)
            } else {
                exact
            }
        };
        let elements = before.iter().zip(v);
        let bits: Vec<u16> = elements
            .map(|(&z, &v)| to_bits(corrected(self.mode, from_bits(z), product(v))))
            .collect();
        let overflowed = count(&bits, |k| {
            is_finite16(scalar.mantissa) && is_finite16(before[k]) && is_finite16(v[k])
        });
        *self.state.half_mut(z) = bits;
        overflowed
    }

    pub(crate) fn scale(&mut self, dst: Buf, src: Buf, c: Buf) -> u64 {
        let (src, scalar) = (self.state.half(src), self.state.scalar(c));
        let bits: Vec<u16> = src
            .iter()
            .map(|&x| to_bits(times(from_bits(x), scalar)))
            .collect();
        let overflowed = count(&bits, |k| {
            is_finite16(scalar.mantissa) && is_finite16(src[k])
        });
        *self.state.half_mut(dst) = bits;
        overflowed
    }

    pub(crate) fn comb(&mut self, dst: Buf, src: BankVec, c: Buf) -> u64 {
        let coefficients = widen(self.state.half(c));
        let stack = &self.state.stacks[usize::from(src.stack)];
        let len = stack.len;
        let stored = &stack.bits[usize::from(src.index) * len..][..coefficients.len() * len];
        // A zero coefficient shuts its lane: neither its sign nor what the vector holds counts.
        let mut vectors = std::borrow::Cow::Borrowed(stored);
        for (i, _) in coefficients.iter().enumerate().filter(|(_, c)| **c == 0.0) {
            vectors.to_mut()[i * len..][..len].fill(0);
        }
        // Adding +0 to -0 changes only the sign of a zero.
        let x: Vec<f32> = coefficients.iter().map(|c| c + 0.0).collect();
        let mut sums = vec![0.0; len];
        let matrix = MatVec {
            mode: self.mode,
            tree_width: self.lanes.x,
            a: &vectors,
            stride: len,
            exponent: 0,
        };
        matrix.run(0..x.len(), 0..len, &x, &mut sums);
        let bits = narrowed(&sums);
        let overflowed = count(&bits, |k| {
            coefficients.iter().all(|c| c.is_finite())
                && vectors[k..].iter().step_by(len).all(|&v| is_finite16(v))
        });
        *self.state.half_mut(dst) = bits;
        overflowed
    }
}

/// x m 2^e, exact: |e| <= 64, so that scaled operand and product lie in the binary32 normal range.
fn times(x: f32, scalar: Scalar) -> f32 {
    let power = f32::from_bits((127 + i32::from(scalar.exponent)).cast_unsigned() << 23);
    x * power * from_bits(scalar.mantissa)
}

/// Values of fp16 bit patterns.
pub(crate) fn widen(bits: &[u16]) -> Vec<f32> {
    bits.iter().map(|&b| from_bits(b)).collect()
}

fn widen_to(bits: &[u16], values: &mut [f32]) {
    for (value, &bits) in values.iter_mut().zip(bits) {
        *value = from_bits(bits);
    }
}

fn narrowed(values: &[f32]) -> Vec<u16> {
    values.iter().map(|&x| to_bits(x)).collect()
}

/// Whether an fp16 bit pattern is finite.
pub(crate) fn is_finite16(bits: u16) -> bool {
    bits & 0x7c00 != 0x7c00
}

/// Results that are not finite although their operands are.
pub(crate) fn count(results: &[u16], finite_operands: impl Fn(usize) -> bool) -> u64 {
    results
        .iter()
        .enumerate()
        .filter(|(k, bits)| !is_finite16(**bits) && finite_operands(*k))
        .count() as u64
}
