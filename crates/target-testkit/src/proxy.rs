//! A TCP proxy that loses what it is told to lose.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

/// Stands between a client and a server of this host. It starts by passing everything on.
#[derive(Debug)]
pub struct TcpProxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    plan: Mutex<Plan>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    /// The text whose reply is lost, and how many of its kind pass before.
    drop_reply: Option<(Vec<u8>, usize)>,
    /// How many replies were lost.
    dropped: usize,
    stalled: bool,
    open: Vec<TcpStream>,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().expect("no thread of the proxy panics")
    }

    fn change(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan());
        self.changed.notify_all();
    }

    fn wait_while(&self, condition: impl Fn(&Plan) -> bool) {
        let plan = self.changed.wait_while(self.plan(), |plan| condition(plan));
        drop(plan.expect("no thread of the proxy panics"));
    }

    /// Whether the reply to this message of the client is to be lost.
    fn loses(&self, message: &[u8]) -> bool {
        let mut plan = self.plan();
        let Some((text, passes)) = &mut plan.drop_reply else { return false };
        if !message.windows(text.len()).any(|window| window == text.as_slice()) {
            return false;
        }
        if *passes > 0 {
            *passes -= 1;
            return false;
        }
        plan.drop_reply = None;
        true
    }
}

impl TcpProxy {
    /// A proxy before this port of 127.0.0.1.
    #[must_use]
    pub fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let address = SocketAddr::from(([127, 0, 0, 1], upstream));
                // Without a server the client sees its connection end, as it would without a proxy.
                let Ok(server) = TcpStream::connect(address) else { continue };
                connect(client, server, &accepting);
            }
        });
        Self { port, shared }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Once: after `passes` messages of the client that hold this text, the next one is passed on, and when the
    /// server has answered, the answer is thrown away and the connection ends.
    pub fn drop_reply(&self, text: &str, passes: usize) {
        self.shared.change(|plan| plan.drop_reply = Some((text.as_bytes().to_vec(), passes)));
    }

    /// Waits until that many replies were lost, since the start.
    pub fn wait_dropped(&self, replies: usize) {
        self.shared.wait_while(|plan| plan.dropped < replies);
    }

    /// How many replies were lost.
    pub fn dropped(&self) -> usize {
        self.shared.plan().dropped
    }

    /// Ends every connection that is open now.
    pub fn reset(&self) {
        self.shared.change(|plan| plan.open.drain(..).for_each(|stream| close(&stream)));
    }

    /// Holds everything back, in both directions, until [`release`](Self::release).
    pub fn stall(&self) {
        self.shared.change(|plan| plan.stalled = true);
    }

    /// Passes everything on again.
    pub fn release(&self) {
        self.shared.change(|plan| plan.stalled = false);
    }
}

fn close(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

/// Two threads a connection. The client's tells the server's, by the flag, to lose the next answer.
fn connect(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let copies = (client.try_clone(), server.try_clone(), client.try_clone(), server.try_clone());
    let (Ok(client_in), Ok(server_in), Ok(client_kept), Ok(server_kept)) = copies else { return };
    shared.change(|plan| plan.open.extend([client_kept, server_kept]));
    let losing = Arc::new(Mutex::new(false));
    let (asking, answering) = (Arc::clone(shared), Arc::clone(shared));
    let told = Arc::clone(&losing);
    thread::spawn(move || {
        pass(&client_in, &server, &asking, |message| {
            if asking.loses(message) {
                *told.lock().expect("unpoisoned") = true;
            }
            true
        });
    });
    thread::spawn(move || {
        pass(&server_in, &client, &answering, |_| {
            let lost = *losing.lock().expect("unpoisoned");
            if lost {
                answering.change(|plan| plan.dropped += 1);
            }
            !lost
        });
    });
}

/// Passes on what `wanted` lets through; ends both sides at the first that it does not, or at the end.
fn pass(mut from: &TcpStream, mut to: &TcpStream, shared: &Shared, mut wanted: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        shared.wait_while(|plan| plan.stalled);
        if !wanted(bytes) || to.write_all(bytes).is_err() {
            break;
        }
    }
    close(from);
    close(to);
}

#[cfg(test)]
mod tests {
    use super::TcpProxy;
    use crate::postgres::Cluster;
    use tokio_postgres::NoTls;

    #[tokio::test]
    async fn the_work_is_done_and_the_reply_is_lost() {
        let cluster = Cluster::shared();
        let database = cluster.database().await;
        database.execute("CREATE TABLE t (a int)").await;
        let proxy = TcpProxy::start(cluster.port());
        let settings = format!(
            "host=127.0.0.1 port={} user=tapster password={} dbname={}",
            proxy.port(),
            Cluster::PASSWORD,
            database.name()
        );
        let (client, connection) = tokio_postgres::connect(&settings, NoTls).await.unwrap();
        tokio::spawn(connection);
        proxy.drop_reply("COMMIT", 1);
        client.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
        client.batch_execute("COMMIT").await.unwrap();
        client.batch_execute("BEGIN; INSERT INTO t VALUES (2)").await.unwrap();
        assert!(client.batch_execute("COMMIT").await.is_err(), "the reply was lost");
        assert_eq!(proxy.dropped(), 1);
        assert_eq!(database.value("SELECT sum(a) FROM t").await.as_deref(), Some("3"));
    }
}
