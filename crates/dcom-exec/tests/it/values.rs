//! Values at the edges, derived by hand.

use dcom_exec::{Outcome, State, execute_with_state};
use dcom_isa::{Buf, Glob, Pred, Reg, assemble};
use dcom_tensor::Matrix;

use crate::lanczos::small_machine;
use crate::twin::bits16;

const TABLES: &str = "
.layout l0 len=5 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.matrix a0 rows=5 columns=5 store=memory
.buffer b0 kind=vector layout=l0 row=0
.buffer b1 kind=vector layout=l0 row=10
.buffer b2 kind=scalar layout=l0 row=20
.buffer b3 kind=coefs n=2 layout=l0 row=30
.buffer b4 kind=full n=4 layout=l0 row=40
.buffer b5 kind=full n=1 layout=l0 row=50
.buffer b6 kind=wide layout=l0 row=60
.buffer b7 kind=coefs n=1 layout=l0 row=70
.bank m0 layout=l0 vectors=2 row=0
.global g0 words=8 word=0
.global g1 words=16 word=8
";

fn run(
    instructions: &str,
    matrix: impl Fn(usize, usize) -> f32,
    host: [[f32; 5]; 2],
) -> (Outcome, State) {
    let arch = small_machine("m16a32");
    let text = format!("{TABLES}{instructions}");
    let program = assemble(&text)
        .expect("assembles")
        .verify(&arch)
        .unwrap_or_else(|e| panic!("{e}"));
    let data = (0..25).map(|k| bits16(matrix(k / 5, k % 5))).collect();
    let matrix = Matrix::new(5, 5, data).expect("sizes agree");
    execute_with_state(&program, &[matrix], &host.map(Vec::from)).expect("inputs fit")
}

fn registers(instructions: &str) -> State {
    run(instructions, |_, _| 0.0, [[0.0; 5]; 2]).1
}

/// Integers are exact in every order of summation: two strips make the whole product.
#[test]
fn strips_add_up() {
    let program = "
ingest matrix=a0 prompt=0 stride=0
ldi dst=s0 value=1
in dst=m0[0] host=0
ld dst=b0 src=m0[0]
gather dst=b4 src=b0 start=0
gather dst=b5 src=b0 start=4
mvn matrix=a0 axis=rows x=b4 y=b6 first_tile=0 end_tile=1 add=false exponent=s0
mvn matrix=a0 axis=rows x=b5 y=b6 first_tile=1 end_tile=2 add=true exponent=s0
narrow dst=b1 src=b6";
    let (outcome, state) = run(
        program,
        |i, j| (5 * i + j) as f32,
        [[1.0, -2.0, 3.0, -4.0, 5.0], [0.0; 5]],
    );
    // Row i: sum over j of (5 i + j) x_j = 5 i 3 + (0 - 2 + 6 - 12 + 20) = 15 i + 12, times 2^1.
    let expected: Vec<u32> = (0..5)
        .map(|i| bits16((2 * (15 * i + 12)) as f32).into())
        .collect();
    assert_eq!(state.buffer(Buf(1)), expected);
    assert_eq!(outcome.overflow_count, 0);
}

/// The wide sum 120000 is finite and becomes infinite where it is rounded to fp16.
#[test]
fn overflow_counts_where_it_happens() {
    let program = "
ingest matrix=a0 prompt=0 stride=0
ldi dst=s0 value=0
in dst=m0[0] host=0
ld dst=b0 src=m0[0]
gather dst=b4 src=b0 start=0
mvn matrix=a0 axis=rows x=b4 y=b6 first_tile=0 end_tile=1 add=false exponent=s0
narrow dst=b1 src=b6
narrow dst=b0 src=b6";
    let (outcome, state) = run(
        program,
        |i, j| if i == 2 && j < 2 { 60000.0 } else { 0.0 },
        [[1.0; 5], [0.0; 5]],
    );
    assert_eq!(
        state.buffer(Buf(6)),
        [0.0_f32, 0.0, 120_000.0, 0.0, 0.0].map(f32::to_bits)
    );
    assert_eq!(state.buffer(Buf(1)), [0, 0, 0x7c00, 0, 0]);
    assert_eq!(
        (outcome.overflow_count, outcome.prompts[0].overflow_count),
        (2, 2)
    );
}

