//! What only synthesis takes, `rtl/synth`, is in function what it stands for: lanes with flat ports against the machine's lanes,
//! tiles and systolic arrays against `dcom-fp`.

use std::path::{Path, PathBuf};
use std::process::Command;

use dcom_base::log2_ceil;
use dcom_cosim::Build;
use dcom_fp::{Accumulate, canon32, from_bits, to_bits};

use crate::{cache, rtl, verilator};

/// Cycles of a bench whose every cycle is printed.
const CYCLES: usize = 400;

/// Cycles after which every register of a tile holds what the inputs say.
const WARM_UP: usize = 80;

/// The twin, whose area stands for that of the lanes, gives what the lanes give, in the same cycle.
#[test]
fn the_lanes_for_synthesis_are_those_of_the_machine() {
    if verilator().is_none() {
        return;
    }
    // fp16 products with fp32 sums; fp16 sums; exact products, with deeper pipelines.
    for name in ["small", "half", "deep"] {
        let build = Build::all().into_iter().find(|b| b.name == name);
        let package = build.expect("a build of that name").package();
        let folder = cache().join(format!("lane_twin_{name}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("dcom_pkg.sv");
        // What is not newer is not built again.
        if !std::fs::read_to_string(&file).is_ok_and(|old| old == package) {
            std::fs::write(&file, package).expect("written");
        }
        let packages = [file, rtl().join("src/machine_pkg.sv")];
        let bench = bench("lane_twin_tb", &folder, &packages, &[]);
        let answer = run(&bench, 20_000);
        let words: Vec<&str> = answer.split_whitespace().collect();
        let [_, cycles, _, results, _, partials, _, differing] = words[..] else {
            panic!("{name}: {answer}");
        };
        let [cycles, results, partials, differing] =
            [cycles, results, partials, differing].map(|n| n.parse::<u64>().expect("a count"));
        eprintln!("lanes, {name}: {answer}");
        assert_eq!(differing, 0, "{name}: cycles in which the two differ");
        assert!(
            cycles > 19_000 && results > 4_000 && partials > 500,
            "{name}: {answer}"
        );
    }
}

#[test]
fn tiles_sum_products_by_rows_and_columns() {
    if verilator().is_none() {
        return;
    }
    for (x, y, trees, width, latency) in [
        (4, 4, 0, 16, 1),
        (8, 4, 1, 16, 1),
        (2, 8, 1, 32, 2),
        (4, 2, 2, 16, 3),
        (8, 4, 2, 32, 2),
    ] {
        let parameters = [
            ("LANES_X", x),
            ("LANES_Y", y),
            ("TREES", trees),
            ("WIDTH", width),
            ("ADD_LATENCY", latency),
        ];
        let folder = cache().join(format!("cluster_tile_{x}x{y}_{trees}_{width}_{latency}"));
        let bench = bench("cluster_tile_tb", &folder, &random(), &parameters);
        let tile = Tile {
            x: usize::try_from(x).expect("few"),
            trees,
            latency,
            mode: mode(width),
            width,
        };
        tile.check(&run(&bench, CYCLES), y);
    }
}

#[test]
fn systolic_arrays_multiply_matrices() {
    if verilator().is_none() {
        return;
    }
    for (width, latency, double) in [(16, 1, 0), (16, 1, 1), (32, 2, 0)] {
        let parameters = [
            ("WIDTH", width),
            ("ADD_LATENCY", latency),
            ("DOUBLE_BUFFERED", double),
        ];
        let folder = cache().join(format!("systolic_{width}_{latency}_{double}"));
        let bench = bench("systolic_tb", &folder, &random(), &parameters);
        let lines = lines(&run(&bench, CYCLES));
        check_weight_stationary(&lines, width, usize::try_from(latency).expect("few"));
        check_output_stationary(&lines);
    }
}

/// A configuration of `cluster_tile`.
struct Tile {
    x: usize,
    trees: u64,
    latency: u64,
    mode: Accumulate,
    width: u64,
}

impl Tile {
    fn check(&self, answer: &str, y: u64) {
        let lines = lines(answer);
        let height = usize::try_from(y).expect("few");
        let depth = |operands: u64| {
            usize::try_from(self.latency * log2_ceil(operands)).expect("few cycles")
        };
        let (row_depth, column_depth) = (depth(self.x as u64), depth(y));
        let products = self.products(&lines);
        let mut compared = 0;
        for cycle in WARM_UP..lines.len() {
            let [_, _, _, _, _, _, rows, columns] = &lines[cycle];
            let rows = elements(rows, self.width);
            let columns = elements(columns, self.width);
            let row_sums = |(products, _): &(Vec<f32>, bool)| -> Vec<f32> {
                let rows = products.chunks(self.x);
                rows.map(|row| self.mode.tree(row)).collect()
            };
            // One tree over the sums of the rows, or a sum for every row.
            if self.trees == 0 {
                let sums = row_sums(&products[cycle - row_depth - column_depth]);
                assert_eq!(rows[0], self.bits(self.mode.tree(&sums)), "cycle {cycle}");
                compared += 1;
                continue;
            }
            let source = &products[cycle - row_depth];
            if self.trees == 2 || !source.1 {
                let expected: Vec<u32> =
                    row_sums(source).into_iter().map(|x| self.bits(x)).collect();
                assert_eq!(rows, expected, "rows in cycle {cycle}");
                compared += height;
            }
            let (products, to_columns) = &products[cycle - column_depth];
            if self.trees == 2 || *to_columns {
                for (column, &sum) in columns.iter().enumerate() {
                    let operands: Vec<f32> = products
                        .iter()
                        .skip(column)
                        .step_by(self.x)
                        .copied()
                        .collect();
                    let expected = self.bits(self.mode.tree(&operands));
                    assert_eq!(sum, expected, "column {column} in cycle {cycle}");
                    compared += 1;
                }
            }
        }
        assert!(compared >= lines.len() - WARM_UP, "{compared} sums");
    }

    /// By the cycle in which they leave the multipliers: the products, and whether they are for the columns.
    fn products(&self, lines: &[[String; 8]]) -> Vec<(Vec<f32>, bool)> {
        // Operands in the registers, in the cycle before.
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let mut products = vec![(Vec::new(), false); 2];
        for [load_a, load_b, columns, enable, next_a, next_b, ..] in lines {
            if load_a == "1" {
                a = elements(next_a, 16);
            }
            if load_b == "1" {
                b = elements(next_b, 16);
            }
            let enable = elements(enable, 4);
            let product = |(lane, (&a, &b)): (usize, (&u32, &u32))| {
                if enable[lane / 4] >> (lane % 4) & 1 == 1 {
                    self.mode.product(half(a), half(b), 0)
                } else {
                    0.0
                }
            };
            let all = a.iter().zip(&b).enumerate().map(product).collect();
            products.push((all, columns == "1"));
        }
        products
    }

    fn bits(&self, x: f32) -> u32 {
        bits(x, self.width)
    }
}

/// The result of a column is what comes in from above and, row after row, the products of the weights with the activations, which a
/// row has an addition later than the one above it, and a column a cycle later than the one before.
fn check_weight_stationary(lines: &[[String; 8]], width: u64, latency: usize) {
    let field = |cycle: usize, field: usize, width| elements(&lines[cycle][field], width);
    let (columns, rows) = (field(0, 0, 16).len(), field(0, 1, 16).len());
    let mode = mode(width);
    let depth = 2 + rows * latency;
    for start in WARM_UP..lines.len() - depth - columns {
        for column in 0..columns {
            let mut sum = word(field(start + 2 + column, 2, width)[column], width);
            for row in 0..rows {
                // The weights that came first went furthest down.
                let weight = half(field(rows - 1 - row, 0, 16)[column]);
                let activation = half(field(start + row * latency, 1, 16)[row]);
                sum = mode.add(mode.product(activation, weight, 0), sum);
            }
            let result = field(start + depth + column, 6, width)[column];
            assert_eq!(result, bits(sum, width), "column {column}, cycle {start}");
        }
        let passed = field(start + columns, 5, 16);
        assert_eq!(passed, field(start, 1, 16), "activations of cycle {start}");
    }
}

/// Sums leave from the lowest row on, a row in a cycle, after `drain`.
fn check_output_stationary(lines: &[[String; 8]]) {
    let field = |cycle: usize, field: usize| elements(&lines[cycle][field], 16);
    let (columns, rows) = (field(0, 3).len(), field(0, 1).len());
    let mode = Accumulate::M16A16;
    let drains: Vec<usize> = (WARM_UP..lines.len() - rows - 1)
        .filter(|&cycle| lines[cycle][4] == "1")
        .collect();
    assert!(drains.len() > 10, "{} sums", drains.len());
    for ends in drains.windows(2) {
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = 0.0;
                for cycle in ends[0]..ends[1] {
                    let a = half(field(cycle - 2 - column, 1)[row]);
                    let b = half(field(cycle - 2 - row, 3)[column]);
                    sum = mode.add(mode.product(a, b, 0), sum);
                }
                let drained = field(ends[1] + rows - row, 7)[column];
                let expected = bits(sum, 16);
                assert_eq!(
                    drained, expected,
                    "row {row}, column {column}, drained in {}",
                    ends[1]
                );
            }
        }
    }
}

