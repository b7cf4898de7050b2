//! `cargo xtask reproduce`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use dcom_paper::{Report, claims_table, worse_than};
use dcom_report::{Table, write_atomic};
use dcom_sweep::fit;
use dcom_sweep::{Base, fig12, fig13, roofline};

const ARCH: &str = "configs/arch/dcom-paper.toml";
const WORKLOAD: &str = "configs/workloads/paper-fig12.toml";
const REPORTS: &str = "reports/paper";

fn base(root: &Path) -> Result<Base> {
    std::env::set_current_dir(root).context("entering the repository")?;
    Ok(Base::read(Path::new(ARCH), Path::new(WORKLOAD))?)
}

fn csv(table: &Table) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    table.to_csv(&mut bytes)?;
    Ok(bytes)
}

fn provenance(base: &Base) -> String {
    format!(
        "dcom {}, machine {}, workload {}",
        env!("CARGO_PKG_VERSION"),
        base.arch.hash(),
        base.workload.hash()
    )
}

/// D-com and the A100 beside what the memory bandwidth allows.
pub(crate) fn roofline(root: &Path) -> Result<()> {
    let base = base(root)?;
    let result = roofline::roofline(&base)?;
    let reports = Path::new(REPORTS);
    std::fs::create_dir_all(reports).with_context(|| format!("creating {REPORTS}"))?;
    write_atomic(reports.join("roofline.csv"), &csv(&result.table()?)?)?;
    write_atomic(reports.join("roofline.md"), result.markdown()?.as_bytes())?;
    let figure = result.figure(provenance(&base));
    figure.write(reports.join("roofline.svg"))?;
    figure.write(reports.join("roofline.png"))?;
    print!("{}", result.reader_table()?.to_text());
    println!("{}", result.words());
    Ok(())
}

/// Fig. 12 with its variations.
pub(crate) fn fig12(root: &Path) -> Result<()> {
    let base = base(root)?;
    let result = fig12::fig12(&base)?;
    let reports = Path::new(REPORTS);
    std::fs::create_dir_all(reports).with_context(|| format!("creating {REPORTS}"))?;
    write_atomic(reports.join("fig12.csv"), &csv(&result.table()?)?)?;
    write_atomic(
        reports.join("fig12_curves.csv"),
        &csv(&result.curves_table()?)?,
    )?;
    write_atomic(reports.join("fig12.md"), result.markdown()?.as_bytes())?;
    let figure = result.figure(provenance(&base));
    figure.write(reports.join("fig12.svg"))?;
    figure.write(reports.join("fig12.png"))?;
    print!("{}", result.table()?.to_text());
    let (factor, speedup) = result.paper.optimum().context("no feasible point")?;
    println!(
        "best f = {factor} (paper {}), speed-up {speedup:.2} (paper {}); {REPORTS}/fig12.md",
        fig12::PAPER_FACTOR,
        fig12::PAPER_SPEEDUP
    );
    Ok(())
}

/// Fig. 13: area and power against other designs.
pub(crate) fn fig13(root: &Path) -> Result<()> {
    let base = base(root)?;
    let result = fig13::fig13(&base)?;
    let reports = Path::new(REPORTS);
    std::fs::create_dir_all(reports).with_context(|| format!("creating {REPORTS}"))?;
    write_atomic(reports.join("fig13.csv"), &csv(&result.table()?)?)?;
    write_atomic(reports.join("fig13.md"), result.markdown()?.as_bytes())?;
    let figure = result.figure(format!(
        "dcom {}, machine {}, workload {}, technology {}",
        env!("CARGO_PKG_VERSION"),
        base.arch.hash(),
        base.workload.hash(),
        base.technology.hash()
    ));
    figure.write(reports.join("fig13.svg"))?;
    figure.write(reports.join("fig13.png"))?;
    print!("{}", result.claims_table()?.to_text());
    for claim in result.reached() {
        println!("{claim}");
    }
    println!("{}; {REPORTS}/fig13.md", result.summary());
    Ok(())
}

/// An error that grows by more than this part of the paper's value is worse: above what rounding changes.
const WORSE: f64 = 0.002;

/// Every page, and every claim beside its simulation.
pub(crate) fn all(root: &Path, accept: bool) -> Result<()> {
    fit(root)?;
    fig12(root)?;
    fig13(root)?;
    roofline(root)?;
    let report = Report::compute(Path::new(ARCH), Path::new(WORKLOAD), |what| {
        println!("{what} ...")
    })?;
    let (shipped, fitted) = report.constants();
    println!("A100: shipped {shipped:?}, fitted {fitted:?}");
    ensure!(
        shipped.close_to(fitted),
        "the constants of the A100's file are not those of the fit"
    );
    let claims = report.claims();
    let reports = Path::new(REPORTS);
    let path = reports.join("claims.csv");
    if let Ok(earlier) = std::fs::read(&path)
        && !accept
    {
        let worse = worse_than(&claims, &earlier, WORSE)?;
        for worse in &worse {
            println!(
                "worse: {}: error {:+.2} %, was {:+.2} %",
                worse.key,
                100.0 * worse.errors.1,
                100.0 * worse.errors.0
            );
        }
        ensure!(
            worse.is_empty(),
            "the error of {} claims grew; with --accept the report is written all the same",
            worse.len()
        );
    }
    write_atomic(&path, &csv(&claims_table(&claims)?)?)?;
    write_atomic(reports.join("index.md"), report.markdown()?.as_bytes())?;
    write_atomic(reports.join("index.html"), report.html()?.as_bytes())?;
    for (name, figure) in report.figures() {
        figure.write(reports.join(format!("{name}.svg")))?;
        figure.write(reports.join(format!("{name}.png")))?;
    }
    println!("{}; {REPORTS}/index.md", report.summary());
    Ok(())
}

/// The fitted constant, and whether the machine file has it.
pub(crate) fn fit(root: &Path) -> Result<()> {
    let base = base(root)?;
    let fitted = fit::fit(&base)?;
    let shipped = fit::residuals(&base, base.arch.svd_round_trip_cycles)?;
    for (what, fit) in [("least squares", &fitted), (ARCH, &shipped)] {
        println!("{what}: svd.round_trip_cycles = {}", fit.cycles);
        for (rank, paper, simulated, error) in &fit.rows {
            println!(
                "  rank {rank:>2}: paper {paper:6.1} us, simulated {simulated:6.1} us, error {:+5.1} %",
                error * 100.0
            );
        }
    }
    let mut overlapped = base.clone();
    overlapped.set("mapping.overlap_ingest", "true")?;
    let overlapped = fit::fit(&overlapped)?;
    println!(
        "with the arrival of A overlapped: svd.round_trip_cycles = {}, largest error {:.1} %, against {:.1} % without",
        overlapped.cycles,
        overlapped.worst() * 100.0,
        fitted.worst() * 100.0
    );
    ensure!(
        shipped.cycles == fitted.cycles,
        "{ARCH} has {} where the fit is {}",
        shipped.cycles,
        fitted.cycles
    );
    ensure!(
        shipped.worst() < 0.15,
        "Table 2 is off by {:.1} %",
        shipped.worst() * 100.0
    );
    Ok(())
}
