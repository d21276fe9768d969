//! The server's end of a connection, protected or not.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub enum Channel {
    Gone,
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Channel {
    /// Says goodbye as TLS does, and closes.
    pub fn end(&mut self) {
        match self {
            Channel::Gone => {}
            Channel::Plain(stream) => drop(stream.shutdown(Shutdown::Both)),
            Channel::Tls(stream) => {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                let _ = stream.sock.shutdown(Shutdown::Both);
            }
        }
    }

    pub fn is_protected(&self) -> bool {
        matches!(self, Channel::Tls(_))
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Channel::Gone => Ok(0),
            Channel::Plain(stream) => stream.read(buffer),
            Channel::Tls(stream) => stream.read(buffer),
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Channel::Gone => Ok(()),
            Channel::Plain(stream) => stream.write_all(bytes),
            Channel::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// The handshake: a client that refuses the certificate is gone when this fails.
    pub fn protect(&mut self, config: &Arc<ServerConfig>) -> io::Result<()> {
        let Channel::Plain(stream) = std::mem::replace(self, Channel::Gone) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        let mut protected = StreamOwned::new(connection, stream);
        while protected.conn.is_handshaking() {
            protected.conn.complete_io(&mut protected.sock)?;
        }
        *self = Channel::Tls(Box::new(protected));
        Ok(())
    }
}