fn mode(width: u64) -> Accumulate {
    if width == 16 {
        Accumulate::M16A16
    } else {
        Accumulate::X32
    }
}

fn half(bits: u32) -> f32 {
    from_bits(u16::try_from(bits).expect("16 bits"))
}

fn word(bits: u32, width: u64) -> f32 {
    if width == 16 {
        half(bits)
    } else {
        f32::from_bits(bits)
    }
}

fn bits(x: f32, width: u64) -> u32 {
    if width == 16 {
        to_bits(x).into()
    } else {
        canon32(x)
    }
}

/// Elements of a packed array in hexadecimal, element 0 first.
fn elements(digits: &str, width: u64) -> Vec<u32> {
    let each = usize::try_from(width / 4).expect("few digits");
    let chunks = digits.as_bytes().rchunks(each);
    let number = |chunk| {
        let text = std::str::from_utf8(chunk).expect("digits");
        u32::from_str_radix(text, 16).expect("hexadecimal digits")
    };
    chunks.map(number).collect()
}

fn lines(answer: &str) -> Vec<[String; 8]> {
    let fields = |line: &str| -> [String; 8] {
        let fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
        fields.try_into().expect("eight fields")
    };
    answer.lines().map(fields).collect()
}

/// Random operands.
fn random() -> [PathBuf; 1] {
    [rtl().join("tb/random_pkg.sv")]
}

