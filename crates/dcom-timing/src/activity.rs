//! Activity counters: what was really done, masked lanes left out. Power models read these.

use std::ops::{AddAssign, Mul};

use serde::Serialize;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts of events over a run. Units are in the names; elements are fp16 values, words are
        /// values in accumulate precision or fp16. Counts stop at 2^64 - 1.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Activity { $($(#[$doc])* pub $name: u64),* }

        impl Activity {
            /// Names of the counters, in the order of [`Activity::values`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The counters in order.
            #[must_use]
            pub fn values(&self) -> Vec<u64> {
                vec![$(self.$name),*]
            }
        }

        impl AddAssign for Activity {
            fn add_assign(&mut self, rhs: Activity) {
                $(self.$name = self.$name.saturating_add(rhs.$name);)*
            }
        }

        impl Mul<u64> for Activity {
            type Output = Activity;
            fn mul(self, n: u64) -> Activity {
                Activity { $($name: self.$name.saturating_mul(n)),* }
            }
        }
    };
}

counters! {
    /// Products in the lanes.
    multiplications,
    /// Additions in trees, accumulators and subtractors of the clusters.
    additions,
    /// Additions in the partition network.
    network_additions,
    /// Elements read from cluster buffers.
    buffer_read_elements,
    /// Elements written to cluster buffers.
    buffer_write_elements,
    /// Elements read from banks.
    bank_read_elements,
    /// Elements written to banks.
    bank_write_elements,
    /// Elements of A that pass from memory over the column buses to the lanes.
    stream_elements,
    /// Words into the partition network.
    network_words,
    /// Words written to the global broadcast memory.
    global_write_words,
    /// Words read from the global broadcast memory.
    global_read_words,
    /// Scalar operations.
    scalar_operations,
    /// Elements through the statistics unit.
    statistics_elements,
    /// Bytes over the link towards the machine.
    link_in_bytes,
    /// Bytes over the link towards the host.
    link_out_bytes,
    /// Bytes read from memory.
    memory_read_bytes,
    /// Bytes written to memory.
    memory_write_bytes,
    /// Instructions issued, skipped ones included.
    instructions,
}
