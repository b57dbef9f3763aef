//! Tables of what could be run: suites, cases, kernels. They need no GPU.

use std::fmt::Display;

use cudacheck_model::catalogue::{Catalogue, KernelNeeds};
use cudacheck_model::library::{Library, TestNeeds};
use cudacheck_model::suite::{CapabilityBounds, Case, Check, Platform, Requires, Suite};

use crate::{text, words};

/// Columns of a table.
const WIDTH: usize = 100;

/// Suites with the number of their cases, for `list`.
pub fn suites(suites: &[Suite]) -> String {
    let rows = suites.iter().map(|suite| {
        let cases = words::count(suite.cases.len(), "case");
        let package = suite
            .package
            .as_ref()
            .map(|package| format!("{} · ", package.name))
            .unwrap_or_default();
        let needs = joined(&requirements(&suite.requires));
        let needs = if needs.is_empty() {
            needs
        } else {
            format!(" · needs {needs}")
        };
        vec![
            suite.name.clone(),
            cases,
            format!("{package}{}{needs}", suite.summary),
        ]
    });
    table(&rows.collect::<Vec<_>>())
}

/// Cases with their check and what they need, for `list` with a suite.
pub fn cases(suites: &[Suite], catalogue: &Catalogue) -> String {
    let rows = suites.iter().flat_map(|suite| {
        let cases = suite.cases.iter();
        cases.map(|case| {
            vec![
                suite.name.clone(),
                case.name.clone(),
                check(&case.check),
                needs(suite, case, catalogue),
            ]
        })
    });
    table(&rows.collect::<Vec<_>>())
}

/// Kernels with what they need, for `list --kernels`.
pub fn kernels(catalogue: &Catalogue) -> String {
    let rows = catalogue.kernels.iter().map(|kernel| {
        let needs = joined(&attributes(kernel));
        let needs = if needs.is_empty() {
            needs
        } else {
            format!(" · needs {needs}")
        };
        let isa = format!("PTX {}", kernel.isa);
        vec![
            kernel.name.clone(),
            kernel.target.to_string(),
            isa,
            format!("{}{needs}", kernel.summary),
        ]
    });
    table(&rows.collect::<Vec<_>>())
}

/// Libraries with their tests and the SONAMEs that are known, for `list --libraries`.
pub fn libraries(libraries: &[Library]) -> String {
    let rows = libraries.iter().flat_map(|library| {
        let card = library.card();
        let head = vec![
            library.to_string(),
            String::new(),
            format!("knows {}", card.sonames.join(", ")),
        ];
        let tests = card.tests.iter().map(|test| {
            let needs = match test.needs {
                TestNeeds::Nothing => "",
                TestNeeds::Device => " · needs a device",
            };
            vec![
                String::new(),
                test.name.to_owned(),
                format!("{}{needs}", test.summary),
            ]
        });
        std::iter::once(head).chain(tests)
    });
    table(&rows.collect::<Vec<_>>())
}

/// The answer of `validate`, and the suites that it is about.
pub fn valid(suites: &[Suite]) -> String {
    let cases: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let verb = if suites.len() == 1 { "is" } else { "are" };
    let answer = format!(
        "{} with {} {verb} valid",
        words::count(suites.len(), "suite"),
        words::count(cases, "case")
    );
    format!("{answer}\n{}", self::suites(suites))
}

/// Names with what they mean: profiles, faults.
pub fn pairs(rows: &[(String, String)]) -> String {
    let rows = rows
        .iter()
        .map(|(name, meaning)| vec![name.clone(), meaning.clone()]);
    table(&rows.collect::<Vec<_>>())
}

fn check(check: &Check) -> String {
    match check {
        Check::Kernel(kernel) => format!("kernel {}", kernel.name),
        Check::Linkage(linkage) => match linkage.flaw {
            Some(flaw) => format!("linkage {flaw}"),
            None => "linkage".to_owned(),
        },
        Check::Library(library) => match &library.test {
            Some(test) => format!("{} {} {test}", library.name, library.stage),
            None => format!("{} {}", library.name, library.stage),
        },
        Check::Tester(tester) => match tester.scripts.first() {
            Some(script) => format!("tester {} {script}", tester.program),
            None => format!("tester {}", tester.program),
        },
    }
}

