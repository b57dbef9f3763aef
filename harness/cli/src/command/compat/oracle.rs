//! Asks a driver's own files, of this machine or of a directory, before the tables answer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_inspect::{Search, Wanted, extract_smallest};
use cudacheck_model::compat::{self, Machine, Package};
use cudacheck_model::oracle::JitQuestion;
use cudacheck_model::task::{DriverFiles, OracleModule, OracleWork};
use cudacheck_model::version::DriverVersion;
use cudacheck_runner::Config;

use super::wrong;
use crate::arguments::CompatArguments;
use crate::command::probe;
use crate::failure::Failure;
use crate::output;

const LIBCUDA: &str = "libcuda.so.1";
const COMPILER: &str = "libnvidia-ptxjitcompiler.so.1";

/// PTX longer than this is not compiled: it may take longer than anybody waits for an answer.
const LARGEST_PTX: u64 = 1024 * 1024;

/// A driver's files that can be asked.
pub(super) struct Files {
    libcuda: Option<PathBuf>,
    compiler: Option<PathBuf>,
    /// Where they lie, if that is no place where a loader looks by itself.
    apart: Option<PathBuf>,
}

/// The files that the arguments name, or those of this machine, whose libcuda the probe has found; none if neither is
/// to be asked.
pub(super) fn files(
    arguments: &CompatArguments,
    libcuda: Option<&Path>,
) -> Result<Option<Files>, Failure> {
    if let Some(directory) = &arguments.driver_files {
        return in_directory(directory).map(Some);
    }
    if !arguments.oracle {
        return Ok(None);
    }
    let Some(libcuda) = libcuda else {
        output::people("warning: no driver was found here that could be asked\n");
        return Ok(None);
    };
    // Beside the link or beside the file itself.
    let itself = fs::canonicalize(libcuda).ok();
    let compiler = [Some(libcuda), itself.as_deref()]
        .into_iter()
        .flatten()
        .map(|path| path.with_file_name(COMPILER))
        .find(|path| path.is_file());
    if compiler.is_none() {
        let place = libcuda.parent().unwrap_or(libcuda).display();
        output::people(&format!(
            "warning: there is no {COMPILER} in `{place}`, so the driver's compiler is not asked\n"
        ));
    }
    Ok(Some(Files {
        libcuda: Some(libcuda.to_owned()),
        compiler,
        apart: None,
    }))
}

fn in_directory(directory: &Path) -> Result<Files, Failure> {
    let directory = fs::canonicalize(directory).map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            let message = format!("there is no directory `{}`", directory.display());
            return wrong(
                message,
                "name the directory that a driver's libraries lie in".to_owned(),
            );
        }
        Failure::File {
            action: "open",
            path: directory.to_owned(),
            source,
        }
    })?;
    let existing = |name: &str| Some(directory.join(name)).filter(|path| path.is_file());
    let (libcuda, compiler) = (existing(LIBCUDA), existing(COMPILER));
    if libcuda.is_none() && compiler.is_none() {
        let message = format!(
            "`{}` holds neither {LIBCUDA} nor {COMPILER}",
            directory.display()
        );
        let hint = "name the directory that a driver's libraries lie in".to_owned();
        return Err(wrong(message, hint));
    }
    Ok(Files {
        libcuda,
        compiler,
        apart: Some(directory),
    })
}

impl Files {
    /// Completes the machine by what the names of the files say of it.
    pub(super) fn name(&self, machine: &mut Machine) -> Result<(), Failure> {
        let files = [&self.libcuda, &self.compiler];
        let version = files
            .into_iter()
            .flatten()
            .find_map(|path| version_in_name(&fs::canonicalize(path).ok()?));
        match (&machine.driver, version) {
            (Some(given), Some(found)) if *given != found && self.apart.is_some() => {
                let message = format!("--driver {given} contradicts --driver-files");
                Err(wrong(message, format!("they are of driver {found}")))
            }
            (None, Some(found)) if self.apart.is_some() => {
                machine.driver = Some(found);
                Ok(())
            }
            (_, _) => Ok(()),
        }
    }

    /// Asks them about a package, and adds what they say to the machine.
    pub(super) fn ask(
        self,
        package: &mut Package,
        path: Option<&Path>,
        machine: &mut Machine,
        limit: Duration,
    ) -> Result<(), Failure> {
        let directory = tempfile::Builder::new()
            .prefix("cudacheck-oracle-")
            .tempdir()
            .map_err(|source| Failure::File {
                action: "make the directory",
                path: std::env::temp_dir(),
                source,
            })?;
        let mut config = Config::new(probe::executable()?, directory.path().to_owned());
        config.probe_timeout = limit;
        if let Some(place) = self.apart.as_ref().and_then(|place| place.to_str()) {
            // Old drivers are of several libraries, which need each other.
            config
                .environment
                .push(("LD_LIBRARY_PATH".to_owned(), place.to_owned()));
        }
        let questions = compat::questions(package, machine);
        let modules = match path.filter(|_| self.compiler.is_some()) {
            Some(path) => modules(path, &questions, directory.path(), package)?,
            None => Vec::new(),
        };
        let work = OracleWork {
            compiler: self.compiler,
            questions,
            modules,
        };
        let driver = DriverFiles {
            libcuda: self.libcuda,
            nvml: None,
        };
        let answer = probe::runtime()?.block_on(cudacheck_runner::oracle(&config, work, driver));
        for complaint in &answer.complaints {
            output::people(&format!("warning: {complaint}\n"));
        }
        machine.cuda = answer.cuda.or(machine.cuda);
        machine.oracle = Some(answer);
        Ok(())
    }
}

/// Unpacks the package's own PTX for each question, and notes in the package which. Where there is none of a
/// reasonable size, the question is put with the smallest PTX possible.
fn modules(
    path: &Path,
    questions: &[JitQuestion],
    directory: &Path,
    package: &mut Package,
) -> Result<Vec<OracleModule>, Failure> {
    let mut modules = Vec::new();
    for (number, question) in questions.iter().enumerate() {
        let into = directory.join(format!("ptx-{number}"));
        let wanted = Wanted {
            target: question.target,
            isa: question.isa,
            limit: LARGEST_PTX,
        };
        let paths = [path.to_owned()];
        let found = extract_smallest(&paths, Search::FatbinSections, wanted, &into);
        let found = found.map_err(|source| Failure::File {
            action: "write to",
            path: into,
            source,
        })?;
        let Some(path) = found else { continue };
        let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        package.notes.push(format!(
            "the driver's compiler was given a small piece of its {}, of {size} bytes",
            question.ptx()
        ));
        modules.push(OracleModule {
            question: *question,
            path,
        });
    }
    Ok(modules)
}

/// `550.54.15` of `libcuda.so.550.54.15`.
fn version_in_name(path: &Path) -> Option<DriverVersion> {
    let (_, version) = path.file_name()?.to_str()?.split_once(".so.")?;
    let version: DriverVersion = version.parse().ok()?;
    (version.branch() >= 100).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let version = version_in_name(Path::new(path)).map(|version| version.to_string());
        assert_eq!(version.as_deref(), expected);
    }

    #[test]
    fn a_files_name_tells_the_drivers_version() {
        check("/d/libcuda.so.550.54.15", Some("550.54.15"));
        check("/d/libnvidia-ptxjitcompiler.so.390.157", Some("390.157"));
        check("/d/libcuda.so.1", None);
        check("/d/libcuda.so.1.1", None);
        check("/d/libcuda.so", None);
        check("/d/nvgpu", None);
    }
}
