//! What is asked about: reads the words that describe a package, and the files that they name.

use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_inspect::{Options, Search, inspect};
use cudacheck_model::compat::{
    self, Bound, Code, Contents, ForwardCompatibility, LibraryVersion, Package, tables,
};
use cudacheck_model::package::PackageFacts;
use cudacheck_model::suite::{self, Platform, nearest};
use cudacheck_model::version::{Target, ToolkitVersion};

use super::{manifest, wrong};
use crate::arguments::{CompatArguments, PlatformWord};
use crate::failure::Failure;
use crate::suites;

/// What is asked about.
pub(super) struct Question {
    /// The package.
    pub(super) package: Package,
    /// What its files hold, if they were read.
    pub(super) files: Option<PackageFacts>,
}

impl From<Package> for Question {
    fn from(package: Package) -> Self {
        Self {
            package,
            files: None,
        }
    }
}

/// The package, by the word given first and the options after it.
pub(super) fn question(arguments: &CompatArguments) -> Result<Question, Failure> {
    let Question { mut package, files } = match &arguments.package {
        Some(word) => by_word(word.trim(), arguments)?,
        None => Package::named("the package").into(),
    };
    if let Some(text) = &arguments.toolkit {
        let toolkit = toolkit(text)?;
        if package
            .toolkit
            .at_least
            .is_some_and(|low| toolkit.at_most.is_some_and(|high| high < low))
            || package
                .toolkit
                .at_most
                .is_some_and(|high| toolkit.at_least.is_some_and(|low| low > high))
        {
            let message = format!(
                "--toolkit {text} contradicts `{}`, which is of toolkit {}",
                package.name, package.toolkit
            );
            return Err(wrong(message, None));
        }
        package.toolkit = toolkit;
        if arguments.package.is_none() {
            package.name = format!("toolkit {toolkit}");
        }
    }
    if let Some(list) = &arguments.needed {
        let names: Vec<&str> = words(list).collect();
        package = package.needing(names.iter().copied());
    }
    if let Some(list) = &arguments.targets {
        package = package.with_code(some(targets(list)?, "--targets")?);
    }
    if let Some(list) = &arguments.capabilities {
        package = package.with_code(some(capabilities(list, arguments)?, "--capabilities")?);
    }
    if package.name.starts_with("toolkit ") && package.code != Contents::Assumed {
        "the package".clone_into(&mut package.name);
    }
    for library in &arguments.libraries {
        package.libraries.push(self::library(library)?);
    }
    if !arguments.built_for.is_empty() {
        package.platforms = arguments
            .built_for
            .iter()
            .map(|word| (*word).into())
            .collect();
    }
    Ok(Question { package, files })
}

fn by_word(word: &str, arguments: &CompatArguments) -> Result<Question, Failure> {
    if word.starts_with('[') {
        let code = some(capabilities(word, arguments)?, word)?;
        return Ok(Package::named("the package").with_code(code).into());
    }
    let path = Path::new(word);
    let numeric = word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if numeric && !path.exists() {
        let toolkit = toolkit(word)?;
        let name = match toolkit.exact() {
            Some(version) => format!("toolkit {version}"),
            None => format!("toolkit {word}"),
        };
        let package = Package {
            toolkit,
            ..Package::named(name)
        };
        return Ok(package.into());
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some("yaml" | "yml") => by_suite(path).map(Question::from),
        Some("json") if !path.is_dir() => manifest::package(path).map(Question::from),
        Some(_) | None => by_files(path),
    }
}

fn by_suite(path: &Path) -> Result<Package, Failure> {
    let complaints = Failure::Suites;
    let (file, text) = suites::read(path).map_err(complaints)?;
    let suite = suite::read(&file, &text, &suites::catalogue()).map_err(Failure::Suites)?;
    let Some(described) = suite.package else {
        let message = format!("the suite `{}` names no package", suite.name);
        let hint =
            "add `package: { name: …, toolkit: \"12.4\" }`, or name a toolkit version".to_owned();
        return Err(wrong(message, hint));
    };
    let mut package = Package::named(&described.name);
    if let Some(version) = described.toolkit {
        package.toolkit = Bound::exactly(version);
    }
    Ok(package)
}

fn by_files(path: &Path) -> Result<Question, Failure> {
    if let Err(source) = fs::metadata(path) {
        if source.kind() != std::io::ErrorKind::NotFound {
            return Err(Failure::File {
                action: "open",
                path: path.to_owned(),
                source,
            });
        }
        let message = format!(
            "`{}` is neither a file nor a toolkit version",
            path.display()
        );
        let hint = "name a package's path, or a version such as 12.4".to_owned();
        return Err(wrong(message, hint));
    }
    let options = Options {
        search: Search::FatbinSections,
        ..Options::default()
    };
    let facts = inspect(&[PathBuf::from(path)], &options, &|_| {});
    if facts.files.is_empty() {
        let message = format!(
            "`{}` holds no library, program, or GPU code",
            path.display()
        );
        return Err(wrong(message, None));
    }
    let name = path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Question {
        package: Package::from_facts(name, &facts),
        files: Some(facts),
    })
}

