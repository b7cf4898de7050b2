//! Finding Verilator, and building and running a test bench with it.

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use thiserror::Error;

use crate::build::Build;

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
    /// A case is too large for the test bench.
    #[error("{0}")]
    NoRoom(String),
    /// A test bench printed what it should not.
    #[error("unexpected line from the test bench: {0:?}")]
    Unexpected(String),
}

/// Folder of the RTL's modules, and bench of the machine without its extensions.
const SOURCES: &str = "src";
const BENCH: &str = "tb/dcom_tb";

/// File of the generated package.
const PACKAGE: &str = "dcom_pkg.sv";

/// Packages of the machine, in the order in which they depend on each other.
const MACHINE_PACKAGES: [&str; 4] = ["machine_pkg", "tables_pkg", "rate_pkg", "plan_pkg"];

/// How the machine is built: what is compared, as far as it is not in the sources.
const MACHINE_FLAGS: [&str; 10] = [
    "--cc",
    "--exe",
    "--build",
    "--assert",
    // What has no value yet is random.
    "--x-initial",
    "unique",
    "-O3",
    // Verilator 5.006 loses a declaration when it makes loops (`__Vilp` was not declared).
    "-fno-reloop",
    // A third less time per run than with -O1, for a few more seconds of compiling. What runs once stays as it is.
    "-MAKEFLAGS",
    "OPT_FAST=-O2 OPT_SLOW=-O0 OPT_GLOBAL=-O1",
];

/// The same for a few short programs: compiling takes longer than running.
fn unoptimized() -> [&'static str; 10] {
    let mut flags = MACHINE_FLAGS;
    flags[9] = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0";
    flags
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

    /// Builds the bench of arithmetic units `top` of `rtl/tb` in `directory`; what is there already and newer than its sources
    /// is kept.
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
        let parameters = parameters
            .iter()
            .map(|(name, value)| format!("-G{name}={value}"));
        let mut command = Command::new("verilator");
        command
            .args(["-Wall", "--assert", "-j", "2"])
            .arg("-y")
            .arg(self.rtl.join(SOURCES))
            .args(parameters)
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

    /// Builds the whole machine for `build` under `cache`, with all warnings, unless what it depends on has been built there
    /// before.
    ///
    /// # Errors
    /// Files, warnings of Verilator, errors of the C++ compiler.
    pub fn machine(&self, build: &Build, cache: &Path) -> Result<Bench, CosimError> {
        self.machine_of(build.name, &build.package(), cache, MACHINE_FLAGS)
    }

    /// The same with any text for the generated package, compiled without optimization.
    ///
    /// # Errors
    /// As [`Verilator::machine`].
    pub fn variant(&self, name: &str, package: &str, cache: &Path) -> Result<Bench, CosimError> {
        self.machine_of(name, package, cache, unoptimized())
    }

    fn machine_of(
        &self,
        name: &str,
        package: &str,
        cache: &Path,
        flags: [&str; 10],
    ) -> Result<Bench, CosimError> {
        let key = self.key(package, flags)?;
        let directory = cache.join(format!("{name}-{key:016x}"));
        if directory.join("bench").exists() {
            return Ok(Bench { directory });
        }
        // Built aside, so that a build that is killed leaves nothing that looks complete.
        let aside = cache.join(format!("{name}-{key:016x}.{}", std::process::id()));
        std::fs::create_dir_all(&aside).map_err(|e| file_error(&aside, e))?;
        let file = aside.join(PACKAGE);
        std::fs::write(&file, package).map_err(|e| file_error(&file, e))?;
        let mut command = self.machine_command(&file);
        command
            .args(flags)
            .args(["-j", "2", "-o", "bench", "--Mdir"])
            .arg(&aside)
            .arg(self.rtl.join(BENCH).with_extension("cpp"));
        run(&mut command)?;
        match std::fs::rename(&aside, &directory) {
            Ok(()) => {}
            // Another process was faster.
            Err(_) if directory.join("bench").exists() => {
                std::fs::remove_dir_all(&aside).map_err(|e| file_error(&aside, e))?;
            }
            Err(e) => return Err(file_error(&directory, e)),
        }
        Ok(Bench { directory })
    }

    /// Verilator with the sources of the whole machine and all warnings.
    fn machine_command(&self, package: &Path) -> Command {
        let folder = self.rtl.join(SOURCES);
        let mut command = Command::new("verilator");
        command
            .args(["-Wall", "--top-module", "dcom_tb"])
            // Assertions are off while the asynchronous reset is on: they read it at a clock edge.
            .arg("-Wno-SYNCASYNCNET")
            .arg(package)
            .args(MACHINE_PACKAGES.map(|p| folder.join(format!("{p}.sv"))))
            .arg(self.rtl.join(BENCH).with_extension("sv"))
            .arg("-y")
            .arg(folder);
        command
    }

    /// What a build depends on, as a number: the tool, how it is called, the package and all sources.
    fn key(&self, package: &str, flags: [&str; 10]) -> Result<u64, CosimError> {
        let folder = self.rtl.join(SOURCES);
        let mut files = ["sv", "cpp"]
            .map(|e| self.rtl.join(BENCH).with_extension(e))
            .to_vec();
        for entry in std::fs::read_dir(&folder).map_err(|e| file_error(&folder, e))? {
            files.push(entry.map_err(|e| file_error(&folder, e))?.path());
        }
        // A build has a package of its own instead.
        files.retain(|file| !file.ends_with(PACKAGE));
        files.sort();
        let mut hasher = DefaultHasher::new();
        (&self.version, package, flags).hash(&mut hasher);
        for file in files {
            let text = std::fs::read(&file).map_err(|e| file_error(&file, e))?;
            (file.file_name(), text).hash(&mut hasher);
        }
        Ok(hasher.finish())
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

    /// Removes a file of a run that went well.
    pub(crate) fn remove(&self, name: &str) -> Result<(), CosimError> {
        let file = self.file(name);
        std::fs::remove_file(&file).map_err(|e| file_error(&file, e))
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
