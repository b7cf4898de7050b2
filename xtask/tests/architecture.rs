//! What ARCHITECTURE.md promises: forbidden dependencies do not exist, and the documents' links lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Normal dependencies between the workspace's own crates.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<&str> = packages
        .iter()
        .map(|p| p["name"].as_str().expect("name"))
        .collect();
    let own = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        dependencies
            .iter()
            .filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().expect("name").to_owned())
            .filter(|name| names.contains(name.as_str()))
            .collect()
    };
    packages
        .iter()
        .map(|p| (p["name"].as_str().expect("name").to_owned(), own(p)))
        .collect()
}

fn reachable(edges: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut todo = vec![from.to_owned()];
    while let Some(name) = todo.pop() {
        for next in &edges[&name] {
            if found.insert(next.clone()) {
                todo.push(next.clone());
            }
        }
    }
    found
}

#[test]
fn forbidden_dependencies_do_not_exist() {
    let edges = edges();
    let forbidden = [
        ("dcom-exec", &["dcom-timing", "dcom-mapper"][..]),
        ("dcom-timing", &["dcom-exec", "dcom-mapper", "dcom-tensor"]),
        ("dcom-mapper", &["dcom-timing", "dcom-exec"]),
        ("dcom-isa", &["dcom-mapper", "dcom-timing", "dcom-exec"]),
        ("dcom-arch", &["dcom-isa", "dcom-mapper"]),
        ("dcom-reference", &["dcom-arch", "dcom-isa", "dcom-timing"]),
        (
            "dcom-report",
            &["dcom-arch", "dcom-isa", "dcom-timing", "dcom-sweep"],
        ),
        ("dcom-itera", &["dcom-arch", "dcom-isa", "dcom-sweep"]),
        ("dcom-fp", &["dcom-arch"]),
        ("dcom-trace", &["dcom-timing", "dcom-llm", "dcom-report"]),
        ("dcom-model", &["dcom-report", "dcom-sweep"]),
        (
            "dcom-power",
            &["dcom-mapper", "dcom-exec", "dcom-sweep", "dcom-report"],
        ),
        ("dcom-llm", &["dcom-sweep", "dcom-report", "dcom-exec"]),
        (
            "dcom-synth",
            &["dcom-arch", "dcom-isa", "dcom-timing", "dcom-sweep"],
        ),
    ];
    for (from, banned) in forbidden {
        let reached = reachable(&edges, from);
        for to in banned {
            assert!(!reached.contains(*to), "{from} depends on {to}");
        }
    }
}

#[test]
fn every_crate_is_on_the_map() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("there is a map");
    assert!(text.lines().count() <= 300);
    for name in edges().keys() {
        assert!(
            text.contains(&format!("`{name}`")),
            "ARCHITECTURE.md does not mention {name}"
        );
    }
}

/// Relative links in the documents point at files that exist.
#[test]
fn links_lead_somewhere() {
    let mut documents = vec![root().join("README.md"), root().join("ARCHITECTURE.md")];
    for folder in [
        "docs",
        "tools",
        "reports/itera",
        "reports/paper",
        "reports/synth",
    ] {
        let entries = std::fs::read_dir(root().join(folder)).expect("the folder exists");
        documents.extend(
            entries
                .map(|e| e.expect("readable").path())
                .filter(|p| p.extension().is_some_and(|e| e == "md")),
        );
    }
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("readable");
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or(link);
            let exists = target.is_empty()
                || target.contains("://")
                || document
                    .parent()
                    .expect("in a folder")
                    .join(target)
                    .exists();
            assert!(exists, "{}: link to {target}", document.display());
        }
    }
}
