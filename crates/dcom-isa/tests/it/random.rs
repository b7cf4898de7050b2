//! Random programs: every op of the op list with any operands, and any tables. They seldom verify.

use dcom_isa::op::{OPS, OpInfo};
use dcom_isa::{
    Axis, BankDecl, BufferDecl, BufferKind, GlobalDecl, Instr, Lay, Layout, MatrixDecl, Phase,
    Placement, Program, Reduction, Store, assemble,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The text of an operand of a kind, as the op list names it. A new kind of operand must be added here.
fn operand(kind: &str) -> BoxedStrategy<String> {
    let index = |prefix: &'static str| {
        any::<u16>()
            .prop_map(move |n| format!("{prefix}{n}"))
            .boxed()
    };
    let word = |words: &'static [&'static str]| {
        prop::sample::select(words).prop_map(str::to_owned).boxed()
    };
    match kind {
        "a buffer region" => index("b"),
        "a global memory region" => index("g"),
        "a scalar register" => index("s"),
        "a matrix" => index("a"),
        "a partial-sum register" => index("r"),
        "a layout" => index("l"),
        "a predicate" => index("p"),
        "a vector in the banks" => any::<(u16, u16)>()
            .prop_map(|(s, i)| format!("m{s}[{i}]"))
            .boxed(),
        "an axis" => word(&["rows", "columns"]),
        "a side" => word(&["u", "v"]),
        "a start vector" => word(&["mean", "ones", "e1", "alternating", "signs"]),
        "true or false" => word(&["true", "false"]),
        "a number from 0 to 65535" => any::<u16>().prop_map(|n| n.to_string()).boxed(),
        "a number from 0 to 4294967295" => any::<u32>().prop_map(|n| n.to_string()).boxed(),
        "a finite number" => any::<u32>()
            .prop_map(f32::from_bits)
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(|v| v.to_string())
            .boxed(),
        other => panic!("{other}: an operand kind that these tests do not know"),
    }
}

/// The text of an instruction of one op: canonical, so that printing must give it back.
pub(crate) fn line(op: &'static OpInfo) -> impl Strategy<Value = String> {
    let operands: Vec<_> = op
        .operands
        .iter()
        .map(|(name, kind)| operand(kind).prop_map(move |v| format!(" {name}={v}")))
        .collect();
    // 65535 is the code of "no guard".
    let guard = prop::option::of(0..u16::MAX)
        .prop_map(|p| p.map_or_else(String::new, |p| format!("@!p{p} ")));
    (guard, operands, prop::sample::select(&Phase::ALL[..])).prop_map(
        move |(guard, operands, (_, phase))| {
            format!("{guard}{}{} !{phase}", op.mnemonic, operands.concat())
        },
    )
}

/// The instruction of a canonical line.
pub(crate) fn parse(line: &str) -> Instr {
    let program = assemble(line).unwrap_or_else(|e| panic!("`{line}`: {e}"));
    let [instr] = program.instrs[..] else {
        panic!("`{line}` is one instruction")
    };
    instr
}

pub(crate) fn layout() -> impl Strategy<Value = Layout> {
    let placement = prop::sample::select(vec![Placement::Compact, Placement::Spread]);
    let reduction = prop::sample::select(vec![Reduction::Tree, Reduction::Chain]);
    (any::<[u32; 6]>(), placement, reduction).prop_map(
        |([len, slices, clusters, first, count, granule], placement, reduction)| Layout {
            len,
            slices,
            clusters,
            first,
            count,
            granule,
            placement,
            reduction,
        },
    )
}

fn lay() -> impl Strategy<Value = Lay> {
    any::<u16>().prop_map(Lay)
}

fn store() -> impl Strategy<Value = Store> {
    prop_oneof![
        Just(Store::Memory),
        (any::<bool>(), lay(), any::<u32>()).prop_map(|(rows, layout, row)| {
            Store::Banks {
                axis: if rows { Axis::Rows } else { Axis::Columns },
                layout,
                row,
            }
        }),
        (lay(), lay(), any::<[u32; 2]>()).prop_map(
            |(rows_layout, columns_layout, [rows_row, columns_row])| {
                Store::BanksBoth {
                    rows_layout,
                    columns_layout,
                    rows_row,
                    columns_row,
                }
            }
        ),
    ]
}

fn kind() -> impl Strategy<Value = BufferKind> {
    prop_oneof![
        Just(BufferKind::Vector),
        Just(BufferKind::Wide),
        Just(BufferKind::Scalar),
        any::<u32>().prop_map(BufferKind::Full),
        any::<u32>().prop_map(BufferKind::Partial),
        any::<u32>().prop_map(BufferKind::Coefs),
        any::<u32>().prop_map(BufferKind::Tiles),
    ]
}

/// Any tables and any instructions.
pub(crate) fn program() -> impl Strategy<Value = Program> {
    let instr = (0..OPS.len())
        .prop_flat_map(|n| line(&OPS[n]))
        .prop_map(|l| parse(&l));
    let matrix = (any::<[u32; 2]>(), store()).prop_map(|([rows, columns], store)| MatrixDecl {
        rows,
        columns,
        store,
    });
    let buffer = (kind(), lay(), any::<u32>()).prop_map(|(kind, layout, row)| BufferDecl {
        kind,
        layout,
        row,
    });
    let bank = (lay(), any::<u16>(), any::<u32>()).prop_map(|(layout, vectors, row)| BankDecl {
        layout,
        vectors,
        row,
    });
    let global = any::<[u32; 2]>().prop_map(|[words, word]| GlobalDecl { words, word });
    (
        vec(layout(), 0..4),
        vec(matrix, 0..4),
        vec(buffer, 0..4),
        vec(bank, 0..4),
        vec(global, 0..4),
        any::<(u16, bool)>(),
        vec(instr, 0..20),
    )
        .prop_map(
            |(layouts, matrices, buffers, banks, globals, (channels, overlap_ingest), instrs)| {
                Program {
                    layouts,
                    matrices,
                    buffers,
                    banks,
                    globals,
                    channels,
                    overlap_ingest,
                    instrs,
                }
            },
        )
}
