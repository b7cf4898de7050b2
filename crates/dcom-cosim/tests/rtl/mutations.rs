//! Broken on purpose, on either side: latencies, a rounding, hazards, a unit, an address. The comparison names what is wrong.

use std::path::Path;

use dcom_arch::Arch;
use dcom_cosim::{Build, Case, CheckError, Verilator};
use dcom_fp::Accumulate;
use dcom_isa::{Program, assemble};
use dcom_tensor::Matrix;

use crate::{bench, cache, rtl, verilator};

const TABLES: &str = "
.layout l0 len=64 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.buffer b0 kind=vector layout=l0 row=0
.buffer b1 kind=vector layout=l0 row=8
.buffer b2 kind=tiles n=2 layout=l0 row=16
.matrix a0 rows=64 columns=12 store=memory
.bank m0 layout=l0 vectors=2 row=0
.global g0 words=1 word=0
.layout l1 len=64 slices=64 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.buffer b3 kind=vector layout=l1 row=64
.bank m1 layout=l1 vectors=1 row=64
.global g1 words=64 word=4
";

/// A root.
const LATENCY: &str = "
ldi dst=s0 value=3
sqrt dst=s1 a=s0
";

/// A quotient that nobody waits for.
const DATAPATH: &str = "
ldi dst=s0 value=3
div dst=s1 a=s0 b=s0
";

/// The second quotient waits for the divider.
const UNIT: &str = "
ldi dst=s0 value=3
bar
div dst=s1 a=s0 b=s0
div dst=s2 a=s0 b=s0
";

/// The first elements make 1 x 1 + 2^-11 x 1, half way between two fp16 values of which 1 is even.
const ROUNDING: &str = "
in dst=m0[0] host=0
in dst=m0[1] host=1
ld dst=b0 src=m0[0]
ld dst=b1 src=m0[1]
dot dst=r0 a=b0 b=b1
bar
puth dst=g0 src=r0
";

/// The word waits for the sum.
const SUM: &str = "
in dst=m0[0] host=0
ld dst=b0 src=m0[0]
dot dst=r0 a=b0 b=b0
puth dst=g0 src=r0
";

/// The second sum of either pair takes fewer groups: it overtakes the first, or ends in the same cycle.
const SUMS: &str = "
in dst=m1[0] host=2
ld dst=b3 src=m1[0]
dot dst=r0 a=b3 b=b3
putw dst=g1 src=r0
sum dst=s0 src=g1 start=0 n=20
sum dst=s1 src=g1 start=1 n=8
bar
sum dst=s2 src=g1 start=2 n=40
sum dst=s3 src=g1 start=3 n=16
";

/// The store reads 16 beats of what the load overwrites.
const HAZARD: &str = "
in dst=m0[0] host=0
in dst=m0[1] host=1
ld dst=b0 src=m0[0]
bar
st dst=m0[0] src=b0
ld dst=b0 src=m0[1]
";

/// The last two of three tiles of every block.
const TILES: &str = "
ingest matrix=a0 prompt=0 stride=0
ldt dst=b2 matrix=a0 axis=rows first_tile=1 end_tile=3
";

fn case(name: &str, text: &str) -> Case {
    // No two elements are alike.
    let elements = (0x3c00..).take(64 * 12).collect();
    let tie = [1.0, 1.0 / 2048.0];
    let vector = |first: [f32; 2]| first.into_iter().chain([0.0; 62]).collect();
    Case {
        name: name.to_owned(),
        program: program(text),
        prompts: vec![Matrix::new(64, 12, elements).expect("64 rows of 12")],
        host_vectors: vec![
            vector(tie),
            vector([1.0; 2]),
            (1..=64_u8).map(f32::from).collect(),
        ],
    }
}

fn program(text: &str) -> Program {
    assemble(&format!("{TABLES}{text}")).unwrap_or_else(|e| panic!("{e}"))
}

fn small() -> Build {
    let mut builds = Build::all().into_iter();
    builds.find(|b| b.name == "small").expect("there is one")
}

/// The places in which RTL and models differ.
fn places(result: Result<dcom_cosim::Compared, CheckError>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(CheckError::Differs(divergences)) => divergences.into_iter().map(|d| d.place).collect(),
        Err(error) => panic!("{error}"),
    }
}

const WRONG_CYCLE_OF_SQRT: &str = "executed instruction 1, `sqrt dst=s1 a=s0 !control`";
const EARLY_WRITE_OF_DIV: &str =
    "last write by executed instruction 1, `div dst=s1 a=s0 b=s0 !control`";
const WRONG_CYCLE_OF_SECOND_DIV: &str = "executed instruction 3, `div dst=s2 a=s0 b=s0 !control`";
const WRONG_CYCLE_OF_PUTH: &str = "executed instruction 3, `puth dst=g0 src=r0 !control`";
const WRONG_TILE: &str = "lane 0 of tile 1 of b2, in cluster 0";
const WRONG_WORD: &str = "word 0 of g0";
const WRONG_CYCLE_OF_LD: &str = "executed instruction 5, `ld dst=b0 src=m0[1] !control`";

