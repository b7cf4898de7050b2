//! Running the tools on one design after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::design::{Design, Group, Mapping};
use crate::error::SynthError;
use crate::liberty::{CellKind, Liberty};
use crate::output::{Statistics, Timing, problems, statistics, timing};
use crate::script::{
    self, CELLS, CHECKS, CLOCK_GATE, LOGIC, NETLIST, STATISTICS, WIRE_LOAD, YOSYS_ERRORS,
};
use crate::script::{CLOCK_GATE_MODEL, VECTORS};
use crate::simulation::{self, CYCLES};
use crate::table::Result as Row;

/// Lines of a log in an error.
const LAST_LINES: usize = 12;

/// Netlists with more cells are not compared with the RTL: compiling them takes longer than all the rest.
pub(crate) const COMPARED_CELLS: u64 = 60_000;

/// The installed tools.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Version of yosys.
    pub yosys: String,
    /// Version of OpenSTA.
    pub opensta: String,
    /// Whether Verilator is there, to compare netlists with the RTL.
    pub verilator: bool,
}

/// A library, the RTL and a folder for scripts, logs and netlists.
#[derive(Debug)]
pub struct Flow<'a> {
    /// The installed tools.
    pub tools: &'a Tools,
    /// The cells.
    pub liberty: &'a Liberty,
    /// The folder `rtl` of the project.
    pub rtl: &'a Path,
    /// One folder per design and mapping is made here.
    pub work: &'a Path,
    /// Wire load of the second period (fF per fanout).
    pub wire_ff: f64,
}

impl Tools {
    /// The tools on the search path.
    ///
    /// # Errors
    /// One of them is not installed.
    pub fn find() -> Result<Tools, SynthError> {
        let answer = |tool, argument: &str, package| {
            let output = Command::new(tool).arg(argument).output();
            let output = output.ok().filter(|o| o.status.success());
            let output = output.ok_or(SynthError::Missing { tool, package })?;
            Ok::<_, SynthError>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let yosys = answer("yosys", "-V", "yosys")?;
        let version = yosys.split_whitespace().nth(1).unwrap_or(&yosys).to_owned();
        Ok(Tools {
            yosys: version,
            opensta: answer("sta", "-version", "opensta")?,
            verilator: simulation::is_installed(),
        })
    }
}

impl Flow<'_> {
    /// Synthesizes and times one design.
    ///
    /// # Errors
    /// A tool fails, or the netlist has latches, loops, open wires or paths without constraint.
    pub fn run(&self, design: &Design, mapping: Mapping) -> Result<Row, SynthError> {
        let folder = self
            .work
            .join(format!("{}.{}", design.name, mapping.name()));
        fs::create_dir_all(&folder).map_err(SynthError::file(&folder))?;
        let folder = fs::canonicalize(&folder).map_err(SynthError::file(&folder))?;
        let rtl = fs::canonicalize(self.rtl).map_err(SynthError::file(self.rtl))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(SynthError::file(path))
        };
        write(CELLS, &self.liberty.with_wire_load(WIRE_LOAD, self.wire_ff))?;
        write(LOGIC, &self.liberty.logic_only())?;
        write(CLOCK_GATE, &script::clock_gate(self.liberty)?)?;
        write(
            "script.ys",
            &script::yosys(design, mapping, self.liberty, &rtl)?,
        )?;
        write("script.tcl", &script::sta())?;
        for left_over in [NETLIST, STATISTICS, CHECKS] {
            let path = folder.join(left_over);
            if path.exists() {
                fs::remove_file(&path).map_err(SynthError::file(path))?;
            }
        }

