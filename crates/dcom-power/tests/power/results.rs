//! Sums, units and scaling, by hand.

use dcom_power::{Component, Interval, PowerModel, Technology};
use dcom_timing::Activity;

use crate::{activity, arch, near, ordered, project};

#[test]
fn every_shipped_technology_is_valid_and_smaller_ones_are_smaller() {
    let files = ["generic45.toml", "nangate15.toml", "generic7.toml"];
    let totals: Vec<(f64, f64)> = files
        .iter()
        .map(|file| {
            let technology = Technology::read(&project("configs/tech").join(file)).expect(file);
            for (key, c) in technology.coefficients() {
                assert!(c.low <= c.value && c.value <= c.high, "{file}: {key}");
            }
            let model = PowerModel::new(&arch(&[]), &technology);
            let energy = model.energy(&activity(1_000_000), 100_000);
            assert!(ordered(model.total_area_um2()) && ordered(energy.chip_j));
            (
                model.total_area_um2().nominal,
                energy.sum(|part| part.dynamic_j).nominal,
            )
        })
        .collect();
    assert!(
        totals.windows(2).all(|pair| pair[1].0 < pair[0].0),
        "{totals:?}"
    );
    assert!(totals[2].1 < totals[0].1, "{totals:?}");
}

#[test]
fn parts_sum_to_the_whole() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let area = model.area();
    assert_eq!(area.parts.len(), Component::ALL.len());
    let sum: Interval = area.parts.iter().map(|(_, um2)| *um2).sum();
    assert!(near(sum.nominal, area.total_um2.nominal) && near(sum.high, area.total_um2.high));
    let energy = model.energy(&activity(1_000_000), 12_345);
    let sum: Interval = energy.parts.iter().map(|part| part.total_j()).sum();
    assert!(near(sum.low, energy.chip_j.low));
    assert!(near(
        energy.chip_w().nominal * energy.time_s,
        energy.chip_j.nominal
    ));
}

/// By hand: 64 lanes, 256 clusters, two stages. (312.7 + 12.6 for the second stage + 31.65 widening + 32 enables of half a
/// multiplexer of 0.8) um2 of logic and 16 + 38 registers of 1.278 um2 per multiplier, over 0.7 of the place.
#[test]
fn multipliers_take_what_one_takes_times_their_number() {
    let area = PowerModel::new(&arch(&[]), &Technology::nangate15()).area();
    let one = 312.7 + 12.6 + 31.65 + 32.0 * 0.5 * 0.8 + 54.0 * 1.278;
    assert!(near(
        area.parts[Component::Multipliers as usize].1.nominal,
        16384.0 * one / 0.7
    ));
}

/// By hand: 1000 products of 528 fJ and 38 registers of 3.9 fJ at the cut.
#[test]
fn products_cost_what_one_costs_times_their_number() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let activity = Activity {
        multiplications: 1000,
        ..Activity::default()
    };
    let energy = model.energy(&activity, 0);
    let part = &energy.parts[Component::Multipliers as usize];
    assert!(near(
        part.dynamic_j.nominal,
        1000.0 * (528.0 + 38.0 * 3.9) * 1e-15
    ));
}

/// By hand: 3.92 pJ per bit.
#[test]
fn memory_traffic_is_kept_apart_from_the_chip() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let activity = Activity {
        memory_read_bytes: 1000,
        ..Activity::default()
    };
    let energy = model.energy(&activity, 0);
    assert_eq!(energy.chip_j.high, 0.0);
    assert!(near(energy.memory_j.nominal, 8000.0 * 3.92e-12));
}

#[test]
fn zero_activity_leaves_leakage_and_clock_alone() {
    let model = PowerModel::new(&arch(&[]), &Technology::nangate15());
    let idle = model.energy(&Activity::default(), 1_000_000);
    assert_eq!(idle.sum(|part| part.dynamic_j).high, 0.0);
    assert_eq!((idle.memory_j.high, idle.link_j.high), (0.0, 0.0));
    assert!(idle.sum(|part| part.clock_j).low > 0.0);
    // One millisecond.
    assert!(near(
        idle.sum(|part| part.leakage_j).nominal,
        model.leakage_w().nominal * 1e-3
    ));
    assert_eq!(
        model.energy(&Activity::default(), 0).chip_j,
        Interval::default()
    );
}

/// The square of the voltage, and exp(0.036 x 60 K): 8.67.
#[test]
fn voltage_and_temperature_scale_energy_and_leakage() {
    let mut hot = Technology::nangate15();
    hot.set("operating.temperature_c", "85").expect("in range");
    hot.set("operating.voltage_v", "0.4").expect("in range");
    let (cold, hot) = (
        PowerModel::new(&arch(&[]), &Technology::nangate15()),
        PowerModel::new(&arch(&[]), &hot),
    );
    let ratio = hot.leakage_w().nominal / cold.leakage_w().nominal;
    assert!(near(ratio, 0.5 * (0.036f64 * 60.0).exp()), "{ratio}");
    let dynamic = |model: &PowerModel| {
        let energy = model.energy(&activity(1_000_000), 0);
        energy.sum(|part| part.dynamic_j).nominal
    };
    assert!(near(dynamic(&hot), dynamic(&cold) / 4.0));
}

#[test]
fn sharing_trees_saves_trees_and_nothing_else() {
    let dual = PowerModel::new(&arch(&[]), &Technology::nangate15()).area();
    let mut technology = Technology::nangate15();
    technology
        .set("implementation.trees", "shared")
        .expect("a choice");
    let shared = PowerModel::new(&arch(&[]), &technology).area();
    for ((component, before), (_, after)) in dual.parts.iter().zip(&shared.parts) {
        let smaller = matches!(
            component,
            Component::Trees | Component::Accumulators | Component::Wires
        );
        assert_eq!(after.nominal < before.nominal, smaller, "{component:?}");
    }
}
