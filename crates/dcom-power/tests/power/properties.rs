//! Properties that hold for any machine and activity.

use dcom_power::{Component, Design, GpuCore, PowerModel, Technology};
use proptest::prelude::*;

use crate::{activity, arch, near};

proptest! {
    #[test]
    fn more_clusters_never_take_less_area(columns in 1u32..64, rows in 1u32..64, more in 1u32..16) {
        let at = |columns: u32, rows: u32| {
            let set = [("array.columns", columns.to_string()), ("array.rows", rows.to_string())];
            PowerModel::new(&arch(&set), &Technology::nangate15()).total_area_um2()
        };
        let (less, wider, higher) = (at(columns, rows), at(columns + more, rows), at(columns, rows + more));
        for larger in [wider, higher] {
            prop_assert!(larger.low >= less.low && larger.nominal >= less.nominal && larger.high >= less.high);
        }
    }

    #[test]
    fn energy_adds_up_over_phases(a in 0u64..10_000_000, b in 0u64..10_000_000, x in 0u64..1_000_000, y in 0u64..1_000_000) {
        let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
        let mut both = activity(a);
        both += activity(b);
        let (first, second) = (model.energy(&activity(a), x), model.energy(&activity(b), y));
        let whole = model.energy(&both, x + y).total_j();
        let sum = first.total_j() + second.total_j();
        prop_assert!(near(whole.low, sum.low) && near(whole.nominal, sum.nominal) && near(whole.high, sum.high));
    }
}

/// Which components' dynamic energy and area may move with a coefficient; everything else stays where it is.
#[test]
fn doubling_a_coefficient_moves_only_what_depends_on_it() {
    use Component as C;
    let arch = arch(&[]);
    let results = |technology: &Technology| {
        let model = PowerModel::new(&arch, technology);
        let energy = model.energy(&activity(1_000_000), 0);
        let area: Vec<f64> = model
            .area()
            .parts
            .iter()
            .map(|(_, um2)| um2.nominal)
            .collect();
        let dynamic: Vec<f64> = energy
            .parts
            .iter()
            .map(|part| part.dynamic_j.nominal)
            .collect();
        (area, dynamic)
    };
    let before = results(&Technology::nangate15());
    // Wires move with every area: the die is larger.
    let cases: [(&str, &[C], &[C]); 7] = [
        ("multiply16.energy_fj", &[], &[C::Multipliers, C::Scalar]),
        (
            "add32.energy_fj",
            &[],
            &[C::Trees, C::Network, C::Statistics],
        ),
        ("add16.area_um2", &[], &[]),
        (
            "convert.round_area_um2",
            &[C::Subtractors, C::Wires],
            &[C::Steering, C::Wires],
        ),
        (
            "control.cluster_area_um2",
            &[C::ClusterControl, C::Wires],
            &[C::Wires],
        ),
        ("wire.energy_fj_per_bit_mm", &[], &[C::Wires]),
        ("control.instruction_pj", &[], &[C::Sequencer]),
    ];
    for (key, areas, energies) in cases {
        let mut technology = Technology::nangate15();
        let (_, c) = technology
            .coefficients()
            .find(|(path, _)| *path == key)
            .expect(key);
        technology
            .set(key, &(2.0 * c.value).to_string())
            .expect("in range");
        let after = results(&technology);
        for component in C::ALL {
            let at = *component as usize;
            assert_eq!(
                after.0[at] != before.0[at],
                areas.contains(component),
                "area of {component:?} with {key}"
            );
            assert_eq!(
                after.1[at] != before.1[at],
                energies.contains(component),
                "energy of {component:?} with {key}"
            );
        }
    }
}

/// No coefficient is idle: each moves an area or an energy in one of the precisions, of the machine or of an A100-class core.
#[test]
fn every_coefficient_moves_something() {
    let results = |technology: &Technology| {
        let mut numbers = Vec::new();
        for mode in ["m16a16", "m16a32", "x32"] {
            // Units of two stages, with what a further stage adds.
            let two = |key: &str| (key.to_owned(), "2".to_owned());
            let set = [
                ("cluster.accumulate".to_owned(), mode.to_owned()),
                two("cluster.multiply_cycles"),
                two("cluster.add16_cycles"),
                two("cluster.add32_cycles"),
            ];
            let set: Vec<(&str, String)> = set.iter().map(|(k, v)| (&**k, v.clone())).collect();
            let arch = arch(&set);
            let model = PowerModel::new(&arch, technology);
            let energy = model.energy(&activity(1_000_000), 100_000);
            numbers.extend([model.total_area_um2().nominal, energy.total_j().nominal]);
            let core = Design::Gpu(GpuCore { multipliers: 1024 });
            let compared =
                crate::designs::designs_with(&arch, technology, 1_000_000).compare(&core);
            numbers.extend([compared.chip_j.nominal, compared.time_s.nominal]);
        }
        numbers
    };
    let mut hot = Technology::nangate15();
    hot.set("operating.temperature_c", "60").expect("in range");
    let before = results(&hot);
    for (key, c) in hot.coefficients() {
        let mut technology = hot.clone();
        technology
            .set(key, &(c.value * 0.9).to_string())
            .expect("in range");
        assert!(results(&technology) != before, "{key} moves nothing");
    }
}

/// What the intervals rest on: nothing falls when a coefficient rises, but with the utilizations.
#[test]
fn results_rise_with_every_coefficient() {
    let arch = arch(&[]);
    let results = |technology: &Technology| {
        let model = PowerModel::new(&arch, technology);
        let energy = model.energy(&activity(1_000_000), 100_000);
        (model.total_area_um2().nominal, energy.total_j().nominal)
    };
    let before = results(&Technology::nangate15());
    for (key, c) in Technology::nangate15().coefficients() {
        let mut technology = Technology::nangate15();
        let falls = key.ends_with("placement_utilization");
        let value = if falls { c.value / 1.1 } else { c.value * 1.1 };
        technology.set(key, &value.to_string()).expect("in range");
        let after = results(&technology);
        assert!(
            after.0 >= before.0 && after.1 >= before.1,
            "{key}: {before:?} to {after:?}"
        );
    }
}