/// A toolkit's version: `12.4`, its update `12.4.1`, or only `12`.
pub(super) fn toolkit(text: &str) -> Result<Bound<ToolkitVersion>, Failure> {
    let impossible =
        |hint: Option<String>| Err(wrong(format!("there is no toolkit `{text}`"), hint));
    let parts: Vec<&str> = text.split('.').collect();
    let number = |part: &str| part.parse::<u32>().ok().filter(|number| *number < 1000);
    let all = &tables::toolkits().toolkits;
    let newest = all
        .last()
        .map_or(ToolkitVersion::new(0, 0), |toolkit| toolkit.version);
    let near = || {
        // The last known one before it, or the first.
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
        let wanted = ToolkitVersion::new(number(major)?, number(&digits)?);
        let before = all.iter().rev().find(|toolkit| toolkit.version < wanted);
        let near = before.or(all.first())?.version;
        Some(format!("did you mean `{near}`?"))
    };
    let numbers: Option<Vec<u32>> = parts.iter().map(|part| number(part)).collect();
    match numbers.as_deref() {
        Some([branch @ 300..1000, ..]) => impossible(Some(format!(
            "`{text}` looks like a driver: --driver {branch}…, and a toolkit such as 12.4"
        ))),
        Some([major]) => {
            let within: Vec<ToolkitVersion> = all
                .iter()
                .map(|toolkit| toolkit.version)
                .filter(|version| version.major == *major)
                .collect();
            match (within.first(), within.last()) {
                (Some(first), Some(last)) => Ok(Bound {
                    at_least: Some(*first),
                    at_most: (last.major < newest.major).then_some(*last),
                }),
                (_, _) => impossible(near()),
            }
        }
        Some([major, minor] | [major, minor, _]) => {
            let version = ToolkitVersion::new(*major, *minor);
            let known = tables::toolkit(version).is_some();
            // Numbers that NVIDIA passed over will not come back; those after the newest may come.
            let passed_over = version < newest && version.major >= 9;
            let far = version.major > newest.major + 3 || *minor > 20 || version.major < 5;
            if !known && (passed_over || far) {
                return impossible(near());
            }
            Ok(Bound::exactly(version))
        }
        Some(_) | None => {
            impossible(near().or_else(|| Some("a toolkit's version is such as 12.4".to_owned())))
        }
    }
}

/// The words of a list as people separate them, Nix's brackets and quotes included.
fn words(list: &str) -> impl Iterator<Item = &str> {
    let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']' | '"' | '\'');
    list.split(separators).filter(|word| !word.is_empty())
}

/// A list that names something.
fn some(code: Vec<Code>, word: &str) -> Result<Vec<Code>, Failure> {
    if code.is_empty() {
        return Err(wrong(
            format!("`{word}` names no GPU code"),
            "such as sm_80, or 8.0".to_owned(),
        ));
    }
    Ok(code)
}

fn targets(list: &str) -> Result<Vec<Code>, Failure> {
    let one = |word: &str| {
        let target: Target = word.parse().map_err(|_| {
            let hint = "machine code is such as sm_80, PTX such as compute_80".to_owned();
            wrong(format!("`{word}` is not a target"), hint)
        })?;
        known(target, word)?;
        Ok(if word.starts_with("compute_") {
            Code::Ptx(target, None)
        } else {
            Code::Machine(target)
        })
    };
    words(list).map(one).collect()
}

fn capabilities(list: &str, arguments: &CompatArguments) -> Result<Vec<Code>, Failure> {
    let one = |word: &str| {
        let target = compat::capability_entry(word).ok_or_else(|| {
            let hint = "an entry of cudaCapabilities is such as \"8.6\" or \"9.0a\"".to_owned();
            wrong(format!("`{word}` is not a capability"), hint)
        })?;
        known(target, word)?;
        Ok(target)
    };
    let targets: Vec<Target> = words(list).map(one).collect::<Result<_, Failure>>()?;
    let forward = if arguments.no_forward_compat {
        ForwardCompatibility::No
    } else {
        ForwardCompatibility::Yes
    };
    Ok(compat::from_capabilities(&targets, forward))
}

/// Refuses capabilities that no GPU has.
fn known(target: Target, word: &str) -> Result<(), Failure> {
    match compat::find_gpu(&target.capability.sm()) {
        Ok(_) => Ok(()),
        Err(unknown) => {
            let near = unknown.nearest.join("` or `");
            Err(wrong(
                format!("no GPU is `{word}`"),
                format!("did you mean `{near}`?"),
            ))
        }
    }
}

fn library(text: &str) -> Result<LibraryVersion, Failure> {
    let Some((name, version)) = text.split_once('=') else {
        let hint = "write it as cudnn=9.11.0".to_owned();
        return Err(wrong(
            format!("`{text}` names no version of a library"),
            hint,
        ));
    };
    let name = name.trim().to_ascii_lowercase();
    let version = version.trim();
    let known: Vec<&str> = tables::libraries()
        .floors
        .iter()
        .map(|floor| floor.library.as_str())
        .collect();
    if !known.contains(&name.as_str()) {
        let near = nearest(&name, known.iter().copied());
        let hint = near.map_or_else(
            || {
                let mut known = known.clone();
                known.dedup();
                format!("known are {}", known.join(", "))
            },
            |near| format!("did you mean `{near}`?"),
        );
        return Err(wrong(
            format!("there is no library `{name}` in the tables"),
            hint,
        ));
    }
    let plain = version.split('.').all(|part| part.parse::<u32>().is_ok());
    if !plain {
        let hint = "a version is such as 9.11.0".to_owned();
        return Err(wrong(format!("`{version}` is not a version"), hint));
    }
    Ok(LibraryVersion {
        name,
        version: version.to_owned(),
    })
}

impl From<PlatformWord> for Platform {
    fn from(word: PlatformWord) -> Self {
        match word {
            PlatformWord::LinuxX86_64 => Self::LinuxX86_64,
            PlatformWord::LinuxSbsa => Self::LinuxSbsa,
            PlatformWord::LinuxAarch64 => Self::LinuxAarch64,
            PlatformWord::LinuxPpc64le => Self::LinuxPpc64le,
        }
    }
}
