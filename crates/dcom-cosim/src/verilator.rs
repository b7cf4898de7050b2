//! Finding Verilator, and building and running a test bench with it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use thiserror::Error;

/// Why there is no result of the RTL.
#[derive(Debug, Error)]
pub enum CosimError {
    /// A file of a run could not be written or read.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("{program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// A program failed: a lint warning, an assertion of the RTL.
    #[error("{program} failed ({status}):\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
        /// All that it printed.
        output: String,
    },
    /// A test bench printed what it should not.
    #[error("unexpected line from the test bench: {0:?}")]
    Unexpected(String),
}

/// An installed Verilator.
#[derive(Clone, Debug)]
pub struct Verilator {
    /// What `verilator --version` says.
    pub version: String,
    rtl: PathBuf,
}

/// A test bench that was built.
#[derive(Clone, Debug)]
pub struct Bench {
    directory: PathBuf,
}

impl Verilator {
    /// Verilator on the search path, for the RTL under `rtl`; none if it is not installed.
    #[must_use]
    pub fn find(rtl: &Path) -> Option<Verilator> {
        let output = Command::new("verilator").arg("--version").output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then(|| Verilator {
            version,
            rtl: rtl.to_owned(),
        })
    }

    /// Checks the module `top` of `rtl/src` with all warnings.
    ///
    /// # Errors
    /// The warnings.
    pub fn lint(&self, top: &str, parameters: &[(&str, u64)]) -> Result<(), CosimError> {
        let mut command = self.command(parameters);
        command
            .args(["--lint-only", "--top-module", top])
            .arg(self.rtl.join(format!("src/{top}.sv")));
        run(&mut command).map(drop)
    }

    /// Builds the test bench `top` of `rtl/tb` in `directory`; what is there already and newer than
    /// its sources is kept.
    ///
    /// # Errors
    /// Warnings of Verilator, errors of the C++ compiler.
    pub fn build(
        &self,
        top: &str,
        parameters: &[(&str, u64)],
        directory: &Path,
    ) -> Result<Bench, CosimError> {
        std::fs::create_dir_all(directory).map_err(|source| file_error(directory, source))?;
        let bench = |extension: &str| self.rtl.join(format!("tb/{top}.{extension}"));
        let mut command = self.command(parameters);
        command
            .args(["--cc", "--exe", "--build", "--x-assign", "unique"])
            // Verilator 5.006 loses a declaration when it makes loops (`__Vilp` was not declared).
            .args(["-O3", "-fno-reloop"])
            .args(["--top-module", top, "-o", "bench", "--Mdir"])
            .arg(directory)
            .args([bench("sv"), bench("cpp")])
            // Compiling takes longer than running, most of all the headers, again in every file.
            .args(["--output-split", "100000000"])
            .args(["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"]);
        run(&mut command)?;
        Ok(Bench {
            directory: directory.to_owned(),
        })
    }

    fn command(&self, parameters: &[(&str, u64)]) -> Command {
        let mut command = Command::new("verilator");
        let source = self.rtl.join("src");
        command.args(["-Wall", "--assert", "-j", "2"]);
        command
            .arg(format!("-I{}", source.display()))
            .arg(source.join("cluster_pkg.sv"));
        for (name, value) in parameters {
            command.arg(format!("-G{name}={value}"));
        }
        command
    }
}

impl Bench {
    /// The bench that was built in `directory`.
    #[must_use]
    pub fn at(directory: PathBuf) -> Bench {
        Bench { directory }
    }

    /// A file for input or output of a run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Runs the bench and gives what it prints.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String, CosimError> {
        let mut command = Command::new(self.directory.join("bench"));
        command.args(arguments);
        let output = run(&mut command)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

pub(crate) fn file_error(path: &Path, source: io::Error) -> CosimError {
    CosimError::File {
        path: path.to_owned(),
        source,
    }
}

fn run(command: &mut Command) -> Result<Output, CosimError> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(output),
        Ok(output) => Err(CosimError::Failed {
            program,
            status: output.status.to_string(),
            output: format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
        }),
        Err(source) => Err(CosimError::Start { program, source }),
    }
}
