//! Thresholds from activations made by hand.

use dcom_config::Source;
use dcom_tensor::Matrix;
use dcom_trace::{CalibrateOptions, Calibration, OutlierRule, calibrate};

use crate::support::Folder;

/// Ten channels; in channel c all of four tokens have magnitude c + 1, with alternating signs. The last token of channel 0
/// is 100.
fn ramp(last_of_first: f32) -> Vec<f32> {
    (0..40_u8)
        .map(|i| match (i / 10, i % 10) {
            (3, 0) => last_of_first,
            (row, column) => (f32::from(column) + 1.0) * if row % 2 == 0 { 1.0 } else { -1.0 },
        })
        .collect()
}

fn folder(prompts: &[Vec<f32>]) -> Folder {
    let mut text = "[trace]\nformat = 1\nlayer = 3\nsource = \"hand\"\n[model]\nname = \"m\"\nhidden = 10\nheads = 1\nkv_heads = 1\nhead_size = 10\nffn = 1\n".to_owned();
    for i in 0..prompts.len() {
        text += &format!("[[prompt]]\nid = \"p{i}\"\nlength = 4\n");
    }
    text += "[[op]]\nname = \"x\"\nkind = \"input\"\nshape = [\"S\", 10]\ndtype = \"f16\"\n[[op]]\nname = \"q\"\nkind = \"linear\"\ninputs = [\"x\"]\nshape = [\"S\", 1]\ndtype = \"f16\"\n";
    for i in 0..prompts.len() {
        text +=
            &format!("[[tensor]]\nop = \"x\"\nprompt = \"p{i}\"\nfile = \"p{i}.safetensors\"\n");
    }
    let folder = Folder::with_manifest(&text);
    for (i, values) in prompts.iter().enumerate() {
        folder.tensor(&format!("p{i}.safetensors"), "x", [4, 10], values);
    }
    folder
}

#[test]
fn channels_are_counted() {
    // Channel 0: 3, -3, 1; channel 1: 2, 2, 2; channel 2: 5, 0, 0.
    let bits: Vec<u16> = [3.0, 2.0, 5.0, -3.0, 2.0, 0.0, 1.0, 2.0, 0.0]
        .map(|x: f32| half::f16::from_f32(x).to_bits())
        .to_vec();
    let matrix = Matrix::new(3, 3, bits).unwrap();
    let channels = |threshold, minimum_count| {
        OutlierRule {
            threshold,
            minimum_count,
        }
        .channels(&matrix)
    };
    assert_eq!(channels(2.5, 1), [0, 2]);
    assert_eq!(channels(2.5, 2), [0]);
    // Elements equal to the threshold do not count.
    assert_eq!(channels(2.0, 2), [0]);
    assert_eq!(channels(1.5, 3), [1]);
    assert!(channels(5.0, 1).is_empty());
}

#[test]
fn the_threshold_lies_between_the_last_outlier_and_the_next_channel() {
    let hand = folder(&[ramp(100.0)]);
    // A count of 2 of 4 tokens: the single 100 in channel 0 does not matter, scores are 1 to 10. Two of ten channels are wanted:
    // those of 10 and 9, so the threshold is 8.5.
    let options = CalibrateOptions {
        channel_share: 0.2,
        token_share: 0.5,
    };
    let found = calibrate(&[hand.read().unwrap()], options).unwrap();
    let [c] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        c.outliers.rule,
        OutlierRule {
            threshold: 8.5,
            minimum_count: 2
        }
    );
    assert_eq!(
        (c.outliers.layer, c.outliers.value.as_str(), c.channels),
        (3, "x", 10)
    );
    assert_eq!(
        (&c.shares[..], &c.held_out_shares[..], c.agreement),
        (&[0.2][..], &[][..], 1.0)
    );

    // With a count of 1 the score of channel 0 is 100, so it is an outlier before 10, and 9 is not.
    let found = calibrate(
        &[hand.read().unwrap()],
        CalibrateOptions {
            token_share: 0.1,
            ..options
        },
    )
    .unwrap();
    assert_eq!(
        found[0].outliers.rule,
        OutlierRule {
            threshold: 9.5,
            minimum_count: 1
        }
    );
}

#[test]
fn prompts_share_a_threshold_and_are_held_out_in_turn() {
    let doubled: Vec<f32> = ramp(1.0).iter().map(|x| 2.0 * x).collect();
    let hand = folder(&[ramp(1.0), doubled]);
    let options = CalibrateOptions {
        channel_share: 0.2,
        token_share: 0.5,
    };
    let found = calibrate(&[hand.read().unwrap()], options).unwrap();
    let c = &found[0];
    // Scores 1 to 10 and 2 to 20 in twos; 4 of 20 are 20, 18, 16, 14; the next is 12.
    assert_eq!(c.outliers.rule.threshold, 13.0);
    assert_eq!(c.shares, [0.0, 0.4]);
    // From the second alone the threshold is 17: none of the first. From the first alone 8.5: 10, 12, ... 20 of the second.
    assert_eq!(c.held_out_shares, [0.0, 0.6]);
    assert_eq!(c.agreement, 0.0);
}

#[test]
fn traces_of_one_layer_are_taken_together() {
    let doubled: Vec<f32> = ramp(1.0).iter().map(|x| 2.0 * x).collect();
    let options = CalibrateOptions {
        channel_share: 0.2,
        token_share: 0.5,
    };
    let (one, two) = (folder(&[ramp(1.0)]), folder(&[doubled]));
    let found = calibrate(&[one.read().unwrap(), two.read().unwrap()], options).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].outliers.rule.threshold, 13.0);
}

#[test]
fn the_file_reads_back() {
    let hand = folder(&[ramp(1.0)]);
    let found = calibrate(&[hand.read().unwrap()], CalibrateOptions::default()).unwrap();
    let calibration = Calibration::from(&found[..]);
    let text = calibration.to_toml();
    assert_eq!(
        Calibration::parse(&Source::new("c.toml", text.clone())).unwrap(),
        calibration
    );
    assert!(calibration.rule(3, "x").is_some() && calibration.rule(3, "y").is_none());

    let wrong = |from: &str, to: &str| {
        let edited = text.replace(from, to);
        let error = Calibration::parse(&Source::new("c.toml", edited)).unwrap_err();
        format!("{error}; {}", error.help().unwrap_or_default())
    };
    assert_eq!(
        wrong("minimum_count", "minimum_cuont"),
        "c.toml:5:1: outliers.minimum_cuont: unknown key; did you mean `minimum_count`?"
    );
    assert_eq!(
        wrong("layer = 3", "layer = -3"),
        "c.toml:2:9: outliers.layer = -3: must be in 0..=65535; "
    );
}

#[test]
fn shapes_alone_have_no_threshold() {
    let folder = Folder::new();
    folder.edit(
        "[[tensor]]\nop = \"x\"\nprompt = \"a\"\nfile = \"a.safetensors\"\n",
        "",
    );
    folder.edit(
        "[[tensor]]\nop = \"x\"\nprompt = \"b\"\nfile = \"b.safetensors\"\n",
        "",
    );
    let error = calibrate(&[folder.read().unwrap()], CalibrateOptions::default()).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "no activation was recorded, only shapes; thresholds follow from recorded values"
        ),
        "{error}"
    );
}
