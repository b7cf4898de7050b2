//! `dcom llm`: models on GPUs and D-com from the command line.

use crate::support::{Bench, project};

const SCENARIO: &str = "configs/scenarios/paper-table2.toml";

/// A bench with the shipped configurations under `configs`, as in the project.
fn bench() -> Bench {
    let bench = Bench::new();
    for folder in ["arch", "gpu", "models", "plans", "scenarios", "workloads"] {
        let target = bench.path("configs").join(folder);
        std::fs::create_dir_all(&target).expect("a folder");
        for entry in std::fs::read_dir(project("configs").join(folder)).expect("the configs") {
            let entry = entry.expect("readable");
            std::fs::copy(entry.path(), target.join(entry.file_name())).expect("copied");
        }
    }
    bench
}

/// The sums of the JSON are those of its ops: with everything hidden, the GPUs' ops are the time.
#[test]
fn json_holds_every_op() {
    let json = bench().json(&["llm", SCENARIO, "--json"]);
    let ops = json["ops"].as_array().expect("a list");
    let sum = |on_dcom: bool| -> f64 {
        let chosen = ops.iter().filter(|op| op["on_dcom"] == on_dcom);
        chosen.map(|op| op["us"].as_f64().expect("a time")).sum()
    };
    let of = |key: &str| json[key].as_f64().expect("a number");
    assert!((sum(false) / of("time_us") - 1.0).abs() < 1e-9);
    assert!((sum(true) / of("dcom_us") - 1.0).abs() < 1e-9);
    assert!((of("time_us") / of("original_us") / of("ratio") - 1.0).abs() < 1e-9);
    assert_eq!(ops.iter().filter(|op| op["on_dcom"] == true).count(), 10);
}

/// The text says what was asked; chart and timeline are whole files of their kinds.
#[test]
fn text_chart_and_timeline() {
    let bench = bench();
    let text = bench.ok(&[
        "llm",
        SCENARIO,
        "--set",
        "system.policy=overlapped",
        "--set",
        "batch.micro_batches=4",
        "--gantt",
        "gantt.svg",
        "--timeline",
        "timeline.json",
    ]);
    assert!(
        text.starts_with(
            "Llama-2-7B on 4 x A100 80GB: 64 prompts of 468 tokens, plan ten layers, rank 20\n"
        ),
        "{text}"
    );
    let chart = std::fs::read_to_string(bench.path("gantt.svg")).expect("the chart");
    assert!(chart.starts_with("<svg") && chart.ends_with("</svg>\n"));
    let timeline = std::fs::read(bench.path("timeline.json")).expect("the timeline");
    let timeline: serde_json::Value = serde_json::from_slice(&timeline).expect("JSON");
    let events = timeline["traceEvents"].as_array().expect("events");
    // Four micro-batches of ten decompositions on the second machine.
    let decompositions = events
        .iter()
        .filter(|event| event["cat"] == "decomposition");
    assert_eq!(decompositions.filter(|event| event["tid"] == 1).count(), 40);
}

