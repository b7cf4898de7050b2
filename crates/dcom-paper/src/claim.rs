//! A claim of the paper beside what is simulated.

use dcom_report::{Cell, Column, Table, TableError};

/// Where the simulated value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A constant was fitted to this very number.
    Calibrated,
    /// Nothing was fitted to it.
    Predicted,
    /// Nothing is simulated; the configuration says why.
    NotSimulated,
}

impl Mark {
    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mark::Calibrated => "calibrated",
            Mark::Predicted => "predicted",
            Mark::NotSimulated => "not simulated",
        }
    }
}

/// One number.
#[derive(Clone, Debug)]
pub struct Claim {
    /// `C5`, `Table 2`, `Fig. 4`.
    pub claim: String,
    /// Of what, under which circumstances.
    pub configuration: String,
    /// The quantity.
    pub quantity: &'static str,
    /// Its unit; empty for ratios.
    pub unit: &'static str,
    /// The paper's value; none where a figure's text gives none.
    pub paper: Option<f64>,
    /// The simulated value.
    pub simulated: Option<f64>,
    /// Where it comes from.
    pub mark: Mark,
}

impl Claim {
    /// `simulated / paper - 1`.
    #[must_use]
    pub fn relative_error(&self) -> Option<f64> {
        let (paper, simulated) = (self.paper?, self.simulated?);
        (paper != 0.0).then(|| simulated / paper - 1.0)
    }

    /// What identifies the claim from one report to the next.
    #[must_use]
    pub fn key(&self) -> [&str; 3] {
        [&self.claim, &self.configuration, self.quantity]
    }
}

/// Digits of values in files; enough for errors of a thousandth of a percent, few enough for rounding to be the same everywhere.
const DIGITS: usize = 6;

/// All claims: `claim,configuration,quantity,unit,paper,simulated,relative_error,mark`.
///
/// # Errors
/// A number that is not finite.
pub fn table(claims: &[Claim]) -> Result<Table, TableError> {
    let mut table = Table::new(
        [
            "claim",
            "configuration",
            "quantity",
            "unit",
            "paper",
            "simulated",
            "relative_error",
            "mark",
        ]
        .map(Column::new)
        .to_vec(),
    );
    let cell = |value: Option<f64>| value.map_or(Cell::Missing, |value| Cell::real(value, DIGITS));
    for claim in claims {
        table.push(vec![
            Cell::Text(claim.claim.clone()),
            Cell::Text(claim.configuration.clone()),
            Cell::Text(claim.quantity.to_owned()),
            Cell::Text(claim.unit.to_owned()),
            cell(claim.paper),
            cell(claim.simulated),
            cell(claim.relative_error()),
            Cell::Text(claim.mark.name().to_owned()),
        ])?;
    }
    Ok(table)
}

/// A claim whose error grew.
#[derive(Clone, Debug, PartialEq)]
pub struct Worse {
    /// Claim, configuration, quantity.
    pub key: String,
    /// Error before and now, as parts of the paper's value.
    pub errors: (f64, f64),
}

/// Claims whose error is larger than in an earlier `claims.csv`, by more than `tolerance` (a part of the paper's value).
///
/// # Errors
/// The earlier file is no such table.
pub fn worse_than(
    claims: &[Claim],
    earlier: &[u8],
    tolerance: f64,
) -> Result<Vec<Worse>, csv::Error> {
    let mut reader = csv::Reader::from_reader(earlier);
    let mut worse = Vec::new();
    for record in reader.records() {
        let record = record?;
        let field = |index: usize| record.get(index).unwrap_or_default();
        let before: Option<f64> = field(6).parse().ok();
        let found = claims
            .iter()
            .find(|claim| claim.key() == [field(0), field(1), field(2)]);
        let now = found.and_then(Claim::relative_error);
        if let (Some(before), Some(now)) = (before, now)
            && now.abs() > before.abs() + tolerance
        {
            worse.push(Worse {
                key: [field(0), field(1), field(2)].join(", "),
                errors: (before, now),
            });
        }
    }
    Ok(worse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(simulated: f64) -> Claim {
        Claim {
            claim: "C5".to_owned(),
            configuration: "f = 8".to_owned(),
            quantity: "speed-up",
            unit: "",
            paper: Some(6.0),
            simulated: Some(simulated),
            mark: Mark::Predicted,
        }
    }

    /// From 10 % off to 11 % off is worse, to 9 % on the other side is not.
    #[test]
    fn an_error_that_grows_is_found() {
        let mut file = Vec::new();
        table(&[claim(5.4)])
            .expect("finite")
            .to_csv(&mut file)
            .expect("written");
        let worse = worse_than(&[claim(5.34)], &file, 0.001).expect("a table");
        assert_eq!(worse.len(), 1);
        assert_eq!(worse[0].key, "C5, f = 8, speed-up");
        assert!(
            worse_than(&[claim(6.54)], &file, 0.001)
                .expect("a table")
                .is_empty()
        );
    }
}
