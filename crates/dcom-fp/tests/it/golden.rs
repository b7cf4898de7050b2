//! Golden vectors of the numerics study, computed there by a bit-level emulation in Python (see the
//! file's "note").

use dcom_fp::{
    Accumulate, Lanes, canon32, corrected, dot, expanded_sum, expanded_sums, from_bits, round16,
    to_bits,
};
use serde_json::Value;

use crate::naive;

const LANES: Lanes = Lanes { x: 8, y: 8 };

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn list<T>(value: &Value, element: impl FnMut(&Value) -> T) -> Vec<T> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(element)
        .collect()
}

fn patterns(value: &Value) -> Vec<u16> {
    list(value, |bits| {
        u16::from_str_radix(text(bits), 16).expect("a binary16 pattern")
    })
}

fn values(value: &Value) -> Vec<f32> {
    patterns(value).into_iter().map(from_bits).collect()
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("an index")).expect("a small index")
}

fn cases() -> Vec<Value> {
    let golden: Value =
        serde_json::from_str(include_str!("../data/fp16_golden.json")).expect("JSON");
    golden["cases"].as_array().expect("a list").clone()
}

#[test]
fn dot_products_equal_the_recorded_bits() {
    let cases = cases();
    assert_eq!(cases.len(), 15);
    for case in cases {
        let (v, z) = (values(&case["v"]), values(&case["z"]));
        for mode in Accumulate::ALL {
            let recorded = match mode {
                Accumulate::M16A16 => {
                    let bits = patterns(&case["dot_m16a16"]);
                    assert_eq!(bits.len(), 1);
                    canon32(from_bits(bits[0]))
                }
                Accumulate::M16A32 | Accumulate::X32 => {
                    u32::from_str_radix(text(&case[format!("dot_{mode}")]), 16)
                        .expect("a binary32 pattern")
                }
            };
            assert_eq!(
                canon32(dot(mode, LANES, &v, &z)),
                recorded,
                "{mode}, n = {}",
                case["n"]
            );
        }
    }
}

#[test]
fn expanded_corrections_equal_the_recorded_bits() {
    for case in cases() {
        let (v, z) = (values(&case["v"]), values(&case["z"]));
        let v_patterns = patterns(&case["v"]);
        let expansions = case["expansion"].as_object().expect("expansion factors");
        assert_eq!(expansions.len(), 10);
        for (name, expansion) in expansions {
            let mode: Accumulate = name
                .split('_')
                .next()
                .expect("mode_f")
                .parse()
                .expect("a mode");
            let slices = list(&expansion["slices"], |slice| list(slice, index));
            let partial = |slice: &Vec<usize>| {
                let slice = slice[0]..slice[1];
                round16(dot(mode, LANES, &v[slice.clone()], &z[slice]))
            };
            let coefficients: Vec<f32> = slices.iter().map(partial).collect();
            let context = format!("{name}, n = {}", case["n"]);
            assert_eq!(
                coefficients
                    .iter()
                    .copied()
                    .map(to_bits)
                    .collect::<Vec<_>>(),
                patterns(&expansion["c"]),
                "{context}"
            );

            let z_new = |sum: &dyn Fn(f32) -> f32| -> Vec<u16> {
                v.iter()
                    .zip(&z)
                    .map(|(v, z)| to_bits(corrected(mode, *z, sum(*v))))
                    .collect()
            };
            let recorded = patterns(&expansion["z_new"]);
            let flat = |v: f32| {
                let products: Vec<f32> = coefficients
                    .iter()
                    .map(|c| mode.product(*c, v, 0))
                    .collect();
                naive::tree(mode, &products)
            };
            assert_eq!(z_new(&flat), recorded, "{context}, one flat tree");
            assert_eq!(
                z_new(&|v| expanded_sum(mode, 8, &coefficients, v)),
                recorded,
                "{context}, passes of 8 lanes"
            );
            let mut sums = vec![0.0; v.len()];
            expanded_sums(mode, 8, &coefficients, &v_patterns, &mut sums);
            let vectorized: Vec<u16> = z
                .iter()
                .zip(sums)
                .map(|(z, sum)| to_bits(corrected(mode, *z, sum)))
                .collect();
            assert_eq!(vectorized, recorded, "{context}, whole vector");
        }
    }
}
