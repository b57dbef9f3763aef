//! Errors are found as people name them, and every code of the tables is explained once.

use super::*;

#[track_caller]
fn check(words: &str, expected: &str) {
    let found = match explain(words) {
        Ok(found) => found
            .iter()
            .map(|each| each.name.clone())
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => format!("? {}", error.nearest.unwrap_or_default()),
    };
    assert_eq!(found, expected, "{words}");
}

#[test]
fn errors_are_found_as_people_name_them() {
    check("222", "CUDA_ERROR_UNSUPPORTED_PTX_VERSION");
    check(
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
    );
    check(
        "cudaErrorNoKernelImageForDevice",
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
    );
    check("xid 79", "ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS");
    check("Xid79", "ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS");
    check(
        "cudnn 3009",
        "CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE",
    );
    check("cudnn 6", "CUDNN_STATUS_ARCH_MISMATCH");
    check("nvml 18", "NVML_ERROR_LIB_RM_VERSION_MISMATCH");
    check("cublas 13", "CUBLAS_STATUS_EXECUTION_FAILED");
    check("35", "cudaErrorInsufficientDriver");
    check("CUDA error 100", "CUDA_ERROR_NO_DEVICE");
    check(
        "forward compatibility was attempted",
        "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
    );
    check(
        "CUDA error: no kernel image is available for execution on the device",
        "CUDA_ERROR_NO_BINARY_FOR_GPU",
    );
    check(
        "NVRM: Xid (PCI:0000:3b:00): 13, pid=1, Graphics Exception",
        "ROBUST_CHANNEL_GR_EXCEPTION / ROBUST_CHANNEL_GR_ERROR_SW_NOTIFY",
    );
    check(
        "RuntimeError: CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH in conv",
        "CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH",
    );
}

#[test]
fn what_is_not_known_is_not_explained() {
    check("xid 4711", "? ");
    check("123456", "? ");
    check(
        "CUDA_ERROR_NO_BINARY_FOR_GPUS",
        "? CUDA_ERROR_NO_BINARY_FOR_GPU",
    );
    check("flux capacitor", "? ");
    check("", "? ");
}

#[test]
fn every_code_has_one_cause_at_least_and_a_remedy() {
    for each in catalogue() {
        let name = format!("{:?} {} {}", each.domain, each.code, each.name);
        assert!(!each.name.is_empty() && each.name != "unnamed", "{name}");
        assert!(
            !each.causes.is_empty() && each.causes.iter().all(|cause| cause.len() > 5),
            "{name}"
        );
        assert!(
            each.remedy.len() > 3 && !each.remedy.ends_with('.'),
            "{name}"
        );
    }
    assert!(catalogue().len() > 300);
}

#[test]
fn the_driver_is_explained_in_one_place() {
    let table = errors();
    assert_eq!((table.schema, xids().schema), (1, 1));
    assert!(!table.sources.is_empty() && !xids().sources.is_empty());
    for entry in &table.cuda {
        let code = i32::try_from(entry.code).unwrap();
        assert!(cuda::name(code).is_some(), "{code}");
        let here = entry.cause.is_some() && entry.remedy.is_some() && entry.blame.is_some();
        let nothing = entry.cause.is_none() && entry.remedy.is_none() && entry.blame.is_none();
        assert!(
            if cuda::find(code).is_some() {
                nothing
            } else {
                here
            },
            "{code}"
        );
    }
    // Every code of `cuda.h` is listed: those are below 1000.
    let listed = |code: i32| {
        table
            .cuda
            .iter()
            .any(|entry| i32::try_from(entry.code) == Ok(code))
    };
    assert!(
        (0..2000)
            .filter(|code| cuda::name(*code).is_some())
            .all(listed)
    );
}

#[test]
fn codes_and_names_are_unique() {
    let mut seen = std::collections::BTreeSet::new();
    for each in catalogue() {
        assert!(
            seen.insert((each.domain, each.code)),
            "{:?} {}",
            each.domain,
            each.code
        );
    }
}
