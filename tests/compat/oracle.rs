//! What a driver's own files say, and that nothing is lost where they say nothing. There is no NVIDIA file here: what
//! real ones say is for `ci/jit-matrix` and `ci/cudart-matrix`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::asked;
use crate::support::cudacheck;

/// What is a driver's directory is not known before it was looked into; what it must hold is said.
#[test]
fn a_directory_without_a_driver_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let ask = |more: &[&str]| {
        let question = ["compat", "12.4", "--driver-files"];
        let words: Vec<&str> = question.iter().chain(more).copied().collect();
        cudacheck(&words)
    };
    let empty = ask(&[place, "--gpu", "sm_89"]);
    assert_eq!(empty.code, 2);
    assert!(
        empty
            .stderr
            .contains("holds neither libcuda.so.1 nor libnvidia-ptxjitcompiler.so.1"),
        "{}",
        empty.stderr
    );
    let missing = ask(&["/nowhere/at/all", "--gpu", "sm_89"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing
            .stderr
            .contains("there is no directory `/nowhere/at/all`"),
        "{}",
        missing.stderr
    );
    assert_eq!(ask(&[place]).code, 2);

    // Files that are no libraries: the answer is that of the tables, and what was wrong is said.
    fs::write(folder.path().join("libcuda.so.1"), "no library").unwrap();
    let broken = ask(&[place, "--gpu", "sm_89", "--driver", "550.54.15"]);
    assert_eq!(broken.code, 0, "{}", broken.stderr);
    assert!(
        broken.stdout.starts_with("supported: "),
        "{}",
        broken.stdout
    );
    assert!(
        broken.stdout.contains("libcuda.so.1` cannot be loaded: "),
        "{}",
        broken.stdout
    );
    let json = ask(&[place, "--gpu", "sm_89", "--driver", "550.54.15", "--json"]);
    let answer: Value = serde_json::from_str(&json.stdout).unwrap();
    let complaints = answer["machine"]["oracle"]["complaints"]
        .as_array()
        .unwrap();
    assert!(!complaints.is_empty(), "{answer:#}");
}

/// An ELF file of nothing but a note, as the libcuda of a forward compatibility package has it.
fn libcuda_with_note(description: &str) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let long = |number: usize| u64::try_from(number).unwrap().to_le_bytes();
    let mut note = [word(19), word(description.len() + 1), word(0)].concat();
    note.extend(b"NVIDIA Corporation\0\0");
    note.extend(description.as_bytes());
    note.push(0);
    let names = b"\0.note.cuda.fwd_compatibility\0.shstrtab\0";
    let (at_note, at_names) = (64, 64 + note.len());
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16] = 3;
    file[18] = 62;
    file[40..48].copy_from_slice(&long(at_names + names.len()));
    file[58] = 64;
    file[60] = 3;
    file[62] = 2;
    file.extend(&note);
    file.extend(names);
    let sections = [
        [0; 4],
        [1, 7, at_note, note.len()],
        [30, 3, at_names, names.len()],
    ];
    for [name, kind, at, size] in sections {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&word(name));
        header[4..8].copy_from_slice(&word(kind));
        header[24..32].copy_from_slice(&long(at));
        header[32..40].copy_from_slice(&long(size));
        file.extend(header);
    }
    file
}

#[test]
fn the_note_of_a_forward_compatibility_package_says_beside_which_drivers_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let note = r#"{"format":1,"CUDA version":"13.1","driver":[535,550,570],"device":[1,2]}"#;
    fs::write(
        folder.path().join("libcuda.so.590.44.01"),
        libcuda_with_note(note),
    )
    .unwrap();
    let link = folder.path().join("libcuda.so.1");
    std::os::unix::fs::symlink("libcuda.so.590.44.01", link).unwrap();
    let ask = |driver: &str| {
        let words = ["compat", "13.1", "--targets", "sm_80", "--gpu", "A100"];
        let machine = ["--driver", driver, "--driver-files", place];
        asked(&words.iter().chain(&machine).copied().collect::<Vec<_>>())
    };
    // NVIDIA's matrix does not list this branch.
    let (answer, code) = ask("550.54.15");
    let device = &answer["devices"][0];
    assert_eq!(device["rule"], "oracle-forward", "{answer:#}");
    assert_eq!((device["verdict"].as_str(), code), (Some("limited"), 0));
    let branches = &answer["machine"]["oracle"]["forward"]["branches"];
    assert_eq!(branches, &serde_json::json!([535, 550, 570]));
    let (answer, code) = ask("560.35.03");
    assert_eq!(answer["devices"][0]["rule"], "oracle-forward", "{answer:#}");
    assert_eq!(code, 1);
    // Files older than the kernel's driver are no such package.
    let older = ["compat", "13.1", "--gpu", "A100", "--driver", "595.58.03"];
    let older = cudacheck(older.iter().chain(&["--driver-files", place]));
    assert_eq!(older.code, 2, "{}", older.stdout);
}

