//! Measured kernels and the constants that come from them.

use dcom_llm::Gpu;
use dcom_llm::measured::{Measured, fit, parse, predict};

use crate::project;

const HEADING: &str =
    "kernel,batch,m,n,k,dtype,repeats,microseconds,least,greatest,timer,device,torch\n";

fn gpu() -> Gpu {
    Gpu::read(&project("configs/gpu/h200.toml")).expect("shipped")
}

/// Rows of the kinds and sizes that the script measures, with the times that a GPU of these constants would have.
fn rows_of(gpu: &Gpu) -> Vec<Measured> {
    let mut rows = Vec::new();
    let mut add = |kernel: &str, [batch, m, n, k]: [u64; 4]| {
        let mut row = Measured {
            kernel: kernel.to_owned(),
            batch,
            m,
            n,
            k,
            dtype: "float16".to_owned(),
            microseconds: 1.0,
            device: "a model".to_owned(),
        };
        row.microseconds = predict(gpu, &row).expect("known");
        rows.push(row);
    };
    for megabytes in [64, 1024, 8192] {
        add("copy", [1, 1, megabytes << 20, 1]);
    }
    for tokens in [468, 2048] {
        for batch in [1, 64] {
            add("matvec", [batch, tokens, 1, 4096]);
            add("matvec_transposed", [batch, 4096, 1, tokens]);
            add("gemm_q", [1, batch * tokens, 4096, 4096]);
            add("gemm_up", [1, batch * tokens, 11008, 4096]);
            add("attention_fused", [batch * 32, tokens, tokens, 128]);
            add("rms_norm_eager", [1, batch * tokens, 4096, 1]);
            add("residual", [1, batch * tokens, 4096, 1]);
            add("reorthogonalization_step_eager", [batch, tokens, 1, 1]);
            add("small_svd", [batch, 10, 10, 10]);
            add("lanczos_eager", [batch, tokens, 4096, 10]);
        }
    }
    rows
}

/// From the times of a GPU with other constants, the fit finds these constants; then all rows are predicted.
#[test]
fn the_fit_recovers_the_constants_of_a_modelled_gpu() {
    let mut other = gpu();
    for (key, value) in [
        ("kernel.launch_us", "3.5"),
        ("memory.efficiency", "0.7"),
        ("memory.matvec_efficiency", "0.4"),
        ("compute.product_efficiency", "0.62"),
        ("kernel.eager_us", "9"),
        ("decomposition.prompt_us", "120"),
    ] {
        other.set(key, value).expect("in range");
    }
    let found = fit("m.csv", &gpu(), &rows_of(&other)).expect("enough rows");
    for (key, value) in &found.constants {
        let entries = other.entries();
        let entry = entries
            .iter()
            .find(|entry| entry.path == *key)
            .expect("a key");
        let expected: f64 = entry.value.to_string().parse().expect("a number");
        // The launch is found first, with the file's memory efficiency: the smallest sum moves 11 MB, 2.8 us of them.
        let tolerance = if *key == "kernel.launch_us" {
            0.3
        } else {
            0.02
        };
        assert!(
            (value / expected - 1.0).abs() < tolerance,
            "{key}: {value}, expected {expected}"
        );
    }
    assert_eq!(
        found.rows.iter().filter(|row| row.fitted.is_some()).count(),
        6
    );
    assert!(found.median_error() < 0.02, "{}", found.median_error());
}

#[test]
fn mistakes_name_their_line() {
    let row = "copy,1,1,1024,1,uint8,20,VALUE,1,1,cuda_event,d,2\n";
    let error = |value: &str| {
        parse(
            "m.csv",
            &format!("{HEADING}{}", row.replace("VALUE", value)),
        )
        .expect_err("wrong")
        .to_string()
    };
    assert_eq!(error("-1"), "m.csv:2: microseconds = -1: must be positive");
    assert!(error("fast").starts_with("m.csv:2: "), "{}", error("fast"));
    let rows = parse("m.csv", &format!("{HEADING}{}", row.replace("VALUE", "5"))).expect("a table");
    let error = fit("m.csv", &gpu(), &rows)
        .expect_err("one row")
        .to_string();
    assert_eq!(
        error,
        "m.csv: no row of residual to take kernel.launch_us from"
    );
    let few: Vec<Measured> = rows_of(&gpu()).into_iter().take(23).collect();
    let error = fit("m.csv", &gpu(), &few).expect_err("too few").to_string();
    assert!(
        error.ends_with("24 are needed, so that no more than a quarter is fitted to"),
        "{error}"
    );
}
