//! Judges what a library of a package did: it cannot be opened, a call failed, its parts do not fit, or it took
//! a part that is not the package's.

use cudacheck_model::compat::{self, Domain};
use cudacheck_model::cuda::{self, Blame};
use cudacheck_model::journal::{Stranger, StrangerKind};
use cudacheck_model::library::Library;
use cudacheck_model::outcome::{Cause, Class, Outcome, Problem};

use super::result::LOG_LINES;
use super::{Culprit, Evidence, codes, decide};

/// A call that failed.
pub(super) struct Call<'a> {
    pub(super) library: Library,
    pub(super) function: &'a str,
    pub(super) code: i32,
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) log: &'a str,
}

impl Evidence<'_> {
    /// A library that the loader refuses. Its words say why, and nearly always what is missing.
    pub(super) fn unloadable(&self, library: &str, reason: &str) -> Outcome {
        let mut finding = self.finding(
            Problem::Unloadable,
            format!("`{library}` can be loaded"),
            format!("`{library}` cannot be loaded: {reason}"),
        );
        finding.class = Class::Loading;
        let (cause, remedy) = loader(reason);
        finding.cause = cause.map_or(Cause::Unknown, Cause::Proven);
        finding.remedy = remedy;
        decide(Culprit::Package, finding)
    }

    /// A call that a library refused. What the driver says afterwards goes before what the library says: a device
    /// that is lost makes every call fail.
    pub(super) fn library(&self, call: &Call<'_>, driver: Option<i32>) -> Outcome {
        if let Some(code) = driver.filter(|code| *code != 0)
            && let Some(known) = cuda::find(code)
            && known.blame == Blame::Machine
        {
            return self.cuda(call.function, code, known.name, "", call.log);
        }
        let named = match (call.name, call.text) {
            ("", "") => format!("returned {}", call.code),
            ("", text) => format!("{text} ({})", call.code),
            (name, "") => format!("{name} ({})", call.code),
            (name, text) => format!("{text} ({name}, {})", call.code),
        };
        let mut finding = self.finding(
            Problem::LibraryError(call.library, call.code),
            format!("`{}` succeeds", call.function),
            format!("`{}`: {named}", call.function),
        );
        finding.class = Class::Execution;
        (finding.cause, finding.remedy) = known(call);
        finding.class = class(call);
        let log = call.log.lines().take(LOG_LINES).map(str::to_owned);
        finding.details.extend(log);
        if let Some(code) = driver.filter(|code| *code != 0) {
            let name = cuda::name(code).unwrap_or("unnamed");
            let note = format!("the driver's context says {name} ({code}) after it");
            finding.details.push(note);
        }
        if matches!(driver, Some(209 | 222))
            && let Some(code) = driver
        {
            finding.class = Class::Architecture;
            if let Some(proof) = self.proof(code) {
                finding.cause = Cause::Proven(proof.cause);
                finding.remedy = proof.remedy;
            }
        }
        decide(self.culprit(), finding)
    }

    /// Parts of different releases. They may work together by luck, until a structure changes.
    pub(super) fn skew(&self, expected: &str, found: &str) -> Outcome {
        let mut finding = self.finding(Problem::VersionSkew, expected.to_owned(), found.to_owned());
        finding.class = Class::Loading;
        finding.cause = Cause::proven(
            "files of several releases of one library lie where it looks for its parts",
        );
        "take all parts from one release: cudacheck inspect PATH lists them, and which file each name finds"
            .clone_into(&mut finding.remedy);
        decide(Culprit::Package, finding)
    }

    /// Libraries of somebody else. What a check computed with them says nothing about the package.
    pub(super) fn strangers(&self, strangers: &[Stranger]) -> Outcome {
        let Some((first, others)) = strangers.split_first() else {
            return Outcome::Pass;
        };
        let mut finding = self.finding(
            Problem::ForeignLibrary,
            "every library of CUDA that is loaded is the package's or the driver's".to_owned(),
            told(first),
        );
        finding.class = Class::Loading;
        finding.cause = Cause::Proven(
            match &first.why {
                StrangerKind::Outside => {
                    "the package's search path, LD_LIBRARY_PATH, or the loader's cache leads outside of the package"
                }
                StrangerKind::Stub => {
                    "the toolkit's directory of stubs is on the search path; stubs are for linking only"
                }
                StrangerKind::Hides { .. } => {
                    "a search path leads to another package before it leads to the package's own library"
                }
                StrangerKind::Twice { .. } => {
                    "two search paths lead to two files of the same library, and both were loaded"
                }
            }
            .to_owned(),
        );
        finding.remedy = match &first.why {
            StrangerKind::Outside => format!(
                "give the library a RUNPATH to the package's own part, unset LD_LIBRARY_PATH in its wrapper, or allow it: --allow-host-libraries {}",
                first.path.display()
            ),
            StrangerKind::Stub => format!(
                "remove the path of {} from RUNPATH and from LD_LIBRARY_PATH",
                first.path.display()
            ),
            StrangerKind::Hides { own } => {
                format!("let the RUNPATH lead to {} first", own.display())
            }
            StrangerKind::Twice { other } => format!(
                "keep one of {} and {}",
                first.path.display(),
                other.display()
            ),
        };
        finding.details = others.iter().map(told).collect();
        decide(Culprit::Package, finding)
    }
}

