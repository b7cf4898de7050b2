//! Single-threaded times of the executor's kernels: a 4096 x 4096 matrix-vector product per mode
//! and tree width, the back ends against each other, and the vector kernels at length 4096.

use std::fmt;

use dcom_fp::{
    Accumulate, Backend, Lanes, MatVec, PairwiseSum, corrected_in_place, dot, expanded_sums,
    round16, to_bits,
};
use divan::{Bencher, black_box, counter::ItemsCount};

const N: usize = 4096;

fn main() {
    divan::main();
}

/// Values on the binary16 grid in -1 to 1 from a fixed linear congruential sequence.
fn values(len: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        round16((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn bits(len: usize) -> Vec<u16> {
    values(len).into_iter().map(to_bits).collect()
}

fn bench_matvec(bencher: Bencher, backend: Backend, mode: Accumulate, tree_width: usize) {
    let (a, x, mut out) = (bits(N * N), values(N), vec![0.0; N]);
    let matrix = MatVec {
        mode,
        tree_width,
        a: &a,
        stride: N,
        exponent: 0,
    };
    bencher.counter(ItemsCount::new(N * N)).bench_local(|| {
        matrix.run_on(backend, 0..N, 0..N, black_box(&x), black_box(&mut out));
    });
}

const WIDTHS: [usize; 4] = [4, 5, 8, 16];

#[divan::bench(args = WIDTHS)]
fn matvec_m16a16(bencher: Bencher, tree_width: usize) {
    bench_matvec(bencher, Backend::default(), Accumulate::M16A16, tree_width);
}

#[divan::bench(args = WIDTHS)]
fn matvec_m16a32(bencher: Bencher, tree_width: usize) {
    bench_matvec(bencher, Backend::default(), Accumulate::M16A32, tree_width);
}

#[divan::bench(args = WIDTHS)]
fn matvec_x32(bencher: Bencher, tree_width: usize) {
    bench_matvec(bencher, Backend::default(), Accumulate::X32, tree_width);
}

/// A back end and a mode, named by both.
struct Case(Backend, Accumulate);

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.name(), self.1)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let backends = Backend::available().into_iter();
    backends.flat_map(|backend| Accumulate::ALL.map(|mode| Case(backend, mode)))
}

#[divan::bench(args = cases())]
fn matvec_back_ends(bencher: Bencher, Case(backend, mode): &Case) {
    bench_matvec(bencher, *backend, *mode, 8);
}

#[divan::bench(args = Accumulate::ALL)]
fn dot_4096(bencher: Bencher, mode: Accumulate) {
    let (a, b) = (values(N), values(N));
    bencher.bench_local(|| dot(mode, Lanes { x: 8, y: 8 }, black_box(&a), black_box(&b)));
}

#[divan::bench(args = Accumulate::ALL)]
fn expanded_sums_4096_f8(bencher: Bencher, mode: Accumulate) {
    let (coefficients, v, mut out) = (values(8), bits(N), vec![0.0; N]);
    bencher.bench_local(|| {
        expanded_sums(
            mode,
            8,
            black_box(&coefficients),
            black_box(&v),
            black_box(&mut out),
        )
    });
}

#[divan::bench(args = Accumulate::ALL)]
fn corrected_4096(bencher: Bencher, mode: Accumulate) {
    let (mut z, sums) = (values(N), values(N));
    bencher.bench_local(|| corrected_in_place(mode, black_box(&mut z), black_box(&sums)));
}

#[divan::bench(args = Accumulate::ALL)]
fn pairwise_64_chunks_of_4096(bencher: Bencher, mode: Accumulate) {
    let (chunk, mut out) = (values(N), vec![0.0; N]);
    bencher.bench_local(|| {
        let mut sums = PairwiseSum::new(mode, N);
        (0..64).for_each(|_| sums.push(black_box(&chunk)));
        sums.finish(black_box(&mut out));
    });
}
