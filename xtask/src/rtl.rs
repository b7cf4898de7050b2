//! `cargo xtask rtl`: the RTL of the whole machine against executor and timing model.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use dcom_cosim::{
    Bench, Build, Case, Compared, Tally, Values, Verilator, WORKLOADS, campaign, case,
};

/// Seeds tried for each random program that has to fit: half of them are workloads, of which some find no room.
const SEEDS_PER_PROGRAM: u64 = 10;

/// What to run.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Random programs in all, shared equally by the builds.
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
    /// Find the first instruction that differs in the program of this seed, on the build given.
    #[arg(long, value_name = "SEED", requires = "build")]
    locate: Option<u64>,
}

pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    if let Some(name) = &arguments.package {
        print!("{}", named(name)?.package());
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
    let builds = match &arguments.build {
        Some(name) => vec![named(name)?],
        None => Build::all(),
    };
    let mut totals = Totals::default();
    for build in &builds {
        eprintln!("{}: building, or found built", build.name);
        let bench = verilator
            .machine(build, &cache)
            .with_context(|| format!("building {}", build.name))?;
        if let Some(seed) = arguments.locate {
            return locate(build, &bench, seed);
        }
        decompositions(build, &bench, &mut totals);
        let programs = arguments.random.div_ceil(builds.len() as u64);
        let seeds = arguments.seed..arguments.seed + SEEDS_PER_PROGRAM * programs;
        let tally = campaign(build, &bench, seeds, programs);
        let ran = tally.equal + tally.different.len() as u64;
        ensure!(ran >= programs, "{}: only {ran} seeds fit", build.name);
        totals.add(build, &tally);
        speed(build, &bench)?;
    }
    println!(
        "rtl: {} builds, {} decompositions and {} random programs, {} differ; {} instructions with their cycles and {} values compared",
        builds.len(),
        totals.decompositions,
        totals.random,
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
    random: u64,
    different: u64,
    compared: Compared,
}

impl Totals {
    fn add(&mut self, build: &Build, tally: &Tally) {
        println!(
            "{}: {} random programs equal, {} differ ({} seeds did not fit)",
            build.name,
            tally.equal,
            tally.different.len(),
            tally.unfit
        );
        for (seed, what) in &tally.different {
            println!("{}, seed {seed}: {what}", build.name);
        }
        self.random += tally.equal + tally.different.len() as u64;
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

fn decompositions(build: &Build, bench: &Bench, totals: &mut Totals) {
    println!("{}: {}", build.name, build.purpose);
    for (name, workload) in WORKLOADS {
        let result = Case::lanczos(&build.arch, name, workload, Values::Tame, 1)
            .map_err(anyhow::Error::msg)
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
    let case = case(build, seed).with_context(|| format!("seed {seed} is no program"))?;
    println!("{}", case.program);
    match bench.locate(build, &case)? {
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
    let case = Case::lanczos(&build.arch, "speed", &workload, Values::Tame, 1)
        .map_err(anyhow::Error::msg)?;
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
