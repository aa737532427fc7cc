//! A proxy that is started for one run. It ends by itself when the run's lease is gone and its last connection with it, so that
//! staging is not cut off when the run ends first.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::{Settings, get, target};
use crate::chaos::driver::DriverError;
use crate::chaos::http::{Client, HttpError, Refusal};

/// How long a started proxy may take until it answers.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks whether it answers.
const PAUSE: Duration = Duration::from_millis(20);

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

    /// Starts it and waits until it answers; says what it did. A proxy that answers there already is used as it is.
    pub fn start(&self, client: &Client) -> Result<Option<String>, DriverError> {
        let url = format!("http://{}/version", self.api);
        if !is_free(client, &url)? {
            return Ok(None);
        }
        let mut child = self.command()?.spawn().map_err(|error| self.failed(&error.to_string()))?;
        let deadline = Instant::now() + PATIENCE;
        while is_free(client, &url)? {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(self.failed(&format!("it ended with {status}")));
            }
            if Instant::now() > deadline {
                // It is of no use to anybody; where it has just ended by itself there is nothing to end.
                let _ = child.kill();
                return Err(DriverError::Late { what: "the start of the proxy".to_owned(), within: PATIENCE });
            }
            thread::sleep(PAUSE);
        }
        Ok(Some(format!("started a proxy (process {}) in front of {}", child.id(), self.upstream)))
    }

    fn command(&self) -> Result<Command, DriverError> {
        let program = self.program.clone().map_or_else(std::env::current_exe, Ok);
        let mut command = Command::new(program.map_err(|error| self.failed(&error.to_string()))?);
        command.args(["proxy", "--name", &self.name, "--listen", &self.listen, "--upstream", &self.upstream]);
        command.args(["--api", &self.api, "--exit-with-lease"]);
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

/// Tells whether nobody listens at `url`.
fn is_free(client: &Client, url: &str) -> Result<bool, DriverError> {
    match client.send(&get(url.to_owned())) {
        Ok(_) => Ok(false),
        Err(HttpError::Connect { refusal: Refusal::Refused, .. }) => Ok(true),
        Err(error) => Err(DriverError::Unreachable { target: target(url), reason: error.to_string() }),
    }
}
