//! The command line from outside: what is printed, what is written, and what is refused.

mod support;

mod compare;
mod decompose;
mod eval;
mod guide;
mod itera;
mod llm;
mod plot;
mod power;
mod programs;
mod queries;
mod refused;
mod replay;
mod run;
mod sweep;
mod timeline;
