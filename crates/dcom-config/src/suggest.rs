//! "Did you mean": the nearest known name to one that is not known, or the names there are.
//!
//! Similarity is the normalized Damerau-Levenshtein distance: a transposition, the commonest slip, counts once.

use strsim::normalized_damerau_levenshtein as similarity;

use crate::key::{KeyInfo, Schema, split};

/// Least similarity of a suggestion. Assumed: two slips in a word of five letters are still recognized.
const THRESHOLD: f64 = 0.6;

/// The candidate nearest to `name`, if any is near. The first wins a tie.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    best(candidates.map(|candidate| (similarity(&lower(name), &lower(candidate)), candidate)))
}

/// The key nearest to `path`. The key's own name decides; its table breaks ties and may be wrong or missing.
pub(crate) fn nearest_key(schema: &Schema, path: &str) -> Option<&'static KeyInfo> {
    let (table, leaf) = split(path);
    best(schema.keys().iter().filter_map(|key| {
        let near = similarity(&lower(leaf), &lower(key.leaf()));
        (near >= THRESHOLD).then(|| {
            (
                0.8 * near + 0.2 * similarity(&lower(table), key.table()),
                key,
            )
        })
    }))
}

/// What a table holds, tables within it included.
pub(crate) fn keys_of(schema: &Schema, table: &str) -> String {
    let keys: Vec<_> = schema
        .keys()
        .iter()
        .filter_map(|key| key.inside(table))
        .collect();
    format!("the keys of [{table}]: {}", keys.join(", "))
}

fn best<T>(scored: impl Iterator<Item = (f64, T)>) -> Option<T> {
    let mut best: Option<(f64, T)> = None;
    for (score, candidate) in scored {
        if score >= THRESHOLD && best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Names beyond any key's length are cut: the distance takes quadratic time, and files may hold anything.
fn lower(name: &str) -> String {
    name.chars().take(100).collect::<String>().to_lowercase()
}
