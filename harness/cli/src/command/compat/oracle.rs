//! Asks a driver's own files, of this machine or of a directory, before the tables answer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_inspect::{Search, Wanted, extract_smallest};
use cudacheck_model::compat::{self, Machine, Package, tables};
use cudacheck_model::oracle::JitQuestion;
use cudacheck_model::task::{DriverFiles, OracleModule, OracleWork};
use cudacheck_model::version::DriverVersion;
use cudacheck_runner::Config;

use super::machine::{Loaded, Origin};
use super::question::Question;
use super::runtime::libcudart;
use super::wrong;
use crate::arguments::{CompatArguments, OracleWord};
use crate::command::probe;
use crate::failure::Failure;
use crate::output;

pub(super) const LIBCUDA: &str = "libcuda.so.1";
const COMPILER: &str = "libnvidia-ptxjitcompiler.so.1";

/// PTX longer than this is not compiled: it may take longer than anybody waits for an answer.
const LARGEST_PTX: u64 = 1024 * 1024;

/// A driver's files that can be asked.
pub(super) struct Files {
    libcuda: Option<PathBuf>,
    compiler: Option<PathBuf>,
    /// Where they lie, if that is no place where a loader looks by itself.
    apart: Option<PathBuf>,
    from: Origin,
}

/// The files that the arguments name, or those of this machine, whose libcuda the probe has found; none if neither is
/// to be asked.
pub(super) fn files(
    arguments: &CompatArguments,
    loaded: Option<Loaded>,
) -> Result<Option<Files>, Failure> {
    if let Some(directory) = &arguments.driver_files {
        return in_directory(directory).map(Some);
    }
    let Some(Loaded { libcuda, from }) = loaded else {
        return match arguments.oracle {
            OracleWord::Auto | OracleWord::Never => Ok(None),
            OracleWord::Always => nothing_to_ask(arguments),
        };
    };
    if arguments.oracle == OracleWord::Never {
        return Ok(None);
    }
    // Beside the link or beside the file itself.
    let itself = fs::canonicalize(&libcuda).ok();
    let compiler = [Some(libcuda.as_path()), itself.as_deref()]
        .into_iter()
        .flatten()
        .map(|path| path.with_file_name(COMPILER))
        .find(|path| path.is_file());
    if compiler.is_none() && arguments.oracle == OracleWord::Always {
        let place = libcuda.parent().unwrap_or(&libcuda).display();
        output::people(&format!(
            "warning: there is no {COMPILER} in `{place}`, so the driver's compiler is not asked\n"
        ));
    }
    Ok(Some(Files {
        libcuda: Some(libcuda),
        compiler,
        apart: None,
        from,
    }))
}

/// Whoever insists on asking a driver is told why there is none.
fn nothing_to_ask(arguments: &CompatArguments) -> Result<Option<Files>, Failure> {
    let named = arguments.driver.is_some()
        || !arguments.gpus.is_empty()
        || arguments.jetpack.is_some()
        || arguments.platform.is_some()
        || arguments.facts.is_some()
        || arguments.sysroot.is_some()
        || arguments.simulation.simulate.is_some();
    if named {
        let message =
            "--oracle asks the driver of this machine, but another machine is named".to_owned();
        let hint = "name a directory with its driver's libraries: --driver-files DIR".to_owned();
        return Err(wrong(message, hint));
    }
    output::people("warning: no driver was found here that could be asked\n");
    Ok(None)
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
        from: Origin::Driver,
    })
}

impl Files {
    /// Asks them about a package, and adds what they say to the machine.
    pub(super) fn ask(
        mut self,
        arguments: &CompatArguments,
        question: &mut Question,
        machine: &mut Machine,
        limit: Duration,
    ) -> Result<(), Failure> {
        let version = self.version();
        if self.apart.is_some() {
            self.name(machine, version.as_ref())?;
        }
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
        let Question { package, files } = question;
        let questions = compat::questions(package, machine);
        let path = arguments.package.as_deref().map(Path::new);
        let path = path.filter(|path| self.compiler.is_some() && path.exists());
        let modules = match path {
            Some(path) => modules(path, &questions, directory.path(), package)?,
            None => Vec::new(),
        };
        let runtime = libcudart(files.as_ref(), self.apart.as_deref());
        let work = OracleWork {
            compiler: self.compiler,
            questions,
            modules,
            // Without a libcuda it would ask whichever it finds.
            runtime: runtime.filter(|_| self.libcuda.is_some()),
        };
        let driver = DriverFiles {
            libcuda: self.libcuda,
            nvml: None,
        };
        let answer = probe::runtime()?.block_on(cudacheck_runner::oracle(&config, work, driver));
        match self.from {
            Origin::Driver => machine.cuda = answer.cuda.or(machine.cuda),
            Origin::Compat => {
                let noted = answer.forward.as_ref().and_then(|note| note.cuda);
                let by_version = version.map(|version| tables::cuda_of(version.branch()));
                let by_version = by_version.and_then(compat::Bound::exact);
                let cuda = answer.cuda.or(noted).or(by_version);
                machine.compat = cuda.or(machine.compat);
            }
        }
        machine.oracle = Some(answer);
        Ok(())
    }

    /// The driver's version by the names of the files.
    fn version(&self) -> Option<DriverVersion> {
        let files = [&self.libcuda, &self.compiler];
        files
            .into_iter()
            .flatten()
            .find_map(|path| version_in_name(&fs::canonicalize(path).ok()?))
    }

    /// Completes a machine by what the names of the files say of it. Files that are newer than its kernel module are
    /// those of a forward compatibility package.
    fn name(
        &mut self,
        machine: &mut Machine,
        found: Option<&DriverVersion>,
    ) -> Result<(), Failure> {
        match (&machine.driver, found) {
            (Some(given), Some(found)) if found < given => {
                let message = format!("--driver {given} contradicts --driver-files");
                Err(wrong(message, format!("they are of driver {found}")))
            }
            (Some(given), Some(found)) if found > given => {
                self.from = Origin::Compat;
                Ok(())
            }
            (None, Some(found)) => {
                machine.driver = Some(found.clone());
                Ok(())
            }
            (_, _) => Ok(()),
        }
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
pub(super) fn version_in_name(path: &Path) -> Option<DriverVersion> {
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
