//! The walk over the instructions: loops, guards, and one method per operation.

use std::borrow::Borrow;

use dcom_fp::{Accumulate, Lanes, MAX_EXPONENT, from_bits, to_bits};
use dcom_isa::{BankVec, Buf, Instr, Lay, Mat, Op, Program, Reg, Side, Verified};
use dcom_tensor::Matrix;

use crate::deal::{Deal, size};
use crate::error::ExecError;
use crate::outcome::{BreakdownTrace, Outcome, PromptResult};
use crate::provenance::Provenance;
use crate::resident::Resident;
use crate::state::{Contents, Loaded, Predicate, State, Strip};
use crate::stream::Stream;
use crate::svd::{Bidiagonal, Operands, Triangular};

/// Runs `program` on `prompts`; the matrices of the program's table say which of them they take.
///
/// Host vectors are rounded to fp16 as they enter. A prompt may hold any fp16 value.
///
/// # Errors
/// An input is missing or of the wrong size, or the small SVD fails.
pub fn execute<M: Borrow<Matrix>>(
    program: &Verified<'_>,
    prompts: &[M],
    host_vectors: &[Vec<f32>],
) -> Result<Outcome, ExecError> {
    execute_with_state(program, prompts, host_vectors).map(|(outcome, _)| outcome)
}

/// As [`execute`], and returns the memories and registers as well.
///
/// # Errors
/// As [`execute`].
pub fn execute_with_state<M: Borrow<Matrix>>(
    program: &Verified<'_>,
    prompts: &[M],
    host_vectors: &[Vec<f32>],
) -> Result<(Outcome, State), ExecError> {
    let prompts = prompts.iter().map(Borrow::borrow).collect::<Vec<&Matrix>>();
    let mut machine = Machine::new(program, &prompts, host_vectors);
    machine.run()?;
    Ok((machine.outcome, machine.state))
}

/// A run in progress.
pub(crate) struct Machine<'a> {
    pub(crate) verified: &'a Verified<'a>,
    pub(crate) mode: Accumulate,
    pub(crate) lanes: Lanes,
    pub(crate) state: State,
    pub(crate) outcome: Outcome,
    deals: Vec<Deal>,
    prompts: &'a [&'a Matrix],
    host_vectors: &'a [Vec<f32>],
    matrices: Vec<Option<Resident<'a>>>,
    /// Last instruction that multiplies each matrix.
    last_streams: Vec<Option<usize>>,
    provenance: Provenance,
}

/// One execution of an instruction.
#[derive(Clone, Copy)]
struct Pass {
    iteration: u32,
    last: bool,
}

