//! Text and binary form: what is written is read back, and nothing else is accepted.

use dcom_isa::op::OPS;
use dcom_isa::{Instr, Pred, Program, assemble};
use expect_test::expect;
use proptest::prelude::*;

use crate::allocation::counted;
use crate::random;

proptest! {
    #[test]
    fn programs_survive_both_forms(program in random::program()) {
        let text = program.to_string();
        let read = assemble(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(&read, &program);
        let bytes = program.encode();
        let read = Program::decode(&bytes).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(&read, &program);
    }

    #[test]
    fn the_decoder_accepts_what_the_encoder_writes_and_nothing_else(
        program in random::program(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = program.encode();
        for (at, byte) in changes {
            // Mostly small values: table lengths, flags and codes that are nearly right.
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        decode(&bytes)?;
    }

    #[test]
    fn the_decoder_survives_any_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..400), header in any::<bool>()) {
        if header {
            let good = Program { channels: 1, ..Program::default() }.encode();
            bytes.splice(0..0, good[..16].iter().copied());
        }
        decode(&bytes)?;
    }

    #[test]
    fn the_assembler_survives_any_text(text in "([.@!a-z0-9=\\[\\]; -]{0,40}\n){0,5}") {
        if let Err(error) = assemble(&text) {
            prop_assert!((1..=text.lines().count()).contains(&error.line), "{}", error);
            prop_assert!(!error.message.is_empty());
        }
    }
}

/// Decodes without using much more memory than the bytes take; what is accepted is the encoder's own output.
fn decode(bytes: &[u8]) -> Result<(), TestCaseError> {
    let (decoded, allocated) = counted(|| Program::decode(bytes));
    // A declaration takes less than four times its bytes, and a vector at most doubles as it grows, twice over.
    prop_assert!(
        allocated <= 16 * bytes.len() + 4096,
        "{} bytes allocated for {}",
        allocated,
        bytes.len()
    );
    match decoded {
        Ok(program) => prop_assert_eq!(program.encode(), bytes),
        Err(error) => prop_assert!(error.offset <= bytes.len(), "{}", error),
    }
    Ok(())
}

/// Every op, many times over: the text is what it was read from, and the binary form keeps every operand.
#[test]
fn every_op_survives_both_forms() {
    for op in OPS {
        proptest!(ProptestConfig::with_cases(50), |(line in random::line(op))| {
            let instr = random::parse(&line);
            prop_assert_eq!(instr.to_string(), line);
            prop_assert_eq!(instr.op.opcode(), op.opcode);
            prop_assert_eq!(instr.op.mnemonic(), op.mnemonic);
            let program = Program { instrs: vec![instr], ..Program::default() };
            prop_assert_eq!(Program::decode(&program.encode()), Ok(program));
        });
    }
}

/// A table length of 2^32 - 1 must be refused before memory is taken for it.
#[test]
fn lying_lengths_are_refused() {
    let empty = Program {
        channels: 1,
        ..Program::default()
    }
    .encode();
    // After magic, version, channels and overlap flag: six table lengths.
    assert_eq!(empty.len(), 16 + 6 * 4);
    for table in 0..6 {
        let mut bytes = empty.clone();
        bytes[16 + 4 * table..][..4].fill(0xff);
        let (decoded, allocated) = counted(|| Program::decode(&bytes));
        let error = decoded.expect_err("there are no entries");
        assert_eq!(error.offset, 16 + 4 * table, "{error}");
        assert!(allocated < 4096, "{allocated} bytes allocated for {error}");
    }
}

#[test]
fn wrong_bytes_say_where_and_why() {
    let program = assemble(".layout l0 len=8 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree\n.buffer b0 kind=scalar layout=l0 row=0\nbar").expect("a program");
    let bytes = program.encode();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        Program::decode(&bytes).expect_err("wrong").to_string()
    };
    let messages = [
        with(0, b'X'),
        with(4, 2),
        with(10, 1),
        with(12, 2),
        with(20 + 24, 2),
        // The buffer's kind, and its length, which a scalar does not have.
        with(60, 7),
        with(64, 1),
        with(bytes.len() - 32, 0xff),
        with(bytes.len() - 31, 8),
        with(bytes.len() - 1, 1),
        Program::decode(&bytes[..bytes.len() - 1])
            .expect_err("short")
            .to_string(),
        Program::decode(&[&bytes[..], &[0]].concat())
            .expect_err("long")
            .to_string(),
    ];
    expect![[r#"
        byte 0: not a program: the first four bytes must be `DCOM`
        byte 4: version 2: this build reads version 1
        byte 8: 65537: at most 65535
        byte 12: 2: must be below 2
        byte 44: 2: must be below 2
        byte 60: 7: not a kind of buffer region
        byte 64: 1: this kind of region has no length
        byte 88: 255: not an opcode
        byte 89: 8: not a phase
        byte 88: `bar`: unused operand word is 256, not 0
        byte 84: 1 entries of 32 bytes, but only 31 bytes follow
        byte 120: 1 bytes after the last instruction"#]]
    .assert_eq(&messages.join("\n"));
}

/// 65535 is the code of "no guard", so that no instruction may be guarded by that predicate.
#[test]
fn the_guard_that_means_none_is_refused() {
    let error = assemble("@!p65535 bar").expect_err("p65535");
    expect!["line 1: `@!p65535`: guards are p0 to p65534"].assert_eq(&error.to_string());
    let instr = Instr {
        guard: Some(Pred(u16::MAX)),
        ..random::parse("bar")
    };
    let program = Program {
        instrs: vec![instr],
        ..Program::default()
    };
    assert!(
        std::panic::catch_unwind(|| program.encode()).is_err(),
        "the guard would be lost"
    );
}
