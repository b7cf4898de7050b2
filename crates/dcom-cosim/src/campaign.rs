//! Many random cases on one build, on all cores.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::build::Build;
use crate::check::{Case, CheckError};
use crate::compare::Compared;
use crate::random::is_for_lack_of_room;
use crate::values::Random;
use crate::verilator::{Bench, CosimError};

/// What a random program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Instructions at random, of even seeds.
    Instructions,
    /// The decomposition of a random workload, of odd seeds.
    Decomposition,
}

impl Kind {
    /// The kind of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Kind {
        if seed.is_multiple_of(2) {
            Kind::Instructions
        } else {
            Kind::Decomposition
        }
    }
}

/// A number for either kind of random program.
pub type PerKind<T> = [T; 2];

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Tally {
    /// Programs without a difference, by kind.
    pub equal: PerKind<u64>,
    /// Seeds whose program the build has no room for, by kind.
    pub no_room: PerKind<u64>,
    /// How much was compared.
    pub compared: Compared,
    /// Seeds with a difference, or without a program, or whose program did not run, in order: seed and what is wrong.
    pub different: Vec<(u64, String)>,
}

/// The program of a seed, on the build with the rates of the seed.
///
/// # Errors
/// Why there is none; that the build has no room for it in the end.
pub fn trial(build: &Build, seed: u64) -> Result<(Build, Case), TrialError> {
    let build = build.paced(&mut Random::new(!seed));
    let case = match Kind::of(seed) {
        Kind::Instructions => Case::random(&build.arch, seed),
        Kind::Decomposition => Case::random_lanczos(&build.arch, seed).map_err(|e| {
            let message = e.to_string();
            if e.is_for_lack_of_room() {
                TrialError::NoRoom(message)
            } else {
                TrialError::Wrong(message)
            }
        })?,
    };
    match case.program.clone().verify(&build.arch) {
        Ok(program) => build.room_for(&program).map_err(TrialError::NoRoom)?,
        // The mapper has laid out a workload as the machine is.
        Err(e) if Kind::of(seed) == Kind::Instructions && is_for_lack_of_room(&e) => {
            return Err(TrialError::NoRoom(e.to_string()));
        }
        Err(e) => return Err(TrialError::Wrong(e.to_string())),
    }
    Ok((build, case))
}

/// Why a seed has no program.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TrialError {
    /// The build has no room for it.
    #[error("{0}")]
    NoRoom(String),
    /// The generator or the mapper made a mistake.
    #[error("no program: {0}")]
    Wrong(String),
}

/// Checks seeds from the start of `seeds` on until `programs` programs of either kind have run, a few more where cores finish
/// together, or the range is at its end.
#[must_use]
pub fn campaign(build: &Build, bench: &Bench, seeds: Range<u64>, programs: u64) -> Tally {
    let next = AtomicU64::new(seeds.start);
    let ran: PerKind<AtomicU64> = Default::default();
    let tally = Mutex::new(Tally::default());
    let done = |kind: usize| ran[kind].load(Ordering::Relaxed) >= programs;
    let work = || {
        while !(done(0) && done(1)) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let kind = Kind::of(seed) as usize;
            if done(kind) {
                continue;
            }
            let result = trial(build, seed).map(|(build, case)| bench.check(&build, &case));
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Err(TrialError::NoRoom(_))
                | Ok(Err(CheckError::NoRoom(_) | CheckError::Rtl(CosimError::NoRoom(_)))) => {
                    tally.no_room[kind] += 1;
                    continue;
                }
                Ok(Ok(compared)) => {
                    tally.equal[kind] += 1;
                    tally.compared = tally.compared + compared;
                }
                Ok(Err(error)) => tally.different.push((seed, error.to_string())),
                Err(error @ TrialError::Wrong(_)) => {
                    tally.different.push((seed, error.to_string()));
                }
            }
            ran[kind].fetch_add(1, Ordering::Relaxed);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.different.sort();
    tally
}
