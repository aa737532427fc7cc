//! A `kubectl` without a program: it asks the simulated cluster by function calls and says what the real one would say.

use std::sync::Arc;
use std::time::Duration;

use super::simulated::Simulated;
use crate::chaos::driver::DriverError;
use crate::chaos::kubernetes::kubectl::{Kubectl, Output};

/// Answers for the simulated cluster, whose current context is `staging`.
pub struct Fake(pub Arc<Simulated>);

impl Kubectl for Fake {
    fn run(&self, arguments: &[&str], input: Option<&str>, _within: Duration) -> Result<Output, DriverError> {
        let said = |stdout: &str| Ok(Output { is_ok: true, stdout: stdout.to_owned(), stderr: String::new() });
        let path = arguments.iter().find_map(|argument| argument.strip_prefix("--raw="));
        let Some(path) = path else {
            return match arguments {
                ["config", "current-context"] => said("staging\n"),
                ["config", "view", ..] => said("https://10.0.0.1"),
                other => panic!("{other:?}"),
            };
        };
        let verbs = [("get", "GET"), ("create", "POST"), ("replace", "PUT"), ("delete", "DELETE")];
        let (_, method) = verbs.iter().find(|(verb, _)| arguments.contains(verb)).unwrap();
        match self.0.answer(method, path, input.unwrap_or_default()) {
            Some((200..=299, body)) => said(&body.to_string()),
            Some((_, body)) => Ok(failed(&format!(
                "Error from server ({}): {}",
                body["reason"].as_str().unwrap(),
                body["message"].as_str().unwrap()
            ))),
            None => Ok(failed("Unable to connect to the server: EOF")),
        }
    }
}

fn failed(stderr: &str) -> Output {
    Output { is_ok: false, stdout: String::new(), stderr: stderr.to_owned() }
}