impl<'a> Machine<'a> {
    fn new(
        verified: &'a Verified<'a>,
        prompts: &'a [&'a Matrix],
        host_vectors: &'a [Vec<f32>],
    ) -> Machine<'a> {
        let (program, arch) = (verified.program(), verified.arch());
        let layouts = u16::try_from(program.layouts.len()).expect("layouts have 16-bit indices");
        let mut last_streams = vec![None; program.matrices.len()];
        let mut loaded = vec![None; program.buffers.len()];
        for (i, instr) in program.instrs.iter().enumerate() {
            match instr.op {
                Op::MvN { matrix, .. } | Op::MvT { matrix, .. } => {
                    last_streams[matrix.index()] = Some(i);
                }
                Op::LdT { dst, matrix, .. } => loaded[dst.index()] = Some(matrix),
                Op::TMvN { tiles, .. } | Op::TMvT { tiles, .. } => {
                    let matrix = loaded[tiles.index()].expect("verified: a strip was loaded");
                    last_streams[matrix.index()] = Some(i);
                }
                _ => {}
            }
        }
        Machine {
            verified,
            mode: arch.cluster.accumulate,
            lanes: Lanes {
                x: size(arch.cluster.lanes_x),
                y: size(arch.cluster.lanes_y),
            },
            state: State::new(verified),
            outcome: Outcome {
                prompts: vec![PromptResult::default(); prompts.len()],
                trace: BreakdownTrace::default(),
                small_svds: Vec::new(),
                overflow_count: 0,
            },
            deals: (0..layouts)
                .map(|l| Deal::new(verified.shape(Lay(l))))
                .collect(),
            prompts,
            host_vectors,
            matrices: program.matrices.iter().map(|_| None).collect(),
            last_streams,
            provenance: Provenance::new(program, size(arch.sequencer.partial_registers)),
        }
    }

    pub(crate) fn program(&self) -> &'a Program {
        self.verified.program()
    }

    fn run(&mut self) -> Result<(), ExecError> {
        let mut at = 0;
        while let Some(instr) = self.program().instrs.get(at) {
            at += 1;
            if let Op::Loop { count, length } = instr.op {
                let end = at + length as usize;
                for iteration in 0..count {
                    let pass = Pass {
                        iteration,
                        last: iteration + 1 == count,
                    };
                    (at..end).try_for_each(|i| self.step(i, pass))?;
                }
                at = end;
            } else {
                self.step(
                    at - 1,
                    Pass {
                        iteration: 0,
                        last: true,
                    },
                )?;
            }
        }
        Ok(())
    }

    fn step(&mut self, at: usize, pass: Pass) -> Result<(), ExecError> {
        let Instr {
            op,
            guard,
            phase: _,
        } = self.program().instrs[at];
        if guard.is_some_and(|p| self.state.predicate(p).set) {
            return Ok(());
        }
        let overflowed = self.operate(at, &op, pass)?;
        let matrix = self.op_matrix(&op);
        let prompt = matrix.map(|matrix| self.resident(matrix).prompt);
        let prompt = self.provenance.follow(&op, prompt);
        self.outcome.overflow_count += overflowed;
        if let Some(prompt) = prompt {
            self.outcome.prompts[prompt].overflow_count += overflowed;
        }
        if let (Some(matrix), true) = (matrix, pass.last)
            && self.last_streams[matrix.index()] == Some(at)
        {
            self.matrices[matrix.index()]
                .as_mut()
                .into_iter()
                .for_each(Resident::forget_transposed);
        }
        Ok(())
    }

    /// Executes one operation; returns how many results overflowed. Long because every op has its arm here.
    fn operate(&mut self, at: usize, op: &Op, pass: Pass) -> Result<u64, ExecError> {
        match *op {
            Op::Ingest {
                matrix,
                prompt,
                stride,
            } => {
                self.ingest(
                    matrix,
                    u64::from(prompt) + u64::from(stride) * u64::from(pass.iteration),
                )?;
            }
            Op::In { dst, host } => self.enter(dst, host)?,
            Op::Out {
                matrix,
                side,
                index,
                src,
            } => self.leave(self.resident(matrix).prompt, side, index, src),
            Op::Ld { dst, src } => {
                let vector = self.state.bank(src).to_vec();
                *self.state.half_mut(dst) = vector;
            }
            Op::St { dst, src } => {
                let State {
                    stacks, buffers, ..
                } = &mut self.state;
                let Contents::Half(vector) = &buffers[src.index()] else {
                    unreachable!("{src} is a vector")
                };
                stacks[usize::from(dst.stack)]
                    .vector_mut(dst.index)
                    .copy_from_slice(vector);
            }
            Op::Gather { dst, src, start } => self.gather(dst, src, start as usize),
            Op::MvN {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            } => {
                return self.mvn(
                    Stream {
                        strip: Strip {
                            matrix,
                            axis,
                            first_tile,
                            end_tile,
                        },
                        add,
                        exponent,
                    },
                    x,
                    y,
                );
            }
            Op::MvT {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile,
                add,
                exponent,
            } => {
                return self.mvt(
                    Stream {
                        strip: Strip {
                            matrix,
                            axis,
                            first_tile,
                            end_tile,
                        },
                        add,
                        exponent,
                    },
                    x,
                    y,
                );
            }
            Op::LdT {
                dst,
                matrix,
                axis,
                first_tile,
                end_tile,
            } => {
                let strip = Strip {
                    matrix,
                    axis,
                    first_tile,
                    end_tile,
                };
                let prompt = self.resident(matrix).prompt;
                self.state.buffers[dst.index()] = Contents::Tiles(Some(Loaded { strip, prompt }));
            }
            Op::TMvN {
                tiles,
                axis: _,
                x,
                y,
                add,
                exponent,
            } => {
                return self.mvn(
                    Stream {
                        strip: self.state.strip(tiles),
                        add,
                        exponent,
                    },
                    x,
                    y,
                );
            }
            Op::TMvT {
                tiles,
                axis: _,
                x,
                y,
                add,
                exponent,
            } => {
                return self.mvt(
                    Stream {
                        strip: self.state.strip(tiles),
                        add,
                        exponent,
                    },
                    x,
                    y,
                );
            }
            Op::PReduce { dst, src, layout } => return Ok(self.preduce(dst, src, layout)),
            Op::GReduce {
                dst,
                src,
                layout,
                start,
                n,
            } => return Ok(self.greduce(dst, src, layout, start as usize, n as usize)),
            Op::Narrow { dst, src } => return Ok(self.narrow(dst, src)),
            Op::Dot { dst, a, b } => return Ok(self.dot(dst, a, b)),
            Op::PutH { dst, src } => {
                return Ok(self.put(dst, src, self.verified.governing(at), true));
            }
            Op::PutW { dst, src } => {
                return Ok(self.put(dst, src, self.verified.governing(at), false));
            }
            Op::Bc { dst, src, start } => return Ok(self.broadcast(dst, src, start as usize)),
            Op::Corr { z, v, c } => return Ok(self.corr(z, v, c)),
            Op::Axpy { z, v, c } => return Ok(self.axpy(z, v, c)),
            Op::CSum { dst, src } => return Ok(self.csum(dst, src)),
            Op::Scale { dst, src, c } => return Ok(self.scale(dst, src, c)),
            Op::Comb { dst, src, c } => return Ok(self.comb(dst, src, c)),
            Op::Ldi { dst, value } => self.set_register(dst, value),
            Op::Sum { dst, src, start, n } => self.sum(dst, src, start as usize, n as usize),
            Op::Mul { dst, a, b } => self.set_register(dst, self.register(a) * self.register(b)),
            Op::Div { dst, a, b } => self.set_register(dst, self.register(a) / self.register(b)),
            Op::Sqrt { dst, a } => self.set_register(dst, self.register(a).sqrt()),
            Op::Max { dst, a, b } => self.max(dst, a, b),
            Op::Log2 { dst, a } => self.log2(dst, a),
            Op::Sbc { dst, src } => self.scalar_broadcast(dst, src),
            Op::Stat { dst, matrix } => {
                let sum = self.resident(matrix).statistics.sum_of_squares;
                self.set_register(dst, sum);
            }
            Op::Start {
                dst,
                matrix,
                kind,
                exponent,
                shift,
            } => return self.start(dst, matrix, kind, exponent, shift),
            Op::Brk {
                p,
                x,
                max,
                tolerance,
            } => self.brk(p, x, max, tolerance),
            Op::Clr { p } => self.state.predicates[p.index()] = Predicate::default(),
            Op::Svd {
                matrix,
                u,
                v,
                alpha,
                beta,
                k,
                r,
                exponent,
                p,
            } => {
                let prompt = self.resident(matrix).prompt;
                let operands = Operands {
                    u,
                    v,
                    k,
                    r,
                    exponent,
                };
                self.svd(prompt, &operands, &Bidiagonal { alpha, beta, p })
                    .map_err(|source| ExecError::Svd { matrix, source })?;
            }
            Op::TSvd {
                matrix,
                u,
                v,
                t,
                band,
                k,
                r,
                exponent,
            } => {
                let prompt = self.resident(matrix).prompt;
                let operands = Operands {
                    u,
                    v,
                    k,
                    r,
                    exponent,
                };
                self.triangular_svd(prompt, &operands, &Triangular { t, band })
                    .map_err(|source| ExecError::Svd { matrix, source })?;
            }
            Op::Bar {} => {}
            Op::Loop { .. } => unreachable!("loops of a verified program do not nest"),
        }
        Ok(0)
    }

    pub(crate) fn resident(&self, matrix: Mat) -> &Resident<'a> {
        self.matrices[matrix.index()]
            .as_ref()
            .expect("verified: a matrix arrives, unguarded, before it is used")
    }

    pub(crate) fn layout_of(&self, buffer: Buf) -> Lay {
        self.program().buffers[buffer.index()].layout
    }

    pub(crate) fn deal(&self, layout: Lay) -> &Deal {
        &self.deals[layout.index()]
    }

    /// The power of two that a register stands for: truncated to an integer and clamped to what products allow; 0 for NaN.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the conversion saturates, then it is clamped"
    )]
    pub(crate) fn exponent(&self, register: Reg) -> i32 {
        (self.register(register) as i32).clamp(-MAX_EXPONENT, MAX_EXPONENT)
    }

    fn ingest(&mut self, matrix: Mat, prompt: u64) -> Result<(), ExecError> {
        let decl = &self.program().matrices[matrix.index()];
        let given = self.prompts.len();
        let index = usize::try_from(prompt).ok().filter(|&index| index < given);
        let prompt = index.ok_or(ExecError::MissingPrompt {
            matrix,
            prompt,
            given,
        })?;
        let values = self.prompts[prompt];
        if (values.rows(), values.cols()) != (decl.rows as usize, decl.columns as usize) {
            return Err(ExecError::PromptShape {
                matrix,
                prompt,
                rows: decl.rows,
                columns: decl.columns,
                found_rows: values.rows(),
                found_columns: values.cols(),
            });
        }
        // First the old transposed copy goes: two would be too many.
        self.matrices[matrix.index()] = None;
        let width = size(self.verified.arch().ingest.width_elements);
        self.matrices[matrix.index()] = Some(Resident::new(prompt, values, width));
        Ok(())
    }

    fn enter(&mut self, dst: BankVec, host: u16) -> Result<(), ExecError> {
        let given = self.host_vectors.len();
        let vector = self
            .host_vectors
            .get(usize::from(host))
            .ok_or(ExecError::MissingHostVector { host, given })?;
        let stack = &mut self.state.stacks[usize::from(dst.stack)];
        if vector.len() != stack.len {
            return Err(ExecError::HostVectorLength {
                host,
                expected: stack.len,
                found: vector.len(),
            });
        }
        for (bits, value) in stack.vector_mut(dst.index).iter_mut().zip(vector) {
            *bits = to_bits(*value);
        }
        Ok(())
    }

    fn leave(&mut self, prompt: usize, side: Side, index: u16, src: BankVec) {
        let result = &mut self.outcome.prompts[prompt];
        let columns = match side {
            Side::U => &mut result.u,
            Side::V => &mut result.v,
        };
        let index = usize::from(index);
        if columns.len() <= index {
            columns.resize(index + 1, Vec::new());
        }
        columns[index] = self.state.bank(src).iter().map(|&b| from_bits(b)).collect();
    }

    fn gather(&mut self, dst: Buf, src: Buf, start: usize) {
        let len = self.state.half(dst).len();
        let elements = self.state.half(src)[start..start + len].to_vec();
        *self.state.half_mut(dst) = elements;
    }

    /// The matrix that an operation names, or whose tiles it multiplies.
    fn op_matrix(&self, op: &Op) -> Option<Mat> {
        match *op {
            Op::Ingest { matrix, .. }
            | Op::Out { matrix, .. }
            | Op::MvN { matrix, .. }
            | Op::MvT { matrix, .. }
            | Op::LdT { matrix, .. }
            | Op::TSvd { matrix, .. }
            | Op::Stat { matrix, .. }
            | Op::Start { matrix, .. }
            | Op::Svd { matrix, .. } => Some(matrix),
            Op::TMvN { tiles, .. } | Op::TMvT { tiles, .. } => Some(self.state.strip(tiles).matrix),
            Op::In { .. }
            | Op::Ld { .. }
            | Op::St { .. }
            | Op::Gather { .. }
            | Op::PReduce { .. }
            | Op::GReduce { .. }
            | Op::Narrow { .. }
            | Op::Dot { .. }
            | Op::PutH { .. }
            | Op::PutW { .. }
            | Op::Bc { .. }
            | Op::Corr { .. }
            | Op::Axpy { .. }
            | Op::CSum { .. }
            | Op::Scale { .. }
            | Op::Comb { .. }
            | Op::Ldi { .. }
            | Op::Sum { .. }
            | Op::Mul { .. }
            | Op::Div { .. }
            | Op::Sqrt { .. }
            | Op::Max { .. }
            | Op::Log2 { .. }
            | Op::Sbc { .. }
            | Op::Brk { .. }
            | Op::Clr { .. }
            | Op::Bar {}
            | Op::Loop { .. } => None,
        }
    }
}
