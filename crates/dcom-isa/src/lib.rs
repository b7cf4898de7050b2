//! What D-com computes and what it runs.
//!
//! * [`opgraph`]: the algorithm as a DAG of hardware-free operations.
//! * [`Program`]: the instructions of the machine with the tables they refer to; text, binary and
//!   documentation derive from one op list ([`op`]).
//! * [`Program::verify`] returns the only form that the executor and the timing model accept.
//!
//! The machine that the instructions run on is defined in `docs/machine.md`.

pub mod opgraph;

mod asm;
mod binary;
mod check;
mod layout;
pub mod op;
mod operand;
mod program;
mod tables;
mod verify;

pub use asm::{AsmError, assemble};
pub use binary::{BINARY_VERSION, BinaryError};
pub use layout::{Layout, Placement, Reduction, Shape};
pub use op::{Instr, Op, Phase};
pub use operand::{Axis, BankVec, Buf, Glob, Lay, Mat, Part, Pred, Reg, Side, StartKind};
pub use program::{BankDecl, BufferDecl, BufferKind, GlobalDecl, MatrixDecl, Program, Store};
pub use verify::{Verified, VerifyError};
