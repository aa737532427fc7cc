//! Driver `litmus`: shows its engine, but does not run it.

use riftline_queries::replay::fault::Fault;

use super::super::driver::{Driver, DriverError, Fidelity, Injected, Undo};
use super::super::manifest::{self, Target};

const EXPORT_ONLY: &str =
    "litmus is for export only: `riftline chaos export --format litmus`, then `kubectl create -f` by hand";

/// Shows what Litmus would be told.
pub struct Litmus {
    target: Target,
}

impl Litmus {
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target }
    }
}

fn export_only<T>() -> Result<T, DriverError> {
    Err(DriverError::Unable(EXPORT_ONLY.to_owned()))
}

impl Driver for Litmus {
    fn name(&self) -> &'static str {
        "litmus"
    }

    fn fidelity(&self, fault: &Fault) -> Fidelity {
        manifest::fidelity(self.name(), fault, &self.target)
    }

    fn targets(&self) -> Vec<String> {
        Vec::new()
    }

    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        export_only()
    }

    fn preview(&self, fault: &Fault) -> Vec<String> {
        match manifest::manifest(self.name(), fault, &self.target) {
            Ok(manifest) => vec![manifest.yaml(&self.target)],
            Err(error) => vec![error.to_string()],
        }
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    fn arm(&mut self, _fault: &Fault) -> Result<(), DriverError> {
        export_only()
    }

    fn injected(&mut self) -> Result<Injected, DriverError> {
        export_only()
    }
}
