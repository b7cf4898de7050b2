//! The keys that a sweep can vary: those of every schema that makes up a design point.
//!
//! A new kind of file joins by its line in [`schemas`] and its arm in [`Base::set`](crate::Base::set).

use dcom_arch::ArchParams;
use dcom_config::{KeyInfo, nearest};
use dcom_mapper::WorkloadParams;

/// Name and keys of each schema.
#[must_use]
pub fn schemas() -> [(&'static str, &'static [KeyInfo]); 2] {
    [
        ("machine", ArchParams::keys()),
        ("workload", WorkloadParams::keys()),
    ]
}

/// All keys of all schemas.
pub fn keys() -> impl Iterator<Item = &'static KeyInfo> {
    schemas().into_iter().flat_map(|(_, keys)| keys)
}

/// The key with this path.
///
/// # Errors
/// There is none; the message suggests one.
pub fn find(path: &str) -> Result<&'static KeyInfo, String> {
    if let Some(key) = keys().find(|key| key.path == path) {
        return Ok(key);
    }
    Err(match similar(path) {
        Some(near) => {
            format!("`{path}`: no key of machine or workload; did you mean `{near}`?")
        }
        None => format!("`{path}`: no key of machine or workload; `dcom parameters` lists them"),
    })
}

/// The path nearest to a misspelt one: by the whole path, or else by its last part alone.
pub(crate) fn similar(path: &str) -> Option<&'static str> {
    let leaf = path.rsplit('.').next().unwrap_or(path);
    nearest(path, keys().map(|key| key.path)).or_else(|| {
        let near = nearest(leaf, keys().map(KeyInfo::leaf))?;
        keys().find(|key| key.leaf() == near).map(|key| key.path)
    })
}
