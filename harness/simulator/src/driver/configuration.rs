//! What the library is told to be, read once: it is loaded by name, so that nothing but the environment reaches it.

use std::path::{Path, PathBuf};

use crate::exec::ExecFaults;
use crate::inject::{self, Injection};
use crate::profile::{self, Profile};

/// What the library is told to be.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The machine.
    pub profile: Profile,
    /// The faults of the current case.
    pub injections: Vec<Injection>,
    /// Those among them that the interpreter executes.
    pub faults: ExecFaults,
    /// `CUDA_VISIBLE_DEVICES`.
    pub visible: Option<String>,
    /// `CUDA_DISABLE_PTX_JIT`.
    pub jit: Jit,
    /// A folder in which what happens to a device outlives the process.
    pub state: Option<PathBuf>,
}

/// Whether the JIT compiler may run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Jit {
    /// It may.
    Enabled,
    /// `CUDA_DISABLE_PTX_JIT` is 1.
    Disabled,
}

/// How the environment reads.
#[derive(Clone, Debug)]
pub enum Setup {
    /// Nobody asked for a simulation: there is no device.
    Absent,
    /// Somebody did, but not in a way that can be followed.
    Broken(String),
    /// A simulation.
    Ready(Box<Configuration>),
}

impl Setup {
    /// Reads the environment of this process.
    pub fn from_environment() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a driver is loaded by name into processes that know nothing of it; only the environment reaches it"
        )]
        let read = |name: &str| std::env::var(name).ok();
        Self::from_variables(&read)
    }

    /// Reads variables by name.
    pub fn from_variables(read: &dyn Fn(&str) -> Option<String>) -> Self {
        let Some(wanted) = read("CUDACHECK_SIMULATE").filter(|text| !text.is_empty()) else {
            return Self::Absent;
        };
        match configuration(&wanted, read) {
            Ok(configuration) => Self::Ready(Box::new(configuration)),
            Err(complaint) => Self::Broken(complaint),
        }
    }
}

fn configuration(
    wanted: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Configuration, String> {
    let profile = load(wanted)?;
    let case = read("CUDACHECK_SIMULATE_CASE");
    let mut injections = Injection::parse_list(&read("CUDACHECK_INJECT").unwrap_or_default())
        .map_err(|error| format!("CUDACHECK_INJECT: {error}"))?;
    injections.retain(|injection| injection.applies_to(case.as_deref()));
    let seed = match read("CUDACHECK_SIMULATE_SEED") {
        Some(text) => text
            .parse()
            .map_err(|_| format!("CUDACHECK_SIMULATE_SEED: `{text}` is no number"))?,
        None => 0,
    };
    let disabled = read("CUDA_DISABLE_PTX_JIT").is_some_and(|text| text == "1");
    Ok(Configuration {
        faults: inject::exec_faults(&injections, seed),
        profile,
        injections,
        visible: read("CUDA_VISIBLE_DEVICES"),
        jit: if disabled {
            Jit::Disabled
        } else {
            Jit::Enabled
        },
        state: read("CUDACHECK_SIMULATE_STATE").map(PathBuf::from),
    })
}

fn load(wanted: &str) -> Result<Profile, String> {
    if let Some(profile) = profile::find(wanted) {
        return Ok(profile);
    }
    if !wanted.contains(['/', '.']) {
        let names: Vec<&str> = profile::names().collect();
        return Err(format!(
            "CUDACHECK_SIMULATE: no profile `{wanted}`; known are {}",
            names.join(", ")
        ));
    }
    let text = std::fs::read_to_string(Path::new(wanted))
        .map_err(|error| format!("CUDACHECK_SIMULATE: cannot read `{wanted}`: {error}"))?;
    Profile::parse(&text).map_err(|error| format!("CUDACHECK_SIMULATE: `{wanted}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(variables: &[(&str, &str)]) -> Setup {
        Setup::from_variables(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        })
    }

    #[track_caller]
    fn broken(variables: &[(&str, &str)], expected: &str) {
        match setup(variables) {
            Setup::Broken(complaint) => assert!(complaint.contains(expected), "{complaint}"),
            Setup::Absent | Setup::Ready(_) => panic!("nothing is wrong"),
        }
    }

    #[test]
    fn nothing_is_simulated_unless_asked_for() {
        assert!(matches!(setup(&[]), Setup::Absent));
        assert!(matches!(
            setup(&[("CUDACHECK_SIMULATE", "")]),
            Setup::Absent
        ));
        assert!(matches!(
            setup(&[("CUDACHECK_INJECT", "segv")]),
            Setup::Absent
        ));
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        broken(&[("CUDACHECK_SIMULATE", "h20")], "no profile `h20`");
        broken(&[("CUDACHECK_SIMULATE", "/nowhere.yaml")], "cannot read");
        let h100 = ("CUDACHECK_SIMULATE", "h100");
        broken(
            &[h100, ("CUDACHECK_INJECT", "cuInit:x")],
            "CUDACHECK_INJECT",
        );
        broken(&[h100, ("CUDACHECK_SIMULATE_SEED", "x")], "no number");
    }

    #[test]
    fn faults_of_other_cases_are_left_out() {
        let variables = [
            ("CUDACHECK_SIMULATE", "h100"),
            ("CUDACHECK_INJECT", "launch:hang@a,atomic:lost@b,segv"),
            ("CUDACHECK_SIMULATE_CASE", "b"),
            ("CUDACHECK_SIMULATE_SEED", "42"),
        ];
        let Setup::Ready(configuration) = setup(&variables) else {
            panic!("not ready");
        };
        let kept: Vec<String> = configuration
            .injections
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(kept, ["atomic:lost@b", "segv"]);
        assert!(configuration.faults.lose_atomic);
        assert_eq!(configuration.faults.seed, 42);
    }
}
