//! What is synthesized: units, whose figures become coefficients, and tiles, to check models with.

/// Which table a design belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Synthesized alone, flat.
    Unit,
    /// Arithmetic units mapped once each, what is around them together: held out, to check an area
    /// model that is made of units.
    Tile,
}

/// How logic is mapped to cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// ABC's area-oriented mapper.
    Area,
    /// The script that yosys has for a liberty file.
    Default,
}

/// A module with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    /// Name in the tables.
    pub name: String,
    /// Unit or tile.
    pub group: Group,
    /// Module of `rtl/src` or `rtl/synth`.
    pub top: &'static str,
    /// Parameters that are set; the others have their defaults.
    pub parameters: Vec<(&'static str, u64)>,
}

/// Files of `rtl/src` that yosys reads.
pub(crate) const SOURCES: [&str; 9] = [
    "delay",
    "delay_valid",
    "fp_round",
    "fp_widen",
    "fp16_multiply",
    "fp_add",
    "adder_tree",
    "pairwise_level",
    "pairwise_accumulator",
];

/// Files of `rtl/synth`, packages first. `clock_gate.sv` is not among them: the library's cell stands for it.
pub(crate) const TILE_SOURCES: [&str; 6] = [
    "cluster_pkg",
    "lane_datapath",
    "gated_register",
    "cluster_tile",
    "systolic_weight_stationary",
    "systolic_output_stationary",
];

/// Modules that keep their boundary in a tile while logic is mapped.
pub(crate) const KEPT: [&str; 4] = ["fp16_multiply", "fp_add", "fp_round", "fp_widen"];

impl Mapping {
    /// Name in the tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mapping::Area => "area",
            Mapping::Default => "default",
        }
    }
}

impl Design {
    fn new(
        name: impl Into<String>,
        group: Group,
        top: &'static str,
        parameters: &[(&'static str, u64)],
    ) -> Design {
        Design {
            name: name.into(),
            group,
            top,
            parameters: parameters.to_vec(),
        }
    }

    /// Parameters as the tables have them.
    #[must_use]
    pub fn parameter_text(&self) -> String {
        let words: Vec<_> = self
            .parameters
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        words.join(" ")
    }

    /// A value as SystemVerilog takes it: enumerations want a cast.
    pub(crate) fn value_text(&self, name: &str, value: u64) -> String {
        match name {
            "MODE" => format!("cluster_pkg::mode_e'({value})"),
            "EXACT" => format!("1'b{value}"),
            _ => value.to_string(),
        }
    }

    /// The mappings that are tabulated: tiles are large, and compared by area.
    #[must_use]
    pub fn mappings(&self) -> &'static [Mapping] {
        match self.group {
            Group::Unit => &[Mapping::Area, Mapping::Default],
            Group::Tile => &[Mapping::Area],
        }
    }
}

/// All designs, units first.
#[must_use]
pub fn designs() -> Vec<Design> {
    let mut all = units();
    all.extend(tiles());
    all
}

fn units() -> Vec<Design> {
    let unit =
        |name: String, top, parameters: &[_]| Design::new(name, Group::Unit, top, parameters);
    let mut all = Vec::new();
    for latency in [1, 2] {
        let exact = |exact| [("EXACT", exact), ("LATENCY", latency)];
        all.push(unit(
            format!("multiply_fp16_{latency}"),
            "fp16_multiply",
            &exact(0),
        ));
        all.push(unit(
            format!("multiply_exact_{latency}"),
            "fp16_multiply",
            &exact(1),
        ));
    }
    for (width, latencies) in [(16, 1..=3), (32, 1..=3)] {
        for latency in latencies {
            let parameters = [("WIDTH", width), ("LATENCY", latency)];
            all.push(unit(
                format!("add_fp{width}_{latency}"),
                "fp_add",
                &parameters,
            ));
        }
    }
    all.push(unit("round_fp32".into(), "fp_round", &[]));
    all.push(unit("widen_fp16".into(), "fp_widen", &[]));
    for (width, latency) in [(16, 1), (32, 2)] {
        let parameters = [("OPERANDS", 8), ("WIDTH", width), ("ADD_LATENCY", latency)];
        all.push(unit(format!("tree_8_fp{width}"), "adder_tree", &parameters));
        for levels in [1, 2, 6] {
            let parameters = [
                ("WIDTH", width),
                ("LEVELS", levels),
                ("ADD_LATENCY", latency),
            ];
            all.push(unit(
                format!("pairwise_{levels}_fp{width}"),
                "pairwise_accumulator",
                &parameters,
            ));
        }
    }
    all.push(unit(
        "register_64".into(),
        "delay",
        &[("WIDTH", 64), ("LATENCY", 1)],
    ));
    all.push(unit(
        "register_64_gated".into(),
        "gated_register",
        &[("WIDTH", 64)],
    ));
    all.push(unit(
        "register_64_reset".into(),
        "delay_valid",
        &[("WIDTH", 64), ("LATENCY", 1)],
    ));
    all
}

/// Trees of `cluster_tile`: how they are called, and the parameter.
const TREES: [(&str, u64); 3] = [("rows", 0), ("shared", 1), ("dual", 2)];

fn tiles() -> Vec<Design> {
    let tile =
        |name: String, top, parameters: &[_]| Design::new(name, Group::Tile, top, parameters);
    let mut all = Vec::new();
    for (x, y) in [(8, 8), (4, 4), (8, 4), (4, 8)] {
        for (trees, parameter) in TREES {
            let parameters = [
                ("LANES_X", x),
                ("LANES_Y", y),
                ("TREES", parameter),
                ("WIDTH", 16),
            ];
            all.push(tile(
                format!("cluster_{x}x{y}_{trees}_fp16"),
                "cluster_tile",
                &parameters,
            ));
        }
    }
    for (trees, parameter) in TREES {
        let parameters = [("TREES", parameter), ("WIDTH", 32), ("ADD_LATENCY", 2)];
        all.push(tile(
            format!("cluster_8x8_{trees}_fp32"),
            "cluster_tile",
            &parameters,
        ));
    }
    for (name, parameters) in [
        ("systolic_weight_fp16", &[("WIDTH", 16)][..]),
        (
            "systolic_weight_double_fp16",
            &[("WIDTH", 16), ("DOUBLE_BUFFERED", 1)],
        ),
        ("systolic_weight_fp32", &[("WIDTH", 32)]),
    ] {
        all.push(tile(name.into(), "systolic_weight_stationary", parameters));
    }
    all.push(tile(
        "systolic_output_fp16".into(),
        "systolic_output_stationary",
        &[],
    ));
    for (x, y, mode, add, name) in [
        (4, 4, 0, 1, "m16a16"),
        (8, 4, 0, 1, "m16a16"),
        (4, 8, 0, 1, "m16a16"),
        (8, 8, 0, 1, "m16a16"),
        (8, 8, 1, 2, "m16a32"),
    ] {
        let parameters = [
            ("MODE", mode),
            ("LANES_X", x),
            ("LANES_Y", y),
            ("LEVELS", 6),
            ("MULTIPLY_LATENCY", 1),
            ("ADD_LATENCY", add),
        ];
        all.push(tile(
            format!("lanes_{x}x{y}_{name}"),
            "lane_datapath",
            &parameters,
        ));
    }
    all
}
