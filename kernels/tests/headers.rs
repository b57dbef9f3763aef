//! Every PTX file is a kernel of the catalogue, and every kernel is what its file says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cudacheck_kernels::{DeviceLimits, Expected, Initial, Kernel, Step, all, find};
use cudacheck_model::version::ComputeCapability;

/// The folder with one file for each kernel.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ptx");

/// A device with plenty of everything.
const LIMITS: DeviceLimits = DeviceLimits {
    capability: ComputeCapability {
        major: 12,
        minor: 0,
    },
    multiprocessors: 4,
    threads_per_block: 1024,
    shared_bytes: 48 << 10,
    shared_bytes_optin: 99 << 10,
    memory_budget: 1 << 20,
};

#[test]
fn each_file_is_one_kernel_of_its_name() {
    let files: BTreeSet<String> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let kernels: BTreeSet<String> = all().map(|kernel| format!("{}.ptx", kernel.name)).collect();
    assert_eq!(files, kernels);
    assert_eq!(all().count(), kernels.len(), "names are unique");
    for kernel in all() {
        let path = Path::new(FOLDER).join(format!("{}.ptx", kernel.name));
        assert_eq!(fs::read_to_string(path).unwrap(), kernel.ptx);
        assert!(std::ptr::eq(find(kernel.name).unwrap(), kernel));
    }
    assert!(find("no-such-kernel").is_none());
}

#[test]
fn each_header_is_well_formed_and_explained() {
    for kernel in all() {
        let header = kernel.header();
        assert!(header.isa.major >= 3, "{}", kernel.name);
        assert!(
            kernel.ptx.starts_with("// "),
            "{}: the first line says what the kernel does",
            kernel.name
        );
        assert_eq!(
            kernel.ptx.matches(".address_size 64").count(),
            1,
            "{}",
            kernel.name
        );
        assert!(
            !kernel.summary.is_empty() && !kernel.summary.ends_with('.'),
            "{}",
            kernel.name
        );
    }
}

/// The parameters that an entry declares, in order, each as its text.
fn parameters(kernel: &Kernel, entry: &str) -> Option<Vec<String>> {
    let start = kernel.ptx.find(&format!(".entry {entry}("))?;
    let list = kernel.ptx[start..].split_once('(')?.1.split_once(')')?.0;
    let parts = list.split(',').map(|part| part.trim().to_owned());
    Some(parts.filter(|part| !part.is_empty()).collect())
}

/// How many bytes a parameter takes, as its declaration says.
fn size(parameter: &str) -> usize {
    if let Some((_, count)) = parameter.split_once('[') {
        return count
            .trim_end_matches(']')
            .parse()
            .expect("a number of bytes");
    }
    let width = parameter.split_whitespace().nth(1).expect("a type");
    width[2..].parse::<usize>().expect("a width in bits") / 8
}

#[test]
fn each_launch_names_an_entry_and_passes_what_it_declares() {
    for kernel in all() {
        let program = (kernel.program)(&LIMITS, 7);
        let launches = program.steps.iter().filter_map(|step| match step {
            Step::Launch(launch) => Some(launch),
            Step::SetGlobal { symbol, .. } => {
                assert!(kernel.ptx.contains(symbol), "{}: {symbol}", kernel.name);
                None
            }
        });
        let mut some = 0;
        for launch in launches {
            some += 1;
            let declared = parameters(kernel, launch.entry)
                .unwrap_or_else(|| panic!("{} has no entry `{}`", kernel.name, launch.entry));
            assert_eq!(
                declared.len(),
                launch.arguments.len(),
                "{}: {declared:?}",
                kernel.name
            );
            for (parameter, argument) in declared.iter().zip(&launch.arguments) {
                match argument {
                    cudacheck_kernels::Argument::Buffer(index) => {
                        assert!(*index < program.buffers.len(), "{}", kernel.name);
                        assert_eq!(size(parameter), 8, "{}: {parameter}", kernel.name);
                    }
                    cudacheck_kernels::Argument::Value(bytes) => {
                        assert_eq!(size(parameter), bytes.len(), "{}: {parameter}", kernel.name);
                    }
                }
            }
            assert!(
                launch.block.iter().product::<u32>() <= LIMITS.threads_per_block,
                "{}",
                kernel.name
            );
        }
        assert!(some > 0, "{} launches nothing", kernel.name);
    }
}

#[test]
fn each_output_is_compared_and_the_same_seed_gives_the_same_program() {
    for kernel in all() {
        let [first, second] = [7, 7].map(|seed| (kernel.program)(&LIMITS, seed));
        let checked = first.buffers.iter().filter(|buffer| {
            matches!(
                buffer.expected,
                Expected::Exact { .. }
                    | Expected::Within32 { .. }
                    | Expected::Table(_)
                    | Expected::Property(_)
            )
        });
        assert!(checked.count() > 0, "{} checks nothing", kernel.name);
        for (one, other) in first.buffers.iter().zip(&second.buffers) {
            if let (Initial::Bytes(one), Initial::Bytes(other)) = (&one.initial, &other.initial) {
                assert!(one == other, "{}", kernel.name);
            }
        }
    }
}