#[test]
fn exponents_of_products_are_clamped() {
    let program = |exponent: &str| {
        format!(
            "
ingest matrix=a0 prompt=0 stride=0
ldi dst=s0 value={exponent}
in dst=m0[0] host=0
ld dst=b0 src=m0[0]
gather dst=b4 src=b0 start=0
mvn matrix=a0 axis=rows x=b4 y=b6 first_tile=0 end_tile=1 add=false exponent=s0"
        )
    };
    let smallest = 2.0_f32.powi(-24);
    let first = |exponent| {
        run(
            &program(exponent),
            |_, j| f32::from(u8::from(j == 0)),
            [[smallest; 5], [0.0; 5]],
        )
        .1
        .buffer(Buf(6))[0]
    };
    // 2^-24 2^40 = 2^16 overflows as a product, as does anything above; 2^15 does not.
    assert_eq!(
        ["39", "39.99", "40", "41", "3e38"].map(first),
        [
            32768.0,
            32768.0,
            f32::INFINITY,
            f32::INFINITY,
            f32::INFINITY
        ]
        .map(f32::to_bits)
    );
    assert_eq!(
        ["-0.5", "0", "-1", "-1e30"].map(first),
        [smallest, smallest, 0.0, 0.0].map(f32::to_bits)
    );
}

#[test]
fn scalars_are_split() {
    for (value, mantissa, exponent) in [
        ("1", 1.0, 0),
        ("-0.75", -1.5, -1),
        // Rounds up to 2: 1.9999 is within 2^-11 of it.
        ("1.9999", 1.0, 1),
        ("-0", -0.0, 0),
        // 3 x 2^-149, clamped.
        ("4.2e-45", 1.5, -64),
        ("3e38", bits(1.7632415), 64),
    ] {
        let state = registers(&format!("ldi dst=s0 value={value}\nsbc dst=b2 src=s0"));
        assert_eq!(
            state.buffer(Buf(2)),
            [u32::from(bits16(mantissa)), i32::cast_unsigned(exponent)],
            "{value}"
        );
    }
    let state = registers(
        "ldi dst=s0 value=0\nldi dst=s1 value=-1\ndiv dst=s2 a=s1 b=s0\nsqrt dst=s3 a=s1\nsbc dst=b2 src=s2",
    );
    assert_eq!(state.buffer(Buf(2)), [0xfc00, 0]);
    assert_eq!(state.register(Reg(3)), 0x7fc0_0000);
}

/// `x` on the fp16 grid.
fn bits(x: f32) -> f32 {
    crate::twin::round16(x.into())
}

#[test]
fn maximum_and_logarithm() {
    let state = registers(
        "
ldi dst=s0 value=0
ldi dst=s1 value=-0
ldi dst=s2 value=-3
sqrt dst=s3 a=s2
max dst=s4 a=s0 b=s1
max dst=s5 a=s1 b=s0
max dst=s6 a=s3 b=s2
max dst=s7 a=s2 b=s3
max dst=s8 a=s3 b=s3
ldi dst=s10 value=1e-45
log2 dst=s11 a=s10
ldi dst=s12 value=8.5
log2 dst=s13 a=s12
log2 dst=s14 a=s3
log2 dst=s15 a=s2",
    );
    let found: Vec<u32> = [4, 5, 6, 7, 8, 11, 13, 14, 15]
        .map(|r| state.register(Reg(r)))
        .to_vec();
    let expected = [
        0.0,
        0.0,
        -3.0,
        -3.0,
        f32::from_bits(0x7fc0_0000),
        -149.0,
        3.0,
        0.0,
        0.0,
    ];
    assert_eq!(found, expected.map(f32::to_bits));
}

/// A zero coefficient keeps what its vector holds out of the sum.
#[test]
fn combination_skips_zero_coefficients() {
    let program = "
in dst=m0[0] host=0
in dst=m0[1] host=1
ldi dst=s0 value=0
ld dst=b0 src=m0[1]
dot dst=r0 a=b0 b=b0
putw dst=g0 src=r0
bc dst=b3 src=g0 start=0
comb dst=b1 src=m0[0] c=b3";
    // The coefficients are 4 (the dot product of the second vector) and the zero that memory starts with.
    let (outcome, state) = run(
        program,
        |_, _| 0.0,
        [
            [1.0, -0.0, f32::NAN, f32::INFINITY, 20000.0],
            [2.0, 0.0, 0.0, 0.0, -0.0],
        ],
    );
    assert_eq!(
        state.buffer(Buf(1)),
        [u32::from(bits16(4.0)), 0, 0x7e00, 0x7c00, 0x7c00]
    );
    assert_eq!(
        outcome.overflow_count, 1,
        "4 x 20000; the others had no finite operands"
    );
}

/// A breakdown test takes place in fp32, and NaN fails it.
#[test]
fn breakdown_tests() {
    let program = "
clr p=p0
ldi dst=s0 value=1024
ldi dst=s1 value=1
ldi dst=s2 value=1.0000001
ldi dst=s3 value=-1
sqrt dst=s4 a=s3
brk p=p0 x=s2 max=s0 tolerance=10
brk p=p0 x=s1 max=s0 tolerance=10
brk p=p0 x=s4 max=s0 tolerance=10
brk p=p0 x=s0 max=s4 tolerance=10
brk p=p0 x=s0 max=s0 tolerance=1
@!p0 brk p=p0 x=s0 max=s0 tolerance=1";
    let (outcome, state) = run(program, |_, _| 0.0, [[0.0; 5]; 2]);
    assert_eq!(outcome.trace.passed, [true, false, false, false, true]);
    let predicate = state.predicate(Pred(0));
    assert_eq!((predicate.set, predicate.passed), (true, 2));
}

