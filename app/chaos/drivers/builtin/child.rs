//! A proxy that is started for one run. It ends by itself when nobody needs it any more and its last connection is gone, so that
//! staging is not cut off when the run ends first.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child as Process, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Settings, ask, get, target};
use crate::chaos::driver::{Call, DriverError};
use crate::chaos::http::{Client, HttpError, Refusal};

/// How long a started proxy may take until it answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks whether it answers.
const PAUSE: Duration = Duration::from_millis(20);

/// Between two renewals of its lease.
const BEAT: Duration = Duration::from_secs(1);

/// What to start.
#[derive(Debug, Clone)]
pub struct Child {
    /// This program where nothing is said.
    pub program: Option<PathBuf>,
    pub listen: String,
    pub upstream: String,
    /// Name of the link.
    pub name: String,
    /// Host and port of the API.
    pub api: String,
}

impl Child {
    /// Reads what to start from the driver's options. The API must be at an address: the proxy looks up no names for it.
    pub fn new(settings: &Settings, api: &str) -> Result<Self, DriverError> {
        let address = target(api);
        if !address.parse::<SocketAddr>().is_ok_and(|address| address.port() != 0) {
            let text = format!("option `api` is {api}, but a proxy that is started needs an address and a port");
            return Err(DriverError::Unable(text));
        }
        Ok(Self {
            program: settings.text_opt("program").map(Into::into),
            listen: settings.text("listen").to_owned(),
            upstream: settings.text("upstream").to_owned(),
            name: settings.text("proxy").to_owned(),
            api: address,
        })
    }

    /// Starts it and waits until it answers. A proxy that answers there already is used as it is, and nothing is returned.
    pub fn start(&self, client: &Client, lease: Call) -> Result<Option<Started>, DriverError> {
        let url = format!("http://{}/version", self.api);
        if !is_free(client, &url)? {
            return Ok(None);
        }
        let mut process = self.command()?.spawn().map_err(|error| self.failed(&error.to_string()))?;
        let deadline = Instant::now() + PATIENCE;
        while is_free(client, &url)? {
            if let Ok(Some(status)) = process.try_wait() {
                return Err(self.failed(&format!("it ended with {status}")));
            }
            if Instant::now() > deadline {
                // It is of no use to anybody; where it has just ended by itself there is nothing to end.
                let _ = process.kill();
                return Err(DriverError::Late { what: "the start of the proxy".to_owned(), within: PATIENCE });
            }
            thread::sleep(PAUSE);
        }
        Started::keep(process, client.clone(), lease).map(Some)
    }

    fn command(&self) -> Result<Command, DriverError> {
        let program = self.program.clone().map_or_else(std::env::current_exe, Ok);
        let mut command = Command::new(program.map_err(|error| self.failed(&error.to_string()))?);
        command.args(["proxy", "--name", &self.name, "--listen", &self.listen, "--upstream", &self.upstream]);
        command.args(["--api", &self.api, "--exit-with-lease"]);
        // A group of its own: Ctrl-C is for the run, which then takes its faults away, and not for what staging's traffic goes through.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }

    fn failed(&self, reason: &str) -> DriverError {
        let program = self.program.as_ref().map_or("riftline".to_owned(), |path| path.display().to_string());
        DriverError::Unreachable {
            target: self.api.clone(),
            reason: format!("`{program} proxy` did not start: {reason}"),
        }
    }
}

/// A proxy that was started. It gets a lease of its own for as long as this lives, so that it is there before anything is armed and
/// goes if the run ends before that.
pub struct Started {
    pub id: u32,
    /// Dropped with this; the thread that renews the lease then ends.
    _is_needed: SyncSender<()>,
}

impl Started {
    fn keep(mut process: Process, client: Client, lease: Call) -> Result<Self, DriverError> {
        let id = process.id();
        ask(&client, &lease)?;
        let (is_needed, until) = sync_channel(0);
        let renew = move || {
            while until.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                // Where it does not answer, the run notices by its own calls; where it has ended, that is taken note of.
                let _ = (ask(&client, &lease), process.try_wait());
            }
        };
        let thread = thread::Builder::new().name("proxy lease".to_owned()).spawn(renew);
        thread.map_err(|error| DriverError::Unable(format!("no thread for the proxy's lease: {error}")))?;
        Ok(Self { id, _is_needed: is_needed })
    }
}

/// Tells whether nobody listens at `url`.
fn is_free(client: &Client, url: &str) -> Result<bool, DriverError> {
    match client.send(&get(url.to_owned())) {
        Ok(_) => Ok(false),
        Err(HttpError::Connect { refusal: Refusal::Refused, .. }) => Ok(true),
        Err(error) => Err(DriverError::Unreachable { target: target(url), reason: error.to_string() }),
    }
}
