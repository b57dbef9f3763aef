//! Blocks at the end of a run: what went wrong, whose fault it is, why, and what to type.

use std::io::Write;

use cudacheck_model::event::{CaseFinished, Output, Summary};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::outcome::{Explained, Finding, Outcome};

use super::sink::{Hue, Sink};
use super::{Options, Run, Verbosity};
use crate::{text, words};

/// Lines of output, and of details, that a block shows without being asked.
const SHORT: usize = 12;

/// All blocks of a run.
#[derive(Debug)]
pub(super) struct Blocks {
    options: Options,
    /// Faults of the machine, which a run about files alone does not suffer from.
    machine: Vec<Block>,
    cases: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    word: &'static str,
    hue: Hue,
    heading: String,
    fields: Vec<(&'static str, String)>,
}

impl Blocks {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            machine: Vec::new(),
            cases: Vec::new(),
        }
    }

    pub(super) fn tell<W: Write>(&self, sink: &mut Sink<W>, summary: &Summary) {
        let suffered = summary.machine_fault || summary.needs_attention;
        let machine = self.machine.iter().filter(|_| suffered);
        for block in machine.chain(&self.cases) {
            sink.prose(block.word, block.hue, &block.heading);
            for (label, value) in &block.fields {
                sink.field(label, value);
            }
        }
    }

    /// A fault of the machine that was found before any case.
    pub(super) fn machine(&mut self, fault: &MachineFault, simulated: Option<&str>) {
        let simulated =
            simulated.map(|profile| format!(" · simulated {}", text::one_line(profile)));
        let mut fields = Vec::new();
        self.prose(&mut fields, "error", &fault.to_string());
        let places: Vec<String> = words::places(fault).iter().map(text::one_line).collect();
        self.quoted(&mut fields, &places);
        self.prose(&mut fields, "cause", fault.cause().text());
        fields.push(("remedy", text::one_line(fault.remedy())));
        let heading = format!(
            "{} · probe{}",
            words::machine_blame(fault),
            simulated.unwrap_or_default()
        );
        self.machine.push(Block {
            word: "FAULT",
            hue: Hue::Fault,
            heading,
            fields,
        });
    }

    /// A case that somebody must look at.
    pub(super) fn case(&mut self, case: &CaseFinished, run: &Run) {
        let (word, hue, finding) = match &case.outcome {
            Outcome::Fail(finding) => ("FAIL", Hue::Bad, Some(finding)),
            Outcome::Fault(finding) => ("FAULT", Hue::Fault, Some(finding)),
            Outcome::UnexpectedPass { .. } => ("XPASS", Hue::Bad, None),
            Outcome::Pass | Outcome::Skip(_) | Outcome::ExpectedFail { .. } => return,
        };
        let mut fields = Vec::new();
        match finding {
            Some(finding) => self.finding(&mut fields, finding),
            None => self.unexpected_pass(&mut fields, &case.outcome),
        }
        if let Some(package) = &case.package {
            fields.push(("package", text::one_line(package)));
        }
        fields.push(("rerun", words::shell(&case.rerun)));
        fields.push((
            "log",
            text::one_line(format!("{}/{}/", run.directory, case.log)),
        ));
        if finding.is_some() {
            self.output(&mut fields, &case.attempt.output);
        }
        let heading = heading(case, finding.map(|finding| &**finding), run);
        self.cases.push(Block {
            word,
            hue,
            heading,
            fields,
        });
    }

    fn finding(&self, fields: &mut Vec<(&'static str, String)>, finding: &Finding) {
        self.prose(fields, "expected", &finding.expected);
        self.prose(fields, "error", &finding.error);
        let lines: Vec<String> = finding.details.iter().flat_map(text::log_lines).collect();
        self.quoted(fields, &lines);
        self.prose(fields, "cause", finding.cause.text());
        fields.push(("remedy", text::one_line(&finding.remedy)));
    }

    fn unexpected_pass(&self, fields: &mut Vec<(&'static str, String)>, outcome: &Outcome) {
        if let Outcome::UnexpectedPass { because } = outcome {
            self.prose(fields, "expected", &format!("a failure, because {because}"));
            fields.push(("error", "it passed".to_owned()));
            self.prose(fields, "cause", "the suite expects a failure that is gone");
            fields.push((
                "remedy",
                "take `expected-failure` off this case, or bound it to other devices".to_owned(),
            ));
        }
    }

    /// A sentence, wrapped to the terminal.
    fn prose(&self, fields: &mut Vec<(&'static str, String)>, label: &'static str, sentence: &str) {
        // Narrower than this, wrapping makes text harder to read, not easier.
        let width = self.options.width.saturating_sub(14).max(40);
        let mut label = label;
        for line in text::log_lines(sentence) {
            for line in text::wrapped(&line, width) {
                // GitHub's runner trims spaces, and obeys what then begins with two colons.
                let obeyed = label.is_empty() && line.starts_with("::");
                fields.push((label, if obeyed { format!("| {line}") } else { line }));
                label = "";
            }
        }
    }

    /// Lines that are not ours; all of them only when asked for.
    fn quoted(&self, fields: &mut Vec<(&'static str, String)>, lines: &[String]) {
        let most = if self.options.verbosity == Verbosity::Verbose {
            lines.len()
        } else {
            SHORT
        };
        for line in lines.iter().take(most) {
            fields.push(("", format!("| {line}")));
        }
        if lines.len() > most {
            let more = words::count(lines.len() - most, "more line");
            fields.push(("", format!("| … {more}; -v shows them")));
        }
    }

    fn output(&self, fields: &mut Vec<(&'static str, String)>, output: &Output) {
        let mut lines = text::log_lines(&output.head);
        if output.left_out > 0 {
            lines.push(format!(
                "… {} left out, see the log",
                words::count(output.left_out, "byte")
            ));
        }
        lines.extend(text::log_lines(&output.tail));
        if lines.is_empty() || (self.options.verbosity < Verbosity::Verbose && lines.len() > SHORT)
        {
            return;
        }
        let labels = ["output"].into_iter().chain(std::iter::repeat(""));
        fields.extend(labels.zip(lines.iter().map(|line| format!("| {line}"))));
    }
}

fn heading(case: &CaseFinished, finding: Option<&Finding>, run: &Run) -> String {
    let blame = words::blame(&case.outcome).unwrap_or_default();
    let parts = [
        Some(blame.to_owned()),
        Some(format!("{} {}", case.id.suite, case.id.title())),
        case.device.as_ref().map(words::device),
        finding
            .and_then(|finding| finding.stage)
            .map(|stage| format!("stage {stage}")),
        run.simulated
            .as_ref()
            .map(|profile| format!("simulated {profile}")),
    ];
    let parts = parts.into_iter().flatten().map(text::one_line);
    parts.collect::<Vec<_>>().join(" · ")
}