/// One entry that is not finite makes the whole SVD NaN, and does not fail.
#[test]
fn svd_of_what_is_not_finite() {
    let program = "
clr p=p0
ingest matrix=a0 prompt=0 stride=0
ldi dst=s0 value=0
ldi dst=s1 value=1
div dst=s2 a=s1 b=s0
ldi dst=s3 value=2
svd matrix=a0 u=g0 v=g1 alpha=s2 beta=s0 k=2 r=2 exponent=s0 p=p0";
    let (outcome, state) = run(program, |_, _| 0.0, [[0.0; 5]; 2]);
    assert!(outcome.prompts[0].s.iter().all(|s| s.is_nan()));
    assert_eq!(state.global(Glob(0))[..4], [0x7fc0_0000; 4]);
}

/// A block of four products -0 is -0, and so are the words made of it; what is padded with +0 is not.
#[test]
fn signs_of_zero() {
    let program = "
.layout l0 len=4 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.matrix a0 rows=4 columns=4 store=memory
.buffer b0 kind=vector layout=l0 row=0
.buffer b1 kind=partial n=4 layout=l0 row=10
.buffer b2 kind=coefs n=4 layout=l0 row=20
.bank m0 layout=l0 vectors=4 row=0
.global g0 words=4 word=0
ingest matrix=a0 prompt=0 stride=0
ldi dst=s0 value=0
start dst=b0 matrix=a0 kind=ones exponent=s0 shift=0
mvt matrix=a0 axis=rows x=b0 y=b1 first_tile=0 end_tile=1 add=false exponent=s0
preduce dst=g0 src=b1 layout=l0
sum dst=s1 src=g0 start=0 n=1
sum dst=s2 src=g0 start=0 n=2
sum dst=s3 src=g0 start=0 n=3
bc dst=b2 src=g0 start=0
st dst=m0[0] src=b0
st dst=m0[1] src=b0
st dst=m0[2] src=b0
st dst=m0[3] src=b0
comb dst=b0 src=m0[0] c=b2";
    let arch = small_machine("m16a32");
    for reduction in ["reduction=tree", "reduction=chain"] {
        let program = assemble(&program.replace("reduction=tree", reduction)).expect("assembles");
        let program = program.verify(&arch).unwrap_or_else(|e| panic!("{e}"));
        let matrix = Matrix::new(4, 4, vec![0x8000; 16]).expect("sizes agree");
        let (_, state) = execute_with_state(&program, &[matrix], &[]).expect("inputs fit");
        assert_eq!(state.global(Glob(0)), [0x8000_0000; 4]);
        assert_eq!(
            [1, 2, 3].map(|r| state.register(Reg(r))),
            [0x8000_0000, 0x8000_0000, 0]
        );
        assert_eq!(
            state.buffer(Buf(0)),
            [0; 4],
            "zero coefficients are +0 products"
        );
    }
}

/// A skipped `dot` leaves the values of the ones before it, as far as they reach.
#[test]
fn partial_sum_registers_keep_what_is_not_written() {
    let program = "
.layout l0 len=4 slices=2 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.layout l1 len=4 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.matrix a0 rows=4 columns=4 store=memory
.buffer b0 kind=vector layout=l0 row=0
.buffer b1 kind=vector layout=l1 row=10
.global g0 words=4 word=0
ingest matrix=a0 prompt=0 stride=0
ldi dst=s0 value=0
start dst=b0 matrix=a0 kind=mean exponent=s0 shift=0
gather dst=b1 src=b0 start=0
clr p=p0
brk p=p0 x=s0 max=s0 tolerance=0
dot dst=r0 a=b0 b=b0
dot dst=r0 a=b1 b=b1
@!p0 dot dst=r0 a=b0 b=b0
putw dst=g0 src=r0";
    let arch = small_machine("m16a32");
    let program = assemble(program)
        .expect("assembles")
        .verify(&arch)
        .unwrap_or_else(|e| panic!("{e}"));
    // Column sums 1, 2, 3, 4: squares 1 + 4 and 9 + 16 by slices, 30 in all.
    let data = (0..16)
        .map(|k| bits16(if k < 4 { (k + 1) as f32 } else { 0.0 }))
        .collect();
    let matrix = Matrix::new(4, 4, data).expect("sizes agree");
    let (_, state) = execute_with_state(&program, &[matrix], &[]).expect("inputs fit");
    assert_eq!(
        state.global(Glob(0)),
        [30.0_f32, 25.0, 0.0, 0.0].map(f32::to_bits)
    );
}