/// The same on this machine, with variables set.
#[expect(
    clippy::disallowed_methods,
    reason = "what the environment does is what is tested here"
)]
fn asked_with(variables: &[(&str, &str)], arguments: &[&str]) -> Value {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cudacheck"))
        .args(arguments.iter().chain(&["--json"]))
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn this_machine_is_asked_unless_that_is_forbidden() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    // What programs on this machine would load, whether it has a driver of its own or not.
    fs::write(folder.path().join("libcuda.so.1"), "no library").unwrap();
    let path = [("LD_LIBRARY_PATH", place)];
    let complained = |answer: &Value| {
        let complaints = answer["machine"]["oracle"]["complaints"].to_string();
        complaints.contains("cannot be loaded")
    };
    let question = ["compat", "12.4", "--targets", "sm_80"];
    let answer = asked_with(&path, &question);
    assert!(complained(&answer), "{answer:#}");
    let set = &answer["machine"]["variables"][0];
    assert_eq!(set["name"], "LD_LIBRARY_PATH", "{answer:#}");
    let never = [&question[..], &["--oracle=never"]].concat();
    let answer = asked_with(&path, &never);
    assert_eq!(answer["machine"]["oracle"], Value::Null, "{answer:#}");
    // A machine that is named is another one, and nothing of this one is asked or said.
    let named = [&question[..], &["--gpu", "A100", "--driver", "550.54.15"]].concat();
    let answer = asked_with(&path, &named);
    assert_eq!(answer["machine"]["oracle"], Value::Null, "{answer:#}");
    assert_eq!(answer["machine"]["variables"], Value::Null, "{answer:#}");
    let always = [&named[..], &["--oracle"]].concat();
    let refused = cudacheck(&always);
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(
        refused.stderr.contains("another machine is named"),
        "{}",
        refused.stderr
    );
}

/// A shared library that cargo has built beside the binary under test, or in its directory `deps`.
fn built(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_BIN_EXE_cudacheck")).parent().unwrap();
    let places = [directory.join(name), directory.join("deps").join(name)];
    let newest = places
        .iter()
        .filter_map(|place| Some((fs::metadata(place).ok()?.modified().ok()?, place)))
        .max();
    newest.expect("cargo builds it for these tests").1.clone()
}

/// A libcudart is opened and called in a worker. The driver that it finds says of itself that it is none: then its
/// answer, which is the same as to an old driver, is nothing to go by.
#[test]
fn a_libcudart_that_finds_no_driver_leaves_the_answer_to_the_tables() {
    let (package, driver) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let libcudart = package.path().join("libcudart.so.12");
    fs::copy(built("libcudacheck_stand_ins.so"), &libcudart).unwrap();
    let libcuda = driver.path().join("libcuda.so.1");
    fs::copy(built("libcudacheck_simulator.so"), libcuda).unwrap();
    let (package, driver) = (
        package.path().to_str().unwrap(),
        driver.path().to_str().unwrap(),
    );
    let words = ["compat", package, "--toolkit", "12.9", "--gpu", "A100"];
    let machine = ["--driver", "550.54.15", "--driver-files", driver];
    let words: Vec<&str> = words.iter().chain(&machine).copied().collect();
    let (answer, code) = asked(&words);
    assert_eq!(code, 0, "{answer:#}");
    assert_eq!(answer["devices"][0]["rule"], "minor-compat", "{answer:#}");
    let oracle = &answer["machine"]["oracle"];
    let complaint =
        "the package's libcudart.so.12 found no driver, so that it says nothing about one";
    let complaints = oracle["complaints"].as_array().unwrap();
    assert!(complaints.contains(&Value::from(complaint)), "{oracle:#}");
    let found = oracle["runtime"]["found"].as_str().unwrap_or_default();
    assert!(
        found.starts_with(driver) && found.ends_with("libcuda.so.1"),
        "{oracle:#}"
    );
    assert_eq!(oracle["runtime"]["version"], "12.9", "{oracle:#}");
}
