//! What yosys and OpenSTA answer.

use std::collections::BTreeMap;

/// Cells of a netlist: `stat -liberty` of yosys, for one flat module.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Number of each cell.
    pub cells: BTreeMap<String, u64>,
    /// Area of all of them (um2), if any has an area.
    pub area_um2: Option<f64>,
}

/// Minimum periods (ps).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Without wires.
    pub period_ps: f64,
    /// With the wire load.
    pub period_wire_ps: f64,
}

/// Reads the output of `stat -liberty`.
///
/// # Errors
/// What is missing or not expected.
pub(crate) fn statistics(text: &str) -> Result<Statistics, String> {
    let mut cells = BTreeMap::new();
    let mut area_um2 = None;
    let mut total = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("Number of cells:") {
            if total.is_some() {
                return Err("more than one module: the netlist is not flat".into());
            }
            total = Some(
                rest.trim()
                    .parse::<u64>()
                    .map_err(|_| format!("{line:?}"))?,
            );
        } else if let Some(rest) = line.strip_prefix("Chip area for module") {
            let number = rest.rsplit(':').next().and_then(|n| n.trim().parse().ok());
            area_um2 = Some(number.ok_or_else(|| format!("{line:?}"))?);
        } else if total.is_some()
            && let Some((cell, count)) = line.split_once(' ')
            && let Ok(count) = count.trim().parse()
        {
            cells.insert(cell.to_owned(), count);
        }
    }
    let total = total.ok_or("no number of cells")?;
    let found: u64 = cells.values().sum();
    if found != total {
        return Err(format!("{total} cells, but {found} are listed"));
    }
    Ok(Statistics { cells, area_um2 })
}

/// Problems that `check` of yosys found.
///
/// # Errors
/// A run of `check` is missing from the text.
pub(crate) fn problems(text: &str, runs: usize) -> Result<Vec<String>, String> {
    let found = text
        .lines()
        .filter(|l| l.trim().starts_with("Found and reported"))
        .count();
    if found != runs {
        return Err(format!("{found} runs of `check` instead of {runs}"));
    }
    let warnings = text
        .lines()
        .filter_map(|l| l.trim().strip_prefix("Warning: "));
    Ok(warnings.map(str::to_owned).collect())
}

/// Reads the output of the timing script.
///
/// # Errors
/// A warning or error, such as a loop or an endpoint without constraint, or what is missing.
pub(crate) fn timing(text: &str) -> Result<Timing, String> {
    if let Some(line) = text
        .lines()
        .find(|l| l.starts_with("Warning:") || l.starts_with("Error:"))
    {
        return Err(line.to_owned());
    }
    let number = |name: &str| {
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|n| n.trim().parse::<f64>().ok())
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| format!("no positive {name}"))
    };
    Ok(Timing {
        period_ps: number("period_ps")?,
        period_wire_ps: number("period_wire_ps")?,
    })
}
