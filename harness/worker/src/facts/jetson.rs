//! Tells a Jetson and its release from the files of L4T and from the device tree, which need no driver.

use cudacheck_model::facts::Jetson;

use super::root::Root;

/// The Jetson below a root, if it is one.
pub(super) fn find(root: &Root) -> Option<Jetson> {
    let tree = |name: &str| {
        root.read(&format!("/proc/device-tree/{name}"))
            .or_else(|| root.read(&format!("/sys/firmware/devicetree/base/{name}")))
    };
    let release = root.text("/etc/nv_tegra_release");
    let l4t = release.as_deref().and_then(l4t);
    let soc = tree("compatible").as_deref().and_then(soc);
    // A Raspberry Pi has a device tree, and a DGX Spark an NVIDIA processor; neither has these.
    if l4t.is_none() && soc.is_none() {
        return None;
    }
    Some(Jetson {
        model: tree("model").as_deref().and_then(first_text),
        soc,
        jetpack: l4t.as_deref().and_then(jetpack).map(str::to_owned),
        l4t,
    })
}

/// The version of L4T by `/etc/nv_tegra_release`: `36.4.3` of `# R36 (release), REVISION: 4.3, …`. The
/// revision may lack its minor part. The board that the line names is not to be believed.
fn l4t(release: &str) -> Option<String> {
    let line = release.lines().find_map(|line| line.strip_prefix("# R"))?;
    let (major, rest) = line.split_once(" (release), REVISION: ")?;
    let revision: String = rest
        .chars()
        .take_while(|character| character.is_ascii_digit() || *character == '.')
        .collect();
    let whole = format!("{major}.{}", revision.trim_end_matches('.'));
    numbers(&whole).map(|_| whole)
}

/// The system on chip by the device tree's `compatible`, texts that end with NUL. Neither the first nor
/// the last need name it: JetPack 5 ends with the family `nvidia,tegra23x`.
fn soc(compatible: &[u8]) -> Option<String> {
    compatible
        .split(|byte| *byte == 0)
        .filter_map(|text| std::str::from_utf8(text).ok())
        .filter_map(|text| text.strip_prefix("nvidia,"))
        .find(|name| {
            name.strip_prefix("tegra").is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
        .map(str::to_owned)
}

fn first_text(bytes: &[u8]) -> Option<String> {
    let text = bytes.split(|byte| *byte == 0).next()?;
    let text = String::from_utf8_lossy(text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The JetPack that carries a release of L4T, by NVIDIA's JetPack archive. A release between two rows
/// of one line belongs to the older: revisions of L4T without a JetPack of their own are updates of it.
fn jetpack(l4t: &str) -> Option<&'static str> {
    const TABLE: &[([u32; 3], &str)] = &[
        ([32, 2, 1], "4.2.2"),
        ([32, 2, 3], "4.2.3"),
        ([32, 3, 1], "4.3"),
        ([32, 4, 3], "4.4"),
        ([32, 4, 4], "4.4.1"),
        ([32, 5, 0], "4.5"),
        ([32, 5, 1], "4.5.1"),
        ([32, 6, 1], "4.6"),
        ([32, 7, 1], "4.6.1"),
        ([32, 7, 2], "4.6.2"),
        ([32, 7, 3], "4.6.3"),
        ([32, 7, 4], "4.6.4"),
        ([32, 7, 5], "4.6.5"),
        ([32, 7, 6], "4.6.6"),
        ([35, 1, 0], "5.0.2"),
        ([35, 2, 1], "5.1"),
        ([35, 3, 1], "5.1.1"),
        ([35, 4, 1], "5.1.2"),
        ([35, 5, 0], "5.1.3"),
        ([35, 6, 0], "5.1.4"),
        ([35, 6, 1], "5.1.5"),
        ([35, 6, 4], "5.1.6"),
        ([36, 3, 0], "6.0"),
        ([36, 4, 0], "6.1"),
        ([36, 4, 3], "6.2"),
        ([36, 4, 4], "6.2.1"),
        ([36, 5, 0], "6.2.2"),
        ([38, 2, 0], "7.0"),
        ([38, 4, 0], "7.1"),
        ([39, 2, 0], "7.2"),
        ([39, 2, 1], "7.2.1"),
    ];
    let wanted = numbers(l4t)?;
    let older = TABLE.iter().rev().find(|(row, _)| *row <= wanted)?;
    let (row, name) = older;
    let last = TABLE.iter().rfind(|(row, _)| row[0] == wanted[0])?;
    // Beyond the last row of a line nothing is known.
    let within = row[..2] == wanted[..2] && *row <= last.0;
    (within && (*row == wanted || *row != last.0)).then_some(name)
}

fn numbers(version: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    let mut parts = version.split('.');
    for (number, part) in numbers.iter_mut().zip(&mut parts) {
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_file_panics(text in ".*", revision in "[0-9.]{0,12}.?", bytes: Vec<u8>) {
            let _ = l4t(&text);
            let line = format!("# R36 (release), REVISION: {revision}");
            if let Some(version) = l4t(&line) {
                let _ = jetpack(&version);
            }
            let _ = soc(&bytes);
            let _ = first_text(&bytes);
        }
    }

    #[track_caller]
    fn check_release(line: &str, expected: Option<(&str, Option<&str>)>) {
        let l4t = l4t(line);
        let found = l4t.as_deref().map(|l4t| (l4t, jetpack(l4t)));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_release_names_its_jetpack() {
        let line = |release: &str, revision: &str| {
            format!("# {release} (release), REVISION: {revision}, GCID: 1, BOARD: generic\n")
        };
        check_release(&line("R32", "6.1"), Some(("32.6.1", Some("4.6"))));
        check_release(&line("R32", "5"), Some(("32.5", Some("4.5"))));
        check_release(&line("R35", "4.1"), Some(("35.4.1", Some("5.1.2"))));
        check_release(&line("R35", "6.3"), Some(("35.6.3", Some("5.1.5"))));
        check_release(&line("R36", "4.3"), Some(("36.4.3", Some("6.2"))));
        check_release(&line("R38", "2.2"), Some(("38.2.2", Some("7.0"))));
        check_release(&line("R39", "2.1"), Some(("39.2.1", Some("7.2.1"))));
        check_release(&line("R39", "9.0"), Some(("39.9.0", None)));
        check_release(&line("R24", "1.0"), Some(("24.1.0", None)));
        check_release(&line("Rx", "1.0"), None);
        check_release("R36\n", None);
        check_release("", None);
    }

    #[track_caller]
    fn check_soc(compatible: &str, expected: Option<&str>) {
        assert_eq!(soc(compatible.as_bytes()).as_deref(), expected);
    }

    #[test]
    fn the_chip_is_found_wherever_it_stands() {
        check_soc(
            "nvidia,p3768-0000+p3767-0003\0nvidia,tegra234\0nvidia,tegra23x\0",
            Some("tegra234"),
        );
        check_soc("nvidia,jetson-nano\0nvidia,tegra210\0", Some("tegra210"));
        check_soc("raspberrypi,5-model-b\0brcm,bcm2712\0", None);
        check_soc("", None);
    }

    #[test]
    fn a_model_ends_at_its_nul() {
        assert_eq!(first_text(b"Jetson-AGX\0").as_deref(), Some("Jetson-AGX"));
        assert_eq!(first_text(b"\0"), None);
    }
}
