//! Lists of entries, held against the text that `cuobjdump` prints for the same files.

use std::fmt::Write;
use std::path::Path;

use cudacheck_inspect::{Search, entries};
use cudacheck_model::package::{
    CodeEntry, CodeKind, CodeVersion, Compression, HostSystem, IrVersion,
};
use cudacheck_model::version::TargetReach;

use crate::fixtures;

/// The listing of a file as `cuobjdump` words it, but for the width of addresses, which is always 64 bit.
fn listing(path: &Path) -> String {
    let mut text = String::new();
    let warnings = entries(path, Search::Everywhere, &mut |listed| {
        text += &worded(listed.entry)
    })
    .unwrap();
    assert_eq!(warnings, []);
    text
}

fn worded(entry: &CodeEntry) -> String {
    let (name, options) = match entry.kind {
        CodeKind::Ptx | CodeKind::RelocatablePtx => ("ptx", "ptxasOptions"),
        CodeKind::Cubin => ("elf", ""),
        CodeKind::LtoIr => ("nvvm", "nvvmOptions"),
        CodeKind::TileIr => ("tile ir", "tileIROptions"),
        CodeKind::Concatenated => ("concatenated entry", ""),
        CodeKind::LegacyCubin | CodeKind::OtherElf | CodeKind::Index | CodeKind::Unknown(_) => {
            panic!("no fixture has {entry:?}")
        }
    };
    let title = format!("Fatbin {name} code:");
    let mut text = format!("\n{title}\n{}\n", "=".repeat(title.len()));
    if let Some(target) = entry.target {
        writeln!(text, "arch = {target}").unwrap();
    }
    let (major, minor) = match entry.version {
        CodeVersion::PtxIsa(isa) => (isa.major, isa.minor),
        CodeVersion::ElfAbi(abi) => (1, abi.into()),
        CodeVersion::Ir(IrVersion { major, minor }) => (major.into(), minor.into()),
    };
    writeln!(text, "code version = [{major},{minor}]").unwrap();
    match entry.host {
        Some(HostSystem::Linux) => text += "host = linux\n",
        Some(HostSystem::Windows) => text += "host = windows\n",
        Some(HostSystem::Mac) => text += "host = mac\n",
        None => {}
    }
    if entry.debug {
        text += "has debug info\n";
    }
    if entry.compression != Compression::None && !entry.concatenated {
        text += "compressed\n";
    }
    if let Some(identifier) = &entry.identifier {
        writeln!(text, "identifier = {identifier}").unwrap();
    }
    if let Some(value) = &entry.options {
        writeln!(text, "{options} = {value}").unwrap();
    }
    if !entry.concatenated {
        return text;
    }
    let indented = text.lines().map(|line| {
        if line.is_empty() {
            "\n".to_owned()
        } else {
            format!("\t{line}\n")
        }
    });
    indented.collect()
}

#[track_caller]
fn check(name: &str) {
    let expected =
        std::fs::read_to_string(fixtures().join(format!("{name}.cuobjdump.txt"))).unwrap();
    let normal = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains("compile_size"));
        lines
            .map(|line| line.trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    let found = listing(&fixtures().join(format!("{name}.fatbin")));
    assert_eq!(normal(&found), normal(&expected), "{name}");
}

#[test]
fn every_kind_and_compression_is_listed_as_cuobjdump_does() {
    for name in [
        "n_def",
        "n_gwo",
        "n_lto",
        "n_lto_concat",
        "n_tile",
        "t1",
        "t_default",
        "t_none",
        "t_size",
        "t_speed",
        "tc_default",
        "tc_size",
        "tc_speed",
    ] {
        check(name);
    }
}

/// The one entry of a cubin.
fn cubin(name: &str) -> CodeEntry {
    let mut found = Vec::new();
    let path = fixtures().join(name);
    let warnings = entries(&path, Search::Everywhere, &mut |listed| {
        found.push(listed.entry.clone())
    })
    .unwrap();
    assert_eq!((warnings.len(), found.len()), (0, 1), "{name}");
    found.remove(0)
}

#[test]
fn cubins_are_for_what_cuobjdump_says() {
    let golden = std::fs::read_to_string(fixtures().join("cubins.cuobjdump.txt")).unwrap();
    assert_eq!(golden.lines().count(), 26);
    for line in golden.lines() {
        let (name, facts) = line.split_once(' ').unwrap();
        let field = |key: &str| {
            facts
                .split_once(key)
                .unwrap()
                .1
                .split(',')
                .next()
                .unwrap()
                .to_owned()
        };
        let entry = cubin(name);
        let mut target = entry.target.unwrap();
        // It does not know families, whose code only the assembler's command line tells from any other.
        let family = name.ends_with("f.cubin");
        assert_eq!(target.reach == TargetReach::Family, family, "{name}");
        if family {
            target.reach = TargetReach::Baseline;
        }
        assert_eq!(target.to_string(), format!("sm_{}", field("sm=")), "{name}");
        assert_eq!(
            entry.version,
            CodeVersion::ElfAbi(field("ABI=").parse().unwrap()),
            "{name}"
        );
    }
}

#[test]
fn cubins_of_cuda_12_say_in_other_ways_what_they_are_for() {
    for (name, target, abi) in [
        ("c129_75.cubin", "sm_75", 7),
        ("c129_90.cubin", "sm_90", 7),
        ("c129_90a.cubin", "sm_90a", 7),
        ("c129_100a.cubin", "sm_100a", 8),
        ("c129_100f.cubin", "sm_100f", 8),
    ] {
        let entry = cubin(name);
        assert_eq!(entry.target.unwrap().to_string(), target, "{name}");
        assert_eq!(entry.version, CodeVersion::ElfAbi(abi), "{name}");
    }
}
