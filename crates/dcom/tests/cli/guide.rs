//! `docs/guide.md`, command by command, as a newcomer would type them.

use std::process::Command;

use crate::support::{Bench, project};

/// The fenced blocks of the guide with their language.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            blocks.push((language.to_owned(), body.join("\n") + "\n"));
        }
    }
    blocks
}

/// The file name in the nearest "Save this as `NAME`" before a block.
fn saved_as(page: &str, block: &str) -> String {
    let before = &page[..page.find(block).expect("a block of the page")];
    let (_, after) = before
        .rsplit_once("Save this as `")
        .expect("a file to save is named");
    after
        .split('`')
        .next()
        .expect("text up to a backtick")
        .to_owned()
}

#[test]
fn the_guide_works() {
    let bench = Bench::new();
    for folder in ["arch", "workloads"] {
        let target = bench.path("configs").join(folder);
        std::fs::create_dir_all(&target).expect("a folder");
        for entry in std::fs::read_dir(project("configs").join(folder)).expect("the configs") {
            let entry = entry.expect("readable");
            std::fs::copy(entry.path(), target.join(entry.file_name())).expect("copied");
        }
    }
    let page = std::fs::read_to_string(project("docs/guide.md")).expect("the guide");
    let mut commands = 0;
    for (language, body) in blocks(&page) {
        match language.as_str() {
            "toml" => bench.write(&saved_as(&page, &body), body.as_bytes()),
            "sh" => {
                for line in body.lines().filter(|l| !l.starts_with("cargo ")) {
                    commands += 1;
                    shell(&bench, line);
                }
            }
            other => panic!("a block of {other:?}: the test runs sh and saves toml"),
        }
    }
    assert_eq!(commands, 9, "the guide's commands");

    // What it promises to be there.
    let machine = std::fs::read_to_string(bench.path("mine.toml")).expect("the copy");
    assert!(machine.contains("port_elements = { value = 128"));
    let rows = std::fs::read_to_string(bench.path("results/mine.csv")).expect("the rows");
    assert_eq!(rows.lines().count(), 1 + 3 * 7);
    for extension in ["svg", "pdf", "png"] {
        let size = std::fs::metadata(bench.path(&format!("mine.{extension}")))
            .unwrap_or_else(|e| panic!("mine.{extension}: {e}"))
            .len();
        assert!(size > 5000, "mine.{extension} has {size} bytes");
    }
}

/// Runs a line of the guide with `dcom` on the search path and a cache of its own.
fn shell(bench: &Bench, line: &str) {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_dcom"));
    let folder = program.parent().expect("a folder");
    let search = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-euc", line])
        .current_dir(bench.path("."))
        .env("PATH", format!("{}:{search}", folder.display()))
        .env("DCOM_CACHE_DIR", bench.path("cache"))
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{line}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
