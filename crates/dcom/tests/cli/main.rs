//! The command line from outside: what is printed, what is written, and what is refused.

mod support;

mod decompose;
mod power;
mod programs;
mod refused;
mod run;
mod timeline;
