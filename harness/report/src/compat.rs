//! Says whether a package will run, for people: the verdict first, then the rules with their numbers, then what to do.

mod tables;

pub use tables::tables;

use cudacheck_model::compat::tables::Confidence;
use cudacheck_model::compat::{
    Answer, DeviceAnswer, ErrorCode, GpuNeeds, MachineSummary, Needs, PackageSummary, Verdict,
};
use cudacheck_model::oracle::ForwardNote;
use cudacheck_model::version::DriverVersion;

use crate::text;

/// The answer; its first line is the verdict.
pub fn answer_text(answer: &Answer) -> String {
    let mut lines = Lines::default();
    lines.first(&format!("{}: {}", answer.verdict.word(), answer.sentence));
    package(&mut lines, &answer.package);
    machine(&mut lines, answer);
    told(&mut lines, &answer.machine);
    for device in &answer.devices {
        self::device(&mut lines, device, answer.devices.len());
    }
    lines.text
}

fn package(lines: &mut Lines, package: &PackageSummary) {
    let toolkit = match (package.toolkit.at_least, package.toolkit.at_most) {
        (None, None) => "built with an unknown toolkit".to_owned(),
        _ => format!("built with toolkit {}", package.toolkit),
    };
    let code = match package.code.as_deref() {
        None => "GPU code not known".to_owned(),
        Some([]) => "no GPU code".to_owned(),
        Some(code) => code.join(", "),
    };
    let name = if package.name.starts_with("toolkit ") {
        String::new()
    } else {
        format!("{} · ", package.name)
    };
    lines.put("package", &format!("{name}{toolkit} · {code}"));
    for note in &package.notes {
        lines.put("", note);
    }
}

fn machine(lines: &mut Lines, answer: &Answer) {
    let machine = &answer.machine;
    let known = machine.cuda.at_least.is_some() || machine.cuda.at_most.is_some();
    let parts = [
        machine
            .jetpack
            .as_ref()
            .map(|jetpack| format!("JetPack {jetpack}")),
        machine
            .driver
            .as_ref()
            .map(|driver| format!("driver {driver}")),
        known.then(|| format!("supports CUDA {} and PTX {}", machine.cuda, machine.ptx)),
        machine
            .compat
            .map(|cuda| format!("with a compatibility package for CUDA {cuda}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        lines.put("machine", &parts.join(" · "));
    }
}

/// What was found beside the versions: variables that are set, and what a driver's files said or would not say.
fn told(lines: &mut Lines, machine: &MachineSummary) {
    for variable in &machine.variables {
        let (name, value, effect) = (&variable.name, &variable.value, &variable.effect);
        lines.put("variable", &format!("{name}={value}: {effect}"));
    }
    let Some(oracle) = &machine.oracle else {
        return;
    };
    // Every newer driver has such a note; it matters where its libcuda runs beside another kernel module.
    if let Some(note) = oracle.forward.as_ref().filter(|_| machine.compat.is_some()) {
        lines.put("note", &forward(note));
    }
    for complaint in &oracle.complaints {
        lines.put("not asked", complaint);
    }
}

fn forward(note: &ForwardNote) -> String {
    let list = |numbers: &[u32]| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        numbers.join(", ")
    };
    let cuda = match note.cuda {
        Some(cuda) => format!("CUDA {cuda}"),
        None => "no CUDA version".to_owned(),
    };
    let branches = if note.branches.is_empty() {
        "no branches of the kernel's driver".to_owned()
    } else {
        format!("branches {} of the kernel's driver", list(&note.branches))
    };
    let devices = if note.devices.is_empty() {
        String::new()
    } else {
        let devices = list(&note.devices);
        format!(", and kinds of devices {devices}, which NVIDIA does not explain")
    };
    format!("the libcuda that was asked names {cuda}, {branches}{devices}")
}

fn device(lines: &mut Lines, device: &DeviceAnswer, of: usize) {
    if of > 1 {
        lines.text.push('\n');
        let gpu = device.gpu.as_ref();
        let label = gpu.map_or_else(|| "any GPU".to_owned(), |gpu| gpu.label());
        let ordinal = gpu.and_then(|gpu| gpu.ordinal);
        let label = ordinal.map_or(label.clone(), |ordinal| {
            format!("device {ordinal}, {label}")
        });
        lines.first(&format!(
            "{label}: {}: {}",
            device.verdict.word(),
            device.sentence
        ));
    }
    for step in &device.steps {
        lines.put("rule", &format!("{}: {}", step.rule.key(), step.text));
        let sureness = match step.confidence {
            Confidence::High => None,
            Confidence::Medium => Some("fairly sure"),
            Confidence::Low => Some("not sure"),
        };
        match (sureness, &step.doubt) {
            (Some(sureness), Some(doubt)) => lines.put("", &format!("({sureness}: {doubt})")),
            (Some(sureness), None) => {
                lines.put("", &format!("({sureness}: the table's entry is marked so)"))
            }
            (None, _) => {}
        }
    }
    if let Some(error) = &device.error {
        let deciding = device.steps.iter().find(|step| step.rule == device.rule);
        let others = deciding.iter().flat_map(|step| &step.other_errors);
        let all: Vec<String> = [error].into_iter().chain(others).map(error_name).collect();
        lines.put("error", &all.join(", or "));
        if let Some(hint) = explained(error) {
            lines.put("", &hint);
        }
    }
    for remedy in &device.remedies {
        lines.put("remedy", remedy);
    }
}

fn error_name(error: &ErrorCode) -> String {
    format!("{} ({})", error.name, error.code)
}

fn explained(error: &ErrorCode) -> Option<String> {
    Some(format!("cudacheck explain {}", error.name))
}

/// What a package needs, as a table: branches of the driver across, GPUs down.
pub fn needs_text(needs: &Needs) -> String {
    let rows = rows(needs);
    let widths = widths(&rows);
    let mut text = format!("{}\n", headline(needs));
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text += &format!("{}\n", line.trim_end());
    }
    text + &remarks(needs)
}

