//! `cudacheck inspect`: what GPU code does a package contain, and what will it need at run time?

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_inspect::finding::{self, Question};
use cudacheck_inspect::resolve::{LoaderContext, resolve};
use cudacheck_inspect::{Options, Search};
use cudacheck_model::compat::{find_gpu, tables};
use cudacheck_model::finding::{Finding, Severity};
use cudacheck_model::package::{Coverage, PackageFacts, coverage};
use cudacheck_model::version::ComputeCapability;
use cudacheck_report::inspection::{Asked, Detail, Inspection, inspection_text};
use cudacheck_report::progress::{Draw, Files};
use cudacheck_runner::tool;
use schemars::JsonSchema;
use serde::Serialize;

use super::probe;
use crate::arguments::InspectArguments;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output;

/// The schema number of the answer as JSON.
const INSPECTION_SCHEMA: u32 = 1;

/// How long Nix may take to name a closure.
const NIX_LIMIT: Duration = Duration::from_secs(60);

/// The answer as JSON; `cudacheck inspect --schema` describes it.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Answer<'a> {
    schema: u32,
    coverage: Vec<DeviceCoverage>,
    findings: &'a [Finding],
    package: &'a PackageFacts,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
struct DeviceCoverage {
    compute_capability: ComputeCapability,
    products: String,
    coverage: Coverage,
}

pub(crate) fn inspect(
    arguments: &InspectArguments,
    environment: &Environment,
) -> Result<u8, Failure> {
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Answer<'_>));
        return output::data(&(schema.unwrap_or_default() + "\n")).map(|()| 0);
    }
    for path in &arguments.paths {
        if let Err(error) = std::fs::symlink_metadata(path) {
            let message = format!("`{}` cannot be read: {error}", path.display());
            return Err(Failure::Question {
                message,
                hint: None,
            });
        }
    }
    let devices = devices(&arguments.gpus)?;
    let paths = if arguments.closure {
        closure(&arguments.paths)?
    } else {
        arguments.paths.clone()
    };
    let search = if arguments.sections_only {
        Search::FatbinSections
    } else {
        Search::Everywhere
    };
    if let Some(into) = &arguments.extract {
        return extract(&paths, search, into);
    }
    let options = Options {
        search,
        ..Options::default()
    };
    let facts = {
        let draw = if environment.terminal {
            Draw::Stderr
        } else {
            Draw::Nothing
        };
        let bar = Files::new(draw);
        cudacheck_inspect::inspect(&paths, &options, &|progress| {
            bar.read(progress.files, progress.of);
        })
    };
    let context = LoaderContext {
        sysroot: arguments.sysroot.clone(),
        ..LoaderContext::default()
    };
    let question = Question {
        platform: arguments.platform,
        expected: arguments.expect.clone(),
    };
    let findings = finding::findings(&facts, &resolve(&facts, &context), &question);

    if arguments.json {
        let coverage = devices.iter().map(|asked| DeviceCoverage {
            compute_capability: asked.capability,
            products: asked.products.clone(),
            coverage: coverage(facts.code(), asked.capability, None),
        });
        let answer = Answer {
            schema: INSPECTION_SCHEMA,
            coverage: coverage.collect(),
            findings: &findings,
            package: &facts,
        };
        let text = serde_json::to_string_pretty(&answer).unwrap_or_default();
        output::data(&(text + "\n"))?;
    } else {
        let inspection = Inspection {
            facts: &facts,
            findings: &findings,
            devices: &devices,
            detail: if arguments.verbose {
                Detail::Everything
            } else {
                Detail::Files
            },
        };
        output::data(&inspection_text(&inspection))?;
    }
    let fails = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    Ok(u8::from(fails))
}

/// The devices that are named, or all that have a product, each capability once.
fn devices(names: &[String]) -> Result<Vec<Asked>, Failure> {
    if names.is_empty() {
        let generations = tables::gpus().capabilities.iter();
        let asked = generations.map(|generation| asked(generation.capability));
        return Ok(asked.filter(|asked| !asked.products.is_empty()).collect());
    }
    let find = |name: &String| match find_gpu(name) {
        Ok(gpu) => Ok(asked(gpu.capability)),
        Err(error) => Err(Failure::Question {
            message: error.to_string(),
            hint: (!error.nearest.is_empty())
                .then(|| format!("did you mean one of {}?", error.nearest.join(", "))),
        }),
    };
    names.iter().map(find).collect()
}

/// A capability with the first products that have it.
fn asked(capability: ComputeCapability) -> Asked {
    let products = tables::gpus().products.iter();
    let names = products
        .filter(|product| product.capability == capability)
        .flat_map(|product| &product.names);
    Asked {
        capability,
        products: names.take(3).cloned().collect::<Vec<_>>().join(", "),
    }
}

/// The given store paths and everything that they refer to.
pub(crate) fn closure(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let directory = tempfile::Builder::new()
        .prefix("cudacheck-closure-")
        .tempdir()
        .map_err(|source| Failure::File {
            action: "make a directory in",
            path: std::env::temp_dir(),
            source,
        })?;
    let words = ["nix-store", "--query", "--requisites"].map(OsString::from);
    let command = words
        .into_iter()
        .chain(paths.iter().map(OsString::from))
        .collect();
    let executable = probe::executable()?;
    let asked = tool::ask(&executable, command, directory.path(), NIX_LIMIT);
    let answer = probe::runtime()?
        .block_on(asked)
        .map_err(|error| Failure::Question {
            message: error.to_string(),
            hint: Some(
                "without Nix, name every path of the closure instead of --closure".to_owned(),
            ),
        })?;
    // Its warnings stand between its answers.
    let paths = answer.lines().filter(|line| line.starts_with('/'));
    Ok(paths.map(PathBuf::from).collect())
}

fn extract(paths: &[PathBuf], search: Search, into: &Path) -> Result<u8, Failure> {
    let done = cudacheck_inspect::extract(paths, search, into).map_err(|source| Failure::File {
        action: "write to",
        path: into.to_owned(),
        source,
    })?;
    for warning in &done.warnings {
        output::people(&format!(
            "warning: {}: {}\n",
            warning.file.display(),
            warning.message
        ));
    }
    output::people(&format!(
        "{} files with {} bytes in {}\n",
        done.files,
        done.bytes,
        into.display()
    ));
    Ok(u8::from(!done.warnings.is_empty()))
}
