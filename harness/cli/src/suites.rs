//! Finds suites by name or path and reads them, so that all complaints of all files come at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cudacheck_kernels::Kernel;
use cudacheck_model::catalogue::{AttributeNeed, Catalogue, KernelNeeds};
use cudacheck_model::suite::{self, Complaint, MAX_SUITE_BYTES, Suite, nearest};

use crate::failure::Failure;
use crate::scripts::{self, Origin, Scripts};

/// A path and a text for each name of a file in `suites/`.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$((
            concat!("suites/", $name, ".yaml"),
            include_str!(concat!("../../../suites/", $name, ".yaml")),
        )),*]
    };
}

/// The suites that are part of the binary, by the path they have in the repository.
const SHIPPED: &[(&str, &str)] = shipped![
    "kernels",
    "linkage",
    "cublas",
    "cublaslt",
    "cudart",
    "cudnn",
    "cudss",
    "cufft",
    "cupti",
    "cupy",
    "curand",
    "cusolver",
    "cusparse",
    "cutensor",
    "ffmpeg",
    "jax",
    "magma",
    "magma-library",
    "nccl",
    "npp",
    "nvinfer",
    "nvjitlink",
    "nvjpeg",
    "nvrtc",
    "opencv",
    "opencv-library",
    "pytorch",
    "tensorflow",
    "tensorrt",
    "toolkit",
    "xgboost",
];

/// Suites, and how to ask for them again.
pub(crate) struct Loaded {
    pub(crate) suites: Vec<Suite>,
    /// The word that named each suite, by the suite's own name.
    pub(crate) words: BTreeMap<String, String>,
    /// What the suites hand to testers.
    pub(crate) scripts: Scripts,
}

/// Reads suites by name or path; all shipped ones if no word is given.
///
/// # Errors
///
/// Every complaint about every file, or the first unknown name.
pub(crate) fn load(words: &[String], catalogue: &Catalogue) -> Result<Loaded, Failure> {
    let shipped: Vec<String> = SHIPPED.iter().map(|(path, _)| name(path)).collect();
    let words = if words.is_empty() { &shipped } else { words };
    let sources = words
        .iter()
        .map(|word| Ok((word, source(word)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut suites: Vec<Suite> = Vec::new();
    let mut asked = BTreeMap::new();
    let mut all_scripts = Scripts::new();
    let mut complaints = Vec::new();
    for (word, source) in sources {
        match source.and_then(|(path, text)| {
            let suite = suite::read(&path, &text, catalogue)?;
            let scripts = scripts::of(&suite, origin(word, &path))?;
            Ok((path, suite, scripts))
        }) {
            Ok((path, suite, _)) if suites.iter().any(|other| other.name == suite.name) => {
                let message = format!("a suite named `{}` was given before", suite.name);
                complaints.push(Complaint {
                    file: path,
                    place: None,
                    message,
                    hint: None,
                });
            }
            Ok((_, suite, scripts)) => {
                all_scripts.extend(scripts);
                asked.insert(suite.name.clone(), word.clone());
                suites.push(suite);
            }
            Err(more) => complaints.extend(more),
        }
    }
    if complaints.is_empty() {
        Ok(Loaded {
            suites,
            words: asked,
            scripts: all_scripts,
        })
    } else {
        Err(Failure::Suites(complaints))
    }
}

/// A shipped suite is named by a word that is no path.
fn origin<'a>(word: &str, path: &'a Path) -> Origin<'a> {
    if SHIPPED.iter().any(|(path, _)| name(path) == word) {
        Origin::Shipped
    } else {
        Origin::File(path)
    }
}

/// A file's path and text, or what is wrong with reading it.
pub(crate) type Source = Result<(PathBuf, String), Vec<Complaint>>;

/// What a shipped suite is called: the stem of its path.
fn name(path: &str) -> String {
    Path::new(path)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default()
        .to_owned()
}

fn source(word: &str) -> Result<Source, Failure> {
    if let Some((path, text)) = SHIPPED.iter().find(|(path, _)| name(path) == word) {
        return Ok(Ok((PathBuf::from(path), (*text).to_owned())));
    }
    let path = Path::new(word);
    let looks_like_a_path = word.contains('/') || path.extension().is_some();
    if !looks_like_a_path && !path.exists() {
        let names: Vec<String> = SHIPPED.iter().map(|(path, _)| name(path)).collect();
        let nearest = nearest(word, names.iter().map(String::as_str)).map(str::to_owned);
        return Err(Failure::UnknownSuite {
            name: word.to_owned(),
            nearest,
        });
    }
    Ok(read(path))
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Source {
    let file = path.to_owned();
    match text(path, MAX_SUITE_BYTES) {
        Ok(text) => Ok((file, text)),
        Err(message) => Err(vec![Complaint {
            file,
            place: None,
            message,
            hint: None,
        }]),
    }
}

/// The text of a user's file of at most `limit` bytes, or what is wrong with it, as the end of a sentence about it.
pub(crate) fn text(path: &Path, limit: u64) -> Result<String, String> {
    let unreadable = |error| format!("cannot be read: {error}");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    if metadata.len() > limit {
        return Err(format!(
            "has {} bytes, at most {limit} are allowed",
            metadata.len()
        ));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8: {}", error.utf8_error()))
}

/// The paths and texts of the shipped suites.
pub(crate) fn shipped() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHIPPED.iter().copied()
}

/// The kernels as the planner sees them.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue {
        kernels: cudacheck_kernels::all().map(needs).collect(),
    }
}

fn needs(kernel: &Kernel) -> KernelNeeds {
    let header = kernel.header();
    KernelNeeds {
        name: kernel.name.to_owned(),
        summary: kernel.summary.to_owned(),
        isa: header.isa,
        target: header.target,
        attributes: kernel
            .needs
            .iter()
            .map(|need| AttributeNeed {
                number: need.attribute as i32,
                name: need.attribute.label().to_owned(),
                at_least: need.at_least,
            })
            .collect(),
    }
}