/// Every file that a scenario is made of says what it is.
#[test]
fn check_knows_the_files() {
    let bench = bench();
    let text = bench.ok(&[
        "check",
        SCENARIO,
        "configs/gpu/a100-80gb.toml",
        "configs/models/llama-3-8b.toml",
        "configs/plans/paper-best.toml",
    ]);
    for part in [
        "scenario paper-table2, hash ",
        "GPU A100 80GB, hash ",
        "model Llama-3-8B, 8030 million weights",
        "plan ten layers, rank 20, 10 layers on factors",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn mistakes_say_what_would_be_right() {
    let bench = bench();
    bench.refused(&["llm", "none.toml"], &["none.toml"]);
    bench.refused(
        &["llm", SCENARIO, "--set", "system.policy=hiden"],
        &["system.policy", "hidden"],
    );
    bench.refused(
        &["llm", SCENARIO, "--set", "batch.micro_batches=3"],
        &["batch.micro_batches=3", "64 prompts are not divided evenly"],
    );
    bench.refused(
        &[
            "llm",
            SCENARIO,
            "--set",
            "files.plan=configs/plans/none.toml",
        ],
        &["configs/plans/none.toml"],
    );
    bench.refused(
        &[
            "llm",
            SCENARIO,
            "--set",
            "files.model=configs/models/tiny.toml",
        ],
        &["decomposes layer 9; Tiny Llama has 8 layers, 0 to 7"],
    );
    bench.refused(
        &["llm", SCENARIO, "--gantt", "no/gantt.svg"],
        &["no/gantt.svg"],
    );
    // A decomposition that the machine cannot do names its key.
    bench.refused(
        &[
            "llm",
            SCENARIO,
            "--set",
            "files.arch=configs/arch/small.toml",
        ],
        &["468 x 4096 to rank 20 does not fit the machine"],
    );
}

/// The sizes that the script measures by default, each with a time: the fitted file is legal, has six fitted constants, and keeps all else.
#[test]
fn gpu_fit_writes_a_gpu_file() {
    let bench = bench();
    let mut csv = String::from(
        "kernel,batch,m,n,k,dtype,repeats,microseconds,least,greatest,timer,device,torch\n",
    );
    let mut add = |row: &str, us: f64| {
        csv += &format!("{row},float16,20,{us},1,1,cuda_event,test device,2\n")
    };
    for (index, tokens) in [468_u64, 2048, 4096].into_iter().enumerate() {
        let scale = f64::from(1 << index);
        add(&format!("copy,1,1,{},1", tokens << 20), 500.0 * scale);
        add(&format!("matvec,64,{tokens},1,4096"), 300.0 * scale);
        add(
            &format!("matvec_transposed,64,4096,1,{tokens}"),
            300.0 * scale,
        );
        add(
            &format!("gemm_q,1,{},4096,4096", 64 * tokens),
            2500.0 * scale,
        );
        add(
            &format!("gemm_up,1,{},11008,4096", 64 * tokens),
            6000.0 * scale,
        );
        add(&format!("residual,1,{tokens},4096,1"), 6.0 * scale);
        add(
            &format!("reorthogonalization_step_eager,64,{tokens},1,1"),
            40.0,
        );
        add(&format!("small_svd,64,10,10,{}", 10 * (index + 1)), 9000.0);
        add(&format!("never_heard_of,64,{tokens},1,1"), 40.0);
    }
    bench.write("gpu.csv", csv.as_bytes());
    let fit = [
        "gpu",
        "fit",
        "gpu.csv",
        "--gpu",
        "configs/gpu/h200.toml",
        "-o",
        "fitted.toml",
    ];
    let text = bench.ok(&fit);
    assert!(
        text.starts_with("test device: 18 kernels predicted with a median error of "),
        "{text}"
    );
    assert!(
        text.contains("6 fitted to, 3 unknown to the model"),
        "{text}"
    );
    let fitted = std::fs::read_to_string(bench.path("fitted.toml")).expect("written");
    assert_eq!(fitted.matches("one row of gpu.csv").count(), 6);
    assert!(
        fitted.contains("eager_us = { value = 10.000000, mark = \"fitted\""),
        "{fitted}"
    );
    bench.ok(&["llm", SCENARIO, "--set", "files.gpu=fitted.toml"]);
    bench.refused(
        &["gpu", "fit", "gpu.csv", "--gpu", "none.toml"],
        &["none.toml"],
    );
    // A GPU with less bandwidth than was measured is not the one that was measured.
    let a100 = [
        "gpu",
        "fit",
        "gpu.csv",
        "--gpu",
        "configs/gpu/a100-80gb.toml",
    ];
    bench.refused(
        &a100,
        &[
            "memory.efficiency would be 2.1",
            "is the file that of test device?",
        ],
    );
}
