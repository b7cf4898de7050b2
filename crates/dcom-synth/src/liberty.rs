//! What the flow has to know of a cell library: areas, and which cells are what.
//!
//! The file is read as the nested groups of the Liberty format, `kind (arguments) { ... }`, without
//! interpreting tables. Times and capacitances stay in the library's units; only the unit of
//! capacitance is needed, for the wire load. Liberty has no unit of area: um2, as every public library
//! has it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};

use crate::error::SynthError;

/// A cell library.
#[derive(Clone, Debug)]
pub struct Liberty {
    /// Name of the file, without its folder.
    pub file: String,
    /// SHA-256 of the file's text (unpacked), in hexadecimal.
    pub sha256: String,
    /// All cells by name.
    pub cells: BTreeMap<String, Cell>,
    text: String,
    /// Where the library's group ends: the place of its closing brace.
    end: usize,
    femtofarads: f64,
}

/// A cell of the library.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Area (um2).
    pub area_um2: f64,
    /// What it is.
    pub kind: CellKind,
    range: Range<usize>,
}

/// What a cell is to the flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Logic that ABC may map to.
    Logic,
    /// Edge-triggered, without scan.
    FlipFlop,
    /// Level-sensitive.
    Latch,
    /// Integrated clock gate: latch and AND.
    ClockGate(ClockGate),
    /// Constant driver: its output pin.
    Tie {
        /// What it drives.
        value: bool,
        /// The pin.
        pin: String,
    },
    /// Not for synthesis: `dont_use`, scan, three-state, and names that begin with CLK (clock buffers,
    /// for which Liberty has no attribute).
    Unused,
}

/// Pins of a clock gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockGate {
    /// Clock.
    pub clock: String,
    /// Enable.
    pub enable: String,
    /// Test enable, to be tied low, if there is one.
    pub test: Option<String>,
    /// Gated clock.
    pub output: String,
}

impl Liberty {
    /// Reads a library, packed with gzip if its name ends in `.gz`.
    ///
    /// # Errors
    /// The file, or where it is not Liberty.
    pub fn read(path: &Path) -> Result<Liberty, SynthError> {
        let bytes = std::fs::read(path).map_err(SynthError::file(path))?;
        let mut text = String::new();
        if path.extension().is_some_and(|e| e == "gz") {
            GzDecoder::new(&bytes[..])
                .read_to_string(&mut text)
                .map_err(SynthError::file(path))?;
        } else {
            (&bytes[..])
                .read_to_string(&mut text)
                .map_err(SynthError::file(path))?;
        }
        let file = path
            .file_name()
            .map_or_else(String::new, |f| f.to_string_lossy().into_owned());
        Liberty::parse(file, text)
    }

    /// Reads a library from its text.
    ///
    /// # Errors
    /// Where it is not Liberty.
    pub fn parse(file: String, text: String) -> Result<Liberty, SynthError> {
        let fail = |problem: String| SynthError::Liberty {
            file: file.clone(),
            problem,
        };
        let blank = without_comments(&text);
        let mut parser = Parser {
            text: &blank,
            at: 0,
        };
        let library = parser.library().map_err(|(at, what)| {
            let line = 1 + blank[..at].matches('\n').count();
            fail(format!("line {line}: {what}"))
        })?;
        let unit = library.complex.get("capacitive_load_unit");
        let femtofarads = unit
            .and_then(|u| femtofarads(u))
            .ok_or_else(|| fail("no `capacitive_load_unit (number, ff or pf)`".into()))?;
        let mut cells = BTreeMap::new();
        for group in library.groups.iter().filter(|g| g.kind == "cell") {
            let area = group.simple.get("area").and_then(|a| a.parse().ok());
            let area_um2 =
                area.ok_or_else(|| fail(format!("cell {} has no area", group.arguments)))?;
            let cell = Cell {
                area_um2,
                kind: kind(group),
                range: group.range.clone(),
            };
            cells.insert(group.arguments.clone(), cell);
        }
        let end = library.range.end - 1;
        let sha256 = Sha256::digest(text.as_bytes())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Ok(Liberty {
            sha256,
            cells,
            end,
            femtofarads,
            file,
            text,
        })
    }