#[test]
fn what_is_not_broken_is_equal() {
    let Some(verilator) = verilator() else {
        return;
    };
    let (build, bench) = (small(), bench(&verilator, &small()));
    for (name, text) in [
        ("sound-empty", ""),
        ("sound-latency", LATENCY),
        ("sound-datapath", DATAPATH),
        ("sound-unit", UNIT),
        ("sound-sum", SUM),
        ("sound-sums", SUMS),
        ("sound-rounding", ROUNDING),
        ("sound-hazard", HAZARD),
        ("sound-tiles", TILES),
    ] {
        let places = places(bench.check(&build, &case(name, text)));
        assert_eq!(places, Vec::<String>::new(), "{name}");
    }
}

/// One build that has all faults, each of which one program shows.
#[test]
fn a_broken_rtl_is_noticed() {
    if verilator().is_none() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutated_rtl");
    for part in ["src", "tb"] {
        let to = folder.join(part);
        std::fs::create_dir_all(&to).expect("a folder for the mutated sources");
        for entry in std::fs::read_dir(rtl().join(part)).expect("the RTL is there") {
            let file = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&file).expect("a source");
            let name = file.file_name().expect("a file").to_str().expect("UTF-8");
            let text = match name {
                // Ties away from zero.
                "fp_round.sv" => replaced(
                    &text,
                    "shifted[12] & (shifted[13] |",
                    "shifted[12] & (1'b1 | shifted[13] |",
                ),
                "sequencer.sv" => {
                    // A destination that is still read counts as free.
                    let text = replaced(&text, " && released_q[i] > operands_at", " && 1'b0");
                    // A register of partial sums can be read before it is written.
                    let text = replaced(
                        &text,
                        "holds(plan.reads[j], i) && ready_q[i]",
                        "holds(plan.reads[j], i) && (i < plan_pkg::PART_0 || i >= plan_pkg::PREDICATE_0) && ready_q[i]",
                    );
                    // The scalar unit is never busy.
                    replaced(
                        &text,
                        "i != 32'(plan_pkg::UNIT_MEMORY)",
                        "i != 32'(plan_pkg::UNIT_MEMORY) && i != 32'(plan_pkg::UNIT_SCALAR)",
                    )
                }
                // Quotients come a cycle before the sequencer says so.
                "scalar_unit.sv" => replaced(
                    &text,
                    "divide_q <= dcom_pkg::DIVIDE_CYCLES;",
                    "divide_q <= dcom_pkg::DIVIDE_CYCLES - 1;",
                ),
                // Blocks within tile positions, not the other way round.
                "bank_fill.sv" => replaced(
                    &text,
                    "block_i * op_i.tiles + position_i",
                    "block_i + position_i * op_i.tiles",
                ),
                _ => text,
            };
            std::fs::write(to.join(name), text).expect("written");
        }
    }
    let build = small();
    let package = replaced(&build.package(), "SQRT_CYCLES = 15;", "SQRT_CYCLES = 16;");
    let mutated = Verilator::find(&folder).expect("found above");
    let bench = mutated
        .variant("mutated", &package, &cache())
        .unwrap_or_else(|e| panic!("{e}"));
    let expected: [(&str, &str, &[&str]); 7] = [
        ("latency", LATENCY, &[WRONG_CYCLE_OF_SQRT]),
        ("datapath", DATAPATH, &[EARLY_WRITE_OF_DIV]),
        // The divider loses the first quotient.
        ("unit", UNIT, &["s1", WRONG_CYCLE_OF_SECOND_DIV]),
        ("sum", SUM, &[WRONG_WORD, WRONG_CYCLE_OF_PUTH]),
        ("rounding", ROUNDING, &[WRONG_WORD]),
        ("tiles", TILES, &[WRONG_TILE]),
        // The load stays behind the store, so that only its cycle is wrong.
        ("hazard", HAZARD, &[WRONG_CYCLE_OF_LD]),
    ];
    let found = expected.map(|(name, text, _)| {
        let places = places(bench.check(&build, &case(name, text)));
        (name, places)
    });
    let expected =
        expected.map(|(name, _, places)| (name, places.iter().map(ToString::to_string).collect()));
    assert_eq!(found, expected);
}

/// Text with its only `from` replaced.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replacen(from, to, 1)
}

/// Models of another machine, and of a program without the hazard.
#[test]
fn a_broken_model_is_noticed() {
    let Some(verilator) = verilator() else {
        return;
    };
    let (build, bench) = (small(), bench(&verilator, &small()));
    let against = |name: &str, text: &str, arch: &Arch, models: &str| {
        let sound = program(text).verify(&build.arch).expect("fits");
        let models = program(models).verify(arch).expect("fits");
        places(bench.check_against(&sound, &models, &case(name, text)))
    };

    let mut slow = build.arch.clone();
    slow.scalar.sqrt_cycles += 1;
    assert_eq!(
        against("model-latency", LATENCY, &slow, LATENCY),
        [WRONG_CYCLE_OF_SQRT]
    );

    // Sums in fp16 lose the 2^-11 before the rounding to fp16 does: the register differs, the word does not.
    let mut coarse = build.arch.clone();
    coarse.cluster.accumulate = Accumulate::M16A16;
    assert_eq!(
        against("model-rounding", ROUNDING, &coarse, ROUNDING),
        ["value 0 of r0"]
    );

    // The load has another destination, which nobody reads.
    let unhindered = HAZARD.replace("ld dst=b0 src=m0[1]", "ld dst=b1 src=m0[1]");
    let places = against("model-hazard", HAZARD, &build.arch, &unhindered);
    assert_eq!(
        places.last().map(String::as_str),
        Some(WRONG_CYCLE_OF_LD),
        "{places:?}"
    );
}
