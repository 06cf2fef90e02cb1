//! A proxy that pools transactions.

use std::io::{Read, Write, sink};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Cluster, Database};

impl Cluster {
    /// Starts a proxy as `PgBouncer` is in transaction mode, with two sessions in a database; the one given back last is
    /// taken first. Gives its port. It asks for no password.
    pub fn pool_transactions(&self, database: &Database) -> u16 {
        let socket = self.socket_folder().join(format!(".s.PGSQL.{}", self.port()));
        let words = format!("user\0tapster\0database\0{}\0\0", database.name());
        let length = u32::try_from(8 + words.len()).expect("a short name");
        let session = || {
            let mut server = UnixStream::connect(&socket).expect("the cluster answers");
            let login = [&length.to_be_bytes(), &[0, 3, 0, 0][..], words.as_bytes()].concat();
            server.write_all(&login).expect("the cluster listens");
            until_ready(&mut server, &mut sink());
            server
        };
        let pool = Arc::new(Mutex::new(vec![session(), session()]));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let pool = Arc::clone(&pool);
                thread::spawn(move || serve(client, &pool));
            }
        });
        port
    }
}

/// `None` when the client or the server is gone, or no session is free.
fn serve(mut client: TcpStream, pool: &Mutex<Vec<UnixStream>>) -> Option<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length).ok()?;
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut startup).ok()?;
    client.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").ok()?;
    let pool = || pool.lock().unwrap_or_else(PoisonError::into_inner);
    let mut held = None;
    loop {
        let message = message(&mut client).filter(|message| message[0] != b'X')?;
        let mut server = held.take().or_else(|| pool().pop())?;
        server.write_all(&message).ok()?;
        // Only a query and a sync are answered to the end.
        let idle = matches!(message[0], b'Q' | b'S') && until_ready(&mut server, &mut client)? == b'I';
        if idle {
            pool().push(server);
        } else {
            held = Some(server);
        }
    }
}

fn message(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut head = [0; 5];
    from.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut message = head.to_vec();
    message.resize(length + 1, 0);
    from.read_exact(&mut message[5..]).ok()?;
    Some(message)
}

/// Passes answers on until the server is ready; gives whether it is in a transaction.
fn until_ready(server: &mut UnixStream, client: &mut impl Write) -> Option<u8> {
    loop {
        let message = message(server)?;
        client.write_all(&message).ok()?;
        if message[0] == b'Z' {
            return message.get(5).copied();
        }
    }
}