        let mut yosys = Command::new("yosys");
        yosys.args(["-q", "-s", "script.ys"]);
        for message in YOSYS_ERRORS {
            yosys.args(["-e", message]);
        }
        output(&mut yosys, "yosys", design, &folder)?;
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(SynthError::file(path))
        };
        let unexpected = |tool| {
            move |problem| SynthError::Unexpected {
                design: design.name.clone(),
                tool,
                problem,
            }
        };
        let refused = |problem| SynthError::Refused {
            design: design.name.clone(),
            problem,
        };
        if let Some(problem) = problems(&read(CHECKS)?, 2)
            .map_err(unexpected("yosys"))?
            .first()
        {
            return Err(refused(problem.clone()));
        }
        let statistics = statistics(&read(STATISTICS)?).map_err(unexpected("yosys"))?;
        let mut sta = Command::new("sta");
        sta.args(["-exit", "script.tcl"]);
        let answer = output(&mut sta, "sta", design, &folder)?;
        let timing = timing(&answer).map_err(refused)?;
        let compared_cycles = self.compare(design, &statistics, &rtl, &folder)?;
        self.row(design, mapping, &statistics, timing, compared_cycles)
            .map_err(refused)
    }

    /// Cycles in which the netlist did what the RTL does.
    fn compare(
        &self,
        design: &Design,
        statistics: &Statistics,
        rtl: &Path,
        folder: &Path,
    ) -> Result<u64, SynthError> {
        if !self.tools.verilator || statistics.cells.values().sum::<u64>() > COMPARED_CELLS {
            return Ok(0);
        }
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(SynthError::file(path))
        };
        let unexpected = |problem| SynthError::Unexpected {
            design: design.name.clone(),
            tool: "verilator",
            problem,
        };
        let netlist = folder.join(VECTORS);
        let netlist = fs::read_to_string(&netlist).map_err(SynthError::file(netlist))?;
        let ports = simulation::ports(&netlist).map_err(unexpected)?;
        let (cell, pins) = self.liberty.clock_gate()?;
        write(CLOCK_GATE_MODEL, &simulation::clock_gate_model(cell, pins))?;
        write(simulation::BENCH, &simulation::bench(design, &ports))?;
        write(simulation::MAIN, &simulation::main_program())?;
        output(&mut simulation::build(rtl), "verilator", design, folder)?;
        let mut bench = Command::new(folder.join("bench/bench"));
        let answer = output(&mut bench, "bench", design, folder)?;
        match simulation::differing(&answer).map_err(unexpected)? {
            0 => Ok(CYCLES),
            n => Err(SynthError::Refused {
                design: design.name.clone(),
                problem: format!("the netlist differs from the RTL in {n} of {CYCLES} cycles"),
            }),
        }
    }

    fn row(
        &self,
        design: &Design,
        mapping: Mapping,
        statistics: &Statistics,
        timing: Timing,
        compared_cycles: u64,
    ) -> Result<Row, String> {
        let (mut sequential, mut total) = (0.0, 0.0);
        let (mut cells, mut flops, mut clock_gates) = (0, 0, 0);
        for (name, &count) in &statistics.cells {
            let Some(cell) = self.liberty.cells.get(name) else {
                let is_latch = name.contains("LATCH");
                let what = if is_latch {
                    "latches"
                } else {
                    "cells outside the library"
                };
                return Err(format!("{count} {what} ({name})"));
            };
            #[expect(clippy::cast_precision_loss, reason = "fewer cells than 2^53")]
            let area = count as f64 * cell.area_um2;
            total += area;
            cells += count;
            match cell.kind {
                CellKind::FlipFlop => {
                    sequential += area;
                    flops += count;
                }
                CellKind::ClockGate(_) => {
                    sequential += area;
                    clock_gates += count;
                }
                CellKind::Latch => return Err(format!("{count} latches ({name})")),
                CellKind::Unused => {
                    return Err(format!("{count} {name}, which are not for synthesis"));
                }
                CellKind::Logic | CellKind::Tie { .. } => {}
            }
        }
        let of_yosys = statistics.area_um2.ok_or("yosys gives no chip area")?;
        if (total - of_yosys).abs() > 1e-6 * total.max(1.0) {
            return Err(format!(
                "yosys adds the cells up to {of_yosys} um2, the library to {total}"
            ));
        }
        Ok(Row {
            design: design.name.clone(),
            group: match design.group {
                Group::Unit => "unit".into(),
                Group::Tile => "tile".into(),
            },
            module: design.top.into(),
            parameters: design.parameter_text(),
            mapping: mapping.name().into(),
            area_um2: rounded(total, 3),
            sequential_um2: rounded(sequential, 3),
            combinational_um2: rounded(total - sequential, 3),
            cells,
            flops,
            clock_gates,
            latches: 0,
            loops: 0,
            period_ps: rounded(timing.period_ps, 1),
            period_wire_ps: rounded(timing.period_wire_ps, 1),
            wire_ff_per_fanout: self.wire_ff,
            yosys: self.tools.yosys.clone(),
            opensta: self.tools.opensta.clone(),
            liberty: self.liberty.file.clone(),
            liberty_sha256: self.liberty.sha256.clone(),
            compared_cycles,
        })
    }
}

fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (number * scale).round() / scale
}

/// Runs a tool in its folder, keeps what it prints there, and gives it back.
fn output(
    command: &mut Command,
    tool: &'static str,
    design: &Design,
    folder: &Path,
) -> Result<String, SynthError> {
    let log: PathBuf = folder.join(format!("{tool}.log"));
    let output = command
        .current_dir(folder)
        .output()
        .map_err(SynthError::file(tool))?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(&log, &text).map_err(SynthError::file(&log))?;
    if output.status.success() {
        return Ok(text);
    }
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
    Err(SynthError::Failed {
        design: design.name.clone(),
        tool,
        status: output.status.to_string(),
        log,
        last,
    })
}
