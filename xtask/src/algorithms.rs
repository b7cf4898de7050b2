//! `cargo xtask reproduce algorithms`: which decomposition wins where, from sweeps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use dcom_arch::{Arch, ArchParams};
use dcom_compare::{
    Base, Machine, Place, Shape, Subject, Verdict, Winner, candidates, compare, figure, table,
    verdicts,
};
use dcom_config::Source;
use dcom_llm::Gpu;
use dcom_mapper::WorkloadParams;
use dcom_power::Technology;
use dcom_reference::synthetic::{Variant, llama_like};
use dcom_report::{Cell, Column, Table, significant, write_atomic};
use indicatif::{ProgressBar, ProgressStyle};

const REPORTS: &str = "reports/algorithms";

/// Channels of Llama-2-7B.
const COLUMNS: usize = 4096;

/// Prompt lengths: short, Table 2's, half of Llama-2's context.
const ROWS: [usize; 3] = [128, 468, 2048];

/// The paper's ranks.
const RANKS: [u32; 3] = [1, 10, 20];

/// How far above the best error a candidate may be. Assumed: what five more vectors than the rank leave on recorded activations.
const SLACK: f64 = 0.02;

/// One copy of A for both products: cut by rows, what crosses partitions in A^T u are partial results.
const IN_BANKS: &[(&str, &str)] = &[
    ("mapping.residency", "resident"),
    ("mapping.transposed_product", "reduce"),
];

/// The paper's machine with other memories and ports, and A in the banks where it fits.
const MACHINES: [Machine; 6] = [
    Machine {
        name: "paper",
        arch: &[],
        workload: &[],
    },
    Machine {
        name: "memory / 4",
        arch: &[("memory.bandwidth_gb_per_s", "510")],
        workload: &[],
    },
    Machine {
        name: "ports x 4",
        arch: &[
            ("bank.port_elements", "256"),
            ("cluster.ingest_elements", "64"),
        ],
        workload: &[],
    },
    Machine {
        name: "memory x 4, ports x 4",
        arch: &[
            ("memory.bandwidth_gb_per_s", "8156"),
            ("bank.port_elements", "256"),
        ],
        workload: &[],
    },
    Machine {
        name: "A in the banks",
        arch: &[],
        workload: IN_BANKS,
    },
    Machine {
        name: "A in the banks, ports x 4",
        arch: &[("bank.port_elements", "256")],
        workload: IN_BANKS,
    },
];

pub(crate) fn run(root: &Path) -> Result<()> {
    std::env::set_current_dir(root).context("entering the repository")?;
    let read = |path: &str| Source::read(Path::new(path));
    let arch = ArchParams::parse(read("configs/arch/dcom-paper.toml")?)?;
    let mut workload = WorkloadParams::parse(read("configs/workloads/llama2-7b.toml")?)?;
    workload.set("mapping.overlap_ingest", "true")?;
    let gpu = Gpu::read(Path::new("configs/gpu/a100-80gb.toml"))?;
    let technology = Technology::nangate15();
    let base = Base {
        arch: &arch,
        workload: &workload,
        technology: &technology,
        gpu: &gpu,
        prompts: 64,
        slack: SLACK,
    };
    let shapes = shapes()?;
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new((shapes.len() * RANKS.len()) as u64)
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos} of {len} shapes and ranks, {eta} left",
    )?);
    let found = verdicts(&base, &shapes, &RANKS, &MACHINES, || bar.inc(1))?;
    bar.finish_and_clear();
    std::fs::create_dir_all(REPORTS).with_context(|| format!("creating {REPORTS}"))?;
    let all = verdict_table(&found)?;
    let mut bytes = Vec::new();
    all.to_csv(&mut bytes)?;
    write_atomic(Path::new(REPORTS).join("winners.csv"), &bytes)?;
    let words = summary(&found);
    let example = example(&base, &shapes[2].matrix)?;
    let text = format!(
        "# Which decomposition\n\n{}\n{words}\n## Winners\n\n{}\n## One matrix in full\n\n{example}",
        introduction(),
        all.to_markdown(),
    );
    write_atomic(Path::new(REPORTS).join("index.md"), text.as_bytes())?;
    print!("{words}");
    println!("{REPORTS}/index.md");
    Ok(())
}

fn shapes() -> Result<Vec<Shape>> {
    let mut shapes = Vec::new();
    for rows in ROWS {
        for (name, variant) in [
            ("post-norm", Variant::PostNorm),
            ("massive", Variant::ResidualMassive),
        ] {
            shapes.push(Shape {
                name: name.to_owned(),
                matrix: llama_like(rows, COLUMNS, 1, variant)?,
            });
        }
    }
    Ok(shapes)
}

fn introduction() -> String {
    format!(
        "Made by `cargo xtask reproduce algorithms`. Seeded Llama-like activations (`dcom generate activation`, {COLUMNS} channels), 64 prompts per\n\
         batch, the next ones arriving meanwhile; times per prompt. Of each algorithm the parameters of `docs/algorithms.md` are tried; a candidate\n\
         counts if its error, that of the machine's arithmetic bit for bit, is at most {} % above the best of the rank. Times of the GPU are those\n\
         of an A100 by the model of `docs/llm.md`. The time includes the fitted round trip of the small SVD, the same for all.\n",
        100.0 * SLACK
    )
}

