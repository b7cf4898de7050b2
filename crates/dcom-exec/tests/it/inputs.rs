//! Prompts and host vectors: which are taken, where results go, and what is rejected.

use std::sync::Arc;

use dcom_exec::{ExecError, Outcome, execute};
use dcom_isa::{Mat, assemble};
use dcom_tensor::Matrix;

use crate::lanczos::small_machine;
use crate::twin::bits16;

fn run(
    text: &str,
    prompts: &[Arc<Matrix>],
    host_vectors: &[Vec<f32>],
) -> Result<Outcome, ExecError> {
    let arch = small_machine("m16a32");
    let program = assemble(text)
        .expect("assembles")
        .verify(&arch)
        .unwrap_or_else(|e| panic!("{e}"));
    execute(&program, prompts, host_vectors)
}

/// 2 x 3, every element `value`.
fn constant(value: f32) -> Arc<Matrix> {
    Arc::new(Matrix::new(2, 3, vec![bits16(value); 6]).expect("sizes agree"))
}

const LOOP: &str = "
.layout l0 len=3 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.matrix a0 rows=2 columns=3 store=memory
.buffer b0 kind=vector layout=l0 row=0
.bank m0 layout=l0 vectors=1 row=0
ldi dst=s0 value=0
loop count=3 length=4
ingest matrix=a0 prompt=1 stride=2
start dst=b0 matrix=a0 kind=mean exponent=s0 shift=0
st dst=m0[0] src=b0
out matrix=a0 side=v index=1 src=m0[0]";

#[test]
fn a_loop_advances_through_the_prompts() {
    let prompts: Vec<_> = (0..6)
        .map(|i| constant(if i == 3 { 60000.0 } else { i as f32 }))
        .collect();
    let outcome = run(LOOP, &prompts, &[]).expect("enough prompts");
    // Column sums of two rows; 120000 is beyond fp16, in three elements.
    let columns: Vec<_> = outcome.prompts.iter().map(|p| p.v.clone()).collect();
    let column = |x: f32| vec![vec![], vec![x; 3]];
    assert_eq!(
        columns,
        [
            vec![],
            column(2.0),
            vec![],
            column(f32::INFINITY),
            vec![],
            column(10.0)
        ]
    );
    let overflows: Vec<_> = outcome.prompts.iter().map(|p| p.overflow_count).collect();
    assert_eq!(
        (&overflows[..], outcome.overflow_count),
        (&[0, 0, 0, 3, 0, 0][..], 3)
    );
}

/// Two prompts in flight: what overflows far from any matrix is charged to the prompt that the data come from.
#[test]
fn overflows_are_charged_to_their_prompt() {
    let text = "
.layout l0 len=3 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.matrix a0 rows=2 columns=3 store=memory
.matrix a1 rows=2 columns=3 store=memory
.buffer b0 kind=vector layout=l0 row=0
.buffer b1 kind=vector layout=l0 row=10
.buffer b2 kind=vector layout=l0 row=20
.buffer b3 kind=coefs n=1 layout=l0 row=30
.bank m0 layout=l0 vectors=1 row=0
.global g0 words=1 word=0
ingest matrix=a0 prompt=0 stride=0
ingest matrix=a1 prompt=1 stride=0
ldi dst=s0 value=0
start dst=b0 matrix=a1 kind=mean exponent=s0 shift=0
start dst=b1 matrix=a0 kind=mean exponent=s0 shift=0
st dst=m0[0] src=b0
ld dst=b2 src=m0[0]
dot dst=r0 a=b1 b=b1
dot dst=r1 a=b2 b=b0
puth dst=g0 src=r1
bc dst=b3 src=g0 start=0
corr z=b1 v=b0 c=b3";
    // Columns sums are 2 and 600; 3 x 600^2 is finite in fp32 and no fp16.
    let outcome = run(text, &[constant(1.0), constant(300.0)], &[]).expect("inputs fit");
    let counts: Vec<_> = outcome.prompts.iter().map(|p| p.overflow_count).collect();
    // The products of both dots: 360000 overflows in the lanes of r1; what follows has operands that are not finite.
    assert_eq!((&counts[..], outcome.overflow_count), (&[0, 1][..], 1));
}

#[test]
fn a_missing_prompt_is_named() {
    let prompts = vec![constant(1.0); 4];
    let error = run(LOOP, &prompts, &[]).expect_err("prompt 5 is missing");
    assert_eq!(
        error,
        ExecError::MissingPrompt {
            matrix: Mat(0),
            prompt: 5,
            given: 4
        }
    );
    assert_eq!(error.to_string(), "a0 needs prompt 5, there are 4 prompts");
}

#[test]
fn a_prompt_of_another_shape_is_rejected() {
    let wide = Arc::new(Matrix::new(2, 4, vec![0; 8]).expect("sizes agree"));
    let error = run(LOOP, &[constant(1.0), wide], &[]).expect_err("prompt 1 is too wide");
    assert_eq!(error.to_string(), "prompt 1 is 2 x 4, a0 is 2 x 3");
}

#[test]
fn a_guarded_ingest_is_refused_before_it_can_be_skipped() {
    let text = LOOP
        .replace("loop", "clr p=p0\nbrk p=p0 x=s0 max=s0 tolerance=0\nloop")
        .replace("ingest", "@!p0 ingest");
    let arch = small_machine("m16a32");
    let error = assemble(&text)
        .expect("assembles")
        .verify(&arch)
        .expect_err("guarded");
    assert!(
        error.to_string().contains("an ingest cannot be guarded"),
        "{error}"
    );
}

const HOST: &str = "
.layout l0 len=3 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.matrix a0 rows=2 columns=3 store=memory
.bank m0 layout=l0 vectors=2 row=0
ingest matrix=a0 prompt=0 stride=0
in dst=m0[1] host=1
out matrix=a0 side=v index=0 src=m0[1]";

#[test]
fn host_vectors_are_rounded_to_fp16() {
    let host = [
        vec![],
        vec![1.0 + 2.0_f32.powi(-11), -65520.0, 2.0_f32.powi(-25) * 1.5],
    ];
    let outcome = run(HOST, &[constant(0.0)], &host).expect("inputs fit");
    // A tie to even, the first value that becomes infinite, and one above half of the smallest subnormal.
    assert_eq!(
        outcome.prompts[0].v,
        [[1.0, f32::NEG_INFINITY, 2.0_f32.powi(-24)]]
    );
    assert_eq!(
        outcome.overflow_count, 0,
        "what the host sends is no result"
    );
}

#[test]
fn host_vectors_are_checked() {
    let missing = run(HOST, &[constant(0.0)], &[vec![0.0; 3]]).expect_err("there is no vector 1");
    assert_eq!(
        missing.to_string(),
        "the program takes host vector 1, there are 1 host vectors"
    );
    let long =
        run(HOST, &[constant(0.0)], &[vec![], vec![0.0; 4]]).expect_err("vector 1 is too long");
    assert_eq!(long.to_string(), "host vector 1 has 4 elements, expected 3");
}
