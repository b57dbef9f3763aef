//! The README shows real output: every example that begins with `$ cudacheck` is run and compared.

use std::fs;

use crate::support::{cudacheck, hide_run, repository};

/// The commands of the README and what it says that they print.
fn examples(readme: &str) -> Vec<(Vec<String>, String)> {
    let blocks = readme.split("```").skip(1).step_by(2);
    let shown = blocks.filter_map(|block| block.trim().strip_prefix("$ cudacheck "));
    let example = |text: &str| {
        let (command, output) = text.split_once('\n').unwrap_or((text, ""));
        (
            command.split_whitespace().map(str::to_owned).collect(),
            output.to_owned(),
        )
    };
    shown.map(example).collect()
}

#[test]
fn every_example_of_the_readme_is_what_the_command_prints() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let examples = examples(&readme);
    assert!(!examples.is_empty());
    for (command, shown) in examples {
        let ran = cudacheck(&command);
        // Answers go to stdout, everything else that people read to stderr; no example has both.
        let printed = ran.stdout + &ran.stderr;
        assert_eq!(
            hide_run(&printed).trim_end(),
            hide_run(&shown).trim_end(),
            "{command:?}"
        );
    }
}
