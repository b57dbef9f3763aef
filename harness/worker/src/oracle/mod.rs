//! Asks a driver's files what they would do, without a device and without `cuInit`.
//!
//! The compiler may hang or crash on PTX that it does not know. So everything known is told before the next
//! question is put; whoever reads the journal sees which one was the last.

mod ffi;
mod note;
mod runtime;

use std::fs;

use cudacheck_model::journal::Stage;
use cudacheck_model::oracle::{JitAnswer, JitQuestion, JitVerdict, OracleAnswer};
use cudacheck_model::task::{DriverFiles, OracleModule, OracleWork};
use cudacheck_model::version::ToolkitVersion;

use crate::driver::Driver;
use crate::journal::Journal;
use ffi::{Compiler, Failed};

pub(crate) fn ask(journal: &Journal, files: &DriverFiles, work: &OracleWork) {
    let mut answer = OracleAnswer::default();
    journal.stage(Stage::LoadLibrary);
    if let Some(path) = &work.runtime {
        runtime::ask(path, files.libcuda.as_deref(), &mut answer);
        return journal.oracle(&answer);
    }
    if let Some(path) = &files.libcuda {
        match note::read(path) {
            Ok(note) => answer.forward = note,
            Err(reason) => answer.complaints.push(format!(
                "the note on forward compatibility of `{}` cannot be read: {reason}",
                path.display()
            )),
        }
    }
    // The driver's library first: the compiler is asked even where it cannot be loaded.
    match cuda(files) {
        Ok(cuda) => answer.cuda = cuda,
        Err(complaint) => answer.complaints.push(complaint),
    }
    journal.oracle(&answer);
    if let Some(path) = work
        .compiler
        .as_ref()
        .filter(|_| !work.questions.is_empty())
    {
        match Compiler::open(path) {
            Ok(compiler) => {
                journal.stage(Stage::Module);
                for question in &work.questions {
                    match judge(&compiler, *question, &work.modules) {
                        Ok(verdict) => answer.jit.push(JitAnswer {
                            question: *question,
                            verdict,
                        }),
                        Err(complaint) => answer.complaints.push(complaint),
                    }
                    answer.dealt_with += 1;
                    journal.oracle(&answer);
                }
            }
            Err(reason) => answer.complaints.push(format!(
                "the driver's compiler `{}` cannot be loaded: {reason}",
                path.display()
            )),
        }
    }
    journal.oracle(&answer);
}

fn cuda(files: &DriverFiles) -> Result<Option<ToolkitVersion>, String> {
    let Some(path) = &files.libcuda else {
        return Ok(None);
    };
    let driver = Driver::open(path)
        .map_err(|reason| format!("`{}` cannot be loaded: {reason}", path.display()))?;
    let version = driver.version().map_err(|error| error.to_string())?;
    // 0 is the answer of a stub that has no driver to ask.
    let version = u32::try_from(version).ok().filter(|version| *version > 0);
    Ok(version.map(ToolkitVersion::from_api))
}

fn judge(
    compiler: &Compiler,
    question: JitQuestion,
    modules: &[OracleModule],
) -> Result<JitVerdict, String> {
    let module = modules.iter().find(|module| module.question == question);
    let source = match module {
        None => question.source(),
        Some(OracleModule { path, .. }) => fs::read_to_string(path).map_err(|error| {
            format!(
                "the package's PTX in `{}` cannot be read: {error}",
                path.display()
            )
        })?,
    };
    match compiler.compile(&source, &question.option()) {
        Ok(()) => Ok(JitVerdict::Accepted),
        Err(Failed::Refused { status, log }) => Ok(JitVerdict::Refused { status, log }),
        Err(Failed::NotAsked(reason)) => Err(format!(
            "the driver's compiler was not asked about {question}: {reason}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cudacheck_model::journal::{self, Record};
    use std::path::PathBuf;

    #[track_caller]
    fn check(libcuda: Option<&str>, compiler: Option<&str>, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::open(&path, "t").unwrap();
        let files = DriverFiles {
            libcuda: libcuda.map(PathBuf::from),
            nvml: None,
        };
        let question = JitQuestion {
            isa: "8.0".parse().unwrap(),
            target: "sm_80".parse().unwrap(),
            device: "8.6".parse().unwrap(),
        };
        let work = OracleWork {
            compiler: compiler.map(PathBuf::from),
            questions: vec![question],
            modules: Vec::new(),
            runtime: None,
        };
        ask(&journal, &files, &work);
        let text = std::fs::read_to_string(&path).unwrap();
        let Some(Record::Oracle(answer)) = journal::read(&text, "t").pop().map(|last| last.record)
        else {
            panic!("the last record is no answer: {text}");
        };
        assert_eq!((answer.cuda, answer.jit), (None, Vec::new()));
        assert_eq!(answer.complaints.len(), expected.len(), "{text}");
        for (complaint, expected) in answer.complaints.iter().zip(expected) {
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        check(None, None, &[]);
        check(
            Some("/nowhere/libcuda.so.1"),
            None,
            &[
                "the note on forward compatibility of `/nowhere/libcuda.so.1` cannot be read: ",
                "`/nowhere/libcuda.so.1` cannot be loaded: ",
            ],
        );
        check(
            None,
            Some("/nowhere/libnvidia-ptxjitcompiler.so.1"),
            &["the driver's compiler `/nowhere/libnvidia-ptxjitcompiler.so.1` cannot be loaded: "],
        );
    }
}
