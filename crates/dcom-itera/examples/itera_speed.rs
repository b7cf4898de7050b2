//! Time and convergence of ITERA on a Llama-like weight: `cargo run --release -p dcom-itera --example itera_speed -- 4096 512`.

use std::time::Instant;

use dcom_itera::{Format, Options, Weight, itera};
use dcom_reference::llama_like_weight;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |default| numbers.next().unwrap_or(Ok(default));
    let (side, rank) = (next(4096)?, next(512)?);
    let started = Instant::now();
    let weight = Weight::try_from(&llama_like_weight(side, side, 1)?)?;
    eprintln!(
        "{side} x {side} made in {:.2} s",
        started.elapsed().as_secs_f64()
    );
    let started = Instant::now();
    let format: Format = "int4".parse()?;
    let found = itera(
        &weight,
        &Options::new(rank, Some(format)),
        &mut |progress| {
            if progress.done % 32 == 0 {
                let seconds = started.elapsed().as_secs_f64();
                eprintln!(
                    "{:>5} terms, error {:.4}, {seconds:.1} s",
                    progress.done, progress.error
                );
            }
        },
    )?;
    eprintln!(
        "{} terms, error {:.4}, {} passes, relative residual at most {:.2e}, {:.1} s",
        found.terms.len(),
        found.error(),
        found.passes,
        found.worst_residual,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
