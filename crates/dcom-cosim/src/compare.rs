//! The first difference between a run of the RTL and what executor and timing model say.

use std::fmt;
use std::ops::Add;

use dcom_arch::Arch;
use dcom_exec::{Outcome, State};
use dcom_isa::Verified;
use dcom_tensor::Matrix;

use crate::case::Run;

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
