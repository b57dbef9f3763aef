//! The `cudacheck` binary: arguments, wiring, exit codes.
//!
//! The same binary is supervisor, stub, and worker. The supervisor never loads an NVIDIA library; the
//! hidden subcommands `__stub` and `worker` are separate processes that may be killed at any time.
#![forbid(unsafe_code)]

mod arguments;
mod command;
mod environment;
mod failure;
mod output;
mod scripts;
mod simulate;
mod suites;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::environment::Environment;
use crate::failure::Failure;

fn main() -> ExitCode {
    // Before clap: the stub's arguments are not for people, and it must stay small.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "__stub") {
        return cudacheck_runner::stub::main(&words.collect::<Vec<_>>()).into();
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::usage(&error),
    };
    let environment = Environment::read();
    match run(arguments, &environment) {
        Ok(code) => code.into(),
        Err(failure) => output::failure(&failure, &environment),
    }
}

fn run(arguments: Arguments, environment: &Environment) -> Result<u8, Failure> {
    match arguments.command {
        Command::Run(arguments) => command::run::run(&arguments, environment),
        Command::Facts(arguments) => command::facts::facts(&arguments, environment),
        Command::Inspect(arguments) => command::inspect::inspect(&arguments, environment),
        Command::Compat(arguments) => command::compat::compat(&arguments, environment),
        Command::Explain(arguments) => command::explain::explain(&arguments),
        Command::List(arguments) => command::list::list(&arguments),
        Command::Validate(arguments) => command::validate::validate(&arguments),
        Command::Worker(arguments) => Ok(cudacheck_worker::main(
            &arguments.task,
            &arguments.journal,
            command::linkage::flaws,
        )),
    }
}
