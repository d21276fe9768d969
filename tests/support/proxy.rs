//! A network in this process that fails on purpose, before any server: it counts what passes, cuts,
//! stalls, dawdles, alters, turns clients away and loses a COMMIT.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToClient,
    ToServer,
}

/// What befalls the bytes. Offsets count from when it was asked for, on all connections together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What goes to the client is changed at these offsets, until the network is well again.
    Alter(BTreeMap<usize, Edit>),
    /// So many bytes pass; then that connection ends, and the next is well.
    Cut(Way, usize),
    /// Every byte goes alone, those to the client after a pause, until the network is well again.
    Dawdle(Duration),
    /// So many bytes pass; then nothing does on that connection, which stays open. The next is well.
    Stall(Way, usize),
}

/// What is done to one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    Become(u8),
    Double,
    Vanish,
}

/// Where the next COMMIT to PostgreSQL gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The server does it, and nobody hears of it.
    Answer,
    /// It never arrives, and the server does not notice that nobody is there.
    Command,
}

/// What has passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    pub to_client: usize,
    pub to_server: usize,
}

/// Passes on what comes, until told otherwise. Everything is cut when it is dropped.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    network: Mutex<Network>,
    is_down: AtomicBool,
    is_over: AtomicBool,
    refused: AtomicUsize,
    connections: AtomicUsize,
    streams: Mutex<Vec<Weak<TcpStream>>>,
}

#[derive(Default)]
struct Network {
    fault: Option<Fault>,
    next_commit: Option<Lost>,
    passed: Passed,
    /// What the client got while it was altered.
    altered: Vec<u8>,
    /// How many clients are let in, and what the others hear.
    door: Option<(usize, &'static str)>,
}

/// The two ends of one connection, as one of its two threads has them.
struct Link {
    way: Way,
    from: Arc<TcpStream>,
    to: Arc<TcpStream>,
    state: Arc<LinkState>,
}

#[derive(Default)]
struct LinkState {
    /// The answer to a COMMIT gets lost: the client is cut when it comes, and the server hears nothing.
    is_answer_lost: AtomicBool,
    /// Nothing passes any more.
    is_still: AtomicBool,
}

/// What becomes of a piece of what came, and of its connection then.
struct Piece {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Cut,
    /// The client is gone, and the server does not hear of it.
    Desert,
    Dawdle(Duration),
    GoOn,
}

// A query of its own, as the protocol writes it: its kind, its length, its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

impl Proxy {
    pub fn to(server: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            server,
            network: Mutex::default(),
            is_down: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
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

    /// Lets that befall what passes from now on, and counts anew.
    pub fn befall(&self, fault: Fault) {
        let mut network = self.shared.network();
        network.fault = Some(fault);
        network.passed = Passed::default();
        network.altered.clear();
    }

    /// Passes everything on again; answers what had not befallen anything yet.
    pub fn be_well(&self) -> Option<Fault> {
        self.shared.network().fault.take()
    }

    /// What has passed since the count began.
    pub fn passed(&self) -> Passed {
        self.shared.network().passed
    }

    /// What clients got since it was altered.
    pub fn altered(&self) -> Vec<u8> {
        self.shared.network().altered.clone()
    }

    /// Loses the next COMMIT.
    pub fn lose(&self, lost: Lost) {
        self.shared.network().next_commit = Some(lost);
    }

    /// Lets so many more clients in; the others hear these words, and that is all.
    pub fn let_in(&self, clients: usize, words: &'static str) {
        self.shared.network().door = Some((clients, words));
    }

    /// Cuts every connection, and lets no new one through until [`Proxy::come_back`].
    pub fn go_away(&self) {
        self.shared.is_down.store(true, Ordering::SeqCst);
        self.shared.cut();
    }

    pub fn come_back(&self) {
        self.shared.is_down.store(false, Ordering::SeqCst);
    }

    /// How many connections were let through.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
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
    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().expect("no holder panics")
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().map_while(Result::ok) {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            if self.is_down.load(Ordering::SeqCst) || self.is_turned_away(&client) {
                self.refused.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server)) else {
                continue;
            };
            self.connections.fetch_add(1, Ordering::SeqCst);
            self.link(Arc::new(client), Arc::new(server));
        }
    }

    fn is_turned_away(&self, mut client: &TcpStream) -> bool {
        match &mut self.network().door {
            Some((0, words)) => {
                let _ = client.write_all(words.as_bytes());
                true
            }
            Some((left, _)) => {
                *left -= 1;
                false
            }
            None => false,
        }
    }

