//! Files that are either complete or absent: written beside their place, then renamed.

use std::io::Write as _;
use std::path::Path;

use crate::error::WriteError;

/// Writes `bytes` to `path` so that a reader, or a run that is killed, never sees half a file.
///
/// The folder must exist.
///
/// # Errors
/// [`WriteError`] with the cause from the operating system; the old file is then unchanged.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), WriteError> {
    let path = path.as_ref();
    replace(path, bytes).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A rename is atomic only within one file system, so the temporary file lies in the same folder.
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dcom-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Temporary files are private by default; a result has the mode that the user's umask gives.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