    /// The library with only the cells that ABC may map to: yosys 0.23 cannot tell it what not to use.
    #[must_use]
    pub fn logic_only(&self) -> String {
        let mut left_out: Vec<_> = self
            .cells
            .values()
            .filter(|c| c.kind != CellKind::Logic)
            .map(|c| c.range.clone())
            .collect();
        left_out.sort_by_key(|r| r.start);
        let mut text = String::with_capacity(self.text.len());
        let mut from = 0;
        for range in left_out {
            text.push_str(&self.text[from..range.start]);
            from = range.end;
        }
        text.push_str(&self.text[from..]);
        text
    }

    /// The library with a wire load model of this name: so much capacitance per fanout, no resistance.
    #[must_use]
    pub fn with_wire_load(&self, name: &str, femtofarads_per_fanout: f64) -> String {
        let (head, tail) = self.text.split_at(self.end);
        let capacitance = femtofarads_per_fanout / self.femtofarads;
        format!(
            "{head}  wire_load (\"{name}\") {{\n    capacitance : {capacitance};\n    resistance : 0;\n    \
             area : 0;\n    slope : 1;\n    fanout_length (1, 1);\n  }}\n{tail}"
        )
    }

    /// The smallest constant driver of this value: cell and output pin.
    ///
    /// # Errors
    /// The library has none.
    pub fn tie(&self, wanted: bool) -> Result<(&str, &str), SynthError> {
        self.smallest("constant driver", |kind| match kind {
            CellKind::Tie { value, pin } if *value == wanted => Some(pin.as_str()),
            _ => None,
        })
    }

    /// The smallest clock gate: cell and pins.
    ///
    /// # Errors
    /// The library has none.
    pub fn clock_gate(&self) -> Result<(&str, &ClockGate), SynthError> {
        self.smallest("clock gate", |kind| match kind {
            CellKind::ClockGate(pins) => Some(pins),
            _ => None,
        })
    }

