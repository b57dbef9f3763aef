//! Environment variables that change what a driver does, as they are set where the package shall run.

use schemars::JsonSchema;
use serde::Serialize;

use super::tables;
use crate::version::ToolkitVersion;

/// Environment variables that are set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Variables {
    set: Vec<(&'static tables::Variable, String)>,
    /// What `CUDA_VISIBLE_DEVICES` says of the devices that are known. A probe sees only the visible ones: then it is
    /// absent although it is set.
    pub visible_devices: Option<String>,
}

/// A variable as an answer repeats it.
#[derive(Clone, Debug, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VariableSummary {
    /// Its name.
    pub name: String,
    /// What it is set to.
    pub value: String,
    /// What it does.
    pub effect: String,
    /// Whether the answer depends on it.
    pub changes: tables::Changes,
}

impl Variables {
    /// Sets one. The last value counts.
    ///
    /// # Errors
    ///
    /// The tables do not know the name.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), UnknownVariable> {
        let mut known = tables::variables().variables.iter();
        let entry = known.find(|known| known.name == name);
        let entry = entry.ok_or_else(|| UnknownVariable(name.to_owned()))?;
        self.set.retain(|(known, _)| known.name != name);
        self.set.push((entry, value.to_owned()));
        if name == "CUDA_VISIBLE_DEVICES" {
            self.visible_devices = Some(value.to_owned());
        }
        Ok(())
    }

    /// The value of one.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut set = self.set.iter();
        let found = set.find(|(known, _)| known.name == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether machine code is passed over, and which variable says so.
    pub fn force_jit(&self) -> Option<&'static str> {
        self.switched_on(["CUDA_FORCE_PTX_JIT", "CUDA_FORCE_JIT"])
    }

    /// Whether PTX is passed over, and which variable says so.
    pub fn disable_jit(&self) -> Option<&'static str> {
        self.switched_on(["CUDA_DISABLE_PTX_JIT", "CUDA_DISABLE_JIT"])
    }

    /// The first that is set counts, whatever the others say.
    fn switched_on(&self, names: [&'static str; 2]) -> Option<&'static str> {
        let first = names.into_iter().find(|name| self.value(name).is_some())?;
        (self.value(first) == Some("1")).then_some(first)
    }

    /// The CUDA version of the forward compatibility package that `LD_LIBRARY_PATH` leads to, by NVIDIA's names of its
    /// directories.
    pub fn compat(&self) -> Option<ToolkitVersion> {
        let directories = self.value("LD_LIBRARY_PATH")?.split([':', ';']);
        directories.into_iter().find_map(|directory| {
            let directory = directory.trim_end_matches('/');
            let (toolkit, last) = directory.rsplit_once('/')?;
            let version = toolkit.rsplit('/').next()?.strip_prefix("cuda-")?;
            let compat = matches!(last, "compat" | "compat_orin");
            compat.then(|| version.parse().ok()).flatten()
        })
    }

    /// Those that are set, for an answer.
    pub fn summary(&self) -> Vec<VariableSummary> {
        let set = self.set.iter();
        set.map(|(known, value)| VariableSummary {
            name: known.name.clone(),
            value: value.clone(),
            effect: known.effect.clone(),
            changes: known.changes,
        })
        .collect()
    }
}

/// A name that is none of a variable that matters.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` does not change the answer")]
pub struct UnknownVariable(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(set: &[(&str, &str)]) -> Variables {
        let mut variables = Variables::default();
        for (name, value) in set {
            variables.set(name, value).unwrap();
        }
        variables
    }

    #[track_caller]
    fn check(set: &[(&str, &str)], force: Option<&str>, disable: Option<&str>) {
        let variables = variables(set);
        assert_eq!(
            (variables.force_jit(), variables.disable_jit()),
            (force, disable)
        );
    }

    #[test]
    fn the_older_name_counts_where_both_are_set() {
        check(&[], None, None);
        check(
            &[("CUDA_FORCE_PTX_JIT", "1")],
            Some("CUDA_FORCE_PTX_JIT"),
            None,
        );
        check(&[("CUDA_FORCE_JIT", "1")], Some("CUDA_FORCE_JIT"), None);
        check(
            &[("CUDA_FORCE_JIT", "1"), ("CUDA_FORCE_PTX_JIT", "0")],
            None,
            None,
        );
        check(&[("CUDA_DISABLE_JIT", "1")], None, Some("CUDA_DISABLE_JIT"));
        check(
            &[("CUDA_DISABLE_PTX_JIT", "1"), ("CUDA_DISABLE_JIT", "0")],
            None,
            Some("CUDA_DISABLE_PTX_JIT"),
        );
        check(&[("CUDA_FORCE_PTX_JIT", "yes")], None, None);
    }

    #[test]
    fn the_path_names_a_forward_compatibility_package() {
        let compat = |path| {
            let compat = variables(&[("LD_LIBRARY_PATH", path)]).compat();
            compat.map(|version| version.to_string())
        };
        assert_eq!(
            compat("/usr/local/cuda-13.0/compat").as_deref(),
            Some("13.0")
        );
        let several = "/opt/lib:/usr/local/cuda-13.3/compat_orin/:/usr/lib";
        assert_eq!(compat(several).as_deref(), Some("13.3"));
        assert_eq!(compat("/usr/local/cuda-13.0/lib64"), None);
        assert_eq!(compat("/usr/local/cuda/compat"), None);
        assert_eq!(compat(""), None);
    }

    #[test]
    fn a_name_that_matters_nowhere_is_refused_and_the_last_value_counts() {
        let mut variables = Variables::default();
        assert!(variables.set("CUDA_FORCE_PTX_JITS", "1").is_err());
        variables.set("CUDA_FORCE_PTX_JIT", "0").unwrap();
        variables.set("CUDA_FORCE_PTX_JIT", "1").unwrap();
        assert_eq!(variables.summary().len(), 1);
        assert_eq!(variables.force_jit(), Some("CUDA_FORCE_PTX_JIT"));
    }
}
