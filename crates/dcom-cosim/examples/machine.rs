//! Random programs on the RTL of the whole machine (`rtl/machine/README.md`): prints the package for a build, or the
//! first difference of each seed between RTL, executor and timing model.
//!
//! ```text
//! cargo run -p dcom-cosim --example machine -- package > dcom_pkg.sv
//! cargo run -p dcom-cosim --example machine -- BENCH_FOLDER FIRST_SEED END_SEED
//! ```

#![expect(
    clippy::print_stdout,
    reason = "a tool for the terminal; results go to stdout"
)]

use std::error::Error;
use std::path::{Path, PathBuf};

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_cosim::random::RandomCase;
use dcom_cosim::{Bench, Data, Issued, Room, compare, package};
use dcom_timing::{Options, simulate};

/// Cycles after which a run has gone wrong.
const LIMIT: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arch = machine()?;
    match arguments.as_slice() {
        [what] if what == "package" => print!("{}", package(&arch, &Room::default())),
        [folder, first, end] => {
            compare_seeds(
                &arch,
                &Bench::at(PathBuf::from(folder)),
                first.parse()?..end.parse()?,
            )?;
        }
        _ => return Err("expected `package`, or BENCH_FOLDER FIRST_SEED END_SEED".into()),
    }
    Ok(())
}

/// The small machine with room for the random programs.
fn machine() -> Result<Arch, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/arch/small.toml");
    let mut params = ArchParams::parse(Source::read(&path)?)?;
    for (key, value) in [
        ("cluster.buffer_bytes", "8192"),
        ("bank.capacity_bytes", "16384"),
        ("svd.round_trip_cycles", "200"),
        ("sequencer.buffer_regions", "64"),
    ] {
        params.set(key, value)?;
    }
    Ok(Arch::new(&params)?)
}

fn compare_seeds(
    arch: &Arch,
    bench: &Bench,
    seeds: std::ops::Range<u64>,
) -> Result<(), Box<dyn Error>> {
    let (mut equal, mut different, mut do_not_fit) = (0, 0, 0);
    for seed in seeds {
        let case = RandomCase::new(arch, seed);
        let Ok(program) = case.program.verify(arch) else {
            do_not_fit += 1;
            continue;
        };
        let (outcome, state) =
            dcom_exec::execute_with_state(&program, &case.prompts, &case.host_vectors)?;
        let data = Data {
            prompts: &case.prompts,
            host_vectors: &case.host_vectors,
        };
        let options = Options {
            tests: Some(&outcome.trace.passed),
            full: true,
        };
        let timed = simulate(&program, options)?;
        let expected: Vec<Issued> = timed
            .executed
            .iter()
            .map(|e| Issued {
                instr: e.instr,
                iteration: e.iteration,
                skipped: e.skipped,
                issue: e.issue.0,
                done: e.done.0,
            })
            .collect();
        let run = match bench.machine("case", &program, data, &outcome, LIMIT) {
            Ok(run) => run,
            Err(error) => {
                different += 1;
                println!("seed {seed}: {error}");
                continue;
            }
        };
        let values = compare::values(&program, &outcome, &state, &run);
        let cycles = compare::cycles(&program, &expected, &run);
        for divergence in [values.as_ref().err(), cycles.as_ref().err()]
            .into_iter()
            .flatten()
        {
            println!("seed {seed}: {divergence}");
        }
        if values.is_ok() && cycles.is_ok() {
            equal += 1;
        } else {
            different += 1;
        }
    }
    println!("{equal} equal, {different} different, {do_not_fit} do not fit the build");
    Ok(())
}
