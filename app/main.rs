use std::process::ExitCode;

fn main() -> ExitCode {
    riftline::run(std::env::args_os())
}