    fn smallest<'a, T>(
        &'a self,
        what: &str,
        select: impl Fn(&'a CellKind) -> Option<T>,
    ) -> Result<(&'a str, T), SynthError> {
        let found = self
            .cells
            .iter()
            .filter_map(|(name, cell)| Some((cell.area_um2, name.as_str(), select(&cell.kind)?)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let (_, name, pins) = found.ok_or_else(|| SynthError::Liberty {
            file: self.file.clone(),
            problem: format!("there is no {what}"),
        })?;
        Ok((name, pins))
    }
}

/// A group with what the flow looks at.
struct Group {
    kind: String,
    arguments: String,
    simple: BTreeMap<String, String>,
    complex: BTreeMap<String, String>,
    groups: Vec<Group>,
    range: Range<usize>,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = Result<T, (usize, String)>;

impl Parser<'_> {
    fn library(&mut self) -> Parsed<Group> {
        let start = self.space();
        let kind = self.word();
        if kind != "library" {
            return Err((start, format!("expected `library (...)`, found {kind:?}")));
        }
        let arguments = self.parentheses()?;
        self.group(kind, arguments, start)
    }

    /// From the opening to behind the closing brace.
    fn group(&mut self, kind: String, arguments: String, start: usize) -> Parsed<Group> {
        let (mut simple, mut complex, mut groups) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        self.expect('{')?;
        loop {
            let at = self.space();
            match self.next() {
                Some('}') => break self.at += 1,
                Some(';') => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let name = self.word();
            self.space();
            match self.next() {
                Some(':') if !name.is_empty() => {
                    self.at += 1;
                    let value = self.until_semicolon();
                    simple.insert(name, value);
                }
                Some('(') if !name.is_empty() => {
                    let arguments = self.parentheses()?;
                    self.space();
                    if self.next() == Some('{') {
                        groups.push(self.group(name, arguments, at)?);
                    } else {
                        complex.insert(name, arguments);
                    }
                }
                _ => {
                    return Err((
                        at,
                        format!(
                            "`{kind} ({arguments})` is not closed or has an entry that is not Liberty"
                        ),
                    ));
                }
            }
        }
        Ok(Group {
            kind,
            arguments,
            simple,
            complex,
            groups,
            range: start..self.at,
        })
    }

    fn next(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn space(&mut self) -> usize {
        let rest = &self.text[self.at..];
        self.at += rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == '\\')
                .len();
        self.at
    }

    fn word(&mut self) -> String {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn expect(&mut self, wanted: char) -> Parsed<()> {
        let at = self.space();
        if self.next() != Some(wanted) {
            return Err((at, format!("expected `{wanted}`")));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn parentheses(&mut self) -> Parsed<String> {
        self.expect('(')?;
        let start = self.at;
        let length = outside_strings(&self.text[start..])
            .find(|&(_, c)| c == ')')
            .map(|(i, _)| i)
            .ok_or((start, "`(` is not closed".to_owned()))?;
        self.at += length + 1;
        Ok(unquoted(&self.text[start..start + length]))
    }

    /// A value ends at the semicolon; some files leave it out at the end of a line.
    fn until_semicolon(&mut self) -> String {
        let rest = &self.text[self.at..];
        let end = outside_strings(rest)
            .find(|&(_, c)| c == ';' || c == '\n' || c == '}')
            .map_or(rest.len(), |(i, _)| i);
        self.at += end;
        unquoted(&rest[..end])
    }
}

fn unquoted(text: &str) -> String {
    text.trim().trim_matches('"').trim().to_owned()
}

/// Characters that do not stand in a string, with their places.
fn outside_strings(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut inside = false;
    text.char_indices().filter(move |&(_, c)| {
        inside ^= c == '"';
        !inside && c != '"'
    })
}

/// The text with comments replaced by spaces, so that places stay.
fn without_comments(text: &str) -> String {
    let mut blank = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        let end = rest[start..]
            .find("*/")
            .map_or(rest.len(), |i| start + i + 2);
        blank.push_str(&rest[..start]);
        for c in rest[start..end].chars() {
            blank.push_str(if c == '\n' { "\n" } else { &" "[..1] });
            blank.extend(std::iter::repeat_n(' ', c.len_utf8() - 1));
        }
        rest = &rest[end..];
    }
    blank.push_str(rest);
    blank
}

/// `1,ff` in femtofarads.
fn femtofarads(unit: &str) -> Option<f64> {
    let (number, unit) = unit.split_once(',')?;
    let number: f64 = number.trim().parse().ok()?;
    match unit.trim().trim_matches('"').to_lowercase().as_str() {
        "ff" => Some(number),
        "pf" => Some(1000.0 * number),
        _ => None,
    }
}

fn kind(cell: &Group) -> CellKind {
    let pins = || cell.groups.iter().filter(|g| g.kind == "pin");
    let is = |pin: &Group, attribute: &str| pin.simple.get(attribute).is_some_and(|v| v == "true");
    let has = |name: &str| cell.groups.iter().any(|g| g.kind == name);
    let marked = |attribute: &str| {
        pins()
            .find(|p| is(p, attribute))
            .map(|p| p.arguments.clone())
    };
    if cell.simple.contains_key("clock_gating_integrated_cell") {
        let gate = || {
            Some(ClockGate {
                clock: marked("clock_gate_clock_pin")?,
                enable: marked("clock_gate_enable_pin")?,
                test: marked("clock_gate_test_pin"),
                output: marked("clock_gate_out_pin")?,
            })
        };
        return gate().map_or(CellKind::Unused, CellKind::ClockGate);
    }
    let is_input = |p: &Group| p.simple.get("direction").is_some_and(|d| d == "input");
    let function = |p: &Group| p.simple.get("function").cloned();
    if !pins().any(is_input)
        && let Some((pin, value)) = pins().find_map(|p| match function(p)?.as_str() {
            "0" => Some((p, false)),
            "1" => Some((p, true)),
            _ => None,
        })
    {
        let pin = pin.arguments.clone();
        return CellKind::Tie { value, pin };
    }
    let is_three_state = pins().any(|p| p.simple.contains_key("three_state"));
    if is(cell, "dont_use")
        || has("test_cell")
        || is_three_state
        || cell.arguments.starts_with("CLK")
    {
        CellKind::Unused
    } else if has("ff") {
        CellKind::FlipFlop
    } else if has("latch") {
        CellKind::Latch
    } else if pins().any(|p| function(p).is_some()) {
        CellKind::Logic
    } else {
        CellKind::Unused
    }
}