fn told(stranger: &Stranger) -> String {
    let path = stranger.path.display();
    match &stranger.why {
        StrangerKind::Outside => {
            format!("{path} is loaded, which is neither the package's nor the driver's")
        }
        StrangerKind::Stub => format!("{path} is loaded, which is a stub"),
        StrangerKind::Hides { own } => {
            format!(
                "{path} is loaded instead of the package's own {}",
                own.display()
            )
        }
        StrangerKind::Twice { other } => {
            format!("{path} and {} are loaded at once", other.display())
        }
    }
}

/// What the loader's words prove, and what to do.
fn loader(reason: &str) -> (Option<String>, String) {
    let missing = reason
        .split_once(": cannot open shared object file")
        .map(|(name, _)| name);
    if let Some(name) = missing {
        let cause = format!("the loader does not find {name} from the library's search path");
        let of_driver = name.starts_with("libcuda.so") || name.starts_with("libnvidia-");
        let remedy = if of_driver {
            "let RUNPATH lead to the driver: in Nixpkgs autoAddDriverRunpath adds /run/opengl-driver/lib"
                .to_owned()
        } else {
            format!("add the package that has {name} to the library's RUNPATH")
        };
        return (Some(cause), remedy);
    }
    if let Some(function) = driver_function(reason) {
        let cause = format!("the driver is older than this library, and has no `{function}`");
        let remedy = "cudacheck compat PATH tells which driver it needs: take that or newer, or an older release of the library";
        return (Some(cause), remedy.to_owned());
    }
    let known: [(&str, &str, &str); 11] = [
        (
            "version `GLIBC_",
            "it needs a newer C library than the one it was loaded into",
            "run it through the loader of its own closure: give cudacheck the package's closure, or --loader PATH",
        ),
        (
            "version `GLIBCXX_",
            "it needs a newer libstdc++ than the one that was found",
            "let the RUNPATH lead to the libstdc++ of the compiler that built it",
        ),
        (
            "undefined symbol",
            "a part that it takes this symbol from is of another version, or is not linked",
            "take all parts from one release: cudacheck inspect PATH shows which file each name finds",
        ),
        (
            "wrong ELF class",
            "it is for another kind of processor",
            "take the package for this machine: cudacheck inspect PATH names its platform",
        ),
        (
            "it has no function",
            "every release of this name that is known has the function: the file is another library, or was cut down",
            "nm -D of the file lists its functions; fetch the package again, and compare its hash",
        ),
        (
            "wrong ELF machine",
            "it is for another kind of processor",
            "take the package for this machine: cudacheck inspect PATH names its platform",
        ),
        (
            "a link that leads nowhere",
            "the package has the library's name and not the library",
            "package the file that the link leads to, or remove the link",
        ),
        (
            "it is a directory",
            "a directory has the library's name",
            "ls -l of the path shows what is in it; point the check to the library itself",
        ),
        (
            "invalid ELF header",
            "the file is no library: a text file, a linker script, or an archive",
            "head -c 100 of the file shows what it is; point the check to the library itself",
        ),
        (
            "file too short",
            "the file is cut off",
            "fetch the package again, and compare its hash",
        ),
        (
            "executable stack",
            "it asks for an executable stack, which glibc 2.41 and newer refuse to give to a library",
            "patchelf --clear-execstack on the file",
        ),
    ];
    for (words, cause, remedy) in known {
        if reason.contains(words) {
            return (Some(cause.to_owned()), remedy.to_owned());
        }
    }
    (None, "LD_DEBUG=libs,files shows what the loader does; cudacheck inspect PATH shows what it would take".to_owned())
}

