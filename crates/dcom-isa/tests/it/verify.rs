//! Verification, program by program.
//!
//! `programs/legal/*.dcom` pass. `programs/refused/N_*.dcom` violate invariant N of `src/verify.rs`; the message is in
//! the `.txt` beside each (`UPDATE_EXPECT=1` rewrites them). They are for `configs/arch/small.toml`, with what a
//! line `; machine: key=value ...` replaces.

use std::path::{Path, PathBuf};

use dcom_arch::Arch;
use dcom_isa::{Program, assemble};
use expect_test::expect_file;

use crate::machine;

fn programs(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(folder);
    let entries = std::fs::read_dir(&path)
        .expect("the folder is there")
        .map(|e| e.expect("an entry").path());
    let mut files: Vec<_> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "dcom"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", path.display());
    files
}

fn read(path: &Path) -> (Program, Arch) {
    let text = std::fs::read_to_string(path).expect("the file is there");
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("; machine:"))
        .unwrap_or_default();
    let set: Vec<_> = line
        .split_whitespace()
        .map(|kv| kv.split_once('=').expect("key=value"))
        .collect();
    let program = assemble(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (program, machine(&set))
}

#[test]
fn legal_programs_pass() {
    for path in programs("legal") {
        let (program, arch) = read(&path);
        let instrs = program.instrs.len();
        let verified = program
            .verify(&arch)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(verified.program().instrs.len(), instrs);
        (0..instrs).for_each(|i| {
            assert!(verified.governing(i).index() < verified.program().layouts.len())
        });
    }
}

#[test]
fn wrong_programs_are_refused_with_these_words() {
    for path in programs("refused") {
        let (program, arch) = read(&path);
        let message = match program.verify(&arch) {
            Ok(_) => panic!("{} passes", path.display()),
            Err(error) => error.to_string(),
        };
        expect_file![path.with_extension("txt")].assert_eq(&format!("{message}\n"));
    }
}

/// Every invariant has a program that violates it.
#[test]
fn every_invariant_is_checked() {
    let source = include_str!("../../src/verify.rs");
    let listed = source
        .lines()
        .filter(|l| l.starts_with("//! ") && l[4..].starts_with(|c: char| c.is_ascii_digit()))
        .count();
    let files = programs("refused");
    let has = |n: usize| {
        files.iter().any(|p| {
            p.file_name()
                .is_some_and(|f| f.to_string_lossy().starts_with(&format!("{n}_")))
        })
    };
    assert!(
        listed > 0 && (1..=listed).all(has) && !has(listed + 1),
        "{listed} invariants"
    );
}

/// What a random program needs to verify is seldom there, but it is always said, never a panic.
#[test]
fn any_program_is_verified_or_refused() {
    let arch = machine(&[]);
    proptest::proptest!(|(program in crate::random::program())| {
        if let Err(error) = program.verify(&arch) {
            proptest::prop_assert!(!error.place.is_empty() && !error.message.is_empty());
        }
    });
}
