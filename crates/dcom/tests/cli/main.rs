//! The command line from outside: what is printed, what is written, and what is refused.

mod support;

mod decompose;
mod guide;
mod plot;
mod programs;
mod queries;
mod refused;
mod run;
mod sweep;
mod timeline;
