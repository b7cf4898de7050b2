//! Plan files, and memory tensor by tensor.

use dcom_llm::{Flow, LayerPlan, Outliers, Plan, Return, activations, model_activations, weights};

use crate::{model, project, rank};

fn error(text: &str) -> String {
    Plan::parse("p.toml", text)
        .expect_err("no plan")
        .to_string()
}

#[test]
fn mistakes_name_their_place() {
    let layer =
        |more: &str| format!("name = \"p\"\n[[layers]]\nindices = [1]\nrank = 10\n{more}\n");
    assert_eq!(
        error(&layer("iterations = 9")),
        "p.toml:5: iterations = 9: must be in 10..=512"
    );
    assert_eq!(
        error(&layer("outlier_percent = 101")),
        "p.toml:5: outlier_percent = 101: must be in 0..=100 (percent of the channels)"
    );
    assert_eq!(
        error(&layer("outlier_percent = nan")),
        "p.toml:5: outlier_percent = NaN: must be in 0..=100 (percent of the channels)"
    );
    let twice = format!("{}[[layers]]\nindices = [3, 1]\nrank = 2\n", layer(""));
    assert_eq!(
        error(&twice),
        "p.toml:7: indices = 1: the layer is planned twice"
    );
    assert!(
        error(&layer("ranks = 3")).contains("unknown field `ranks`, expected one of"),
        "{}",
        error(&layer("ranks = 3"))
    );
    assert!(
        error("name = \"p\"\n[flow]\nreturn_to_factors = \"guess\"")
            .contains("expected one of `project`, `decompose`, `dense`")
    );
    assert_eq!(
        error("name = \"p\"\n[[layers]]\nindices = [4000000000]\nrank = 1\n"),
        "p.toml:3: indices = 4000000000: must be in 0..=999"
    );
}

#[test]
fn a_plan_says_what_becomes_of_each_layer() {
    let plan = Plan::read(&project("configs/plans/paper-best.toml")).expect("shipped");
    let indices: Vec<u32> = plan.decomposed().map(|(index, _)| index).collect();
    assert_eq!(indices, [9, 10, 13, 14, 17, 18, 21, 22, 26, 27]);
    let layer = plan.layer(9).expect("planned");
    assert_eq!(
        (layer.rank, layer.iterations, layer.weight_rank),
        (20, 20, None)
    );
    // 2.9 % of 4096 are 118.8.
    assert_eq!(layer.outlier_channels(4096), 119);
    assert_eq!(plan.flow.return_to_factors, Return::Project);
}

/// The tiny model at S = 100, rank 4: the input is 100 x 160, its factors 4 (100 + 160); 10 outlier channels keep 100 values each.
#[test]
fn activations_tensor_by_tensor() {
    let tiny = model("tiny");
    let plan = LayerPlan {
        outlier_percent: 6.25,
        ..rank(4)
    };
    let tensors = activations(&tiny, 100, Some(&plan));
    let of = |name: &str| {
        let tensor = tensors
            .iter()
            .find(|tensor| tensor.name == name)
            .expect("counted");
        (tensor.original, tensor.planned)
    };
    assert_eq!(of("input"), (32_000, 2 * (1040 + 1000)));
    assert_eq!(of("gate"), (86_400, 2 * (4 * 532 + 2700)));
    assert_eq!(of("scores"), (100_000, 100_000));
    // Decomposed outliers of rank 2: 2 (100 + 10) instead of 10 x 100.
    let decomposed = LayerPlan {
        outliers: Outliers::Decomposed,
        outlier_rank: 2,
        ..plan
    };
    assert_eq!(
        activations(&tiny, 100, Some(&decomposed))[0].planned,
        2 * (1040 + 220)
    );
    // Two of eight layers.
    let both = Plan::uniform("two", Flow::default(), &[1, 2], plan);
    let (original, planned) = model_activations(&tiny, 100, &both);
    let saved: u64 = tensors
        .iter()
        .map(|tensor| tensor.original - tensor.planned)
        .sum();
    assert_eq!(original - planned, 2 * saved);
}

/// Rank-1 factors for all layers leave embedding, head, norms and the factors: 96 % of Llama-2-7B are saved, as Table 3 says.
#[test]
fn weights_of_decomposed_layers() {
    let model = model("llama-2-7b");
    let all: Vec<u32> = (0..32).collect();
    let plan = LayerPlan {
        weight_rank: Some(1),
        ..rank(1)
    };
    let (original, planned) = weights(&model, &Plan::uniform("all", Flow::default(), &all, plan));
    assert_eq!(original, 2 * 6_738_415_616);
    // Per layer: 4 (8192 + 1) + 3 (15104 + 1) and two norms.
    assert_eq!(
        planned,
        2 * (32 * (32_772 + 45_315 + 8192) + 2 * 32_000 * 4096 + 4096)
    );
    // Factors that are larger than the weight save nothing, and cost nothing.
    let large = LayerPlan {
        weight_rank: Some(4096),
        ..rank(1)
    };
    let (original, planned) = weights(&model, &Plan::uniform("all", Flow::default(), &all, large));
    assert_eq!(original, planned);
}
