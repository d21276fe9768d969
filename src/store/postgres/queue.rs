//! The work that waits for a writer. Whoever takes some leaves a share for those that are idle: what
//! can run side by side does, and only what must wait is committed together.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::store::work::Work;

// Pieces of work waiting; each caller waits for its own, so more cannot help.
const MOST: usize = 256;
// Pieces of work in one transaction: what one of them reads can be in the way of any other's.
const GROUP: usize = 4;

/// Work that waits.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    /// Writers that have nothing to do, or are about to begin.
    idle: usize,
    writers: usize,
    is_closed: bool,
}

/// Whether somebody is there to do what was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hands {
    /// One more writer would begin at once; it is counted already.
    Wanted,
    Enough,
}

impl Queue {
    /// Queues a piece; waits while there are too many. A closed queue drops it, which its caller
    /// reads as "stopped".
    pub fn push(&self, work: Work, most_writers: usize) -> Hands {
        let mut state = self.state();
        while state.waiting.len() >= MOST && !state.is_closed {
            state = self.wait(state);
        }
        if state.is_closed {
            return Hands::Enough;
        }
        state.waiting.push_back(work);
        self.changed.notify_all();
        if state.idle < state.waiting.len() && state.writers < most_writers {
            state.writers += 1;
            state.idle += 1;
            return Hands::Wanted;
        }
        Hands::Enough
    }

    /// A writer that was wanted could not be started. Without any, what waits is dropped.
    pub fn writer_is_missing(&self) {
        let mut state = self.state();
        state.writers -= 1;
        state.idle -= 1;
        if state.writers == 0 {
            state.waiting.clear();
            self.changed.notify_all();
        }
    }

    /// The next work of an idle writer, at most a few pieces; `None` once the queue is closed and
    /// empty.
    pub fn take(&self) -> Option<Vec<Work>> {
        let mut state = self.state();
        while state.waiting.is_empty() && !state.is_closed {
            state = self.wait(state);
        }
        let share = state.waiting.len().div_ceil(state.idle.max(1)).min(GROUP);
        state.idle -= 1;
        if share == 0 {
            return None;
        }
        let taken = state.waiting.drain(..share).collect();
        self.changed.notify_all();
        Some(taken)
    }

    /// A writer has done what it took.
    pub fn is_done(&self) {
        self.state().idle += 1;
    }

    /// Waits this long; answers whether there is a reason to go on, which there is not once the
    /// queue was closed.
    pub fn pause(&self, pause: Duration) -> bool {
        let state = self.state();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, pause, |state| !state.is_closed)
            .expect("no holder of this lock panics");
        !state.is_closed
    }

    /// Takes no more work; what waits is still done.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).expect("no holder of this lock panics")
    }
}
