//! The end that holds the store.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use riftline_ingest::read::{Input, Limits, ReadOptions};
use serde::Serialize;

use super::frame::{Kind, read_message, write_frame};
use super::message::{Asked, Fault, Greeting, LoadRequest, PROTOCOL, Request, WireEvent, WireSummary, WriteFault};
use super::socket;
use crate::cancel::Cancel;
use crate::desk::Desk;
use crate::error::AskError;
use crate::load::{self, LoadOptions};
use crate::store::Store;
use crate::table::ipc::write_ipc;

/// Questions that are answered at once; others wait.
const MAX_CONNECTIONS: usize = 8;

/// A client that neither reads nor goes away does not keep its place for longer.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// A client that connects and asks nothing does not keep its place for longer.
const READ_PATIENCE: Duration = Duration::from_secs(10);

/// The private socket could not be opened. The store works without it.
#[derive(Debug, thiserror::Error)]
#[error("serve {path}: {source}")]
pub struct ServeError {
    pub path: PathBuf,
    pub source: io::Error,
}

/// Answers for other processes until it is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listener: Arc<UnixListener>,
    path: PathBuf,
    /// Identity of the socket's file: another's is not removed.
    inode: u64,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_closing: bool,
    next: u64,
    active: HashMap<u64, Cancel>,
}

impl Server {
    /// Begins to answer for the store, on threads of its own. `loaded` is called after another process had something read in.
    pub fn start(store: Arc<Store>, loaded: impl Fn() + Send + Sync + 'static) -> Result<Self, ServeError> {
        let store_path = store.path().to_owned();
        let wrap = |source| ServeError { path: store_path.clone(), source };
        let path = socket::path_for(&store_path).map_err(wrap)?;
        let listener = Arc::new(socket::bind(&path).map_err(wrap)?);
        let inode = fs::metadata(&path).map_err(wrap)?.ino();
        let shared = Arc::new(Shared::default());
        let host = Arc::new(Host { store, loaded: Box::new(loaded) });
        let (for_thread, accepted) = (shared.clone(), listener.clone());
        let accept = move || accept_all(&accepted, &for_thread, &host);
        let accepting = thread::Builder::new().name("serve".to_owned()).spawn(accept).map_err(wrap)?;
        Ok(Self { shared, listener, path, inode, accepting: Some(accepting) })
    }

