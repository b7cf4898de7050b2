//! The first difference between a run of the RTL and what executor and timing model say.

use std::fmt;
use std::ops::Add;

use dcom_arch::Arch;
use dcom_exec::{Outcome, State};
use dcom_isa::Verified;
use dcom_tensor::Matrix;

use crate::case::{Issued, Run};

mod factors;
mod memories;
mod places;
#[cfg(test)]
mod tests;

/// Where RTL and models differ, and what either says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The place: an instruction, or an element of a memory.
    pub place: String,
    /// What the models say.
    pub expected: String,
    /// What the RTL did.
    pub found: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the models say {}, the RTL {}",
            self.place, self.expected, self.found
        )
    }
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Executed instructions, in two cycles each.
    pub instructions: u64,
    /// Values of memories, registers and factors.
    pub values: u64,
}

impl Add for Compared {
    type Output = Compared;

    fn add(self, other: Compared) -> Compared {
        Compared {
            instructions: self.instructions + other.instructions,
            values: self.values + other.values,
        }
    }
}

/// Compares the cycles of every executed instruction.
///
/// # Errors
/// The first difference, in the order of issue.
pub(crate) fn cycles(
    program: &Verified<'_>,
    expected: &[Issued],
    run: &Run,
) -> Result<Compared, Box<Divergence>> {
    for i in 0..expected.len().max(run.issued.len()) {
        let (e, f) = (expected.get(i), run.issued.get(i));
        if e != f {
            let at = e.or(f).map_or(0, |issued| issued.instr);
            let show = |issued: Option<&Issued>| match issued {
                Some(i) => format!(
                    "instruction {} iteration {} {} at {}, done at {}",
                    i.instr,
                    i.iteration,
                    if i.skipped { "skipped" } else { "issued" },
                    i.issue,
                    i.done
                ),
                None => "nothing".to_owned(),
            };
            return Err(Box::new(Divergence {
                place: format!(
                    "executed instruction {i}, `{}`",
                    program.program().instrs[at as usize]
                ),
                expected: show(e),
                found: show(f),
            }));
        }
    }
    Ok(Compared {
        instructions: expected.len() as u64,
        values: 0,
    })
}

/// Compares memories, registers and factors. What no region declares and no vector of the program fills must be zero, as
/// everything is at first.
///
/// # Errors
/// The first difference.
pub(crate) fn values(
    program: &Verified<'_>,
    prompts: &[Matrix],
    outcome: &Outcome,
    state: &State,
    run: &Run,
) -> Result<Compared, Box<Divergence>> {
    let mut comparison = Comparison {
        program,
        prompts,
        arch: program.arch(),
        state,
        run,
        rest: run.clone(),
        values: 0,
    };
    comparison.registers()?;
    comparison.globals()?;
    comparison.parts()?;
    comparison.banks()?;
    comparison.resident_matrices()?;
    comparison.buffers()?;
    comparison.nothing_else()?;
    comparison.factors(outcome)?;
    comparison.questions(outcome)?;
    Ok(Compared {
        instructions: 0,
        values: comparison.values,
    })
}

struct Comparison<'a> {
    program: &'a Verified<'a>,
    prompts: &'a [Matrix],
    arch: &'a Arch,
    state: &'a State,
    run: &'a Run,
    /// The memories, with zeros where they were compared.
    rest: Run,
    values: u64,
}

type Check = Result<(), Box<Divergence>>;

fn usize_of(n: u64) -> usize {
    usize::try_from(n).expect("builds are small")
}

impl Comparison<'_> {
    fn equal(&mut self, expected: u32, found: u32, place: impl Fn() -> String) -> Check {
        self.values += 1;
        if expected == found {
            return Ok(());
        }
        Err(Box::new(Divergence {
            place: place(),
            expected: format!("{expected:#x}"),
            found: format!("{found:#x}"),
        }))
    }
}
