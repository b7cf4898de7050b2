//! Area and energy in the account of a run.

use dcom_power::{Energy, Interval, PartEnergy};
use dcom_report::{Cell, Column, engineering, significant};
use serde_json::{Map, Value, json};

use super::Account;
use crate::text::{Facts, Record, section};

/// Low, nominal and high of a result, for programs.
pub(crate) fn interval(value: Interval) -> Value {
    json!({"low": value.low, "nominal": value.nominal, "high": value.high})
}

/// `12.3 mW (8.1 to 20.0)`: ends in the unit of the nominal value.
pub(crate) fn shown(value: Interval, unit: &str) -> String {
    format!(
        "{} ({} to {})",
        engineering(value.nominal, unit),
        engineering(value.low, unit),
        engineering(value.high, unit)
    )
}

/// `28.1 mm2 (20 to 40)`.
pub(crate) fn shown_mm2(value: Interval) -> String {
    format!(
        "{} mm2 ({} to {})",
        significant(value.nominal * 1e-6, 3),
        significant(value.low * 1e-6, 3),
        significant(value.high * 1e-6, 3)
    )
}

/// Numbers of an interval as three cells.
pub(crate) fn cells(value: Interval, factor: f64) -> [Cell; 3] {
    [value.nominal, value.low, value.high].map(|v| Cell::real(v * factor, 4))
}

impl Account<'_> {
    /// Energy and its parts, per prompt.
    fn per_prompt(&self, energy: Interval) -> Interval {
        energy * (1.0 / f64::from(self.prompts()))
    }

    pub(super) fn power_facts(&self, facts: &mut Facts) {
        facts.add("area", shown_mm2(self.area.total_um2));
        facts.add(
            "energy per prompt",
            shown(self.per_prompt(self.energy.chip_j), "J") + " on the chip",
        );
        facts.add(
            "power",
            shown(self.energy.chip_w(), "W") + " on average, on the chip",
        );
        let outside = self.energy.memory_j + self.energy.link_j;
        facts.add(
            "off the chip",
            shown(self.per_prompt(outside), "J") + " per prompt for memory and link",
        );
    }

    pub(super) fn power_json(&self, out: &mut Map<String, Value>) {
        let technology = &self.setup.technology;
        out.insert(
            "technology".into(),
            json!({"name": technology.name, "file": technology.document().name(), "hash": technology.hash()}),
        );
        let parts = self.area.parts.iter();
        let parts: Map<_, _> = parts
            .map(|(part, um2)| (part.name().to_owned(), interval(*um2)))
            .collect();
        out.insert(
            "area_um2".into(),
            json!({"total": interval(self.area.total_um2), "parts": parts}),
        );
        let e = &self.energy;
        let parts: Map<_, _> = e
            .parts
            .iter()
            .map(|part| {
                let numbers = json!({
                    "dynamic": interval(part.dynamic_j),
                    "clock": interval(part.clock_j),
                    "leakage": interval(part.leakage_j),
                });
                (part.component.name().to_owned(), numbers)
            })
            .collect();
        let phases = self.phase_energy.iter();
        let phases: Map<_, _> = phases
            .map(|(phase, energy)| ((*phase).to_owned(), interval(energy.chip_j)))
            .collect();
        let per_prompt = self.per_prompt(e.chip_j);
        out.insert(
            "energy_j".into(),
            json!({
                "chip": interval(e.chip_j),
                "memory": interval(e.memory_j),
                "link": interval(e.link_j),
                "total": interval(e.total_j()),
                "chip_per_prompt": interval(per_prompt),
                "parts": parts,
                "phases": phases,
            }),
        );
        out.insert("chip_w".into(), interval(e.chip_w()));
        let edp = per_prompt * (self.time_us_per_prompt() * 1e-6);
        out.insert("chip_energy_delay_j_s".into(), interval(edp));
    }

    pub(super) fn power_record(&self, out: &mut Record) {
        let per_prompt = |energy: Interval| self.per_prompt(energy) * 1e6;
        let e = &self.energy;
        let chip = per_prompt(e.chip_j);
        for (name, value) in [
            ("area_mm2", self.area.total_um2 * 1e-6),
            ("energy_uj_per_prompt", chip),
            ("power_w", e.chip_w()),
            ("memory_uj_per_prompt", per_prompt(e.memory_j)),
            ("link_uj_per_prompt", per_prompt(e.link_j)),
            ("edp_uj_us", chip * self.time_us_per_prompt()),
        ] {
            out.add(name, value.nominal);
            out.add(format!("{name}_low"), value.low);
            out.add(format!("{name}_high"), value.high);
        }
        type Kind = (&'static str, fn(&PartEnergy) -> Interval);
        let kinds: [Kind; 3] = [
            ("dynamic", |part| part.dynamic_j),
            ("clock", |part| part.clock_j),
            ("leakage", |part| part.leakage_j),
        ];
        for (name, kind) in kinds {
            out.add(
                format!("{name}_uj_per_prompt"),
                per_prompt(e.sum(kind)).nominal,
            );
        }
    }

    /// The energy by component, and by phase.
    pub(crate) fn energy_tables(&self) -> String {
        section(energy_columns(), energy_rows(&self.energy, self.prompts()))
            + &self.phase_energy_table()
    }

    fn phase_energy_table(&self) -> String {
        let scale = 1e6 / f64::from(self.prompts());
        let rows = self
            .phase_energy
            .iter()
            .filter(|(_, energy)| energy.chip_j.high > 0.0);
        let rows = rows.map(|(phase, energy)| {
            let mut row = vec![Cell::from(*phase)];
            row.extend(cells(energy.chip_j, scale));
            row
        });
        let columns = ["phase", "energy per prompt", "low", "high"];
        let columns = columns.map(|name| match name {
            "phase" => Column::new(name),
            _ => Column::new(name).unit("uJ"),
        });
        section(columns.to_vec(), rows.collect())
    }

    /// The energy of the run, for the comparison with other designs.
    pub(crate) fn energy(&self) -> &Energy {
        &self.energy
    }
}

/// Headings of [`energy_rows`].
pub(crate) fn energy_columns() -> Vec<Column> {
    let names = ["dynamic", "clock", "leakage", "all", "low", "high"];
    let mut columns = vec![Column::new("component")];
    columns.extend(names.map(|name| Column::new(name).unit("uJ")));
    columns
}

/// One row per component and for memory and link, energies per prompt.
pub(crate) fn energy_rows(energy: &Energy, prompts: u32) -> Vec<Vec<Cell>> {
    let scale = 1e6 / f64::from(prompts);
    let cell = |value: f64| Cell::real(value * scale, 4);
    let row = |name: &str, parts: [Interval; 3]| {
        let all: Interval = parts.into_iter().sum();
        let mut row = vec![Cell::from(name)];
        row.extend(parts.map(|part| cell(part.nominal)));
        row.extend(cells(all, scale));
        row
    };
    let mut rows: Vec<Vec<Cell>> = energy
        .parts
        .iter()
        .map(|part| {
            row(
                part.component.name(),
                [part.dynamic_j, part.clock_j, part.leakage_j],
            )
        })
        .collect();
    rows.push(row(
        "chip",
        [
            energy.sum(|part| part.dynamic_j),
            energy.sum(|part| part.clock_j),
            energy.sum(|part| part.leakage_j),
        ],
    ));
    let none = Interval::default();
    rows.push(row("memory (off the chip)", [energy.memory_j, none, none]));
    rows.push(row("link (off the chip)", [energy.link_j, none, none]));
    rows
}
