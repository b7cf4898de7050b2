//! The paper's figures and tables beside what the simulator says, as one report.
//!
//! `tables` holds the paper's Tables 2 and 3, `setup` the scenario and what is fitted, `simulate` the numbers, `claim` one number beside the
//! paper's, `report` all of them as a page.

mod tables;

mod claim;

mod setup;

mod simulate;

mod report;

pub use claim::{Claim, Mark, Worse, table as claims_table, worse_than};
pub use report::Report;
pub use setup::{Constants, Setup, fit};
pub use simulate::{SimulatedRow, table_rows};
pub use tables::{Row, rows};