    fn link(self: &Arc<Self>, client: Arc<TcpStream>, server: Arc<TcpStream>) {
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("no delay");
            let mut streams = self.streams.lock().expect("no holder panics");
            streams.retain(|stream| stream.strong_count() > 0);
            streams.push(Arc::downgrade(stream));
        }
        let state = Arc::new(LinkState::default());
        for (way, from, to) in
            [(Way::ToClient, &server, &client), (Way::ToServer, &client, &server)]
        {
            let link = Link { way, from: from.clone(), to: to.clone(), state: state.clone() };
            let shared = self.clone();
            thread::spawn(move || shared.pass_on(&link));
        }
    }

    fn pass_on(&self, link: &Link) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = (&*link.from).read(&mut buffer) {
            let piece = self.deal(link, &buffer[..length]);
            let is_passed = match piece.then {
                Then::Dawdle(pause) => link.dawdle(&piece.bytes, pause),
                _ => (&*link.to).write_all(&piece.bytes),
            };
            match piece.then {
                Then::Cut => break,
                Then::Desert => {
                    let _ = link.from.shutdown(Shutdown::Both);
                    return;
                }
                Then::Dawdle(_) | Then::GoOn if is_passed.is_err() => break,
                Then::Dawdle(_) | Then::GoOn => {}
            }
        }
        let is_unheard = link.state.is_answer_lost.load(Ordering::SeqCst);
        if !(link.way == Way::ToServer && is_unheard) {
            let _ = link.to.shutdown(Shutdown::Both);
        }
        let _ = link.from.shutdown(Shutdown::Both);
    }

    // What of these bytes passes, and what happens then.
    fn deal(&self, link: &Link, bytes: &[u8]) -> Piece {
        let mut network = self.network();
        let way = link.way;
        if link.state.is_still.load(Ordering::SeqCst) {
            return Piece { bytes: Vec::new(), then: Then::GoOn };
        }
        if way == Way::ToClient && link.state.is_answer_lost.load(Ordering::SeqCst) {
            return Piece { bytes: Vec::new(), then: Then::Cut };
        }
        if way == Way::ToServer && bytes.windows(COMMIT.len()).any(|part| part == COMMIT) {
            match network.next_commit.take() {
                Some(Lost::Answer) => link.state.is_answer_lost.store(true, Ordering::SeqCst),
                Some(Lost::Command) => {
                    return Piece { bytes: Vec::new(), then: Then::Desert };
                }
                None => {}
            }
        }
        let before = network.passed.count(way, bytes.len());
        let (bytes, then) = match &network.fault {
            Some(Fault::Cut(of, after)) if *of == way && before + bytes.len() >= *after => {
                (bytes[..after - before].to_vec(), Then::Cut)
            }
            Some(Fault::Stall(of, after)) if *of == way && before + bytes.len() >= *after => {
                link.state.is_still.store(true, Ordering::SeqCst);
                (bytes[..after - before].to_vec(), Then::GoOn)
            }
            Some(Fault::Alter(edits)) if way == Way::ToClient => {
                let altered = alter(bytes, before, edits);
                network.altered.extend_from_slice(&altered);
                return Piece { bytes: altered, then: Then::GoOn };
            }
            Some(Fault::Dawdle(pause)) => (bytes.to_vec(), Then::Dawdle(*pause)),
            Some(Fault::Alter(_) | Fault::Cut(..) | Fault::Stall(..)) | None => {
                return Piece { bytes: bytes.to_vec(), then: Then::GoOn };
            }
        };
        if !matches!(then, Then::Dawdle(_)) {
            network.fault = None;
        }
        Piece { bytes, then }
    }

    fn cut(&self) {
        let streams = std::mem::take(&mut *self.streams.lock().expect("no holder panics"));
        for stream in streams.iter().filter_map(Weak::upgrade) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Passed {
    /// How many bytes went that way.
    pub fn on(self, way: Way) -> usize {
        match way {
            Way::ToClient => self.to_client,
            Way::ToServer => self.to_server,
        }
    }

    // Answers how many there were before.
    fn count(&mut self, way: Way, bytes: usize) -> usize {
        let count = match way {
            Way::ToClient => &mut self.to_client,
            Way::ToServer => &mut self.to_server,
        };
        let before = *count;
        *count += bytes;
        before
    }
}

impl Link {
    fn dawdle(&self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            if self.way == Way::ToClient {
                thread::sleep(pause);
            }
            (&*self.to).write_all(std::slice::from_ref(byte))?;
        }
        Ok(())
    }
}

fn alter(bytes: &[u8], before: usize, edits: &BTreeMap<usize, Edit>) -> Vec<u8> {
    let mut altered = Vec::with_capacity(bytes.len());
    for (offset, byte) in (before..).zip(bytes) {
        match edits.get(&offset) {
            Some(Edit::Become(other)) => altered.push(*other),
            Some(Edit::Double) => altered.extend([*byte, *byte]),
            Some(Edit::Vanish) => {}
            None => altered.push(*byte),
        }
    }
    altered
}
