//! Random programs on random machines: the executor and the naive machine agree in every bit.

use dcom_exec::{PromptResult, execute_with_state};
use dcom_isa::op::OPS;
use dcom_isa::{Buf, Reg, assemble};

use crate::random::{Random, Values, machine, random_machine, random_program};
use crate::twin::{Twin, bits32, padded, tree, value16};

const SMALL: [(u64, u64); 2] = [(1, 70), (1, 70)];

/// Enough for several tasks of the executor per product, and several batches of the statistics.
const LONG: (u64, u64) = (1030, 1100);

fn agree(seed: u64, mode: &str, values: Values, sizes: [(u64, u64); 2]) -> Vec<String> {
    let mut random = Random::new(seed);
    let arch = random_machine(&mut random, mode);
    let sizes = sizes.map(|(low, high)| random.within(low, high));
    let test = random_program(&mut random, &arch, values, sizes);
    let case = format!("seed {seed}, {mode}, {values:?}");
    let text = test.program.to_string();
    let program = test
        .program
        .verify(&arch)
        .unwrap_or_else(|e| panic!("{case}: {e}\n{text}"));
    let (outcome, state) =
        execute_with_state(&program, &test.prompts, &test.host_vectors).expect("inputs fit");
    let twin = Twin::new(&program, &test.prompts, &test.host_vectors).run();
    eprintln!("{case}\n{text}");
    twin.assert_state(&state);
    assert_eq!(outcome.trace.passed, twin.trace, "{case}");
    assert_eq!(outcome.overflow_count, twin.overflows, "{case}");
    for (found, expected) in outcome.prompts.iter().zip(&twin.results) {
        assert_eq!(patterns(found), patterns(expected), "{case}");
        assert_eq!(
            (found.broke_down_after, found.exponent),
            (expected.broke_down_after, expected.exponent),
            "{case}"
        );
        let reference: Vec<u64> = expected.s.iter().map(|s| s.to_bits()).collect();
        assert_eq!(
            found.s.iter().map(|s| s.to_bits()).collect::<Vec<_>>(),
            reference,
            "{case}"
        );
    }
    text.lines().map(str::to_owned).collect()
}

fn patterns(result: &PromptResult) -> Vec<Vec<u32>> {
    let vectors = result
        .u
        .iter()
        .chain(&result.v)
        .chain([&result.alpha, &result.beta]);
    vectors
        .map(|vector| vector.iter().map(|&x| bits32(x)).collect())
        .collect()
}

#[test]
fn executor_and_naive_machine_agree() {
    for seed in 0..120 {
        for mode in ["m16a16", "m16a32", "x32"] {
            for values in [Values::Tame, Values::Finite, Values::Any] {
                agree(seed, mode, values, SMALL);
            }
        }
    }
}

#[test]
fn executor_and_naive_machine_agree_on_long_vectors() {
    for seed in 0..4 {
        for mode in ["m16a16", "m16a32", "x32"] {
            agree(seed, mode, Values::Finite, [LONG, (64, 70)]);
            agree(seed, mode, Values::Any, [(64, 70), LONG]);
        }
    }
}

/// The sum of squares of many elements at once, in every grouping.
#[test]
fn sums_of_squares_agree() {
    let mut random = Random::new(1);
    let fp32 = |a: f32, b: f32| a + b;
    for width in [1, 2, 3, 5, 8, 31, 64, 100, 4096, 5000, 65536] {
        let arch = machine(&[("ingest.width_elements", width.to_string())]);
        let (rows, columns) = (random.within(200, 300), random.within(200, 300));
        let text = format!(
            ".layout l0 len=8 slices=1 clusters=1 first=0 count=1 granule=8 placement=compact reduction=tree
             .matrix a0 rows={rows} columns={columns} store=memory
             ingest matrix=a0 prompt=0 stride=0
             stat dst=s0 matrix=a0"
        );
        let program = assemble(&text)
            .expect("assembles")
            .verify(&arch)
            .expect("fits");
        let matrix = Values::Tame.matrix(&mut random, rows, columns);
        let (_, state) = execute_with_state(&program, &[&matrix], &[]).expect("the prompt fits");
        let squares: Vec<f32> = matrix.data().iter().map(|&a| value16(a).powi(2)).collect();
        let groups: Vec<f32> = squares
            .chunks(matrix.cols())
            .flat_map(|row| row.chunks(width))
            .map(|g| tree(&fp32, &padded(g, width)))
            .collect();
        assert_eq!(
            state.register(Reg(0)),
            tree(&fp32, &groups).to_bits(),
            "groups of {width}"
        );
    }
}

/// Results do not depend on how rayon distributes the work.
#[test]
fn threads_do_not_change_bits() {
    for seed in 0..3 {
        let mut random = Random::new(seed);
        let arch = random_machine(&mut random, "m16a32");
        let test = random_program(&mut random, &arch, Values::Finite, [1500, 1200]);
        let program = test.program.verify(&arch).expect("fits");
        let results = [1, 2, 5].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("threads start");
            let (outcome, state) = pool
                .install(|| execute_with_state(&program, &test.prompts, &test.host_vectors))
                .expect("inputs fit");
            let buffers: Vec<_> = (0..21).map(|b| state.buffer(Buf(b))).collect();
            (
                // As text, in which a NaN is equal to itself.
                format!("{outcome:?}"),
                buffers,
                (0..16).map(|r| state.register(Reg(r))).collect::<Vec<_>>(),
            )
        });
        assert!(
            results[1..].iter().all(|result| *result == results[0]),
            "seed {seed}"
        );
    }
}

#[test]
fn random_programs_contain_every_op() {
    let lines: Vec<String> = (0..20)
        .flat_map(|seed| agree(seed, "m16a32", Values::Tame, SMALL))
        .collect();
    for op in OPS {
        let uses = |line: &String| line.split_whitespace().any(|word| word == op.mnemonic);
        assert!(
            lines.iter().any(uses),
            "no `{}` in twenty random programs",
            op.mnemonic
        );
    }
}
