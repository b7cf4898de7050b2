//! The file that calibration writes and plans read: `[[outliers]]`, one table per layer and activation.

use std::fmt::Write as _;
use std::path::Path;

use dcom_config::{ConfigError, Source, read_sections};

use crate::outliers::OutlierRule;

/// The outlier rule of one activation of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerOutliers {
    /// The layer, from 0.
    pub layer: u32,
    /// The op whose result it is for.
    pub value: String,
    /// The rule.
    pub rule: OutlierRule,
}

/// The table of outlier rules of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// At most one rule per layer and activation.
    pub outliers: Vec<LayerOutliers>,
}

impl Calibration {
    /// Reads a calibration file.
    ///
    /// # Errors
    /// File, line, key and value of what is wrong.
    pub fn read(path: &Path) -> Result<Calibration, ConfigError> {
        Calibration::parse(&Source::read(path)?)
    }

    /// Parses a calibration file.
    ///
    /// # Errors
    /// As [`Calibration::read`].
    pub fn parse(source: &Source) -> Result<Calibration, ConfigError> {
        read_sections(source, &["outliers"], |file| {
            let mut outliers: Vec<LayerOutliers> = Vec::new();
            let keys = ["layer", "value", "threshold", "minimum_count"];
            for table in file.sections("outliers", &keys)? {
                let layer = table.integer("layer", 0..=u64::from(u16::MAX))?.value;
                let count = table.integer("minimum_count", 1..=1 << 24)?.value;
                let found = LayerOutliers {
                    layer: u32::try_from(layer).expect("16 bits"),
                    value: table.text("value")?.value,
                    rule: OutlierRule {
                        threshold: table.number("threshold", 0.0..=65504.0)?.value,
                        minimum_count: u32::try_from(count).expect("25 bits"),
                    },
                };
                if outliers
                    .iter()
                    .any(|o| (o.layer, &o.value) == (found.layer, &found.value))
                {
                    let message = format!(
                        "is the second rule for `{}` of layer {}",
                        found.value, found.layer
                    );
                    return Err(table.error(message, None));
                }
                outliers.push(found);
            }
            if outliers.is_empty() {
                return Err(file.error("[[outliers]]: a calibration has at least one rule", None));
            }
            Ok(Calibration { outliers })
        })
    }

    /// The rule for an activation of a layer.
    #[must_use]
    pub fn rule(&self, layer: u32, value: &str) -> Option<OutlierRule> {
        let found = self
            .outliers
            .iter()
            .find(|o| o.layer == layer && o.value == value);
        found.map(|o| o.rule)
    }

    /// The file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for (i, o) in self.outliers.iter().enumerate() {
            let gap = if i == 0 { "" } else { "\n" };
            let OutlierRule {
                threshold,
                minimum_count,
            } = o.rule;
            writeln!(
                text,
                "{gap}[[outliers]]\nlayer = {}\nvalue = {:?}\nthreshold = {threshold:?}\nminimum_count = {minimum_count}",
                o.layer, o.value
            )
            .expect("writing to a String");
        }
        text
    }
}
