//! The end that asks the process that holds the store.

use std::io::{self, BufReader};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::frame::{Kind, read_frame, write_message};
use super::message::{
    Asked, Fault, Greeting, LoadError, LoadRequest, PROTOCOL, Request, WireEvent, WireSummary, WriteFault,
};
use super::socket;
use crate::cancel::{Cancel, StopHook};
use crate::desk::{Desk, Question};
use crate::error::AskError;
use crate::load::{LoadEvent, LoadSummary};
use crate::table::Table;
use crate::table::ipc::read_ipc;

/// A riftline that holds a store and answers for it.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
    greeting: Greeting,
}

impl Client {
    /// Connects to the riftline that holds the store at `store`; fails where none does, or it is not ours.
    pub fn connect(store: &Path) -> io::Result<Self> {
        let socket = socket::path_for(store)?;
        let (mut from, _hook) = send(&socket, Asked::Ping, &Cancel::default())?;
        let (kind, message) = read_frame(&mut from)?;
        let greeting = match kind {
            Kind::Greeting => serde_json::from_slice(&message)?,
            // One of another version: questions will say so.
            Kind::Error => Greeting { protocol: 0, version: "of another version".to_owned(), pid: 0 },
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        Ok(Self { socket, greeting })
    }

    /// Returns the process id of the holder; 0 where it is not known.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.greeting.pid
    }

    /// Has the holder read sources into its store. `report` may break to stop: what was committed stays.
    pub fn load(
        &self,
        request: &LoadRequest,
        cancel: &Cancel,
        report: &mut dyn FnMut(LoadEvent) -> ControlFlow<()>,
    ) -> Result<LoadSummary, LoadError> {
        let lost = |error: io::Error| LoadError::Ask(self.lost(&error, cancel));
        let (mut from, _hook) = send(&self.socket, Asked::Load(request.clone()), cancel).map_err(lost)?;
        loop {
            let (kind, message) = read_frame(&mut from).map_err(lost)?;
            match kind {
                Kind::Progress => {
                    let WireEvent(event) = json(&message).map_err(lost)?;
                    if report(event).is_break() {
                        return Err(LoadError::Ask(AskError::Cancelled));
                    }
                }
                Kind::Summary => return Ok(json::<WireSummary>(&message).map_err(lost)?.into()),
                Kind::LoadFailed => {
                    return Err(LoadError::Write(json::<WriteFault>(&message).map_err(lost)?.into()));
                }
                Kind::Error => return Err(LoadError::Ask(json::<Fault>(&message).map_err(lost)?.into())),
                Kind::Greeting | Kind::Table => return Err(lost(io::ErrorKind::InvalidData.into())),
            }
        }
    }

    fn lost(&self, error: &io::Error, cancel: &Cancel) -> AskError {
        if cancel.is_stopped() {
            return AskError::Cancelled;
        }
        let Greeting { version, pid, .. } = &self.greeting;
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused => {
                "went away before it answered".to_owned()
            }
            io::ErrorKind::NotFound => "has closed the store".to_owned(),
            _ => error.to_string(),
        };
        AskError::Holder { holder: format!("riftline {version} (pid {pid})"), message }
    }
}

impl Desk for Client {
    fn ask(&self, question: &Question, cancel: &Cancel) -> Result<Table, AskError> {
        let lost = |error: io::Error| self.lost(&error, cancel);
        if cancel.is_stopped() {
            return Err(AskError::Cancelled);
        }
        let (mut from, _hook) = send(&self.socket, Asked::Question(question.clone()), cancel).map_err(lost)?;
        let (kind, message) = read_frame(&mut from).map_err(lost)?;
        match kind {
            Kind::Table => read_ipc(&mut from).map_err(|error| lost(io::Error::other(error.to_string()))),
            Kind::Error => Err(json::<Fault>(&message).map_err(lost)?.into()),
            _ => Err(lost(io::ErrorKind::InvalidData.into())),
        }
    }
}

/// Sends one request. The connection is closed when `cancel` is stopped, for as long as the hook lives.
fn send(socket: &Path, asked: Asked, cancel: &Cancel) -> io::Result<(BufReader<UnixStream>, StopHook)> {
    let stream = socket::connect(socket)?;
    let closing = stream.try_clone()?;
    let hook = cancel.on_stop(move || _ = closing.shutdown(Shutdown::Both));
    let request = serde_json::to_vec(&Request { protocol: PROTOCOL, asked })?;
    write_message(&mut &stream, &request)?;
    Ok((BufReader::new(stream), hook))
}

fn json<T: DeserializeOwned>(message: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(message)?)
}
