//! Random programs on the RTL of the whole machine (`rtl/machine/README.md`): prints the package for a build, or the
//! first difference of each seed between RTL, executor and timing model.
//!
//! ```text
//! cargo run -p dcom-cosim --example machine -- package BUILD > dcom_pkg.sv
//! cargo run -p dcom-cosim --example machine -- BUILD BENCH_FOLDER FIRST_SEED END_SEED
//! ```

#![expect(
    clippy::print_stdout,
    reason = "a tool for the terminal; results go to stdout"
)]

use std::error::Error;
use std::path::PathBuf;

use dcom_cosim::{Bench, Build, Case, CheckError, Values, WORKLOADS};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let build = |name: &str| {
        let mut builds = Build::all().into_iter();
        builds.find(|b| b.name == name).ok_or("no such build")
    };
    match arguments.as_slice() {
        [what, name] if what == "package" => print!("{}", build(name)?.package()),
        [what, name, folder] if what == "lanczos" => {
            let (build, bench) = (&build(name)?, Bench::at(PathBuf::from(folder)));
            for (name, workload) in WORKLOADS {
                let case = Case::lanczos(&build.arch, name, workload, Values::Tame, 1)?;
                match bench.check(build, &case) {
                    Ok(compared) => println!("{name}: {compared:?}"),
                    Err(error) => {
                        println!("{name}: {error}\n {:?}", bench.locate(build, &case))
                    }
                }
            }
        }
        [name, folder, first, end] => {
            let bench = Bench::at(PathBuf::from(folder));
            compare_seeds(&build(name)?, &bench, first.parse()?..end.parse()?)?;
        }
        _ => {
            return Err(
                "expected `package BUILD`, or BUILD BENCH_FOLDER FIRST_SEED END_SEED".into(),
            );
        }
    }
    Ok(())
}

fn compare_seeds(
    build: &Build,
    bench: &Bench,
    seeds: std::ops::Range<u64>,
) -> Result<(), Box<dyn Error>> {
    let (mut equal, mut different, mut do_not_fit) = (0, 0, 0);
    for seed in seeds {
        let Some(case) = dcom_cosim::case(build, seed) else {
            do_not_fit += 1;
            continue;
        };
        if std::env::var_os("SHOW").is_some() {
            println!("{}", case.program);
        }
        match bench.check(build, &case) {
            Ok(_) => equal += 1,
            Err(CheckError::Unfit(_)) => do_not_fit += 1,
            Err(error) => {
                different += 1;
                println!("seed {seed}: {error}");
                match bench.locate(build, &case)? {
                    Some(place) => println!("  first {place}"),
                    None => println!("  equal without loops"),
                }
            }
        }
    }
    println!("{equal} equal, {different} different, {do_not_fit} do not fit the build");
    Ok(())
}
