//! Time of whole programs on the paper's machine with a 4096 x 4096 prompt: ten iterations of the two products, the
//! arrival of the matrix with its statistics, and the vector operations of a re-orthogonalization.

use std::path::{Path, PathBuf};

use dcom_arch::Arch;
use dcom_config::Source;
use dcom_exec::execute;
use dcom_fp::to_bits;
use dcom_isa::{Program, assemble};
use dcom_mapper::{WorkloadParams, map};
use dcom_tensor::Matrix;
use divan::Bencher;

const N: usize = 4096;

const INGEST: &str = "
.layout l0 len=4096 slices=32 clusters=8 first=0 count=32 granule=8 placement=spread reduction=tree
.matrix a0 rows=4096 columns=4096 store=memory
ingest matrix=a0 prompt=0 stride=0";

/// As many expanded corrections, and norms, as a decomposition of K = 10 with one local and one full pass.
const CORRECTIONS: &str = "
.layout l0 len=4096 slices=32 clusters=8 first=0 count=32 granule=8 placement=spread reduction=tree
.matrix a0 rows=4096 columns=4096 store=memory
.buffer b0 kind=vector layout=l0 row=0
.buffer b1 kind=vector layout=l0 row=1
.buffer b2 kind=coefs n=32 layout=l0 row=2
.bank m0 layout=l0 vectors=2 row=0
.global g0 words=32 word=0
in dst=m0[0] host=0
in dst=m0[1] host=0
ld dst=b1 src=m0[1]
loop count=130 length=5
ld dst=b0 src=m0[0]
dot dst=r0 a=b0 b=b1
puth dst=g0 src=r0
bc dst=b2 src=g0 start=0
corr z=b0 v=b1 c=b2";

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

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../configs")
        .join(name)
}

fn machine() -> Arch {
    Arch::read(&config("arch/dcom-paper.toml")).expect("the paper's machine is valid")
}

fn bench(bencher: Bencher, program: Program) {
    let arch = machine();
    let program = program.verify(&arch).expect("the program fits the machine");
    let (prompts, host_vectors) = ([prompt()], [vec![0.01; N]]);
    bencher.bench_local(|| execute(&program, &prompts, &host_vectors).expect("the prompt fits"));
}

fn bench_text(bencher: Bencher, text: &str) {
    bench(bencher, assemble(text).expect("the program assembles"));
}

/// A whole decomposition, K = 10, rank 10.
#[divan::bench(sample_count = 5)]
fn decomposition(bencher: Bencher) {
    let source = Source::read(config("workloads/llama2-7b.toml")).expect("the file is there");
    let mut workload = WorkloadParams::parse(source).expect("the file is valid");
    for (key, value) in [
        ("workload.rows", "4096"),
        ("workload.columns", "4096"),
        ("workload.prompts", "1"),
        ("workload.iterations", "10"),
        ("workload.rank", "10"),
    ] {
        workload.set(key, value).expect("in range");
    }
    let mapped = map(&machine(), &workload).expect("the workload fits");
    bench(bencher, mapped.program);
}

#[divan::bench(sample_count = 10)]
fn ingest(bencher: Bencher) {
    bench_text(bencher, INGEST);
}

#[divan::bench(sample_count = 5)]
fn twenty_streams_across(bencher: Bencher) {
    bench_text(bencher, include_str!("../tests/programs/streams_4096.dcom"));
}

#[divan::bench(sample_count = 5)]
fn twenty_streams_along(bencher: Bencher) {
    bench_text(bencher, include_str!("../tests/programs/along_4096.dcom"));
}

#[divan::bench(sample_count = 10)]
fn corrections(bencher: Bencher) {
    bench_text(bencher, CORRECTIONS);
}
