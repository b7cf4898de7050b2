//! The files of a trace: names that stay in its folder, and headers that hold what the manifest says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dcom_config::{At, ConfigError, nearest};
use dcom_tensor::{TensorEntry, list_tensors};

use crate::shape::Dtype;

/// Name of the manifest in its folder.
pub const MANIFEST: &str = "manifest.toml";

/// The ending of tensor files.
const ENDING: &str = ".safetensors";

/// The folder and the manifest that a path given by the user means: either of the two.
pub(crate) fn locate(path: &Path) -> (PathBuf, PathBuf) {
    if path.is_dir() {
        (path.to_owned(), path.join(MANIFEST))
    } else if path.file_name().is_some_and(|name| name == MANIFEST) {
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        (folder, path.to_owned())
    } else {
        (path.to_owned(), path.join(MANIFEST))
    }
}

/// Headers of the files of a folder, each read once.
pub(crate) struct Headers<'a> {
    folder: &'a Path,
    known: BTreeMap<String, Vec<TensorEntry>>,
}

impl<'a> Headers<'a> {
    pub(crate) fn new(folder: &'a Path) -> Headers<'a> {
        Headers {
            folder,
            known: BTreeMap::new(),
        }
    }

    /// Checks that a file holds a tensor of this name, shape and type.
    pub(crate) fn check(
        &mut self,
        file: &At<'_, String>,
        name: &str,
        shape: &[u64],
        dtype: Dtype,
    ) -> Result<(), ConfigError> {
        let wrong = |message: String, help| file.error(message, help);
        let entries = self.read(file)?;
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            let names = || entries.iter().map(|entry| entry.name.as_str());
            let help =
                nearest(name, names()).map(|near| format!("did you mean name = \"{near}\"?"));
            return Err(wrong(
                format!("has no tensor `{name}`, only {}", shown(names())),
                help,
            ));
        };
        if entry.shape != shape {
            return Err(wrong(
                format!(
                    "tensor `{name}` has shape {:?}, must be {shape:?}",
                    entry.shape
                ),
                None,
            ));
        }
        if entry.source != Some(dtype.source()) {
            return Err(wrong(
                format!(
                    "tensor `{name}` has dtype {}, must be {} (dtype of the op)",
                    entry.dtype.to_lowercase(),
                    dtype.name()
                ),
                None,
            ));
        }
        Ok(())
    }

    fn read(&mut self, file: &At<'_, String>) -> Result<&Vec<TensorEntry>, ConfigError> {
        if !self.known.contains_key(&file.value) {
            let path = self.resolve(file)?;
            let entries =
                list_tensors(&path).map_err(|error| file.error(error.to_string(), None))?;
            self.known.insert(file.value.clone(), entries);
        }
        Ok(&self.known[&file.value])
    }

    /// The path of a file, which must lie in the folder: neither its name nor a link may lead out of it.
    fn resolve(&self, file: &At<'_, String>) -> Result<PathBuf, ConfigError> {
        let name = file.value.as_str();
        let plain = name.ends_with(ENDING)
            && name.len() > ENDING.len()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', ':']);
        if !plain {
            let help = format!(
                "write the name of a {ENDING} file in the folder of the manifest, without folders"
            );
            return Err(file.error("must be the name of a file beside the manifest", Some(help)));
        }
        let path = self.folder.join(name);
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                file.error("there is no such file in the folder of the manifest", None)
            }
            _ => file.error(format!("cannot be read: {error}"), None),
        };
        let real = path.canonicalize().map_err(failed)?;
        let folder = self.folder.canonicalize().map_err(failed)?;
        if real.parent() != Some(folder.as_path()) {
            let message = "is a link that leads out of the folder of the manifest";
            return Err(file.error(message, Some("copy the file into the folder".to_owned())));
        }
        Ok(path)
    }
}

/// Some of many names.
fn shown<'s>(names: impl Iterator<Item = &'s str>) -> String {
    const SHOWN: usize = 8;
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}
