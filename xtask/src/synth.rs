//! `cargo xtask synth`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use dcom_synth::{Comparison, Flow, Group, Liberty, Reference, SynthError, Table, Tools, designs};

/// Wire load of the second period (fF per fanout). Assumed: a short wire to a neighbouring cell; the
/// measured units that the results are compared with have the same.
const WIRE_FF: f64 = 0.3;

/// Synthesizes all designs, or those whose names contain `only`, and writes the tables under `out`.
pub(crate) fn run(
    root: &Path,
    liberty: &Path,
    out: &Path,
    only: Option<&str>,
    simulate: bool,
) -> Result<()> {
    let mut tools = Tools::find()?;
    if !simulate {
        tools.verilator = false;
    } else if !tools.verilator {
        eprintln!(
            "left out: netlists against the RTL: Verilator is not installed (`apt-get install verilator`)"
        );
    }
    let liberty = Liberty::read(liberty)?;
    let all = designs();
    let wanted: Vec<_> = all
        .iter()
        .filter(|d| only.is_none_or(|name| d.name.contains(name)))
        .collect();
    if wanted.is_empty() {
        let names: Vec<_> = all.iter().map(|d| d.name.as_str()).collect();
        return Err(SynthError::Unknown {
            name: only.unwrap_or_default().to_owned(),
            known: names.join(", "),
        }
        .into());
    }
    fs::create_dir_all(out).with_context(|| format!("creating {}", out.display()))?;
    let flow = Flow {
        tools: &tools,
        liberty: &liberty,
        rtl: &root.join("rtl"),
        work: &root.join("target/synth"),
        wire_ff: WIRE_FF,
    };
    println!(
        "yosys {}, OpenSTA {}, {}",
        tools.yosys, tools.opensta, liberty.file
    );
    println!("design, mapping: area um2, flops, period ps without / with wires");
    for design in wanted {
        let path = out.join(match design.group {
            Group::Unit => "units.csv",
            Group::Tile => "tiles.csv",
        });
        for &mapping in design.mappings() {
            let row = flow.run(design, mapping)?;
            println!(
                "{}, {}: {:.1}, {}, {:.0} / {:.0}",
                row.design, row.mapping, row.area_um2, row.flops, row.period_ps, row.period_wire_ps
            );
            // After every design, so that a run that is stopped loses nothing.
            let mut table = Table::read(&path)?;
            table.put(row);
            table.write(&path)?;
        }
    }
    compare(out)
}

/// The results beside the measured designs of `measured.csv`, where there is one.
fn compare(out: &Path) -> Result<()> {
    let measured = out.join("measured.csv");
    if !measured.exists() {
        return Ok(());
    }
    let mut table = Table::read(&out.join("units.csv"))?;
    table.rows.extend(Table::read(&out.join("tiles.csv"))?.rows);
    let rows = Comparison::all(&table, &Reference::read(&measured)?);
    let path = out.join("comparison.csv");
    Comparison::write(&path, &rows)?;
    for row in rows {
        println!(
            "{}, {}: {:+.1} % in area of {} um2 measured",
            row.design, row.mapping, row.area_percent, row.measured_um2
        );
    }
    println!("{}", path.display());
    Ok(())
}
