//! A program with its data on RTL, executor and timing model side by side, and where they part.

use dcom_base::Cycles;
use dcom_exec::ExecError;
use dcom_isa::{Op, Program, Verified, VerifyError};
use dcom_tensor::Matrix;
use dcom_timing::{Executed, Options, TimingError, simulate};
use thiserror::Error;

use crate::build::Build;
use crate::case::Data;
use crate::compare::{self, Compared, Divergence};
use crate::schedule;
use crate::verilator::{Bench, CosimError};

/// Cycles after which a run of the RTL has gone wrong: as long again as the models say, and what loading takes.
pub(crate) fn limit(cycles: Cycles) -> u64 {
    2 * cycles.0 + 1_000_000
}

/// A program with what it needs.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name, for messages and files.
    pub name: String,
    /// The program.
    pub program: Program,
    /// Its prompts, all of one size.
    pub prompts: Vec<Matrix>,
    /// Its host vectors.
    pub host_vectors: Vec<Vec<f32>>,
}

/// Why a case is not equal.
#[derive(Debug, Error)]
pub enum CheckError {
    /// The program does not fit the machine.
    #[error(transparent)]
    Unfit(#[from] VerifyError),
    /// The build has no room for it.
    #[error("{0}")]
    NoRoom(String),
    /// The executor cannot run it.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The timing model cannot time it.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// There is no result of the RTL.
    #[error(transparent)]
    Rtl(#[from] CosimError),
    /// RTL and models differ.
    #[error("{}", list(.0))]
    Differs(Vec<Divergence>),
}

fn list(divergences: &[Divergence]) -> String {
    let texts: Vec<_> = divergences.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl Bench {
    /// Runs a case on RTL and models, and compares cycles of every instruction and values of every memory.
    ///
    /// # Errors
    /// A difference in values, in cycles or in both, or why there is nothing to compare.
    pub fn check(&self, build: &Build, case: &Case) -> Result<Compared, CheckError> {
        let program = case.program.clone().verify(&build.arch)?;
        build.room_for(&program).map_err(CheckError::NoRoom)?;
        self.check_against(&program, &program, case)
    }

    /// The same with models that run another program than the RTL, or on another machine: what they say must differ then.
    ///
    /// # Errors
    /// As [`Bench::check`].
    pub fn check_against(
        &self,
        program: &Verified<'_>,
        models: &Verified<'_>,
        case: &Case,
    ) -> Result<Compared, CheckError> {
        let (outcome, state) =
            dcom_exec::execute_with_state(models, &case.prompts, &case.host_vectors)?;
        let options = Options {
            tests: Some(&outcome.trace.passed),
            full: true,
        };
        let timed = simulate(models, options)?;
        let data = Data {
            prompts: &case.prompts,
            host_vectors: &case.host_vectors,
        };
        let run = self.machine(&case.name, program, data, &outcome, limit(timed.cycles))?;
        let values = compare::values(program, &case.prompts, &outcome, &state, &run);
        let cycles = schedule::compare(program, &timed, &run);
        match (values, cycles) {
            (Ok(values), Ok(cycles)) => Ok(values + cycles),
            (values, cycles) => {
                let found = [values.err(), cycles.err()];
                Err(CheckError::Differs(
                    found.into_iter().flatten().map(|d| *d).collect(),
                ))
            }
        }
    }

    /// The first instruction with which RTL and models differ, found by bisection: every prefix of what is executed is a
    /// program. None if they do not differ without loops.
    ///
    /// # Errors
    /// Why there is nothing to compare.
    pub fn locate(&self, build: &Build, case: &Case) -> Result<Option<String>, CheckError> {
        let program = case.program.clone().verify(&build.arch)?;
        let (outcome, _) =
            dcom_exec::execute_with_state(&program, &case.prompts, &case.host_vectors)?;
        let options = Options {
            tests: Some(&outcome.trace.passed),
            full: true,
        };
        let executed = simulate(&program, options)?.executed;
        let difference = |n: usize| match self.check(build, &prefix(case, &executed[..n])) {
            Ok(_) => Ok(None),
            Err(error @ (CheckError::Differs(_) | CheckError::Rtl(CosimError::Failed { .. }))) => {
                Ok(Some(error.to_string()))
            }
            Err(error) => Err(error),
        };
        let (mut equal, mut different) = (0, executed.len());
        let Some(mut what) = difference(different)? else {
            return Ok(None);
        };
        while equal + 1 < different {
            let middle = usize::midpoint(equal, different);
            match difference(middle)? {
                None => equal = middle,
                Some(found) => (different, what) = (middle, found),
            }
        }
        let e = &executed[different - 1];
        let instr = &case.program.instrs[e.instr as usize];
        Ok(Some(format!(
            "executed instruction {}, `{instr}` in iteration {}: {what}",
            different - 1,
            e.iteration
        )))
    }
}

/// What was executed, without loops.
fn prefix(case: &Case, executed: &[Executed]) -> Case {
    let instr = |e: &Executed| {
        let mut instr = case.program.instrs[e.instr as usize];
        match &mut instr.op {
            Op::Loop { .. } => return None,
            Op::Ingest { prompt, stride, .. } => *prompt += *stride * e.iteration,
            _ => {}
        }
        Some(instr)
    };
    let mut prefix = case.clone();
    prefix.program.instrs = executed.iter().filter_map(instr).collect();
    prefix
}
