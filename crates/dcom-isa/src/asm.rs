//! The text form of programs: printing and parsing.
//!
//! One directive or instruction per line; `;` starts a comment. Directives fill the tables in order.

use std::fmt::{self, Write as _};

use thiserror::Error;

use crate::binary::NO_GUARD;
use crate::layout::{Layout, Placement, Reduction};
use crate::op::{Instr, Op, Phase};
use crate::operand::{Axis, Lay, Operand, Pred};
use crate::program::{BankDecl, BufferDecl, BufferKind, GlobalDecl, MatrixDecl, Program, Store};

/// A line that is not a program's.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}: {message}")]
pub struct AsmError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// The fields of a `.layout` line.
impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Layout {
            len,
            slices,
            clusters,
            first,
            count,
            granule,
            placement,
            reduction,
        } = self;
        write!(
            f,
            "len={len} slices={slices} clusters={clusters} first={first} count={count} granule={granule} placement={placement} reduction={reduction}"
        )
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            ".machine channels={} overlap_ingest={}",
            self.channels, self.overlap_ingest
        )?;
        for (i, layout) in self.layouts.iter().enumerate() {
            writeln!(f, ".layout l{i} {layout}")?;
        }
        for (i, m) in self.matrices.iter().enumerate() {
            let MatrixDecl {
                rows,
                columns,
                store,
            } = m;
            write!(f, ".matrix a{i} rows={rows} columns={columns} ")?;
            match store {
                Store::Memory => writeln!(f, "store=memory")?,
                Store::Banks { axis, layout, row } => {
                    writeln!(f, "store=banks axis={axis} layout={layout} row={row}")?
                }
                Store::BanksBoth {
                    rows_layout,
                    columns_layout,
                    rows_row,
                    columns_row,
                } => writeln!(
                    f,
                    "store=both rows_layout={rows_layout} columns_layout={columns_layout} rows_row={rows_row} columns_row={columns_row}"
                )?,
            }
        }
        for (i, b) in self.buffers.iter().enumerate() {
            let (kind, n) = match b.kind {
                BufferKind::Vector => ("vector", None),
                BufferKind::Wide => ("wide", None),
                BufferKind::Full(n) => ("full", Some(n)),
                BufferKind::Partial(n) => ("partial", Some(n)),
                BufferKind::Coefs(n) => ("coefs", Some(n)),
                BufferKind::Scalar => ("scalar", None),
                BufferKind::Tiles(n) => ("tiles", Some(n)),
            };
            write!(f, ".buffer b{i} kind={kind} ")?;
            if let Some(n) = n {
                write!(f, "n={n} ")?;
            }
            writeln!(f, "layout={} row={}", b.layout, b.row)?;
        }
        for (i, b) in self.banks.iter().enumerate() {
            writeln!(
                f,
                ".bank m{i} layout={} vectors={} row={}",
                b.layout, b.vectors, b.row
            )?;
        }
        for (i, g) in self.globals.iter().enumerate() {
            writeln!(f, ".global g{i} words={} word={}", g.words, g.word)?;
        }
        self.instrs.iter().try_for_each(|i| writeln!(f, "{i}"))
    }
}

impl fmt::Display for Instr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(p) = self.guard {
            write!(f, "@!{p} ")?;
        }
        write!(f, "{} !{}", self.op, self.phase.name())
    }
}

/// Parses the text form.
///
/// # Errors
/// The first line that is wrong, and what would be right.
pub fn assemble(text: &str) -> Result<Program, AsmError> {
    let mut program = Program {
        channels: 1,
        ..Program::default()
    };
    for (i, line) in text.lines().enumerate() {
        let line = line.split(';').next().map_or("", str::trim);
        if line.is_empty() {
            continue;
        }
        let result = match line.strip_prefix('.') {
            Some(directive) => parse_directive(&mut program, directive),
            None => parse_instr(line).map(|instr| program.instrs.push(instr)),
        };
        result.map_err(|message| AsmError {
            line: i + 1,
            message,
        })?;
    }
    Ok(program)
}

fn split_field(field: &str) -> Result<(&str, &str), String> {
    field
        .split_once('=')
        .ok_or_else(|| format!("`{field}`: expected `name=value`"))
}

fn parse_instr(line: &str) -> Result<Instr, String> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let mut guard = None;
    if let Some(p) = words[0].strip_prefix('@') {
        let p = p
            .strip_prefix('!')
            .ok_or_else(|| format!("`@{p}`: expected a guard such as `@!p0`"))?;
        guard = Some(Pred::parse(p)?);
        if guard == Some(Pred(NO_GUARD)) {
            return Err(format!("`@!{p}`: guards are p0 to p{}", NO_GUARD - 1));
        }
        words.remove(0);
    }
    let mut phase = Phase::Control;
    if let Some(name) = words.last().and_then(|w| w.strip_prefix('!')) {
        let found = Phase::ALL.iter().find(|(_, n)| *n == name).map(|(p, _)| *p);
        phase = found.ok_or_else(|| {
            format!(
                "`!{name}`: expected a phase: one of {}",
                Phase::ALL.map(|(_, n)| n).join(", ")
            )
        })?;
        words.pop();
    }
    let Some((mnemonic, operands)) = words.split_first() else {
        return Err("expected an instruction".to_owned());
    };
    let operands = operands
        .iter()
        .map(|w| split_field(w))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Instr {
        op: Op::parse(mnemonic, &operands)?,
        guard,
        phase,
    })
}

