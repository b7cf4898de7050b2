//! Where results go: stdout, or files that are either complete or absent.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Writes all of `text` to stdout.
///
/// # Errors
/// [`Failure::ClosedPipe`] when the reader has gone, [`Failure::Write`] otherwise.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| match source.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::Write {
                place: "stdout".to_owned(),
                source,
            },
        })
}

/// A file to be written, whose place has been checked.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    path: &'a Path,
    folder: PathBuf,
}

impl<'a> Target<'a> {
    /// Checks that a file can have this path, before anything is computed for it.
    ///
    /// # Errors
    /// The path is a directory, or its folder is none.
    pub(crate) fn new(path: &'a Path) -> Result<Target<'a>, Failure> {
        if path.is_dir() {
            return Err(Failure::input(format!(
                "{}: is a directory, expected the name of a file to write",
                path.display()
            )));
        }
        // `a/b/` names a directory even where there is none yet.
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(Failure::input(format!(
                "{}: is not the name of a file to write",
                path.display()
            )));
        }
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        if !folder.is_dir() {
            let problem = if folder.exists() {
                "is not a folder"
            } else {
                "there is no such folder"
            };
            return Err(Failure::input(format!(
                "{}: {problem}, {} cannot be written there",
                folder.display(),
                path.display()
            )));
        }
        Ok(Target { path, folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    /// Writes the file beside its place, then renames it.
    ///
    /// # Errors
    /// What the operating system says; an older file is then unchanged.
    pub(crate) fn write(
        &self,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        self.replace(fill).map_err(|source| Failure::Write {
            place: self.path.display().to_string(),
            source,
        })
    }

    fn replace(&self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".dcom-");
        // Temporary files are private by default; a result has the mode that the user's umask gives.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(&self.folder)?;
        let mut out = BufWriter::new(&mut file);
        fill(&mut out)?;
        out.flush()?;
        drop(out);
        file.as_file().sync_all()?;
        file.persist(self.path)?;
        Ok(())
    }
}
