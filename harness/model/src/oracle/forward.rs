//! The note in a libcuda that says beside which kernel modules it may run: NVIDIA's own word on forward compatibility.
//!
//! Newer drivers carry it in the section `.note.cuda.fwd_compatibility`. NVIDIA documents it by the code that reads it
//! when a container starts, `cmd/nvidia-cdi-hook/cudacompat/cuda-elf-header.go` of
//! <https://github.com/NVIDIA/nvidia-container-toolkit>: an ELF note of the owner `NVIDIA Corporation`, whose
//! description is JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::version::ToolkitVersion;

/// The section's name.
pub const FORWARD_SECTION: &str = ".note.cuda.fwd_compatibility";
/// A section longer than this is none of NVIDIA's, which have about 140 bytes.
pub const FORWARD_LIMIT: u64 = 64 * 1024;

const OWNER: &[u8] = b"NVIDIA Corporation";
/// The lengths of name and description, and the type: `Elf64_Nhdr`, which is as wide as that of 32 bits.
const HEADER: usize = 12;

/// What the note says.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ForwardNote {
    /// The version of the note; NVIDIA's are 1.
    pub format: u64,
    /// The CUDA version that this libcuda brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuda: Option<ToolkitVersion>,
    /// Branches of the kernel's driver beside which it may run. Empty on Jetson, where only the CUDA version counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<u32>,
    /// Kinds of devices that it may run on. NVIDIA does not say what the numbers stand for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<u32>,
}

impl ForwardNote {
    /// Reads the section of a little-endian file. Nothing, if the note is another's.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a fragment.
    pub fn parse(section: &[u8]) -> Result<Option<Self>, String> {
        let word = |at: usize| {
            let bytes: [u8; 4] = section.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_le_bytes(bytes)).ok()
        };
        let (Some(name_size), Some(size), Some(_)) = (word(0), word(4), word(8)) else {
            return Err("it ends within its header".to_owned());
        };
        // The notes of Orin announce more bytes than their section has: what is there is read.
        let part = |from: usize, size: usize| {
            let end = from.saturating_add(size).min(section.len());
            let part = section.get(from..end).unwrap_or_default();
            let end = part
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            &part[..end]
        };
        if part(HEADER, name_size) != OWNER || size == 0 {
            return Ok(None);
        }
        let start = HEADER + OWNER.len() + 2;
        let text = part(start, size);
        let object: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|error| format!("its description is no JSON object: {error}"))?;
        // NVIDIA writes `CUDA version` in the note and reads `CUDA Version`: letters' cases do not count.
        let value = |name: &str| {
            let mut entries = object.iter();
            let found = entries.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value)
        };
        Ok(Some(Self {
            format: value("format").and_then(Value::as_u64).unwrap_or_default(),
            cuda: value("cuda version")
                .and_then(Value::as_str)
                .and_then(|text| text.parse().ok()),
            branches: value("driver").map(numbers).unwrap_or_default(),
            devices: value("device").map(numbers).unwrap_or_default(),
        }))
    }

    /// Whether it may run beside a kernel module of this branch; nothing if the note does not tell.
    pub fn admits(&self, branch: u32) -> Option<bool> {
        let told = self.format == 1 && !self.branches.is_empty();
        told.then(|| self.branches.contains(&branch))
    }
}

fn numbers(list: &Value) -> Vec<u32> {
    let entries = list.as_array().into_iter().flatten();
    entries
        .filter_map(|entry| u32::try_from(entry.as_u64()?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A section as NVIDIA's linker writes it: the name with its NUL, padded to words, and the description.
    fn section(owner: &str, description: &str, announced: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let name = format!("{owner}\0");
        for word in [name.len(), announced, 0] {
            bytes.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        bytes.extend(name.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(description.as_bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    const OF_590: &str =
        r#"{"format":1,"CUDA version":"13.1","driver":[535,550,570,575,580,590],"device":[1,2,7]}"#;

    #[track_caller]
    fn check(owner: &str, description: &str, expected: Result<Option<&ForwardNote>, &str>) {
        let section = section(owner, description, description.len() + 1);
        match (ForwardNote::parse(&section), expected) {
            (Ok(note), Ok(expected)) => assert_eq!(note.as_ref(), expected),
            (Err(error), Err(expected)) => assert!(error.starts_with(expected), "{error}"),
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn the_note_names_branches() {
        let note = ForwardNote {
            format: 1,
            cuda: "13.1".parse().ok(),
            branches: vec![535, 550, 570, 575, 580, 590],
            devices: vec![1, 2, 7],
        };
        check("NVIDIA Corporation", OF_590, Ok(Some(&note)));
        assert_eq!(note.admits(550), Some(true));
        assert_eq!(note.admits(565), Some(false));
        check("GNU", OF_590, Ok(None));
        check(
            "NVIDIA Corporation",
            "{",
            Err("its description is no JSON object"),
        );
        check(
            "NVIDIA Corporation",
            "[1]",
            Err("its description is no JSON object"),
        );
        check(
            "NVIDIA Corporation",
            "{}",
            Ok(Some(&ForwardNote::default())),
        );
    }

    #[test]
    fn the_note_of_orin_names_only_a_version_and_announces_too_much() {
        let text = r#"{"format":1,"CUDA version":"13.2"}"#;
        let mut bytes = section("NVIDIA Corporation", text, text.len() + 7);
        bytes.truncate(71);
        let note = ForwardNote::parse(&bytes).unwrap().unwrap();
        assert_eq!(note.cuda, "13.2".parse().ok());
        assert_eq!(note.admits(540), None);
    }

    #[test]
    fn a_later_format_is_not_taken_for_this_one() {
        let text = OF_590.replace("\"format\":1", "\"format\":2");
        let bytes = section("NVIDIA Corporation", &text, text.len());
        let note = ForwardNote::parse(&bytes).unwrap().unwrap();
        assert_eq!((note.format, note.admits(550)), (2, None));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_it_ends(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ForwardNote::parse(&bytes);
        }

        #[test]
        fn a_note_that_is_cut_off_is_an_error_or_none(length in 0_usize..130) {
            let whole = section("NVIDIA Corporation", OF_590, OF_590.len());
            prop_assert!(!matches!(ForwardNote::parse(&whole[..length.min(110)]), Ok(Some(_))));
        }
    }
}
