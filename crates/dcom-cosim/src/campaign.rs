//! Many random cases on one build, on all cores.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::build::Build;
use crate::check::{Case, CheckError};
use crate::compare::Compared;
use crate::verilator::Bench;

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Tally {
    /// Programs without a difference.
    pub equal: u64,
    /// Seeds whose program does not fit the build.
    pub unfit: u64,
    /// How much was compared.
    pub compared: Compared,
    /// Programs with a difference, or that did not run, in the order of seeds: seed and what is wrong.
    pub different: Vec<(u64, String)>,
}

/// The case of a seed: instructions at random for even seeds, a random workload for odd ones.
#[must_use]
pub fn case(build: &Build, seed: u64) -> Option<Case> {
    if seed.is_multiple_of(2) {
        Some(Case::random(&build.arch, seed))
    } else {
        Case::random_lanczos(&build.arch, seed)
    }
}

/// Checks seeds from the start of `seeds` on until `programs` programs have run, a few more where cores finish together, or the
/// range is at its end.
#[must_use]
pub fn campaign(build: &Build, bench: &Bench, seeds: Range<u64>, programs: u64) -> Tally {
    let (next, ran) = (AtomicU64::new(seeds.start), AtomicU64::new(0));
    let tally = Mutex::new(Tally::default());
    let work = || {
        while ran.load(Ordering::Relaxed) < programs {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let result = case(build, seed).map(|case| bench.check(build, &case));
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                None | Some(Err(CheckError::Unfit(_) | CheckError::NoRoom(_))) => {
                    tally.unfit += 1;
                    continue;
                }
                Some(Ok(compared)) => {
                    tally.equal += 1;
                    tally.compared = tally.compared + compared;
                }
                Some(Err(error)) => tally.different.push((seed, error.to_string())),
            }
            ran.fetch_add(1, Ordering::Relaxed);
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
