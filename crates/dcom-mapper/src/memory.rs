//! Allocation of buffer, bank and global memory regions while a program is built.

use dcom_arch::Arch;
use dcom_isa::{
    BankDecl, BankVec, Buf, BufferDecl, BufferKind, Glob, GlobalDecl, Lay, Program, Reg, Shape,
    Store,
};

use crate::map::MapError;

/// A program under construction with what is left of each memory.
pub(crate) struct Memory<'a> {
    pub(crate) arch: &'a Arch,
    pub(crate) program: Program,
    pub(crate) shapes: Vec<Shape>,
    /// Rows in use per window: windows of their own have clusters of their own.
    buffer_rows: Vec<u64>,
    bank_rows: Vec<u64>,
    window: usize,
    global_words: u64,
    regs: u64,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(arch: &'a Arch, program: Program) -> Result<Memory<'a>, MapError> {
        let shapes = program
            .layouts
            .iter()
            .map(|l| {
                l.check(arch)
                    .map_err(|m| MapError::new("mapping.expansion_factor", m))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Memory {
            arch,
            program,
            shapes,
            buffer_rows: vec![0],
            bank_rows: vec![0],
            window: 0,
            global_words: 0,
            regs: 0,
        })
    }

    /// From here on, regions are allocated in the clusters and banks of one of `buffers` and `banks`
    /// windows, 1 if all prompts share them.
    pub(crate) fn enter(&mut self, window: usize, buffers: usize, banks: usize) {
        self.buffer_rows.resize(buffers, 0);
        self.bank_rows.resize(banks, 0);
        self.window = window;
    }

    fn used_buffer_rows(&mut self) -> &mut u64 {
        let window = self.window % self.buffer_rows.len();
        &mut self.buffer_rows[window]
    }

    fn used_bank_rows(&mut self) -> &mut u64 {
        let window = self.window % self.bank_rows.len();
        &mut self.bank_rows[window]
    }

    pub(crate) fn shape(&self, layout: Lay) -> &Shape {
        &self.shapes[layout.index()]
    }

    /// Buffer rows that a region takes.
    pub(crate) fn rows_of(&self, kind: BufferKind, layout: Lay) -> u64 {
        kind.bytes(self.shape(layout))
            .div_ceil(self.arch.buffer_row_bytes())
    }

    /// Buffer rows that are left.
    pub(crate) fn buffer_rows_left(&mut self) -> u64 {
        self.arch.buffer_rows() - *self.used_buffer_rows()
    }

    pub(crate) fn buffer(&mut self, kind: BufferKind, layout: Lay) -> Result<Buf, MapError> {
        let rows = self.rows_of(kind, layout);
        let used = *self.used_buffer_rows();
        if used + rows > self.arch.buffer_rows() {
            return Err(MapError::new(
                "cluster.buffer_bytes",
                format!(
                    "the cluster buffers are too small: {} bytes are in use and {kind:?} needs {} more, of {}",
                    used * self.arch.buffer_row_bytes(),
                    rows * self.arch.buffer_row_bytes(),
                    self.arch.cluster.buffer_bytes
                ),
            ));
        }
        *self.used_buffer_rows() += rows;
        self.program.buffers.push(BufferDecl {
            kind,
            layout,
            row: small(used),
        });
        Ok(Buf(table_index(
            self.program.buffers.len(),
            "buffer regions",
            "sequencer.buffer_regions",
        )?))
    }

    pub(crate) fn stack(&mut self, layout: Lay, vectors: u16) -> Result<BankVec, MapError> {
        let rows = u64::from(vectors) * self.shape(layout).vector_beats;
        let len = self.shape(layout).layout().len;
        let what = || format!("{vectors} vectors of {len} elements");
        let row = small(self.take_bank_rows(rows, what)?);
        self.program.banks.push(BankDecl {
            layout,
            vectors,
            row,
        });
        Ok(BankVec {
            stack: table_index(
                self.program.banks.len(),
                "stacks of bank vectors",
                "sequencer.bank_vectors",
            )?,
            index: 0,
        })
    }

    /// Takes bank rows; returns the first. `what` names what they are for where there are too few.
    pub(crate) fn take_bank_rows(
        &mut self,
        rows: u64,
        what: impl Fn() -> String,
    ) -> Result<u64, MapError> {
        let row = *self.used_bank_rows();
        if row + rows > self.arch.bank_rows() {
            return Err(MapError::new(
                "bank.capacity_bytes",
                format!(
                    "the banks are too small: {} need {rows} rows of {} bytes per bank, {} of {} are left",
                    what(),
                    2 * self.arch.bank.port_elements,
                    self.arch.bank_rows() - row,
                    self.arch.bank_rows()
                ),
            ));
        }
        if row + rows > u64::from(u32::MAX) {
            return Err(MapError::new(
                "bank.capacity_bytes",
                format!(
                    "{} end beyond row {}, the last that a program can name",
                    what(),
                    u32::MAX
                ),
            ));
        }
        *self.used_bank_rows() += rows;
        Ok(row)
    }

    /// Words of global memory that are left.
    pub(crate) fn global_words_left(&self) -> u64 {
        self.arch.broadcast.capacity_words - self.global_words
    }

    pub(crate) fn global(&mut self, words: u64) -> Result<Glob, MapError> {
        if words > self.global_words_left() {
            return Err(MapError::new(
                "broadcast.capacity_words",
                format!(
                    "the global broadcast memory is too small: {} words are in use and {words} more are needed, of {}",
                    self.global_words, self.arch.broadcast.capacity_words
                ),
            ));
        }
        self.program.globals.push(GlobalDecl {
            words: small(words),
            word: small(self.global_words),
        });
        self.global_words += words;
        Ok(Glob(table_index(
            self.program.globals.len(),
            "global memory regions",
            "sequencer.global_regions",
        )?))
    }

    /// The first of `n` consecutive scalar registers.
    pub(crate) fn regs(&mut self, n: u16) -> Result<Reg, MapError> {
        let first = self.regs;
        self.regs += u64::from(n);
        if self.regs > self.arch.scalar.registers {
            return Err(MapError::new(
                "scalar.registers",
                format!(
                    "too few scalar registers: {} are needed, there are {}",
                    self.regs, self.arch.scalar.registers
                ),
            ));
        }
        Ok(Reg(u16::try_from(first).expect("at most 65535 registers")))
    }
}

impl Memory<'_> {
    /// Whether the sequencer has room for the tables and the memory for the matrices.
    pub(crate) fn check_tables(&self) -> Result<(), MapError> {
        let (tables, limits) = (&self.program, self.arch.sequencer);
        let vectors = tables.banks.iter().map(|b| usize::from(b.vectors)).sum();
        for (key, what, used, limit) in [
            (
                "sequencer.layouts",
                "layouts",
                tables.layouts.len(),
                limits.layouts,
            ),
            (
                "sequencer.buffer_regions",
                "buffer regions",
                tables.buffers.len(),
                limits.buffer_regions,
            ),
            (
                "sequencer.bank_vectors",
                "vectors in the banks",
                vectors,
                limits.bank_vectors,
            ),
            (
                "sequencer.global_regions",
                "regions of global memory",
                tables.globals.len(),
                limits.global_regions,
            ),
        ] {
            if used as u64 > limit {
                return Err(MapError::new(
                    key,
                    format!("{used} {what} are needed, the sequencer has {limit}"),
                ));
            }
        }
        let streamed = tables.matrices.iter().filter(|m| m.store == Store::Memory);
        let bytes: u64 = streamed
            .map(|m| 2 * u64::from(m.rows) * u64::from(m.columns))
            .sum();
        if bytes > self.arch.memory.capacity_bytes {
            return Err(MapError::new(
                "memory.capacity_bytes",
                format!(
                    "the prompts at hand take {bytes} bytes, the memory has {}",
                    self.arch.memory.capacity_bytes
                ),
            ));
        }
        Ok(())
    }
}

/// The index of the entry that was just pushed.
fn table_index(len: usize, what: &str, key: &'static str) -> Result<u16, MapError> {
    u16::try_from(len - 1).map_err(|_| MapError::new(key, format!("more than 65536 {what}")))
}

fn small(n: u64) -> u32 {
    u32::try_from(n).expect("memories are below 2^32 rows")
}
