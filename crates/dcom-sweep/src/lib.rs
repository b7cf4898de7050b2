//! Design points in numbers: one point, a sweep over keys, and the sweeps that reproduce the paper.
//!
//! * [`Base`] and [`evaluate`]: a machine and a workload become a [`Point`].
//! * [`Sweep`]: axes over any key of machine and workload, all cores, one CSV row per point.
//! * [`explain`]: what a point's time consists of, and what each parameter would buy.
//! * [`fig12`] and [`fit`]: the paper's Fig. 12, and the constant fitted to its Table 2.

mod metric;
mod point;
mod spec;
mod sweep;

pub mod explain;
pub mod fig12;
pub mod fit;

pub use metric::{METRICS, Metric};
pub use point::{Base, MachineSize, Point, PointError, evaluate};
pub use spec::{Axis, SpecError, SweepSpec};
pub use sweep::{Row, Sweep, SweepError};
