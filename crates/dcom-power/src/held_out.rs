//! What the coefficients of units that were synthesized alone say of blocks that were synthesized whole.
//!
//! No coefficient comes from these blocks (`reports/synth/tiles.csv`), so how far off a prediction is tells how well areas of
//! units add up.

use dcom_fp::Accumulate;

use crate::compare::{Dataflow, Systolic};
use crate::interval::Interval;
use crate::technology::{Accumulators, Subtractors, Technology, Trees};
use crate::tile::Tile;

/// Cells (um2, not placed) of a module of `rtl/synth` or `rtl/src` with parameters `NAME=value NAME=value`; those that are left
/// out have the defaults of the RTL. `None` for what the area model does not have: a tile without column trees, and arrays
/// with a second set of weights.
#[must_use]
pub fn predicted_um2(module: &str, parameters: &str, technology: &Technology) -> Option<Interval> {
    let parameter = |name: &str, default: u64| {
        let found = parameters.split(' ').find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            (key == name).then(|| value.parse().ok())
        });
        found.unwrap_or(Some(default))
    };
    let word = |width: u64| match width {
        16 => Some(Accumulate::M16A16),
        32 => Some(Accumulate::X32),
        _ => None,
    };
    match module {
        "cluster_tile" => {
            let tile = Tile {
                lanes_x: parameter("LANES_X", 8)?,
                lanes_y: parameter("LANES_Y", 8)?,
                accumulate: word(parameter("WIDTH", 16)?)?,
                multiply_cycles: 1,
                add_cycles: parameter("ADD_LATENCY", 1)?,
                trees: match parameter("TREES", 2)? {
                    1 => Trees::Shared,
                    2 => Trees::Dual,
                    _ => return None,
                },
            };
            Some(tile.arithmetic_um2(technology))
        }
        "lane_datapath" => {
            let tile = Tile {
                lanes_x: parameter("LANES_X", 4)?,
                lanes_y: parameter("LANES_Y", 4)?,
                // `mode_e` of `rtl/synth/cluster_pkg.sv`.
                accumulate: match parameter("MODE", 1)? {
                    0 => Accumulate::M16A16,
                    1 => Accumulate::M16A32,
                    2 => Accumulate::X32,
                    _ => return None,
                },
                multiply_cycles: parameter("MULTIPLY_LATENCY", 1)?,
                add_cycles: parameter("ADD_LATENCY", 1)?,
                trees: Trees::Dual,
            };
            let mut technology = technology.clone();
            technology.accumulators = Accumulators::PerLevel;
            technology.accumulator_levels = u32::try_from(parameter("LEVELS", 4)?).ok()?;
            technology.subtractors = Subtractors::PerLane;
            Some(tile.datapath_um2(&technology))
        }
        "systolic_weight_stationary" | "systolic_output_stationary" => {
            let side = parameter("ROWS", 8)?;
            if side != parameter("COLUMNS", 8)? || parameter("DOUBLE_BUFFERED", 0)? != 0 {
                return None;
            }
            let array = Systolic {
                dataflow: match module {
                    "systolic_weight_stationary" => Dataflow::WeightStationary,
                    _ => Dataflow::OutputStationary,
                },
                sums: word(parameter("WIDTH", 16)?)?,
                side,
                operands_fetched: 1,
                staged: false,
            };
            Some(array.array_um2(technology, 1, parameter("ADD_LATENCY", 1)?))
        }
        _ => None,
    }
}
