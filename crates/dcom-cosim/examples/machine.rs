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
use dcom_isa::{Op, Verified};
use dcom_timing::{Executed, Options, simulate};

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

/// What RTL and models say of a program, and what they first differ in.
fn differences(
    bench: &Bench,
    program: &Verified<'_>,
    case: &RandomCase,
) -> Result<(Vec<Executed>, Vec<String>), Box<dyn Error>> {
    let (outcome, state) =
        dcom_exec::execute_with_state(program, &case.prompts, &case.host_vectors)?;
    let data = Data {
        prompts: &case.prompts,
        host_vectors: &case.host_vectors,
    };
    let options = Options {
        tests: Some(&outcome.trace.passed),
        full: true,
    };
    let timed = simulate(program, options)?;
    let expected: Vec<Issued> = timed.executed.iter().map(Issued::expected).collect();
    let found = match bench.machine("case", program, data, &outcome, LIMIT) {
        Ok(run) => [
            compare::values(program, &outcome, &state, &run).err(),
            compare::cycles(program, &expected, &run).err(),
        ]
        .into_iter()
        .flatten()
        .map(|divergence| divergence.to_string())
        .collect(),
        Err(error) => vec![error.to_string()],
    };
    Ok((timed.executed, found))
}

/// The first instruction after which RTL and models differ: every prefix of what was executed is a program.
fn locate(
    arch: &Arch,
    bench: &Bench,
    case: &RandomCase,
    executed: &[Executed],
) -> Result<String, Box<dyn Error>> {
    let prefix = |n: usize| {
        let mut program = case.program.clone();
        program.instrs = executed[..n]
            .iter()
            .filter_map(|e| {
                let mut instr = case.program.instrs[e.instr as usize];
                match &mut instr.op {
                    Op::Loop { .. } => return None,
                    Op::Ingest { prompt, stride, .. } => *prompt += *stride * e.iteration,
                    _ => {}
                }
                Some(instr)
            })
            .collect();
        program
    };
    let differs = |n: usize| -> Result<Vec<String>, Box<dyn Error>> {
        let program = prefix(n);
        let verified = program.verify(arch)?;
        Ok(differences(bench, &verified, case)?.1)
    };
    let (mut equal, mut different) = (0, executed.len());
    let mut what = differs(different)?;
    if what.is_empty() {
        return Ok("nothing without loops".to_owned());
    }
    while equal + 1 < different {
        let middle = usize::midpoint(equal, different);
        let found = differs(middle)?;
        if found.is_empty() {
            equal = middle;
        } else {
            (different, what) = (middle, found);
        }
    }
    let e = &executed[different - 1];
    Ok(format!(
        "executed instruction {}, `{}`, iteration {}: {}",
        different - 1,
        case.program.instrs[e.instr as usize],
        e.iteration,
        what.join("; ")
    ))
}

fn compare_seeds(
    arch: &Arch,
    bench: &Bench,
    seeds: std::ops::Range<u64>,
) -> Result<(), Box<dyn Error>> {
    let (mut equal, mut different, mut do_not_fit) = (0, 0, 0);
    for seed in seeds {
        let case = RandomCase::new(arch, seed);
        if std::env::var_os("SHOW").is_some() {
            println!("{}", case.program);
        }
        let Ok(program) = case.program.clone().verify(arch) else {
            do_not_fit += 1;
            continue;
        };
        let (executed, found) = differences(bench, &program, &case)?;
        if found.is_empty() {
            equal += 1;
        } else {
            different += 1;
            println!("seed {seed}: {}", found.join("; "));
            println!("  after {}", locate(arch, bench, &case, &executed)?);
        }
    }
    println!("{equal} equal, {different} different, {do_not_fit} do not fit the build");
    Ok(())
}