fn cells(winner: Option<&Winner>, time: fn(&Winner) -> f64) -> [Cell; 3] {
    match winner {
        Some(w) => [
            Cell::from(w.candidate.label()),
            Cell::from(u64::from(w.candidate.iterations)),
            Cell::real(time(w), 4),
        ],
        None => [Cell::Missing, Cell::Missing, Cell::Missing],
    }
}

fn verdict_table(verdicts: &[Verdict]) -> Result<Table> {
    let mut table = Table::new(vec![
        Column::new("activation"),
        Column::new("tokens"),
        Column::new("rank"),
        Column::new("machine"),
        Column::new("best error"),
        Column::new("fastest"),
        Column::new("vectors"),
        Column::new("time").unit("us"),
        Column::new("Golub-Kahan").unit("us"),
        Column::new("gain"),
        Column::new("least energy"),
        Column::new("energy").unit("uJ"),
        Column::new("fastest on GPU, fused"),
        Column::new("GPU fused").unit("us"),
        Column::new("fastest on GPU, eager"),
        Column::new("GPU eager").unit("us"),
    ]);
    for v in verdicts {
        let [fastest, vectors, time] = cells(v.fastest.as_ref(), |w| w.cost.us);
        let [_, _, golub_kahan] = cells(v.golub_kahan.as_ref(), |w| w.cost.us);
        let gain = match (&v.fastest, &v.golub_kahan) {
            (Some(a), Some(b)) => Cell::real(b.cost.us / a.cost.us, 3),
            _ => Cell::Missing,
        };
        let [frugal, _, energy] = cells(v.frugal.as_ref(), |w| {
            w.cost.chip_uj.nominal + w.cost.transfer_uj
        });
        let [fused, _, fused_us] = cells(v.gpu_fused.as_ref(), |w| w.cost.gpu_fused_us);
        let [eager, _, eager_us] = cells(v.gpu_eager.as_ref(), |w| w.cost.gpu_eager_us);
        table.push(vec![
            Cell::from(v.shape.0.clone()),
            Cell::from(v.shape.1 as u64),
            Cell::from(u64::from(v.rank)),
            Cell::from(v.machine),
            Cell::real(v.best_error, 4),
            fastest,
            vectors,
            time,
            golub_kahan,
            gain,
            frugal,
            energy,
            fused,
            fused_us,
            eager,
            eager_us,
        ])?;
    }
    Ok(table)
}

/// How often each algorithm wins on each machine, and by how much.
fn summary(verdicts: &[Verdict]) -> String {
    let mut machines: Vec<&str> = Vec::new();
    for v in verdicts {
        if !machines.contains(&v.machine) {
            machines.push(v.machine);
        }
    }
    let mut text = String::new();
    for machine in machines {
        let here: Vec<&Verdict> = verdicts.iter().filter(|v| v.machine == machine).collect();
        let mut wins: BTreeMap<&str, u32> = BTreeMap::new();
        let mut gains = Vec::new();
        for v in &here {
            let Some(fastest) = &v.fastest else {
                *wins.entry("none fits").or_default() += 1;
                continue;
            };
            *wins.entry(fastest.candidate.name()).or_default() += 1;
            gains.extend(v.golub_kahan.map(|gk| gk.cost.us / fastest.cost.us));
        }
        let wins: Vec<String> = wins
            .iter()
            .map(|(name, n)| format!("`{name}` {n}"))
            .collect();
        gains.sort_by(f64::total_cmp);
        let range = match (gains.first(), gains.last()) {
            (Some(least), Some(most)) => format!(
                "; {} to {} times as fast as Golub-Kahan",
                significant(*least, 3),
                significant(*most, 3)
            ),
            _ => String::new(),
        };
        writeln!(
            text,
            "* {machine}: of {} shapes and ranks {}{range}.",
            here.len(),
            wins.join(", ")
        )
        .expect("strings take all");
    }
    text
}

/// All candidates on one matrix, with the plots.
fn example(base: &Base<'_>, matrix: &dcom_tensor::Matrix) -> Result<String> {
    let arch = Arch::new(base.arch)?;
    let rank = 10;
    let subject = Subject {
        arch: &arch,
        workload: base.workload,
        technology: base.technology,
        gpu: base.gpu,
        rank,
        prompts: base.prompts,
    };
    let smaller = u32::try_from(matrix.rows().min(matrix.cols()))?;
    let comparison = compare(&subject, matrix, &candidates(rank, smaller), || {})?;
    for (place, name) in [
        (Place::Dcom, "error-time-dcom"),
        (Place::GpuFused, "error-time-gpu-fused"),
        (Place::GpuEager, "error-time-gpu-eager"),
    ] {
        let figure = figure(
            &comparison,
            place,
            format!(
                "dcom {}, machine {}",
                env!("CARGO_PKG_VERSION"),
                base.arch.hash()
            ),
        );
        figure.write(Path::new(REPORTS).join(format!("{name}.svg")))?;
        figure.write(Path::new(REPORTS).join(format!("{name}.png")))?;
    }
    Ok(format!(
        "{} x {} post-norm, rank {rank}, best error {}:\n\n{}\n![error over time on D-com](error-time-dcom.svg)\n\n\
         ![on the GPU with fused kernels](error-time-gpu-fused.svg)\n\n![on the GPU as PyTorch runs it](error-time-gpu-eager.svg)\n",
        comparison.rows,
        comparison.columns,
        significant(comparison.best_error, 5),
        table(&comparison)?.to_markdown(),
    ))
}
