//! The op list and its reference table in `docs/isa.md` (`UPDATE_EXPECT=1` rewrites it).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use dcom_isa::op::OPS;
use expect_test::expect_file;

#[test]
fn opcodes_and_mnemonics_are_unique_and_in_order() {
    assert!(
        OPS.windows(2).all(|pair| pair[0].opcode < pair[1].opcode),
        "ops are in the order of their opcodes"
    );
    assert_eq!(
        OPS.iter()
            .map(|o| o.mnemonic)
            .collect::<BTreeSet<_>>()
            .len(),
        OPS.len()
    );
}

#[test]
fn every_op_is_documented() {
    for op in OPS {
        assert!(
            op.effect.trim().len() >= 8,
            "`{}`: {:?} says too little",
            op.mnemonic,
            op.effect
        );
        let names: BTreeSet<_> = op.operands.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names.len(),
            op.operands.len(),
            "`{}`: operand names are unique",
            op.mnemonic
        );
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let mut text = String::from(
        "# Instructions\n\n\
         Generated from the op list in `crates/dcom-isa/src/op.rs`; the test `the_reference_is_up_to_date` of `dcom-isa`\n\
         compares it and rewrites it with `UPDATE_EXPECT=1`. Exact values and times are in `machine.md`, sections 2 and 3;\n\
         what operands must agree in is checked by `Program::verify` (`crates/dcom-isa/src/verify.rs`).\n\n\
         Text form: `[@!guard] mnemonic name=operand ... [!phase]`, operands in the order below.\n",
    );
    for op in OPS {
        write!(
            text,
            "\n## `{}` (0x{:02x})\n\n```\n{}",
            op.mnemonic, op.opcode, op.mnemonic
        )
        .expect("writing to a string");
        op.operands
            .iter()
            .for_each(|(name, _)| write!(text, " {name}=").expect("writing to a string"));
        text.push_str("\n```\n\n");
        op.effect
            .lines()
            .for_each(|line| writeln!(text, "{}", line.trim()).expect("writing to a string"));
        if !op.operands.is_empty() {
            text.push_str("\n| Operand | Is |\n|---|---|\n");
        }
        op.operands.iter().for_each(|(name, kind)| {
            writeln!(text, "| `{name}` | {kind} |").expect("writing to a string")
        });
    }
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/isa.md")].assert_eq(&text);
}
