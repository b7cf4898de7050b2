//! A fingerprint of what decides the numbers of a design point, so that a cache never answers for another simulator: the sources and
//! manifests of this crate and of the workspace's crates that it is built from, the versions of all libraries, and the
//! compiler. Plots decide no number.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Draws, and does not compute.
const WITHOUT: &str = "dcom-report";

fn main() {
    // As it is when the script runs: checkouts that share a target folder share the compiled script.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let crates = Path::new(&manifest).join("..");
    let mut names = vec!["dcom-sweep".to_owned()];
    let mut next = 0;
    while next < names.len() {
        let manifest = crates.join(&names[next]).join("Cargo.toml");
        for name in dependencies(&fs::read_to_string(&manifest).expect("the crate's manifest")) {
            if name != WITHOUT && !names.contains(&name) {
                names.push(name);
            }
        }
        next += 1;
    }
    names.sort();
    let lock = crates.join("../Cargo.lock");
    let mut files = vec![lock];
    files.extend(
        names
            .iter()
            .map(|name| crates.join(name).join("Cargo.toml")),
    );
    for file in &files {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    for name in &names {
        let folder = crates.join(name).join("src");
        println!("cargo:rerun-if-changed={}", folder.display());
        collect(&folder, &mut files);
    }
    files.sort();
    let compiler = std::env::var_os("RUSTC").expect("cargo sets it");
    let compiler = Command::new(compiler).arg("-vV").output();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    // FNV-1a: two versions differ in some byte, and nobody forges them.
    let mut add = |text: &[u8]| {
        for byte in text.iter().chain([&0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(&compiler.expect("the compiler that runs this").stdout);
    for file in &files {
        let name = file.strip_prefix(&crates).expect("found there");
        add(name.to_string_lossy().replace('\\', "/").as_bytes());
        add(&fs::read(file).expect("a source file"));
    }
    println!("cargo:rustc-env=DCOM_SOURCES={hash:016x}");
}

/// The workspace's own crates in the `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let after = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .unwrap_or_default();
    let lines = after.lines().take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next());
    names
        .filter(|name| name.starts_with("dcom-"))
        .map(str::to_owned)
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