/// What a case needs: its suite's requirements, its own, and its kernel's.
fn needs(suite: &Suite, case: &Case, catalogue: &Catalogue) -> String {
    let mut needs = requirements(&suite.requires);
    needs.extend(case.requires.iter().flat_map(requirements));
    match &case.check {
        Check::Kernel(kernel) => needs.extend(
            catalogue
                .kernel(&kernel.name)
                .into_iter()
                .flat_map(kernel_needs),
        ),
        Check::Linkage(_) => needs.push("a package".to_owned()),
        Check::Library(library) => {
            needs.push(format!("a package with {}", library.name));
            needs.extend(library.needs_device().then(|| "a device".to_owned()));
        }
        Check::Tester(tester) => {
            let file = tester.needed_file();
            needs.extend(file.map(|file| format!("a package with {file}")));
            needs.extend(tester.needs_device().then(|| "a device".to_owned()));
        }
    }
    let expected = case
        .expected_failure
        .as_ref()
        .map(|expected| format!("expected to fail: {}", expected.because));
    needs.extend(expected);
    joined(&needs)
}

fn kernel_needs(kernel: &KernelNeeds) -> Vec<String> {
    let mut needs = vec![kernel.target.to_string(), format!("PTX {}", kernel.isa)];
    needs.extend(attributes(kernel));
    needs
}

fn attributes(kernel: &KernelNeeds) -> Vec<String> {
    let attributes = kernel.attributes.iter().map(|need| match need.at_least {
        1 => need.name.clone(),
        least => format!("{} >= {least}", need.name),
    });
    attributes.collect()
}

fn requirements(requires: &Requires) -> Vec<String> {
    let at_least =
        |what: &str, value: Option<&dyn Display>| value.map(|value| format!("{what} >= {value}"));
    let driver = requires
        .driver
        .as_ref()
        .map(|driver| driver as &dyn Display);
    let cuda = requires.cuda.as_ref().map(|cuda| cuda as &dyn Display);
    let platforms: Vec<&str> = requires
        .platform
        .iter()
        .map(|platform| platform_name(*platform))
        .collect();
    let parts = [
        at_least("driver", driver),
        at_least("CUDA", cuda),
        requires.compute_capability.as_ref().and_then(bounds),
        (!platforms.is_empty()).then(|| platforms.join(" or ")),
        requires.memory_mib.map(|mib| format!("{mib} MiB")),
        requires
            .devices
            .map(|devices| words::count(devices, "device")),
    ];
    parts.into_iter().flatten().collect()
}

fn bounds(bounds: &CapabilityBounds) -> Option<String> {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => Some(format!("compute capability {min} to {max}")),
        (Some(min), None) => Some(format!("compute capability >= {min}")),
        (None, Some(max)) => Some(format!("compute capability <= {max}")),
        (None, None) => None,
    }
}

fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::LinuxX86_64 => "linux-x86_64",
        Platform::LinuxSbsa => "linux-sbsa",
        Platform::LinuxAarch64 => "linux-aarch64",
        Platform::LinuxPpc64le => "linux-ppc64le",
    }
}

fn joined(parts: &[String]) -> String {
    parts.join(", ")
}

/// Rows of equal length, aligned; the last column is wrapped, never cut.
fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(text::one_line).collect())
        .collect();
    let Some(columns) = rows.first().map(Vec::len) else {
        return String::new();
    };
    let fixed = columns.saturating_sub(1);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..fixed).map(width).collect();
    let indent: usize = widths.iter().map(|width| width + 2).sum();
    let mut text = String::new();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}  "));
        let mut prefix: String = cells.collect();
        // Names may leave little room; then lines are longer, since a word in each line helps nobody.
        for line in text::wrapped(&row[fixed], WIDTH.saturating_sub(indent).max(30)) {
            text += format!("{prefix}{line}").trim_end();
            text.push('\n');
            prefix = " ".repeat(indent);
        }
    }
    text
}
