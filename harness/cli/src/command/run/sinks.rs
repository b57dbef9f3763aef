//! What a run's events become: lines on the terminal, lines of JSON, and JUnit at the end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::iter;
use std::path::Path;

use cudacheck_model::event::Timed;
use cudacheck_report::jsonl::JsonLines;
use cudacheck_report::junit::{self, Flaky, JUnitOptions};
use cudacheck_report::terminal::{Colour, Options, Progress, Terminal, Verbosity};

use crate::arguments::{DisplayArguments, JUnitFlaky, RunArguments};
use crate::environment::Environment;
use crate::failure::Failure;

/// Everything that consumes events.
pub(super) struct Sinks {
    terminal: Terminal<io::Stderr>,
    lines: Vec<JsonLines<Box<dyn Write>>>,
    events: Vec<Timed>,
    /// The first error; the run goes on, since what it finds out is worth more than one of its copies.
    error: Option<io::Error>,
}

impl Sinks {
    pub(super) fn open(
        arguments: &RunArguments,
        environment: &Environment,
        directory: &Path,
        shown: &str,
    ) -> Result<Self, Failure> {
        let create = |path: &Path| -> Result<JsonLines<Box<dyn Write>>, Failure> {
            let file = File::create(path).map_err(|source| Failure::File {
                action: "create",
                path: path.to_owned(),
                source,
            })?;
            Ok(JsonLines::new(Box::new(file)))
        };
        let mut lines = vec![create(&directory.join("events.jsonl"))?];
        match &arguments.events {
            Some(path) if path.as_os_str() == "-" => {
                lines.push(JsonLines::new(Box::new(io::stdout())))
            }
            Some(path) => lines.push(create(path)?),
            None => {}
        }
        // A report that cannot be written is better known before an hour of checks than after.
        if let Some(path) = &arguments.junit {
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            fs::create_dir_all(parent).map_err(|source| Failure::File {
                action: "make the directory",
                path: parent.to_owned(),
                source,
            })?;
            junit::probe(path).map_err(|source| Failure::File {
                action: "write a report to",
                path: path.clone(),
                source,
            })?;
        }
        let options = display(&arguments.display, environment);
        let terminal = Terminal::new(options, io::stderr()).with_run_directory(shown);
        Ok(Self {
            terminal,
            lines,
            events: Vec::new(),
            error: None,
        })
    }

    pub(super) fn event(&mut self, event: &Timed) {
        self.terminal.event(event);
        for lines in &mut self.lines {
            if let Err(error) = lines.event(event) {
                self.error.get_or_insert(error);
            }
        }
        self.events.push(event.clone());
    }

    pub(super) fn finish(
        self,
        arguments: &RunArguments,
        directory: &Path,
        shown: &str,
    ) -> Result<(), Failure> {
        let flaky = match arguments.junit_flaky {
            JUnitFlaky::Report => Flaky::Report,
            JUnitFlaky::Omit => Flaky::Omit,
        };
        let options = JUnitOptions {
            flaky,
            run_directory: Some(shown.to_owned()),
        };
        let report = junit::junit(&self.events, &options);
        let own = directory.join("junit.xml");
        // Nothing of ours is there yet; a pipe that a worker has put there would be waited for.
        let _ = fs::remove_file(&own);
        // Each is written, whatever became of the other.
        let written: Vec<_> = iter::once(&own)
            .chain(&arguments.junit)
            .map(|path| {
                junit::write(path, &report).map_err(|source| Failure::File {
                    action: "write the report",
                    path: path.clone(),
                    source,
                })
            })
            .collect();
        let events = match self.error {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::File {
                action: "write the events of",
                path: directory.to_owned(),
                source: error,
            }),
            Some(_) | None => Ok(()),
        };
        written.into_iter().chain(iter::once(events)).collect()
    }
}

fn display(arguments: &DisplayArguments, environment: &Environment) -> Options {
    Options {
        colour: if environment.colour(arguments.color) {
            Colour::Always
        } else {
            Colour::Never
        },
        progress: if environment.progress(arguments.progress) && !arguments.quiet {
            Progress::Bar
        } else {
            Progress::Off
        },
        verbosity: match (arguments.quiet, arguments.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        },
        width: 100,
    }
}
