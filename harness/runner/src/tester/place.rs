//! Where a tester lives: its program among the files of the package, its directory, and what it is told.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use cudacheck_model::suite::{FIND, TesterCheck, TesterFormat};
use rustix::fs::{Mode, OFlags, open};

use super::select::{filter, patterns};
use crate::config::Config;

/// A file of results longer than this is read up to here.
const RESULTS: u64 = 32 * 1024 * 1024;
/// What a tester printed is read up to here; the log has no more.
const PRINTED: u64 = 17 * 1024 * 1024;

/// The files of a package that a tester is made of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Program {
    /// The executable.
    pub(super) path: PathBuf,
    /// What stands for `{find:…}`, by what stands after the colon.
    found: Vec<(String, PathBuf)>,
}

impl Program {
    /// Whether any of its files is a package's of Nix, by where it really lies.
    pub(super) fn is_of_nix(&self) -> bool {
        let found = self.found.iter().map(|(_, path)| path);
        [&self.path].into_iter().chain(found).any(|path| {
            let real = fs::canonicalize(path);
            real.is_ok_and(|real| real.starts_with("/nix/store"))
        })
    }
}

/// Finds a tester's files, or says the first that the package does not have.
pub(super) fn program(check: &TesterCheck, roots: &[PathBuf]) -> Result<Program, String> {
    let path = if check.program.starts_with('/') {
        Some(PathBuf::from(&check.program)).filter(|path| is_executable(path))
    } else {
        find(&in_bin(&check.program), roots).filter(|path| is_executable(path))
    };
    let path = path.ok_or_else(|| in_bin(&check.program))?;
    let mut found = Vec::new();
    for text in check.arguments.iter().chain(check.environment.values()) {
        for (_, rest) in text.match_indices(FIND).map(|(at, _)| text.split_at(at)) {
            let name = rest[FIND.len()..].split('}').next().unwrap_or_default();
            let path = find(name, roots).ok_or_else(|| name.to_owned())?;
            found.push((name.to_owned(), path));
        }
    }
    Ok(Program { path, found })
}

/// A bare name is one of the package's programs.
fn in_bin(name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("bin/{name}")
    }
}

/// The first root that has a file at this place, or that is this file itself.
fn find(relative: &str, roots: &[PathBuf]) -> Option<PathBuf> {
    let inside = Path::new(relative);
    roots.iter().find_map(|root| {
        let below = root.join(inside);
        if below.exists() {
            return Some(below);
        }
        (root.ends_with(inside) && root.is_file()).then(|| root.clone())
    })
}

