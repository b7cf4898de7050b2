//! `cargo xtask rtl`: the RTL of the whole machine against executor and timing model.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use dcom_cosim::{
    Bench, Build, Case, Compared, Coverage, PerKind, Tally, Values, Verilator, campaign,
    decompositions, trial,
};

/// Seeds tried for each random program of either kind: for some the build has no room.
const SEEDS_PER_PROGRAM: u64 = 20;

/// What to run.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Random programs in all, shared equally by the builds, half of them instructions at random, half decompositions.
    #[arg(long, default_value_t = 200)]
    random: u64,
    /// First seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only this build.
    #[arg(long)]
    build: Option<String>,
    /// Print the generated package of a build, and nothing else.
    #[arg(long, value_name = "BUILD", exclusive = true)]
    package: Option<String>,
    /// Count what the random programs contain, without the RTL, and nothing else.
    #[arg(long)]
    coverage: bool,
    /// Find the first instruction that differs in the program of this seed, on the build given.
    #[arg(long, value_name = "SEED", requires = "build")]
    locate: Option<u64>,
}

pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    if let Some(name) = &arguments.package {
        print!("{}", named(name)?.package());
        return Ok(());
    }
    let builds = match &arguments.build {
        Some(name) => vec![named(name)?],
        None => Build::all(),
    };
    let programs = arguments.random.div_ceil(2 * builds.len() as u64);
    let seeds = arguments.seed..arguments.seed + SEEDS_PER_PROGRAM * programs;
    if arguments.coverage {
        let mut coverage = Coverage::default();
        for build in &builds {
            coverage
                .join(Coverage::of(build, seeds.clone(), programs).map_err(anyhow::Error::msg)?);
        }
        print!("{coverage}");
        return Ok(());
    }
    let Some(verilator) = Verilator::find(&root.join("rtl")) else {
        bail!(
            "Verilator is not installed: Debian has it in the package `verilator`, and it needs `g++` and `make`"
        );
    };
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let cache = target.map_or_else(|| root.join("target"), PathBuf::from);
    let cache = cache.join("rtl");
    let mut totals = Totals::default();
    for (turn, build) in builds.iter().enumerate() {
        eprintln!("{}: building, or found built", build.name);
        let bench = verilator
            .machine(build, &cache)
            .with_context(|| format!("building {}", build.name))?;
        if let Some(seed) = arguments.locate {
            return locate(build, &bench, seed);
        }
        workloads(build, turn, &bench, &mut totals);
        let tally = campaign(build, &bench, seeds.clone(), programs);
        totals.add(build, &tally);
        ensure!(
            !tally.different.is_empty() || tally.equal.iter().all(|&n| n >= programs),
            "{}: there is no room for more than {} and {} of {programs} random programs of either kind",
            build.name,
            tally.equal[0],
            tally.equal[1]
        );
        speed(build, &bench)?;
    }
    println!(
        "rtl: {} builds, {} decompositions, {} random programs and {} random decompositions, {} differ; {} instructions with their cycles and {} values compared",
        builds.len(),
        totals.decompositions,
        totals.random[0],
        totals.random[1],
        totals.different,
        totals.compared.instructions,
        totals.compared.values
    );
    ensure!(totals.different == 0, "RTL and models differ");
    Ok(())
}

#[derive(Default)]
struct Totals {
    decompositions: u64,
    /// By kind, those that are equal.
    random: PerKind<u64>,
    different: u64,
    compared: Compared,
}

impl Totals {
    fn add(&mut self, build: &Build, tally: &Tally) {
        println!(
            "{}: {} random programs and {} random decompositions equal, {} differ (no room for {} and {})",
            build.name,
            tally.equal[0],
            tally.equal[1],
            tally.different.len(),
            tally.no_room[0],
            tally.no_room[1]
        );
        for (seed, what) in &tally.different {
            println!("{}, seed {seed}: {what}", build.name);
        }
        for (sum, equal) in self.random.iter_mut().zip(tally.equal) {
            *sum += equal;
        }
        self.different += tally.different.len() as u64;
        self.compared = self.compared + tally.compared;
    }
}

fn named(name: &str) -> Result<Build> {
    let mut builds = Build::all();
    let names: Vec<_> = builds.iter().map(|b| b.name).collect();
    let Some(at) = names.iter().position(|n| *n == name) else {
        bail!("there is no build {name:?}: they are {}", names.join(", "));
    };
    Ok(builds.swap_remove(at))
}

fn workloads(build: &Build, turn: usize, bench: &Bench, totals: &mut Totals) {
    println!("{}: {}", build.name, build.purpose);
    for (name, case) in decompositions(&build.arch, turn) {
        let result = case
            .map_err(anyhow::Error::from)
            .and_then(|case| Ok(bench.check(build, &case)?));
        totals.decompositions += 1;
        match result {
            Ok(compared) => totals.compared = totals.compared + compared,
            Err(error) => {
                totals.different += 1;
                println!("{}, {name}: {error:#}", build.name);
            }
        }
    }
}

fn locate(build: &Build, bench: &Bench, seed: u64) -> Result<()> {
    let (build, case) = trial(build, seed).with_context(|| format!("seed {seed}"))?;
    println!("{}", case.program);
    match bench.locate(&build, &case)? {
        Some(place) => println!("first difference: {place}"),
        None => println!("no difference without loops"),
    }
    Ok(())
}

/// A decomposition long enough that starting the process does not matter.
fn speed(build: &Build, bench: &Bench) -> Result<()> {
    let workload = [
        ("workload.prompts", "40"),
        ("workload.iterations", "6"),
        ("mapping.expansion_factor", "2"),
        ("mapping.clusters_per_partition", "2"),
    ];
    let case = Case::lanczos(&build.arch, "speed", &workload, Values::Tame, 1)?;
    let speed = bench.speed(build, &case)?;
    println!(
        "{}: {} cycles on one core: timing model {:.3} ms, Verilator {:.0} ms, {:.0} times as long",
        build.name,
        speed.cycles,
        1e3 * speed.timing.as_secs_f64(),
        1e3 * speed.rtl.as_secs_f64(),
        speed.ratio()
    );
    Ok(())
}