/// The function of the driver that a library is linked with and that is not there: libraries of toolkits have longer
/// names before the first capital letter, such as `cublas`.
fn driver_function(reason: &str) -> Option<&str> {
    let (_, symbol) = reason.split_once("undefined symbol: ")?;
    let symbol = symbol.split([',', ' ']).next()?;
    let rest = symbol.strip_prefix("cu")?;
    rest.starts_with(|first: char| first.is_ascii_uppercase())
        .then_some(symbol)
}

/// What a library's own number means.
fn known(call: &Call<'_>) -> (Cause, String) {
    let domain = match call.library {
        Library::Cublas | Library::CublasLt => Some(Domain::Cublas),
        Library::Cudnn => Some(Domain::Cudnn),
        Library::Cudart => Some(Domain::Cudart),
        Library::Cufft
        | Library::Curand
        | Library::Cusolver
        | Library::Cusparse
        | Library::Cutensor
        | Library::Npp
        | Library::Nvjpeg
        | Library::Nvrtc
        | Library::Nvjitlink
        | Library::Nccl
        | Library::Cupti
        | Library::Cudss
        | Library::Tensorrt
        | Library::Magma
        | Library::Opencv => None,
    };
    if let Some(explained) = by_log(call) {
        return explained;
    }
    let explained = domain.and_then(|domain| {
        let code = u32::try_from(call.code).ok()?;
        compat::catalogue()
            .iter()
            .find(|entry| entry.domain == domain && entry.code == code)
    });
    let by_number = codes::find(call.library, call.code);
    match (explained, by_number) {
        (Some(entry), _) => (
            entry.causes.first().map_or(Cause::Unknown, Cause::proven),
            entry.remedy.clone(),
        ),
        (None, Some(code)) => (
            code.cause.map_or(Cause::Unknown, Cause::proven),
            code.remedy.to_owned(),
        ),
        (None, None) => (
            Cause::Unknown,
            format!(
                "look the code up in the header of {}; read the output of the worker",
                call.library
            ),
        ),
    }
}

/// What a library says beside its number is often more than the number.
fn by_log(call: &Call<'_>) -> Option<(Cause, String)> {
    let builtins = "failed to open ";
    let name = call
        .log
        .lines()
        .find_map(|line| Some(line.split_once(builtins)?.1))
        .filter(|name| name.contains("nvrtc-builtins"))?;
    let name = name
        .split_whitespace()
        .next()
        .unwrap_or(name)
        .trim_end_matches('.');
    let cause = format!("{name} is missing beside libnvrtc; it must be of exactly its version");
    let remedy =
        format!("put {name} of the same release into the directory of libnvrtc or on its RUNPATH");
    Some((Cause::proven(cause), remedy))
}

fn class(call: &Call<'_>) -> Class {
    match (call.library, call.code) {
        (Library::Cublas | Library::CublasLt, 8) | (Library::Cudnn, 6 | 3007) => {
            Class::Architecture
        }
        (Library::Cudnn, 11 | 14 | 1002 | 1008 | 3008 | 3009) => Class::Loading,
        (Library::Nvrtc, 7) if call.log.contains("nvrtc-builtins") => Class::Loading,
        (library, number) => {
            codes::find(library, number).map_or(Class::Execution, |code| code.class)
        }
    }
}
