//! Quality joined with cost: a model run under many decomposition plans, and what each plan costs where it would run.
//!
//! A [`Study`] is a sweep file over a checkpoint: axes over layers, ranks, outliers and any key of a scenario. At each point the model
//! says its perplexity and its share of right answers ([`dcom_model`]), the scenario its time and memory ([`dcom_llm`]), and the power
//! model the energy of its decompositions ([`dcom_sweep`]). Tables and Pareto plots join them, as Tables 2 and 3 of the paper do.
//!
//! Reading order: `setting` (what a point says), `study` (the file), `quality` and `cost` (the numbers of a point), `run` (all points, one
//! after the other, to be killed and continued), `report`.

mod error;

mod setting;
mod study;

mod cost;
mod quality;

mod run;

mod report;

pub use cost::Cost;
pub use error::QualityError;
pub use quality::Quality;
pub use report::Report;
pub use run::{Progress, Results, Row, run};
pub use setting::{By, OutliersBy, Setting};
pub use study::Study;