/// The fields of a directive, taken by name; what is left over at the end is an error.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl Fields<'_> {
    fn text(&mut self, name: &str) -> Result<String, String> {
        let at = self
            .0
            .iter()
            .position(|(n, _)| *n == name)
            .ok_or_else(|| format!("`{name}=` is missing"))?;
        Ok(self.0.remove(at).1.to_owned())
    }

    fn take<T: Operand>(&mut self, name: &str) -> Result<T, String> {
        T::parse(&self.text(name)?).map_err(|e| format!("{name}={e}"))
    }

    fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Result<T, String> {
        let given = self.text(name)?;
        let found = words.iter().find(|(w, _)| *w == given).map(|(_, v)| *v);
        found.ok_or_else(|| {
            let known = words.iter().map(|(w, _)| *w).collect::<Vec<_>>().join(", ");
            format!("{name}=`{given}`: expected one of {known}")
        })
    }
}

fn parse_directive(program: &mut Program, text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let directive = words.next().unwrap_or("");
    let (prefix, next) = match directive {
        "machine" => ("", 0),
        "layout" => ("l", program.layouts.len()),
        "matrix" => ("a", program.matrices.len()),
        "buffer" => ("b", program.buffers.len()),
        "bank" => ("m", program.banks.len()),
        "global" => ("g", program.globals.len()),
        other => {
            return Err(format!(
                "`.{other}`: expected .machine, .layout, .matrix, .buffer, .bank or .global"
            ));
        }
    };
    if directive != "machine" {
        let mut name = String::new();
        write!(name, "{prefix}{next}").expect("writing to a string");
        match words.next() {
            Some(given) if given == name => {}
            given => {
                return Err(format!(
                    "`{}`: the next .{directive} is `{name}`",
                    given.unwrap_or("")
                ));
            }
        }
    }
    let mut fields = Fields(words.map(split_field).collect::<Result<Vec<_>, _>>()?);
    match directive {
        "machine" => {
            program.channels = fields.take("channels")?;
            program.overlap_ingest = fields.take("overlap_ingest")?;
        }
        "layout" => program.layouts.push(Layout {
            len: fields.take("len")?,
            slices: fields.take("slices")?,
            clusters: fields.take("clusters")?,
            first: fields.take("first")?,
            count: fields.take("count")?,
            granule: fields.take("granule")?,
            placement: fields.word(
                "placement",
                &[
                    ("compact", Placement::Compact),
                    ("spread", Placement::Spread),
                ],
            )?,
            reduction: fields.word(
                "reduction",
                &[("tree", Reduction::Tree), ("chain", Reduction::Chain)],
            )?,
        }),
        "matrix" => program.matrices.push(MatrixDecl {
            rows: fields.take("rows")?,
            columns: fields.take("columns")?,
            store: parse_store(&mut fields)?,
        }),
        "buffer" => program.buffers.push(BufferDecl {
            kind: parse_kind(&mut fields)?,
            layout: fields.take("layout")?,
            row: fields.take("row")?,
        }),
        "bank" => program.banks.push(BankDecl {
            layout: fields.take("layout")?,
            vectors: fields.take("vectors")?,
            row: fields.take("row")?,
        }),
        _ => program.globals.push(GlobalDecl {
            words: fields.take("words")?,
            word: fields.take("word")?,
        }),
    }
    match fields.0.first() {
        Some((name, _)) => Err(format!(
            "`{name}=`: not a field of .{directive}, or there twice"
        )),
        None => Ok(()),
    }
}

fn parse_store(fields: &mut Fields<'_>) -> Result<Store, String> {
    let kind = fields.text("store")?;
    Ok(match kind.as_str() {
        "memory" => Store::Memory,
        "banks" => Store::Banks {
            axis: fields.take::<Axis>("axis")?,
            layout: fields.take::<Lay>("layout")?,
            row: fields.take("row")?,
        },
        "both" => Store::BanksBoth {
            rows_layout: fields.take("rows_layout")?,
            columns_layout: fields.take("columns_layout")?,
            rows_row: fields.take("rows_row")?,
            columns_row: fields.take("columns_row")?,
        },
        other => {
            return Err(format!(
                "store=`{other}`: expected one of memory, banks, both"
            ));
        }
    })
}

fn parse_kind(fields: &mut Fields<'_>) -> Result<BufferKind, String> {
    let kind = fields.text("kind")?;
    Ok(match kind.as_str() {
        "vector" => BufferKind::Vector,
        "wide" => BufferKind::Wide,
        "full" => BufferKind::Full(fields.take("n")?),
        "partial" => BufferKind::Partial(fields.take("n")?),
        "coefs" => BufferKind::Coefs(fields.take("n")?),
        "scalar" => BufferKind::Scalar,
        "tiles" => BufferKind::Tiles(fields.take("n")?),
        other => {
            return Err(format!(
                "kind=`{other}`: expected one of vector, wide, full, partial, coefs, scalar, tiles"
            ));
        }
    })
}
