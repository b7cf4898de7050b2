//! Signs of life on stderr, only on a terminal, for what takes longer than a second.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;

/// What finishes sooner is not worth a message.
const PATIENCE: Duration = Duration::from_secs(1);

const FRAME: Duration = Duration::from_millis(100);

/// Does `work`; beyond a second, a spinner says `what` is going on.
pub(crate) fn during<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            // Draws on stderr, and not at all where that is no terminal.
            let spinner = ProgressBar::new_spinner().with_message(what);
            while wait.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                spinner.tick();
            }
            spinner.finish_and_clear();
        });
        let result = work();
        drop(done);
        result
    })
}
