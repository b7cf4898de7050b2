//! The timing model and Verilator side by side on one program.

use std::time::{Duration, Instant};

use dcom_timing::{Options, simulate};

use crate::build::Build;
use crate::case::Data;
use crate::check::{Case, CheckError, limit};
use crate::verilator::Bench;

/// Least time over which the timing model is measured.
const MEASURED: Duration = Duration::from_millis(500);

/// Time that either takes for a program, on one core. Other work on the machine hardly counts: the timing model's runs are so short
/// that the fastest is not interrupted, and Verilator's is processor time.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// Cycles of the run.
    pub cycles: u64,
    /// The timing model, every iteration simulated, without the mapping: the fastest run.
    pub timing: Duration,
    /// Verilator on the RTL: the processor time of a process, with loading of program and data.
    pub rtl: Duration,
}

impl Speed {
    /// How many times faster the timing model is.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.rtl.as_secs_f64() / self.timing.as_secs_f64()
    }
}

impl Bench {
    /// Measures a case.
    ///
    /// # Errors
    /// As [`Bench::check`], but for differences, which are not looked for.
    pub fn speed(&self, build: &Build, case: &Case) -> Result<Speed, CheckError> {
        let program = case.program.clone().verify(&build.arch)?;
        build.room_for(&program).map_err(CheckError::NoRoom)?;
        let outcome = dcom_exec::execute(&program, &case.prompts, &case.host_vectors)?;
        let options = Options {
            tests: Some(&outcome.trace.passed),
            full: true,
        };
        let (start, mut timing) = (Instant::now(), Duration::MAX);
        let cycles = loop {
            let before = Instant::now();
            let run = simulate(&program, options)?;
            timing = timing.min(before.elapsed());
            if start.elapsed() >= MEASURED {
                break run.cycles;
            }
        };
        let data = Data {
            prompts: &case.prompts,
            host_vectors: &case.host_vectors,
        };
        let run = self.machine(&case.name, &program, data, &outcome, limit(cycles))?;
        Ok(Speed {
            cycles: cycles.0,
            timing,
            rtl: run.processor,
        })
    }
}
