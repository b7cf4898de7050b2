//! What needs no simulation: lint, and the codes that the RTL shares with the ISA.

use crate::machines::Machine;
use crate::{rtl, verilator};

#[test]
fn cluster_lints() {
    let Some(verilator) = verilator("lint") else {
        return;
    };
    for machine in [Machine::small(), Machine::deep()] {
        // The mode of a cluster is an enumeration, which the command line cannot give: the default.
        let parameters = machine.parameters();
        verilator
            .lint("cluster", &parameters[1..])
            .unwrap_or_else(|e| panic!("{}: {e}", machine.name));
    }
}

/// `kind_e` of the package has the opcodes of the ISA.
#[test]
fn kinds_are_opcodes() {
    let file = rtl().join("src/cluster_pkg.sv");
    let package =
        std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut kinds = 0;
    for line in package.lines() {
        let Some((name, rest)) = line
            .trim()
            .strip_prefix("KIND_")
            .and_then(|l| l.split_once("= 8'h"))
        else {
            continue;
        };
        let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        let code = u8::from_str_radix(&digits, 16).expect("a hexadecimal code");
        let name = name.trim().to_lowercase();
        let op = dcom_isa::op::OPS.iter().find(|op| op.mnemonic == name);
        assert_eq!(op.map(|op| op.opcode), Some(code), "{name}");
        kinds += 1;
    }
    assert_eq!(kinds, 6, "kinds found in {}", file.display());
}
