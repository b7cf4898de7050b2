//! Small traces in temporary folders.

use std::path::{Path, PathBuf};

use dcom_trace::{Trace, TraceError};
use half::f16;
use tempfile::TempDir;

/// A folder with a manifest and its tensors.
pub(crate) struct Folder {
    folder: TempDir,
}

/// One op that reads an input of 2 channels, for prompts of 3 and 2 tokens.
pub(crate) const MANIFEST: &str = r#"[trace]
format = 1
layer = 3
source = "by hand"

[model]
name = "hand"
hidden = 2
heads = 1
kv_heads = 1
head_size = 2
ffn = 4

[[prompt]]
id = "a"
length = 3

[[prompt]]
id = "b"
length = 2

[[op]]
name = "x"
kind = "input"
shape = ["S", 2]
dtype = "f16"

[[op]]
name = "q"
kind = "linear"
inputs = ["x"]
shape = ["S", 1]
dtype = "f16"

[[tensor]]
op = "x"
prompt = "a"
file = "a.safetensors"

[[tensor]]
op = "x"
prompt = "b"
file = "b.safetensors"

[[tensor]]
weight = "q"
file = "w.safetensors"
"#;

impl Folder {
    /// [`MANIFEST`] with fitting tensors.
    pub(crate) fn new() -> Folder {
        let folder = Folder::with_manifest(MANIFEST);
        folder.tensor(
            "a.safetensors",
            "x",
            [3, 2],
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        );
        folder.tensor("b.safetensors", "x", [2, 2], &[1.0, 0.0, 0.0, 1.0]);
        folder.tensor("w.safetensors", "q.weight", [1, 2], &[1.0, -1.0]);
        folder
    }

    pub(crate) fn with_manifest(text: &str) -> Folder {
        let folder = Folder {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        folder.write("manifest.toml", text.as_bytes());
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).expect("a temporary file");
    }

    /// Replaces the first `from` of the manifest.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path().join("manifest.toml")).expect("a manifest");
        assert!(text.contains(from), "the manifest has no {from:?}");
        self.write("manifest.toml", text.replacen(from, to, 1).as_bytes());
    }

    pub(crate) fn tensor(&self, file: &str, name: &str, shape: [usize; 2], values: &[f32]) {
        self.write(file, &safetensors(&[(name, shape, values)]));
    }

    pub(crate) fn read(&self) -> Result<Trace, TraceError> {
        Trace::read(self.path())
    }

    /// The error of reading the trace, without the folder.
    pub(crate) fn refused(&self) -> String {
        let error = match self.read() {
            Err(error) => error,
            Ok(trace) => trace.check_values().expect_err("a trace to refuse"),
        };
        let help = match &error {
            TraceError::Manifest(error) => error.help().map(|help| format!("; {help}")),
            _ => None,
        };
        let text = error.to_string() + &help.unwrap_or_default();
        text.replace(&format!("{}/", self.path().display()), "")
    }
}

/// A file of fp16 tensors.
pub(crate) fn safetensors(tensors: &[(&str, [usize; 2], &[f32])]) -> Vec<u8> {
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, [rows, cols], values) in tensors {
        let start = data.len();
        data.extend(
            values
                .iter()
                .flat_map(|value| f16::from_f32(*value).to_le_bytes()),
        );
        header.push(format!(
            r#""{name}":{{"dtype":"F16","shape":[{rows},{cols}],"data_offsets":[{start},{}]}}"#,
            data.len()
        ));
    }
    raw(&format!("{{{}}}", header.join(",")), &data)
}

/// A file with any header.
pub(crate) fn raw(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}
