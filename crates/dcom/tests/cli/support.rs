//! Running the command in a folder of its own, and small inputs for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use half::f16;
use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder with the small machine, a small workload and a matrix.
pub(crate) struct Bench {
    folder: TempDir,
}

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let bench = Bench {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        std::fs::copy(project("configs/arch/small.toml"), bench.path("small.toml"))
            .expect("the small machine");
        bench.write("tiny.toml", workload(2, 8).as_bytes());
        bench.write("a.npy", &npy("<f2", "(24, 16)", &f16_bytes(&ramp(24, 16))));
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).expect("writing into a temporary folder");
    }

    /// Changes a file: the first `from` becomes `to`.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).expect("a text file");
        assert!(text.contains(from), "{name} has no {from:?}");
        self.write(name, text.replacen(from, to, 1).as_bytes());
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dcom"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().expect("the command starts");
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Ran {
            code: status.code().expect("no signal"),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }

    /// Runs a command that must succeed silently on stderr; returns stdout.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "dcom {args:?}");
        ran.stdout
    }

    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args)).expect("JSON")
    }

    /// Runs a command that must refuse its input: exit code 2, one error with all of `parts`, nothing on stdout and
    /// no new file.
    #[track_caller]
    pub(crate) fn refused(&self, args: &[&str], parts: &[&str]) {
        let before = self.files();
        let ran = self.run(args);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "dcom {args:?}: {}",
            ran.stderr
        );
        assert_eq!(
            ran.stderr.matches("error:").count(),
            1,
            "one error: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        for part in parts {
            assert!(
                ran.stderr.contains(part),
                "dcom {args:?} does not say {part:?}: {}",
                ran.stderr
            );
        }
        assert_eq!(self.files(), before, "dcom {args:?} left files behind");
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("the temporary folder");
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    }
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// A workload for the small machine: A of 24 x 16.
pub(crate) fn workload(prompts: u32, iterations: u32) -> String {
    format!(
        r#"[workload]
name = "tiny"
rows = 24
columns = 16
prompts = {prompts}
iterations = {iterations}
rank = 3
start = "mean"
scale_input = true
breakdown_tolerance_log2 = 10
[mapping]
expansion_factor = 2
clusters_per_partition = 2
placement = "compact"
reduction = "tree"
partial_sums = "expand"
three_term = true
gram_schmidt = "classical"
gram_schmidt_passes = 1
prefetch = 1
product = "gather"
transposed_product = "gather"
product_banks = 0
residency = "streamed"
overlap_ingest = false
prompts_in_flight = 1
windows = "shared"
"#
    )
}

/// A matrix of full rank without structure: a fixed multiplicative hash of the index, between -1 and 1.
pub(crate) fn ramp(rows: u32, columns: u32) -> Vec<f32> {
    (0..rows * columns)
        .map(|i| {
            let hash = (i + 1).wrapping_mul(0x9E37_79B1) >> 16;
            f32::from(u16::try_from(hash).expect("16 bits")) / 32768.0 - 1.0
        })
        .collect()
}

pub(crate) fn f16_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| f16::from_f32(*value).to_le_bytes())
        .collect()
}

pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// An `.npy` file, version 1.0.
pub(crate) fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(
        u16::try_from(header.len())
            .expect("a short header")
            .to_le_bytes(),
    );
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// A `.safetensors` file with the given header.
pub(crate) fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = safetensors_bytes(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The same without data, for headers that are no text.
pub(crate) fn safetensors_bytes(header: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes
}
