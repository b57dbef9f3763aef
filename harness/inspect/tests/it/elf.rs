//! What the loader is told, read from a program that is certainly there: the test itself.

use cudacheck_inspect::{Options, inspect};
use cudacheck_model::package::{ElfClass, ExecutableStack, FileKind};

#[test]
fn a_program_is_read_as_its_loader_reads_it() {
    let path = std::env::current_exe().unwrap();
    let facts = inspect(std::slice::from_ref(&path), &Options::default(), &|_| {});
    assert_eq!(facts.warnings, []);
    assert_eq!(facts.files[0].kind, FileKind::Executable);
    let elf = facts.files[0].elf.as_ref().unwrap();
    assert_eq!(
        (elf.class, elf.executable_stack),
        (ElfClass::Elf64, ExecutableStack::No)
    );
    // The names of libc differ, but every one of them is a file, and its versions are asked of a file that is needed.
    assert!(
        elf.needed.iter().any(|name| name.starts_with("libc.")),
        "{:?}",
        elf.needed
    );
    let interpreter = elf.interpreter.as_ref().unwrap();
    assert!(std::path::Path::new(interpreter).is_file(), "{interpreter}");
    for versions in &elf.needed_versions {
        assert!(elf.needed.contains(&versions.file), "{versions:?}");
        assert!(
            !versions.versions.is_empty()
                && versions
                    .versions
                    .iter()
                    .all(|version| version.contains('_'))
        );
    }
    assert_eq!(elf.driver_symbols, [""; 0]);
}
