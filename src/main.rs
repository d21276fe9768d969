#![forbid(unsafe_code)]
//! Parses the command line, runs it, turns an error into an exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    guichet::cli::main(std::env::args_os())
}
