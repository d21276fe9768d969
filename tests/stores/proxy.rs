//! A network between a store and its server that fails on purpose.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where the next COMMIT gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The server does it, and nobody hears of it.
    Answer,
    /// It never arrives, and the server does not notice that nobody is there.
    Command,
}

/// Passes on what comes, until told otherwise. Everything is cut when it is dropped.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    next_commit: Mutex<Option<Lost>>,
    is_down: AtomicBool,
    is_over: AtomicBool,
    refused: AtomicUsize,
    streams: Mutex<Vec<TcpStream>>,
}

// A query of its own, as the protocol writes it: its kind, its length, its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

impl Proxy {
    pub fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            server,
            next_commit: Mutex::default(),
            is_down: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
            streams: Mutex::default(),
        });
        let accepting = shared.clone();
        thread::spawn(move || accepting.accept(&listener));
        Proxy { port, shared }
    }

    /// The address `url`, by way of here.
    pub fn through(&self, url: &str) -> String {
        let (server, here) = (format!(":{}/", self.shared.server), format!(":{}/", self.port));
        assert!(url.contains(&server), "`{url}` leads elsewhere");
        url.replace(&server, &here)
    }

    /// Loses the next COMMIT.
    pub fn lose(&self, lost: Lost) {
        *self.shared.next_commit.lock().expect("no holder panics") = Some(lost);
    }

    /// Cuts every connection, and lets no new one through until [`Proxy::come_back`].
    pub fn go_away(&self) {
        self.shared.is_down.store(true, Ordering::SeqCst);
        self.shared.cut();
    }

    pub fn come_back(&self) {
        self.shared.is_down.store(false, Ordering::SeqCst);
    }

    /// How many connections were not let through.
    pub fn refused(&self) -> usize {
        self.shared.refused.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().map_while(Result::ok) {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            if self.is_down.load(Ordering::SeqCst) {
                self.refused.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)) else {
                continue;
            };
            let twice = |stream: &TcpStream| stream.try_clone().expect("a second handle");
            self.streams.lock().expect("no holder panics").extend([twice(&client), twice(&server)]);
            let is_mute = Arc::new(AtomicBool::new(false));
            let (up, down) = (self.clone(), is_mute.clone());
            let (client2, server2) = (twice(&client), twice(&server));
            thread::spawn(move || up.pass_up(client2, server2, &is_mute));
            thread::spawn(move || pass_down(server, client, &down));
        }
    }

    fn pass_up(&self, mut client: TcpStream, mut server: TcpStream, is_mute: &AtomicBool) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            let chunk = &buffer[..length];
            let is_commit = chunk.windows(COMMIT.len()).any(|part| part == COMMIT);
            let lost = match is_commit {
                true => self.next_commit.lock().expect("no holder panics").take(),
                false => None,
            };
            match lost {
                Some(Lost::Answer) => is_mute.store(true, Ordering::SeqCst),
                Some(Lost::Command) => {
                    let _ = client.shutdown(Shutdown::Both);
                    return;
                }
                None => {}
            }
            if server.write_all(chunk).is_err() {
                break;
            }
        }
        if !is_mute.load(Ordering::SeqCst) {
            let _ = server.shutdown(Shutdown::Both);
        }
    }

    fn cut(&self) {
        for stream in self.streams.lock().expect("no holder panics").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass_down(mut server: TcpStream, mut client: TcpStream, is_mute: &AtomicBool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        if is_mute.load(Ordering::SeqCst) || client.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
