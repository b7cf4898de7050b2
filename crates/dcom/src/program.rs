//! `dcom asm` and `dcom disasm`: programs between their text and their binary form.

use std::path::{Path, PathBuf};

use dcom_arch::Arch;
use dcom_isa::{Program, VerifyError, assemble as parse};

use crate::failure::Failure;
use crate::input;
use crate::output::{self, Target};

/// Arguments of `dcom asm`.
#[derive(clap::Args)]
#[command(after_help = ASM_HELP)]
pub(crate) struct AsmArgs {
    /// Program as text
    #[arg(value_name = "FILE.dcom")]
    file: PathBuf,
    /// Binary program to write
    #[arg(short, long, value_name = "FILE.bin")]
    output: PathBuf,
    /// Verify that this machine runs the program
    #[arg(long, value_name = "FILE")]
    arch: Option<PathBuf>,
}

const ASM_HELP: &str = "\
Examples:
  dcom asm kernel.dcom -o kernel.bin
  dcom asm kernel.dcom -o kernel.bin --arch configs/arch/dcom-paper.toml";

/// Arguments of `dcom disasm`.
#[derive(clap::Args)]
#[command(after_help = DISASM_HELP)]
pub(crate) struct DisasmArgs {
    /// Binary program
    #[arg(value_name = "FILE.bin")]
    file: PathBuf,
}

const DISASM_HELP: &str = "\
Examples:
  dcom run --arch A.toml --workload W.toml --program out.bin && dcom disasm out.bin | less
  dcom disasm out.bin > out.dcom";

/// Runs `dcom asm`.
///
/// # Errors
/// Bad input, or a file that cannot be written.
pub(crate) fn assemble(args: &AsmArgs) -> Result<(), Failure> {
    let target = Target::new(&args.output)?;
    let arch = args.arch.as_deref().map(Arch::read).transpose()?;
    let source = SourceText::read(&args.file)?;
    let program = source.parse()?;
    if let Some(arch) = &arch {
        source.verify(program.clone(), arch)?;
    }
    let bytes = program.encode();
    target.write(|out| out.write_all(&bytes))
}

/// Runs `dcom disasm`.
///
/// # Errors
/// Bad input, or stdout that cannot be written.
pub(crate) fn disassemble(args: &DisasmArgs) -> Result<(), Failure> {
    output::print(&read_binary(&args.file)?.to_string())
}

/// A program in its text form, with what is needed to point at its lines.
pub(crate) struct SourceText<'a> {
    path: &'a Path,
    text: String,
}

impl<'a> SourceText<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// The file is missing, a directory, too large or not UTF-8.
    pub(crate) fn read(path: &'a Path) -> Result<SourceText<'a>, Failure> {
        Ok(SourceText {
            path,
            text: input::text(path)?,
        })
    }

    /// Parses the program.
    ///
    /// # Errors
    /// File and line of what is wrong.
    pub(crate) fn parse(&self) -> Result<Program, Failure> {
        let program = parse(&self.text)
            .map_err(|error| Failure::line(self.path, &self.text, error.line, error.message))?;
        if program.instrs.is_empty() {
            return Err(Failure::input(format!(
                "{}: has no instructions",
                self.path.display()
            )));
        }
        Ok(program)
    }

    /// Checks that a machine runs the program.
    ///
    /// # Errors
    /// File and line of what does not fit.
    pub(crate) fn verify(&self, program: Program, arch: &Arch) -> Result<(), Failure> {
        let Err(error) = program.verify(arch) else {
            return Ok(());
        };
        match self.line_of(&error.place) {
            Some(line) => {
                let message = format!("does not run on {}: {error}", arch.name);
                Err(Failure::line(self.path, &self.text, line, message))
            }
            None => Err(misfit(self.path, arch, &error)),
        }
    }

    /// The line that the verifier calls `.layout l3` or `instruction 17 ...`, from 1.
    fn line_of(&self, place: &str) -> Option<usize> {
        let code = |line: &'_ str| line.split(';').next().unwrap_or_default().trim().to_owned();
        let mut lines = self
            .text
            .lines()
            .map(code)
            .enumerate()
            .filter(|(_, line)| !line.is_empty());
        let found = if place.starts_with('.') {
            lines.find(|(_, line)| {
                line.strip_prefix(place)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        } else {
            let index = place
                .strip_prefix("instruction ")?
                .split(' ')
                .next()?
                .parse()
                .ok()?;
            lines.filter(|(_, line)| !line.starts_with('.')).nth(index)
        };
        found.map(|(index, _)| index + 1)
    }
}

/// Reads a program in its binary form.
///
/// # Errors
/// File and byte of what is wrong.
pub(crate) fn read_binary(path: &Path) -> Result<Program, Failure> {
    Program::decode(&input::bytes(path)?)
        .map_err(|error| Failure::input(format!("{}: {error}", path.display())))
}

/// Checks that a machine runs the program.
///
/// # Errors
/// File, and table entry or instruction that does not fit.
pub(crate) fn verify(program: Program, arch: &Arch, path: &Path) -> Result<(), Failure> {
    match program.verify(arch) {
        Ok(_) => Ok(()),
        Err(error) => Err(misfit(path, arch, &error)),
    }
}

fn misfit(path: &Path, arch: &Arch, error: &VerifyError) -> Failure {
    Failure::input(format!(
        "{}: does not run on {}: {error}",
        path.display(),
        arch.name
    ))
}
