//! Says what an error means, for people; its first line is its name and its words.

use cudacheck_model::compat::{Culprit, Domain, Explanation};

use crate::compat::Lines;

/// Explanations, one after the other.
pub fn explanations_text(explanations: &[Explanation]) -> String {
    let texts: Vec<String> = explanations.iter().map(explanation_text).collect();
    texts.join("\n")
}

fn explanation_text(explanation: &Explanation) -> String {
    let mut lines = Lines::default();
    let says = explanation.says.as_ref().map(|says| format!(": {says}"));
    lines.first(&format!(
        "{} ({}){}",
        explanation.name,
        number(explanation),
        says.unwrap_or_default()
    ));
    if let Some(name) = &explanation.runtime_name {
        lines.put("runtime", name);
    }
    for (index, cause) in explanation.causes.iter().enumerate() {
        lines.put(if index == 0 { "cause" } else { "or" }, cause);
    }
    for (index, look) in explanation.look.iter().enumerate() {
        lines.put(if index == 0 { "look at" } else { "" }, look);
    }
    lines.put("remedy", &explanation.remedy);
    lines.put("fault", culprit(explanation.fault));
    for note in &explanation.notes {
        lines.put("note", note);
    }
    lines.text
}

fn number(explanation: &Explanation) -> String {
    let code = explanation.code;
    match explanation.domain {
        Domain::Cuda | Domain::Cudart => format!("CUDA error {code}"),
        Domain::Nvml => format!("NVML error {code}"),
        Domain::Cublas => format!("cuBLAS status {code}"),
        Domain::Cudnn => format!("cuDNN status {code}"),
        Domain::Xid => format!("Xid {code}"),
    }
}

fn culprit(culprit: Culprit) -> &'static str {
    match culprit {
        Culprit::Code => "most likely the program or the package that was run",
        Culprit::Machine => "most likely the machine: its driver, or how it is set up",
        Culprit::Hardware => "most likely the hardware",
        Culprit::Unclear => {
            "not clear: the program first, the hardware if it happens with others, too"
        }
        Culprit::Nobody => "nobody's: it is no error by itself",
    }
}