    /// Returns where the socket lies.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closing = true;
        state.active.values().for_each(Cancel::stop);
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts; it cannot fail on a socket that listens.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        if fs::metadata(&self.path).is_ok_and(|metadata| metadata.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        drop(self.shared.wait(|state| state.active.is_empty()));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the state once `is_ready` holds.
    fn wait(&self, is_ready: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while !is_ready(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// Returns the state after something changed, or after `patience`.
    fn wait_for_change(&self, patience: Duration) -> MutexGuard<'_, State> {
        let state = self.lock();
        if state.is_closing {
            return state;
        }
        self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for a place, or returns nothing when the server closes.
    fn take_place(self: &Arc<Self>) -> Option<Seat> {
        let mut state = self.wait(|state| state.is_closing || state.active.len() < MAX_CONNECTIONS);
        if state.is_closing {
            return None;
        }
        let number = state.next;
        state.next += 1;
        let cancel = Cancel::default();
        state.active.insert(number, cancel.clone());
        Some(Seat { shared: self.clone(), number, cancel })
    }
}

/// One of the connections that are answered; gives its place back when dropped.
struct Seat {
    shared: Arc<Shared>,
    number: u64,
    cancel: Cancel,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.lock().active.remove(&self.number);
        self.shared.changed.notify_all();
    }
}

fn accept_all(listener: &UnixListener, shared: &Arc<Shared>, host: &Arc<Host>) {
    while let Some(seat) = shared.take_place() {
        match listener.accept() {
            Ok((stream, _)) => spawn_answer(stream, seat, host.clone()),
            // Out of file descriptors: a connection that ends gives one back.
            Err(_) => drop(shared.wait_for_change(Duration::from_millis(100))),
        }
    }
}

fn spawn_answer(stream: UnixStream, seat: Seat, host: Arc<Host>) {
    // Where no thread can be had the connection closes, and the client says that the holder went away.
    let _ = thread::Builder::new().name("serve-one".to_owned()).spawn(move || {
        // A broken connection has nobody left to tell.
        let _ = host.serve(&stream, &seat.cancel);
        drop(host);
        drop(seat);
    });
}

struct Host {
    store: Arc<Store>,
    loaded: Box<dyn Fn() + Send + Sync>,
}

impl Host {
    fn serve(&self, stream: &UnixStream, cancel: &Cancel) -> io::Result<()> {
        socket::check_peer(stream)?;
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        stream.set_read_timeout(Some(READ_PATIENCE))?;
        let message = read_message(&mut &*stream)?;
        stream.set_read_timeout(None)?;
        let mut to = BufWriter::new(stream);
        match serde_json::from_slice::<Request>(&message) {
            Ok(Request { protocol: PROTOCOL, asked }) => thread::scope(|scope| {
                scope.spawn(|| cancel_at_hangup(stream, cancel));
                let result = self.answer(asked, &mut to, cancel).and_then(|()| to.flush());
                let _ = stream.shutdown(Shutdown::Read);
                result
            }),
            _ => refuse(&mut to).and_then(|()| to.flush()),
        }
    }

    fn answer(&self, asked: Asked, to: &mut dyn Write, cancel: &Cancel) -> io::Result<()> {
        match asked {
            Asked::Ping => write_json(to, Kind::Greeting, &Greeting::ours()),
            Asked::Question(question) => match self.store.ask(&question, cancel) {
                Ok(table) => {
                    write_frame(to, Kind::Table, &[])?;
                    write_ipc(&table, to).map_err(|error| io::Error::other(error.to_string()))
                }
                Err(error) => write_json(to, Kind::Error, &Fault::from(error)),
            },
            Asked::Load(request) => self.load(request, to, cancel),
        }
    }

    fn load(&self, request: LoadRequest, to: &mut dyn Write, cancel: &Cancel) -> io::Result<()> {
        let inputs: Vec<Input> = request.inputs.into_iter().map(Input::Path).collect();
        let read = ReadOptions {
            conventions: self.store.conventions(),
            format: request.format,
            num_threads: thread::available_parallelism().map_or(1, Into::into),
            limits: Limits::default(),
            patterns: Arc::default(),
        };
        let options = LoadOptions { read, settle: request.settle, live: false };
        let result = load::load(&self.store, &inputs, &options, &mut |event| {
            let sent = write_json(to, Kind::Progress, &WireEvent(event)).and_then(|()| to.flush());
            if sent.is_err() || cancel.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (self.loaded)();
        match result {
            Ok(summary) => write_json(to, Kind::Summary, &WireSummary::from(summary)),
            Err(error) => write_json(to, Kind::LoadFailed, &WriteFault::from(error)),
        }
    }
}

/// Clients send nothing after their request: whatever ends the wait is the end of the connection, of either side.
fn cancel_at_hangup(mut stream: &UnixStream, cancel: &Cancel) {
    let _ = stream.read(&mut [0]);
    cancel.stop();
}

fn refuse(to: &mut dyn Write) -> io::Result<()> {
    let Greeting { version, pid, .. } = Greeting::ours();
    let error = AskError::Holder {
        holder: format!("riftline {version} (pid {pid})"),
        message: "speaks another version: use the same riftline, or close that one".to_owned(),
    };
    write_json(to, Kind::Error, &Fault::from(error))
}

fn write_json(to: &mut dyn Write, kind: Kind, message: &impl Serialize) -> io::Result<()> {
    write_frame(to, kind, &serde_json::to_vec(message)?)
}
