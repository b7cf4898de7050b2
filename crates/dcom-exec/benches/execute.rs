//! Time of whole programs on the paper's machine with a 4096 x 4096 prompt: ten iterations of the two products, and the
//! arrival of the matrix with its statistics.

use std::path::Path;

use dcom_arch::Arch;
use dcom_exec::execute;
use dcom_fp::to_bits;
use dcom_isa::assemble;
use dcom_tensor::Matrix;
use divan::Bencher;

const N: usize = 4096;

const INGEST: &str = "
.layout l0 len=4096 slices=32 clusters=8 first=0 count=32 granule=8 placement=spread reduction=tree
.matrix a0 rows=4096 columns=4096 store=memory
ingest matrix=a0 prompt=0 stride=0";

fn main() {
    divan::main();
}

/// Values in -1 to 1 from a fixed linear congruential sequence.
#[expect(clippy::cast_precision_loss, reason = "24 bits")]
fn prompt() -> Matrix {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        to_bits((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    Matrix::new(N, N, std::iter::repeat_with(next).take(N * N).collect()).expect("N x N values")
}

fn bench(bencher: Bencher, text: &str) {
    let arch = Arch::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/arch/dcom-paper.toml"));
    let arch = arch.expect("the paper's machine is valid");
    let program = assemble(text).expect("the program assembles").verify(&arch).expect("the program fits the machine");
    let prompts = [prompt()];
    bencher.bench_local(|| execute(&program, &prompts, &[]).expect("the prompt fits"));
}

#[divan::bench(sample_count = 10)]
fn ingest(bencher: Bencher) {
    bench(bencher, INGEST);
}

#[divan::bench(sample_count = 5)]
fn twenty_streams_across(bencher: Bencher) {
    bench(bencher, include_str!("../tests/programs/streams_4096.dcom"));
}

#[divan::bench(sample_count = 5)]
fn twenty_streams_along(bencher: Bencher) {
    bench(bencher, include_str!("../tests/programs/along_4096.dcom"));
}
