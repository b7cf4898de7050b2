//! How long the shipped model takes on 24 windows of 256 bytes, as it is, under plans in float64, and with two layers decomposed bit by bit.
//!
//! `cargo run --release -p dcom-model --example model_speed`, in the project's folder.

#![expect(clippy::print_stdout, reason = "a program that measures")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use dcom_arch::{Arch, ArchParams};
use dcom_config::Source;
use dcom_llm::Plan;
use dcom_mapper::WorkloadParams;
use dcom_model::{Device, Method, Model, OutlierChoice, Treatment, Windows, perplexity};
use dcom_trace::Decomposer;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("crates/dcom-model/fixtures/tinyllama");
    let model = Model::open(folder, Device::Cpu)?;
    let text = std::fs::read(folder.join("valid-a.txt"))?;
    let windows = Windows {
        length: 256,
        offset: 0,
        count: Some(24),
    };
    let windows = windows.cut(&model.tokens().encode(&text, false)?)?;

    let started = Instant::now();
    let original = perplexity(&model, &windows, None)?.value();
    println!(
        "as it is: {original:.4} in {:.2} s",
        started.elapsed().as_secs_f64()
    );

    let arch = Arch::new(&ArchParams::parse(Source::read(Path::new(
        "configs/arch/dcom-paper.toml",
    ))?)?)?;
    let workload =
        WorkloadParams::parse(Source::read(Path::new("configs/workloads/llama2-7b.toml"))?)?;
    let machine = Method::Machine(Decomposer::new(&arch, workload)?);
    for (layers, more, method, name) in [
        ("[2, 5]", "", Method::Svd, "SVD"),
        ("[1, 3, 5]", "", Method::Svd, "SVD"),
        ("[0, 1, 2, 3, 4, 5, 6, 7]", "", Method::Svd, "SVD"),
        (
            "[2, 5]",
            "iterations = 15",
            Method::Lanczos,
            "Lanczos, 15 iterations, float64",
        ),
        (
            "[2, 5]",
            "iterations = 15",
            machine,
            "Lanczos, 15 iterations, the machine's bits",
        ),
    ] {
        let plan = format!(
            "name = \"plan\"\nflow = {{ return_to_factors = \"decompose\" }}\n[[layers]]\nindices = {layers}\nrank = 10\n{more}\n"
        );
        let plan = Plan::parse("plan", &plan)?;
        let treatment = Treatment::new(&plan, method, OutlierChoice::default());
        let started = Instant::now();
        let found = perplexity(&model, &windows, Some(&treatment))?.value();
        println!(
            "layers {layers} at rank 10, {name}: {found:.4}, factor {:.4}, in {:.2} s",
            found / original,
            started.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
