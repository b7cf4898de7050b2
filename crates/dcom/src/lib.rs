//! The `dcom` command line.
//!
//! One module per subcommand, each with its arguments and a function that does the work. A command reads and checks
//! all its inputs, and the place of its outputs, before it computes; results go to stdout or files, progress to stderr
//! and only on a terminal. What is wrong is a `Failure`, printed once, by `main`.
//!
//! Exit codes: 0 done, 1 the results could not be delivered, 2 bad input, 130 stopped by Ctrl-C.

mod cli;
mod failure;

mod input;
mod output;
mod progress;

mod text;

mod account;
mod parameters;
mod setup;

mod cache;
mod calibrate;
mod check;
mod compare;
mod decompose;
mod eval;
mod explain;
mod find;
mod generate;
mod gpu;
mod itera;
mod llm;
mod manifest;
mod metrics;
mod plot;
mod power;
mod program;
mod record;
mod replay;
mod run;
mod sweep;
mod timeline;
mod trace;

pub use cli::main;
