//! Programs: `run --program`, `disasm`, `asm` and `check`.

use crate::support::Bench;

fn mapped(bench: &Bench) -> Vec<u8> {
    bench.ok(&[
        "run",
        "--arch",
        "small.toml",
        "--workload",
        "tiny.toml",
        "--program",
        "p.bin",
    ]);
    std::fs::read(bench.path("p.bin")).expect("a program")
}

#[test]
fn text_and_binary_are_the_same_program() {
    let bench = Bench::new();
    let binary = mapped(&bench);
    let text = bench.ok(&["disasm", "p.bin"]);
    assert!(
        text.starts_with(".machine channels=1") && text.contains("\nsvd "),
        "{text}"
    );
    bench.write("p.dcom", format!("; a comment\n{text}").as_bytes());
    bench.ok(&["asm", "p.dcom", "-o", "q.bin", "--arch", "small.toml"]);
    assert_eq!(
        std::fs::read(bench.path("q.bin")).expect("a program"),
        binary
    );
    let report = bench.ok(&["check", "p.dcom", "q.bin", "--arch", "small.toml"]);
    assert_eq!(report.matches("runs on small").count(), 2, "{report}");
}

#[test]
fn wrong_lines_are_named() {
    let bench = Bench::new();
    mapped(&bench);
    bench.write("p.dcom", bench.ok(&["disasm", "p.bin"]).as_bytes());
    bench.edit("p.dcom", "layout=l0", "layuot=l0");
    bench.refused(
        &["asm", "p.dcom", "-o", "q.bin"],
        &["p.dcom:5: ", "layout=", "missing"],
    );
    bench.write(
        "short.dcom",
        b".machine channels=1 overlap_ingest=false\nfly r0\n",
    );
    bench.refused(
        &["asm", "short.dcom", "-o", "q.bin"],
        &["short.dcom:2: ", "fly"],
    );
    bench.write(
        "control.dcom",
        b".machine channels=1\x1b[31m overlap_ingest=false\n",
    );
    let checked = bench.run(&["check", "control.dcom"]);
    assert_eq!(
        (checked.code, checked.stdout.lines().count()),
        (2, 1),
        "{}",
        checked.stdout
    );
    assert!(!checked.stdout.contains('\x1b'), "{}", checked.stdout);
    bench.write("empty.dcom", b"; nothing\n");
    bench.refused(
        &["asm", "empty.dcom", "-o", "q.bin"],
        &["empty.dcom", "no instructions"],
    );
    bench.write(
        "latin.dcom",
        b".machine channels=1 overlap_ingest=false\n; \xe9\n",
    );
    bench.refused(
        &["asm", "latin.dcom", "-o", "q.bin"],
        &["latin.dcom:2: ", "UTF-8"],
    );
    bench.refused(
        &["asm", "none.dcom", "-o", "q.bin"],
        &["none.dcom", "no such file"],
    );
    bench.refused(&["asm", ".", "-o", "q.bin"], &[".: is a directory"]);
}

#[test]
fn programs_that_do_not_fit_the_machine_are_refused() {
    let bench = Bench::new();
    mapped(&bench);
    bench.write("p.dcom", bench.ok(&["disasm", "p.bin"]).as_bytes());
    bench.edit("p.dcom", "clusters=2", "clusters=5");
    bench.refused(
        &["asm", "p.dcom", "-o", "q.bin", "--arch", "small.toml"],
        &["p.dcom:2: ", "small", "clusters = 5", "4"],
    );
    // Without a machine there is nothing to fit.
    bench.ok(&["asm", "p.dcom", "-o", "q.bin"]);
    let program = [
        ".machine channels=1 overlap_ingest=false",
        ".layout l0 len=8 slices=1 clusters=1 first=0 count=1 granule=4 placement=compact reduction=tree",
        "; the next line reads what nothing wrote",
        "sqrt dst=s1 a=s0 !norm",
    ];
    bench.write("use.dcom", program.join("\n").as_bytes());
    bench.refused(
        &["asm", "use.dcom", "-o", "u.bin", "--arch", "small.toml"],
        &["use.dcom:4: ", "instruction 0", "s0"],
    );
}

#[test]
fn damaged_binaries_are_refused() {
    let bench = Bench::new();
    let binary = mapped(&bench);
    bench.write("cut.bin", &binary[..binary.len() - 7]);
    bench.refused(&["disasm", "cut.bin"], &["cut.bin: byte "]);
    bench.write("magic.bin", b"ELF!");
    bench.refused(&["disasm", "magic.bin"], &["magic.bin: byte 0", "DCOM"]);
    // A table of 2^32 - 1 layouts in a file of 20 bytes.
    let mut absurd = binary[..16].to_vec();
    absurd.extend([0xff; 4]);
    bench.write("absurd.bin", &absurd);
    bench.refused(&["disasm", "absurd.bin"], &["absurd.bin: byte 16"]);
    bench.write("empty.bin", b"");
    bench.refused(&["disasm", "empty.bin"], &["empty.bin: byte 0"]);
}
