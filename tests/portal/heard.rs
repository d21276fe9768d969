//! What the portals of this test program write into their log, down to the finest.

use std::io;
use std::sync::{Mutex, Once};

use tracing_subscriber::EnvFilter;

static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Listens from now on.
pub fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let filter = EnvFilter::new("guichet=trace,tokio_postgres=debug,hyper=debug,axum=debug");
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
        log.with_writer(|| Writer).init();
    });
}

/// All that was written so far.
pub fn heard() -> Vec<u8> {
    HEARD.lock().expect("no holder of this lock panics").clone()
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.lock().expect("no holder of this lock panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
