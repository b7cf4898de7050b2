//! Text that is no program: the message names the line and says what would be right.

use std::fmt::Write as _;

use dcom_isa::assemble;
use expect_test::expect_file;

/// Each block of `assembler_errors.txt` is a program after `--`; the line it is refused with follows `=>`.
#[test]
fn wrong_text_is_refused_with_these_words() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/assembler_errors.txt");
    let cases = std::fs::read_to_string(path).expect("the file is there");
    let mut out = String::new();
    for case in cases.split("--\n").skip(1) {
        let (text, _) = case.split_once("=>").unwrap_or((case, ""));
        let error = assemble(text).expect_err(text);
        let wrong = text
            .lines()
            .nth(error.line - 1)
            .expect("the line is one of the text's");
        assert!(
            !wrong.trim().is_empty(),
            "{error} names an empty line of\n{text}"
        );
        writeln!(out, "--\n{}\n=> {error}", text.trim_end()).expect("writing to a string");
    }
    expect_file![path].assert_eq(&out);
}
