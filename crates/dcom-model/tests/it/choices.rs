//! Multiple choice.

use std::io::Write as _;

use dcom_model::{Question, choose, questions, score};

use crate::support::model;

fn read(lines: &str) -> Result<Vec<Question>, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    questions(file.path()).map_err(|error| error.to_string())
}

#[test]
fn three_forms_of_a_question_are_the_same() {
    let lines = r#"{"question": "Q?", "choices": ["one", "two"], "answer": 1}
{"question": "Q?", "choices": ["one", "two"], "answer": "two"}

{"question": "Q?", "choices": {"text": ["one", "two"], "label": ["A", "B"]}, "answerKey": "B"}
{"question": {"stem": "Q?", "choices": [{"text": "one", "label": "1"}, {"text": "two", "label": "2"}]}, "answerKey": "2"}
"#;
    let found = read(lines).unwrap();
    assert_eq!(
        found.iter().map(|q| q.line).collect::<Vec<_>>(),
        [1, 2, 4, 5]
    );
    for question in found {
        assert_eq!((question.text.as_str(), question.answer), ("Q?", 1));
        assert_eq!(question.choices, ["one", "two"]);
    }
}

#[test]
fn a_wrong_question_is_refused_with_its_line() {
    let cases = [
        ("{\"question\": \"Q?\"}", "there are no \"choices\""),
        ("{\"choices\": []}", "there is no \"question\""),
        (
            "{\"question\": \"Q?\", \"choices\": [\"a\"], \"answer\": 0}",
            "1 choices: must be two or more",
        ),
        (
            "{\"question\": \"Q?\", \"choices\": [\"a\", \"b\"], \"answer\": 2}",
            "\"answer\" is 2: must be one of the 2 choices",
        ),
        (
            "{\"question\": \"Q?\", \"choices\": [\"a\", \"b\"], \"answer\": \"c\"}",
            "\"answer\" is \"c\"",
        ),
        (
            "{\"question\": \"Q?\", \"choices\": {\"text\": [\"a\", \"b\"], \"label\": [\"A\"]}, \"answer\": \"A\"}",
            "2 texts and 1 labels",
        ),
        ("not JSON", "expected ident"),
    ];
    for (line, expected) in cases {
        let good = "{\"question\": \"Q?\", \"choices\": [\"a\", \"b\"], \"answer\": 0}";
        let error = read(&format!("{good}\n{line}\n")).unwrap_err();
        assert!(
            error.contains(":2: ") && error.contains(expected),
            "{error}"
        );
    }
    assert!(read("\n").unwrap_err().contains("has no questions"));
}

/// The model was trained on documentation of Rust and Node.js: it prefers words over letters at random, and the sum of the likelihoods of
/// a choice's bytes is what another order of evaluation gives.
#[test]
fn words_are_likelier_than_noise() {
    let model = model();
    let lines = r#"{"question": "What does the function return?", "choices": ["the value of the string", "xq zvk jjw qqpf wwz kx"], "answer": 0}
{"question": "Which type is it?", "choices": ["zzqj kkxv", "a string"], "answer": 1}
"#;
    let answers = choose(&model, &read(lines).unwrap(), None).unwrap();
    let score = score(&answers);
    assert_eq!((score.accuracy, score.accuracy_per_byte), (1.0, 1.0));

    let context = "Question: Which type is it?\nAnswer:";
    let whole = format!("{context} a string");
    let prompt: Vec<u32> = whole.bytes().map(u32::from).collect();
    let found = dcom_model::perplexity(&model, &[prompt], None).unwrap();
    let sum: f64 = found.token_nats[context.len() - 1..].iter().sum();
    assert!((answers[1].log_likelihoods[1] + sum).abs() < 1e-5);
}

#[test]
fn a_question_beyond_the_model_is_refused() {
    let long = "x".repeat(300);
    let line = format!("{{\"question\": \"{long}\", \"choices\": [\"a\", \"b\"], \"answer\": 0}}");
    let error = choose(&model(), &read(&line).unwrap(), None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("the model takes 2 to 256"), "{error}");
}
