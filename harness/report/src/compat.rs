//! Says whether a package will run, for people: the verdict first, then the rules with their numbers, then what to do.

use cudacheck_model::compat::tables::{self, Confidence, Source};
use cudacheck_model::compat::{
    Answer, DeviceAnswer, ErrorCode, GpuNeeds, Needs, PackageSummary, Rule, Verdict,
    explanation_sources,
};
use cudacheck_model::version::DriverVersion;

use crate::text;

/// The answer; its first line is the verdict.
pub fn answer_text(answer: &Answer) -> String {
    let mut lines = Lines::default();
    lines.first(&format!("{}: {}", answer.verdict.word(), answer.sentence));
    package(&mut lines, &answer.package);
    machine(&mut lines, answer);
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

/// All tables, with their sources.
pub fn tables() -> String {
    let mut out = String::from("The tables of compatibility, with their sources.\n\nRules\n");
    for (_, key, meaning) in Rule::ALL {
        out += &format!("  {key:<24} {meaning}\n");
    }
    let toolkits = tables::toolkits();
    out += "\nToolkits: version, first Linux driver, PTX, machine code, confidence\n";
    for toolkit in &toolkits.toolkits {
        let driver = match (&toolkit.driver, toolkit.branch) {
            (Some(driver), _) => driver.to_string(),
            (None, Some(branch)) => format!("R{branch}"),
            (None, None) => "unknown".to_owned(),
        };
        let targets: Vec<String> = toolkit
            .targets
            .iter()
            .map(|target| target.to_string().replace("sm_", ""))
            .collect();
        let line = format!(
            "  {:<6} {driver:<11} {:<4} {}{}",
            toolkit.version.to_string(),
            toolkit.ptx.to_string(),
            targets.join(" "),
            sureness(toolkit.confidence)
        );
        out += &format!("{}\n", line.trim_end());
    }
    out += "\nLowest driver of each major version\n";
    for floor in &toolkits.floors {
        out += &format!("  {}.x  {}\n", floor.major, floor.driver);
    }
    out += &sources(&toolkits.sources);
    let drivers = tables::drivers();
    out += "\nDriver branches: CUDA that each supports, newest PTX\n";
    for branch in &drivers.branches {
        let seen = branch
            .seen
            .as_ref()
            .map(|seen| format!("  seen with {}", seen.driver));
        out += &format!(
            "  R{:<5} {:<6} {:<4}{}{}\n",
            branch.branch,
            branch.cuda.to_string(),
            branch.ptx.to_string(),
            seen.unwrap_or_default(),
            sureness(branch.confidence)
        );
    }
    out += "\nForward compatibility packages: branches on which each is of use\n";
    for package in &drivers.compat_packages.packages {
        let usable: Vec<String> = package
            .usable_on
            .iter()
            .map(|branch| format!("R{branch}"))
            .collect();
        let line = format!(
            "  cuda-compat-{}-{:<3} {}",
            package.cuda.major,
            package.cuda.minor,
            usable.join(" ")
        );
        out += &format!("{}\n", line.trim_end());
    }
    out += &sources(&drivers.sources);
    out += &gpus();
    out += &jetpacks();
    out += "\nErrors: `cudacheck explain` prints them\n";
    out + &sources(explanation_sources())
}

fn gpus() -> String {
    let table = tables::gpus();
    let mut out =
        String::from("\nGPUs: capability, generation, toolkits, driver branches, products\n");
    for generation in &table.capabilities {
        let toolkits = match generation.toolkits.last {
            Some(last) => format!("{} to {last}", generation.toolkits.first),
            None => format!("{} on", generation.toolkits.first),
        };
        let branches = generation
            .branches
            .as_ref()
            .map_or("JetPack".to_owned(), |span| match span.last {
                Some(last) => format!("R{} to R{last}", span.first),
                None => format!("R{} on", span.first),
            });
        let products = table
            .products
            .iter()
            .filter(|product| product.capability == generation.capability);
        let names: Vec<&str> = products
            .flat_map(|product| &product.names)
            .map(String::as_str)
            .collect();
        out += &format!(
            "  {:<7} {:<10} {toolkits:<13} {branches:<13} {}{}\n",
            generation.capability.sm(),
            generation.architecture,
            names.join(", "),
            sureness(generation.confidence)
        );
    }
    out + &sources(&table.sources)
}

fn jetpacks() -> String {
    let table = tables::jetpacks();
    let mut out = String::from("\nJetPack: Jetson Linux, CUDA, platform, modules\n");
    for release in &table.releases {
        let [first, last] = &release.jetpack;
        let versions = if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        };
        out += &format!(
            "  {versions:<15} L4T {:<8} CUDA {:<5} {:<14} {}{}\n",
            release.l4t[1].to_string(),
            release.cuda.to_string(),
            cudacheck_model::compat::platform_name(release.platform),
            release.modules.join(", "),
            sureness(release.confidence)
        );
    }
    for upgrade in &table.upgrades {
        let offered: Vec<String> = upgrade.offered.iter().map(ToString::to_string).collect();
        let offered = if offered.is_empty() {
            "none".to_owned()
        } else {
            offered.join(", ")
        };
        out += &format!(
            "  upgrades of JetPack {}.x: {offered}\n",
            upgrade.jetpack[0]
        );
    }
    out + &sources(&table.sources)
}

fn sureness(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "",
        Confidence::Medium => "  (fairly sure)",
        Confidence::Low => "  (not sure)",
    }
}

fn sources<'a>(sources: impl IntoIterator<Item = (&'a String, &'a Source)>) -> String {
    let mut out = String::from("  Sources:\n");
    for (name, source) in sources {
        out += &format!("    {name:<10} {}\n", source.what);
    }
    out
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
