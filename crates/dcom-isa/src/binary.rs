//! The binary form of programs: little-endian 32-bit words for the tables, 32 bytes per instruction.
//!
//! Layout: magic, version, channels, overlap flag; then per table its length and entries; then the
//! number of instructions and the instructions. An instruction is sixteen 16-bit words: opcode and
//! phase, guard (0xffff: none), fourteen operand words. Unused words are zero.

use thiserror::Error;

use crate::layout::{Layout, Placement, Reduction};
use crate::op::{Instr, Op, Phase};
use crate::operand::{Axis, Lay, OPERAND_WORDS, Pred};
use crate::program::{BankDecl, BufferDecl, BufferKind, GlobalDecl, MatrixDecl, Program, Store};

const MAGIC: u32 = u32::from_le_bytes(*b"DCOM");
/// Version of the binary form.
pub const BINARY_VERSION: u32 = 1;
pub(crate) const NO_GUARD: u16 = 0xffff;
const INSTR_BYTES: usize = 4 + 2 * OPERAND_WORDS;

/// Bytes that are not a program.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("byte {offset}: {message}")]
pub struct BinaryError {
    /// Where reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub message: String,
}

impl Program {
    /// The binary form. The guard of no instruction may be p65535, which no machine has.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer(Vec::new());
        w.word(MAGIC);
        w.word(BINARY_VERSION);
        w.word(self.channels.into());
        w.word(self.overlap_ingest.into());
        w.table(&self.layouts, |w, l| {
            w.words(&[
                l.len,
                l.slices,
                l.clusters,
                l.first,
                l.count,
                l.granule,
                l.placement as u32,
                l.reduction as u32,
            ]);
        });
        w.table(&self.matrices, |w, m| {
            w.words(&[m.rows, m.columns]);
            match m.store {
                Store::Memory => w.words(&[0, 0, 0, 0, 0]),
                Store::Banks { axis, layout, row } => {
                    w.words(&[1, axis as u32, layout.0.into(), row, 0])
                }
                Store::BanksBoth {
                    rows_layout,
                    columns_layout,
                    rows_row,
                    columns_row,
                } => {
                    w.words(&[
                        2,
                        rows_layout.0.into(),
                        columns_layout.0.into(),
                        rows_row,
                        columns_row,
                    ]);
                }
            }
        });
        w.table(&self.buffers, |w, b| {
            let (kind, n) = match b.kind {
                BufferKind::Vector => (0, 0),
                BufferKind::Wide => (1, 0),
                BufferKind::Full(n) => (2, n),
                BufferKind::Partial(n) => (3, n),
                BufferKind::Coefs(n) => (4, n),
                BufferKind::Scalar => (5, 0),
                BufferKind::Tiles(n) => (6, n),
            };
            w.words(&[kind, n, b.layout.0.into(), b.row]);
        });
        w.table(&self.banks, |w, b| {
            w.words(&[b.layout.0.into(), b.vectors.into(), b.row])
        });
        w.table(&self.globals, |w, g| w.words(&[g.words, g.word]));
        w.table(&self.instrs, |w, instr| {
            let mut words = [0u16; OPERAND_WORDS];
            instr.op.encode(&mut words);
            w.0.push(instr.op.opcode());
            w.0.push(instr.phase as u8);
            assert!(
                instr.guard != Some(Pred(NO_GUARD)),
                "p{NO_GUARD} as a guard is the code of no guard"
            );
            w.0.extend(instr.guard.map_or(NO_GUARD, |p| p.0).to_le_bytes());
            words.iter().for_each(|word| w.0.extend(word.to_le_bytes()));
        });
        w.0
    }

    /// Reads the binary form. Sizes are checked against the bytes there are before anything is allocated.
    ///
    /// # Errors
    /// The first byte that is wrong, and why.
    pub fn decode(bytes: &[u8]) -> Result<Program, BinaryError> {
        let mut r = Reader { bytes, at: 0 };
        if r.word()? != MAGIC {
            return Err(r.error(0, "not a program: the first four bytes must be `DCOM`"));
        }
        let version = r.word()?;
        if version != BINARY_VERSION {
            return Err(r.error(
                4,
                &format!("version {version}: this build reads version {BINARY_VERSION}"),
            ));
        }
        let channels = r.small()?;
        let overlap_ingest = r.choice(&[false, true])?;
        let layouts = r.table(32, |r| {
            Ok(Layout {
                len: r.word()?,
                slices: r.word()?,
                clusters: r.word()?,
                first: r.word()?,
                count: r.word()?,
                granule: r.word()?,
                placement: r.choice(&[Placement::Compact, Placement::Spread])?,
                reduction: r.choice(&[Reduction::Tree, Reduction::Chain])?,
            })
        })?;
        let matrices = r.table(28, |r| {
            Ok(MatrixDecl {
                rows: r.word()?,
                columns: r.word()?,
                store: r.store()?,
            })
        })?;
        let buffers = r.table(16, |r| {
            let (at, kind, n) = (r.at, r.word()?, r.word()?);
            let kind = match kind {
                0 | 1 | 5 if n != 0 => {
                    return Err(r.error(at + 4, &format!("{n}: this kind of region has no length")));
                }
                0 => BufferKind::Vector,
                1 => BufferKind::Wide,
                2 => BufferKind::Full(n),
                3 => BufferKind::Partial(n),
                4 => BufferKind::Coefs(n),
                5 => BufferKind::Scalar,
                6 => BufferKind::Tiles(n),
                other => return Err(r.error(at, &format!("{other}: not a kind of buffer region"))),
            };
            Ok(BufferDecl {
                kind,
                layout: Lay(r.small()?),
                row: r.word()?,
            })
        })?;
        let banks = r.table(12, |r| {
            Ok(BankDecl {
                layout: Lay(r.small()?),
                vectors: r.small()?,
                row: r.word()?,
            })
        })?;
        let globals = r.table(8, |r| {
            Ok(GlobalDecl {
                words: r.word()?,
                word: r.word()?,
            })
        })?;
        let instrs = r.table(INSTR_BYTES, Reader::instr)?;
        if r.at != bytes.len() {
            return Err(r.error(
                r.at,
                &format!("{} bytes after the last instruction", bytes.len() - r.at),
            ));
        }
        Ok(Program {
            layouts,
            matrices,
            buffers,
            banks,
            globals,
            channels,
            overlap_ingest,
            instrs,
        })
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn word(&mut self, word: u32) {
        self.0.extend(word.to_le_bytes());
    }

    fn words(&mut self, words: &[u32]) {
        words.iter().for_each(|w| self.word(*w));
    }

    fn table<T>(&mut self, entries: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        self.word(u32::try_from(entries.len()).expect("tables are shorter than 2^32"));
        entries.iter().for_each(|e| write(self, e));
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    #[expect(clippy::unused_self, reason = "reads as part of the reader")]
    fn error(&self, offset: usize, message: &str) -> BinaryError {
        BinaryError {
            offset,
            message: message.to_owned(),
        }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BinaryError> {
        let found = self
            .bytes
            .get(self.at..self.at + N)
            .and_then(|b| b.try_into().ok());
        let found = found.ok_or_else(|| {
            self.error(
                self.at,
                &format!("the program ends here, {N} more bytes expected"),
            )
        })?;
        self.at += N;
        Ok(found)
    }

    fn word(&mut self) -> Result<u32, BinaryError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn small(&mut self) -> Result<u16, BinaryError> {
        let at = self.at;
        let word = self.word()?;
        u16::try_from(word).map_err(|_| self.error(at, &format!("{word}: at most 65535")))
    }

    fn choice<T: Copy>(&mut self, values: &[T]) -> Result<T, BinaryError> {
        let at = self.at;
        let word = self.word()?;
        let found = usize::try_from(word)
            .ok()
            .and_then(|i| values.get(i))
            .copied();
        found.ok_or_else(|| self.error(at, &format!("{word}: must be below {}", values.len())))
    }

    fn table<T>(
        &mut self,
        entry_bytes: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, BinaryError>,
    ) -> Result<Vec<T>, BinaryError> {
        let at = self.at;
        let n = usize::try_from(self.word()?).expect("32 bits fit usize");
        let left = self.bytes.len() - self.at;
        if n > left / entry_bytes {
            return Err(self.error(
                at,
                &format!("{n} entries of {entry_bytes} bytes, but only {left} bytes follow"),
            ));
        }
        (0..n).map(|_| read(self)).collect()
    }

    fn store(&mut self) -> Result<Store, BinaryError> {
        let at = self.at;
        Ok(match self.word()? {
            0 => {
                for _ in 0..4 {
                    self.choice(&[()])?;
                }
                Store::Memory
            }
            1 => {
                let axis = self.choice(&[Axis::Rows, Axis::Columns])?;
                let store = Store::Banks {
                    axis,
                    layout: Lay(self.small()?),
                    row: self.word()?,
                };
                self.choice(&[()])?;
                store
            }
            2 => Store::BanksBoth {
                rows_layout: Lay(self.small()?),
                columns_layout: Lay(self.small()?),
                rows_row: self.word()?,
                columns_row: self.word()?,
            },
            other => return Err(self.error(at, &format!("{other}: not a place for a matrix"))),
        })
    }

    fn instr(&mut self) -> Result<Instr, BinaryError> {
        let at = self.at;
        let [opcode, phase] = self.take()?;
        let phase = Phase::ALL
            .get(usize::from(phase))
            .ok_or_else(|| self.error(at + 1, &format!("{phase}: not a phase")))?
            .0;
        let guard = u16::from_le_bytes(self.take()?);
        let mut words = [0u16; OPERAND_WORDS];
        for word in &mut words {
            *word = u16::from_le_bytes(self.take()?);
        }
        let op = Op::decode(opcode, &mut words).map_err(|message| self.error(at, &message))?;
        Ok(Instr {
            op,
            guard: (guard != NO_GUARD).then_some(Pred(guard)),
            phase,
        })
    }
}
