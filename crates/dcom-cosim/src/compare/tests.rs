//! A run as sound RTL prints it, worked out by hand, and the same with one value wrong.

use dcom_exec::execute_with_state;
use dcom_isa::assemble;
use dcom_tensor::Matrix;

use super::{Divergence, values};
use crate::build::Build;
use crate::case::Run;

/// 2 x 2 clusters of 4 x 4 lanes, banks of 8 elements per beat: a tile takes two beats, a block half of one.
const PROGRAM: &str = "
.layout l0 len=4 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree
.layout l1 len=5 slices=1 clusters=1 first=2 count=1 granule=4 placement=compact reduction=tree
.bank m0 layout=l0 vectors=1 row=0
.buffer b0 kind=vector layout=l0 row=2
.global g0 words=1 word=3
.matrix a0 rows=4 columns=5 store=both rows_layout=l0 columns_layout=l1 rows_row=4 columns_row=2
ingest matrix=a0 prompt=0 stride=0
in dst=m0[0] host=0
ld dst=b0 src=m0[0]
out matrix=a0 side=u index=0 src=m0[0]
";

/// Element (i, j) of A is 0x10 i + j + 1. The copy cut by rows lies in bank 0, in two tile positions of two beats; that
/// cut by columns in bank 1, in two blocks of one tile position. A beat is printed with its last element first.
const SOUND: &str = "\
bank 0 0 00000000000000003c043c033c023c01
buffer 0 32 3c01
buffer 0 33 3c02
buffer 0 34 3c03
buffer 0 35 3c04
bank 0 4 00140013001200110004000300020001
bank 0 5 00340033003200310024002300220021
bank 0 6 00000000000000150000000000000005
bank 0 7 00000000000000350000000000000025
bank 1 2 00140013001200110004000300020001
bank 1 3 00340033003200310024002300220021
bank 1 4 00000000000000150000000000000005
bank 1 5 00000000000000350000000000000025
out 0 0 0 0 3c01
out 0 0 0 1 3c02
out 0 0 0 2 3c03
out 0 0 0 3 3c04
";

fn compared(output: &str) -> Option<Divergence> {
    let mut builds = Build::all().into_iter();
    let build = builds.find(|b| b.name == "small").expect("there is one");
    let program = assemble(PROGRAM).unwrap_or_else(|e| panic!("{e}"));
    let program = program
        .verify(&build.arch)
        .unwrap_or_else(|e| panic!("{e}"));
    let elements = (0..20).map(|at| 0x10 * (at / 5) + at % 5 + 1).collect();
    let prompts = [Matrix::new(4, 5, elements).expect("4 rows of 5")];
    let vector = (0x3c01..0x3c05).map(dcom_fp::from_bits).collect();
    let (outcome, state) =
        execute_with_state(&program, &prompts, &[vector]).unwrap_or_else(|e| panic!("{e}"));
    let run = Run::parse(&program, output).unwrap_or_else(|e| panic!("{e}"));
    values(&program, &prompts, &outcome, &state, &run)
        .err()
        .map(|d| *d)
}

#[test]
fn a_sound_run_is_equal() {
    assert_eq!(compared(SOUND), None);
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, place) in [
        (
            "bank 0 5 0034",
            "bank 0 5 0035",
            "element (3, 3) of a0, cut by rows in bank 0",
        ),
        (
            "bank 1 4 0000000000000015",
            "bank 1 4 0000000000000016",
            "element (1, 4) of a0, cut by columns in bank 1",
        ),
        (
            "bank 0 7",
            "bank 0 8 00000000000000010000000000000000\nbank 0 7",
            "element 4 of row 8 of bank 0, which holds nothing",
        ),
        (
            "buffer 0 32 3c01",
            "buffer 0 32 3c01\nbuffer 3 17 0001",
            "element 1 of row 1 of buffer of cluster 3, which holds nothing",
        ),
        (
            "bank 0 0",
            "global 2 00000001\nbank 0 0",
            "word 2 of global memory, which holds nothing",
        ),
        (
            "bank 0 0",
            "part 3 1 00000001\nbank 0 0",
            "value 1 of r3, which holds nothing",
        ),
        (
            "out 0 0 0 2 3c03\n",
            "",
            "prompt 0: element 2 of column 0 of U",
        ),
        (
            "out 0 0 0 2 3c03\n",
            "out 0 0 0 2 3c03\nout 0 0 0 2 3c03\n",
            "prompt 0: element 2 of column 0 of U",
        ),
        (
            "out 0 0 0 3 3c04\n",
            "out 0 0 0 3 3c04\nout 0 0 0 4 0000\n",
            "prompt 0: element 4 of column 0 of U",
        ),
        (
            "out 0 0 0 3 3c04\n",
            "out 0 0 0 3 3c04\nout 0 1 0 0 0000\n",
            "prompt 0: element 0 of column 0 of V",
        ),
    ] {
        let wrong = SOUND.replacen(from, to, 1);
        assert_ne!(wrong, SOUND, "{from}");
        let found = compared(&wrong);
        assert_eq!(found.map(|d| d.place).as_deref(), Some(place), "{to}");
    }
}
