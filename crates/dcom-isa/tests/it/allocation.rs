//! Counts what a thread allocates, to show that a lying table length cannot make the decoder allocate.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static GLOBAL: Counting = Counting;

// SAFETY: every call goes to the system allocator unchanged; the counter is a plain thread-local cell.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs `task`; also returns the bytes it allocated on this thread, freed ones included.
pub(crate) fn counted<T>(task: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.get();
    let result = task();
    (result, ALLOCATED.get() - before)
}

#[test]
fn the_counter_counts() {
    let (kept, bytes) = counted(|| vec![0_u8; 12_345]);
    assert!(bytes >= kept.len());
}