fn is_executable(path: &Path) -> bool {
    let metadata = fs::metadata(path);
    metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// A tester's directories and files.
#[derive(Debug)]
pub(super) struct Place {
    /// The attempt's.
    pub(super) directory: PathBuf,
    /// The tester's own: it starts there, and may write there.
    pub(super) private: PathBuf,
    results: PathBuf,
    script: Option<PathBuf>,
}

impl Place {
    /// Makes the directories, and writes the scripts side by side, so that one can use another.
    pub(super) fn prepare(directory: PathBuf, scripts: &[(&str, &str)]) -> io::Result<Self> {
        let private = directory.join("private");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(private.join("tmp"))?;
        let mut script = None;
        for (name, text) in scripts {
            let path = private.join(Path::new(name).file_name().unwrap_or("script".as_ref()));
            fs::write(&path, text)?;
            script.get_or_insert(path);
        }
        Ok(Self {
            results: private.join("results.xml"),
            script,
            private,
            directory,
        })
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("output.log")
    }

    pub(super) fn driver(&self) -> PathBuf {
        self.directory.join("driver")
    }

    /// The command line.
    pub(super) fn command(
        &self,
        check: &TesterCheck,
        program: &Program,
        config: &Config,
    ) -> Vec<OsString> {
        let mut words = vec![program.path.clone().into_os_string()];
        let given = |option: &str| check.arguments.iter().any(|it| it.starts_with(option));
        if check.format == TesterFormat::Gtest {
            if !given("--gtest_output") {
                words.push(
                    self.filled("--gtest_output=xml:{results}", program, config)
                        .into(),
                );
            }
            if let Some(filter) = filter(check).filter(|_| !given("--gtest_filter")) {
                words.push(format!("--gtest_filter={filter}").into());
            }
        }
        let arguments = check.arguments.iter();
        words.extend(arguments.map(|it| self.filled(it, program, config).into()));
        words
    }

    /// The suite's own variables, and its lists, so that a tester of ours need not run what does not count.
    pub(super) fn variables(
        &self,
        check: &TesterCheck,
        program: &Program,
        config: &Config,
    ) -> Vec<(String, String)> {
        let own = check.environment.iter();
        let own = own.map(|(name, value)| (name.clone(), self.filled(value, program, config)));
        let lists = [
            ("CUDACHECK_INCLUDE", &check.include),
            ("CUDACHECK_EXCLUDE", &check.exclude),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        lists
            .map(|(name, list)| (name.to_owned(), patterns(list).join("\n")))
            .chain(own)
            .collect()
    }

    /// A text with its placeholders filled in.
    fn filled(&self, text: &str, program: &Program, config: &Config) -> String {
        let shown = |path: &Path| path.display().to_string();
        let mut text = text.replace("{results}", &shown(&self.results));
        text = text.replace("{tmp}", &shown(&self.private.join("tmp")));
        if let Some(script) = &self.script {
            text = text.replace("{script}", &shown(script));
        }
        if let Some(root) = config.package.first() {
            text = text.replace("{package}", &shown(root));
        }
        for (name, path) in &program.found {
            text = text.replace(&format!("{FIND}{name}}}"), &shown(path));
        }
        text
    }

    /// What the tester wrote; none if it wrote nothing.
    pub(super) fn results(&self) -> Option<Vec<u8>> {
        content(&self.results, RESULTS)
    }

    /// What it printed.
    pub(super) fn printed(&self) -> Option<Vec<u8>> {
        content(&self.log(), PRINTED)
    }
}

/// A tester may have left anything in the place of a file: to open a pipe would take for ever.
fn content(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(open(path, flags, Mode::empty()).ok()?);
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    // What could be read before an error is as good as a torn file.
    file.take(limit).read_to_end(&mut bytes).ok();
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tester(json: &str) -> TesterCheck {
        serde_json::from_str(json).unwrap()
    }

    fn executable(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn a_program_is_looked_for_below_every_root() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        executable(&one.join("bin/python3"));
        executable(&two.join("libexec/test"));
        fs::write(one.join("bin/data"), "").unwrap();
        let roots = [one.clone(), two.clone(), two.join("libexec/test")];
        #[track_caller]
        fn check(json: &str, roots: &[PathBuf], expected: Result<&Path, &str>) {
            let found = program(&tester(json), roots).map(|program| program.path);
            assert_eq!(found.as_deref().map_err(String::as_str), expected);
        }
        let at = |path: &str| format!(r#"{{"program": "{path}", "format": "tap"}}"#);
        check(&at("python3"), &roots, Ok(&one.join("bin/python3")));
        check(&at("libexec/test"), &roots, Ok(&two.join("libexec/test")));
        check(&at("./test"), &roots[2..], Err("./test"));
        check(
            &at("libexec/test"),
            &roots[2..],
            Ok(&two.join("libexec/test")),
        );
        check(&at("bin/nothing"), &roots, Err("bin/nothing"));
        check(&at("bin/data"), &roots, Err("bin/data"));
        check(&at("nothing"), &roots, Err("bin/nothing"));
        check(&at("/bin/sh"), &[], Ok(Path::new("/bin/sh")));
        let finds = r#"{"program": "/bin/sh", "format": "tap", "arguments": ["{find:bin/data}", "{find:bin/x}"]}"#;
        check(finds, &roots, Err("bin/x"));
    }

    #[test]
    fn placeholders_become_paths() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("p");
        executable(&root.join("bin/t"));
        let place = Place::prepare(
            directory.path().join("case"),
            &[("a/b.py", "text"), ("a/c.py", "more")],
        )
        .unwrap();
        let check = tester(
            r#"{"program": "t", "format": "gtest", "scripts": ["a/b.py", "a/c.py"], "arguments": ["{script}", "--at={package}:{tmp}", "{find:bin/t}{1}"],
                "exclude": [{"name": "Slow", "because": "it takes hours"}], "environment": {"A": "{results}"}}"#,
        );
        let mut config = Config::new(PathBuf::new(), directory.path().to_owned());
        config.package = vec![root.clone()];
        let program = program(&check, &config.package).unwrap();
        let top = directory.path().display().to_string();
        let words: Vec<String> = place
            .command(&check, &program, &config)
            .iter()
            .map(|word| word.to_str().unwrap().replace(&top, ""))
            .collect();
        assert_eq!(
            words,
            [
                "/p/bin/t",
                "--gtest_output=xml:/case/private/results.xml",
                "--gtest_filter=*-*Slow*",
                "/case/private/b.py",
                "--at=/p:/case/private/tmp",
                "/p/bin/t{1}",
            ]
        );
        let variables = place.variables(&check, &program, &config);
        let list = ("CUDACHECK_EXCLUDE".to_owned(), "*Slow*".to_owned());
        assert_eq!(variables[0], list);
        assert_eq!(
            variables[1].1.replace(&top, ""),
            "/case/private/results.xml"
        );
        let written = |name: &str| fs::read_to_string(place.private.join(name)).unwrap();
        assert_eq!(
            (written("b.py"), written("c.py")),
            ("text".to_owned(), "more".to_owned())
        );
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.xml");
        assert_eq!(content(&path, 10), None);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(content(&path, 10), None);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(content(&path, 10), None);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "0123456789abc").unwrap();
        assert_eq!(content(&path, 10).unwrap(), b"0123456789");
    }
}