/// Builds a bench of `rtl/tb` that makes its own inputs, without warnings.
fn bench(top: &str, folder: &Path, packages: &[PathBuf], parameters: &[(&str, u64)]) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let mut command = Command::new("verilator");
    command
        .args([
            "--cc",
            "--exe",
            "--build",
            "-Wall",
            "-j",
            "2",
            "--x-initial",
            "0",
        ])
        // A bench does not use every size of the machine's packages.
        .arg("-Wno-UNUSEDPARAM")
        // Verilator 5.006 loses a declaration when it makes loops (`__Vilp` was not declared).
        .args(["-O3", "-fno-reloop"])
        .args([
            "--prefix",
            "Vbench",
            "--top-module",
            top,
            "-o",
            "bench",
            "--Mdir",
        ])
        .arg(folder)
        .args(["-MAKEFLAGS", "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"])
        .args(parameters.iter().map(|(k, v)| format!("-G{k}={v}")))
        .args([
            "-y".into(),
            rtl().join("src"),
            "-y".into(),
            rtl().join("synth"),
        ])
        .args(packages)
        .arg(rtl().join("synth/cluster_pkg.sv"))
        .arg(rtl().join("tb").join(format!("{top}.sv")))
        .arg(rtl().join("tb/clocked_tb.cpp"));
    succeed(&mut command, top);
    folder.join("bench")
}

fn run(bench: &Path, cycles: usize) -> String {
    succeed(
        Command::new(bench).args([cycles.to_string(), "1".into()]),
        "the bench",
    )
}

/// What a program prints.
fn succeed(command: &mut Command, what: &str) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{what}: {e}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}:\n{text}{errors}");
    text.into_owned()
}