/// The same table in Markdown.
pub fn needs_markdown(needs: &Needs) -> String {
    let mut rows = rows(needs).into_iter();
    let mut text = format!("{}\n\n", headline(needs));
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    if let Some(header) = rows.next() {
        text += &line(&header);
        text += &format!("|{}\n", " --- |".repeat(header.len()));
    }
    for row in rows {
        text += &line(&row);
    }
    text + &remarks(needs)
}

/// What the cells mean, and which GPUs are left out.
fn remarks(needs: &Needs) -> String {
    let mut text = String::from(
        "\nA column holds up to the next: yes = supported, part = limited, no = unsupported, ? = unknown.\n",
    );
    for (reason, gpus) in reasons(needs) {
        text += &format!("Not on {}: {reason}.\n", gpus.join(", "));
    }
    text
}

fn headline(needs: &Needs) -> String {
    let name = text::one_line(&needs.package.name);
    let lowest = needs
        .gpus
        .iter()
        .filter_map(|row| row.lowest_driver.as_ref())
        .min();
    let mut running = needs
        .gpus
        .iter()
        .filter(|row| runs(row))
        .map(|row| row.capability.sm());
    let first = running.next();
    let last = running.next_back().or_else(|| first.clone());
    let gpus = match (first, last) {
        (Some(first), Some(last)) if first != last => format!("GPUs from {first} to {last}"),
        (Some(first), _) => first,
        (None, _) => return format!("no GPU and driver are known to run {name}"),
    };
    match lowest {
        Some(lowest) => format!(
            "{name} needs driver {} or newer, and runs on {gpus}",
            driver_name(lowest)
        ),
        None => format!("{name} needs a Jetson, and runs on {gpus}"),
    }
}

/// A driver, or its branch where no version of it is known.
fn driver_name(driver: &DriverVersion) -> String {
    let text = driver.to_string();
    match text.strip_suffix(".0") {
        Some(branch) if !branch.contains('.') => format!("R{branch}"),
        Some(_) | None => text,
    }
}

fn runs(row: &GpuNeeds) -> bool {
    row.lowest_driver.is_some() || row.lowest_jetpack.is_some()
}

fn rows(needs: &Needs) -> Vec<Vec<String>> {
    let mut header: Vec<String> = ["GPU", "generation", "such as", "needs"]
        .map(str::to_owned)
        .to_vec();
    header.extend(needs.branches.iter().map(|branch| format!("R{branch}")));
    let mut rows = vec![header];
    for gpu in needs.gpus.iter().filter(|gpu| runs(gpu)) {
        let lowest = match (&gpu.lowest_driver, &gpu.lowest_jetpack) {
            (Some(driver), _) => driver_name(driver),
            (None, Some(jetpack)) => format!("JetPack {jetpack}"),
            (None, None) => "-".to_owned(),
        };
        let mut row = vec![
            gpu.capability.sm(),
            gpu.architecture.clone(),
            gpu.examples.first().cloned().unwrap_or_default(),
            lowest,
        ];
        row.extend(gpu.verdicts.iter().map(|verdict| cell(*verdict).to_owned()));
        // A Jetson's driver is no branch of the desktop's.
        row.resize(4 + needs.branches.len(), "-".to_owned());
        rows.push(row);
    }
    rows
}

fn cell(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "yes",
        Verdict::Limited => "part",
        Verdict::Unsupported => "no",
        Verdict::Unknown => "?",
    }
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect()
}

/// Why GPUs are left out, each reason once.
fn reasons(needs: &Needs) -> Vec<(String, Vec<String>)> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for gpu in &needs.gpus {
        let sm = gpu.capability.sm();
        if runs(gpu) {
            continue;
        }
        let unknown = || "no driver is known that runs it".to_owned();
        let reason = gpu.reason.clone().unwrap_or_else(unknown);
        let general = text::one_line(reason.replace(&sm, "it"));
        match reasons.iter_mut().find(|(known, _)| *known == general) {
            Some((_, gpus)) => gpus.push(sm),
            None => reasons.push((general, vec![sm])),
        }
    }
    reasons
}

/// Lines with a label each.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) text: String,
}

impl Lines {
    pub(crate) fn first(&mut self, line: &str) {
        self.text += &format!("{}\n", text::defused(&text::one_line(line)));
    }

    pub(crate) fn put(&mut self, label: &str, value: &str) {
        let value = text::one_line(value);
        for (index, part) in text::wrapped(&text::defused(&value), 100)
            .iter()
            .enumerate()
        {
            let label = if index == 0 { label } else { "" };
            self.text += &format!("{}\n", format!("{label:<10}{part}").trim_end());
        }
    }
}
