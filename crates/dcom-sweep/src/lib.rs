//! Design points in numbers: one point, a sweep over keys, and the sweeps that reproduce the paper.
//!
//! * [`Base`] and [`evaluate`]: a machine and a workload become a [`Point`].
//! * [`Sweep`]: axes over any key of machine and workload, all cores, one CSV row per point.
//! * [`explain`]: what a point's time consists of, and what each parameter would buy.
//! * [`find`]: the best point of a sweep space under constraints.
//! * [`sensitivity`]: for which machines the paper's claims hold, over everything that it leaves open.
//! * [`roofline`]: D-com and the A100 beside what the memory bandwidth allows.
//! * [`fig12`] and [`fit`]: the paper's Fig. 12, and the constant fitted to its Table 2.

mod metric;
mod point;
mod spec;
mod sweep;

pub mod explain;
pub mod fig12;
pub mod find;
pub mod fit;
pub mod roofline;
pub mod sensitivity;

pub use metric::{METRICS, Metric};
pub use point::{Base, MachineSize, Point, PointError, evaluate};
pub use spec::{Axis, SpecError, SweepSpec};
pub use sweep::{Row, Sweep, SweepError};
