//! Finds the line in a tester's words that proves a cause: what the loader says, and the errors of CUDA that
//! the catalogue explains. A line that proves nothing is left to the reader.

use std::sync::LazyLock;

use cudacheck_model::compat::{self, Culprit, Domain, Explanation};
use cudacheck_model::outcome::Class;

/// Lines that are looked at; a tester that says more than this has said it before.
const LINES: usize = 20_000;
/// Characters of a line that are looked at.
const WIDTH: usize = 1_000;

/// What a line proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Proof {
    pub(super) cause: String,
    pub(super) remedy: String,
    pub(super) class: Class,
    /// Who is to blame.
    pub(super) culprit: Culprit,
    /// The driver's code, if it is one of the driver's.
    pub(super) code: Option<i32>,
}

/// The first line that proves a cause.
pub(super) fn proof<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Proof> {
    let mut lines = lines.into_iter().take(LINES);
    lines.find_map(|line| {
        let line: String = line.trim().chars().take(WIDTH).collect();
        loading(&line).or_else(|| catalogued(&line))
    })
}

/// What the dynamic loader, the kernel, and Python's importer say of what they do not find.
fn loading(line: &str) -> Option<Proof> {
    const SHARED: &str = "error while loading shared libraries: ";
    const OPEN: &str = ": cannot open shared object file";
    const IMAGE: &str = "Exec format error";
    let (cause, remedy) = if let Some((_, rest)) = line.split_once(SHARED) {
        let (library, reason) = rest.split_once(": ").unwrap_or((rest, "not found"));
        (
            format!("the loader cannot give the tester `{library}`: {reason}"),
            finds(library),
        )
    } else if let Some((before, _)) = line.split_once(OPEN) {
        let library = last_word(before);
        (
            format!("`{library}` was opened, and the loader does not find it"),
            finds(library),
        )
    } else if let Some((before, rest)) = line.split_once("' not found (required by ") {
        let version = before
            .rsplit_once(['`', '\''])
            .map_or(before, |(_, version)| version);
        let file = rest.split(')').next().unwrap_or_default();
        (
            format!("`{file}` needs the version {version} of a library, and got an older one"),
            format!("cudacheck inspect {file}: it says which library is taken, and why"),
        )
    } else if let Some((before, symbol)) = line.split_once(": undefined symbol: ") {
        let (file, symbol) = (
            last_word(before),
            symbol.split([',', ' ']).next().unwrap_or_default(),
        );
        (
            format!("`{file}` needs the symbol {symbol}, which no library that was loaded has"),
            format!("cudacheck inspect {file}: two libraries of different versions look like this"),
        )
    } else if let Some((_, name)) = line.split_once("No module named ") {
        let name = name.trim_matches(['\'', '"', ' ']);
        (
            format!("Python finds no module `{name}`"),
            "give --package an environment that has both the interpreter and the module".to_owned(),
        )
    } else if let Some((_, rest)) = line.split_once("Cannot load libn") {
        // FFmpeg's words for the parts of the driver that it opens by their names.
        let rest = rest.split([' ', '\'', '"']).next().unwrap_or_default();
        (
            format!("`libn{rest}` is a part of the driver, and cannot be opened"),
            "cudacheck facts: see whether it lies beside libcuda; in a container NVIDIA_DRIVER_CAPABILITIES must have `video`"
                .to_owned(),
        )
    } else if line.contains(IMAGE) {
        (
            "the program is for another processor".to_owned(),
            "file on the program; build the package for this machine".to_owned(),
        )
    } else {
        return None;
    };
    Some(Proof {
        cause,
        remedy,
        class: Class::Loading,
        culprit: Culprit::Code,
        code: None,
    })
}

fn finds(library: &str) -> String {
    format!(
        "cudacheck inspect on the package: it says where {library} is looked for, and what finds it"
    )
}

fn last_word(text: &str) -> &str {
    let word = text
        .rsplit([' ', '\'', '"', '`', '('])
        .next()
        .unwrap_or(text);
    word.rsplit_once(": ").map_or(word, |(_, word)| word)
}

/// An error of the catalogue as it is looked for: in lower case.
struct Sought {
    error: &'static Explanation,
    names: Vec<String>,
    says: String,
    /// Whether the sentence itself speaks of GPUs, so that nobody else says it.
    peculiar: bool,
}

/// What is no error, and what anybody might say, is not looked for.
static SOUGHT: LazyLock<Vec<Sought>> = LazyLock::new(|| {
    let all = compat::catalogue().iter();
    let real = all.filter(|each| each.code != 0 && each.fault != Culprit::Nobody);
    let sought = real.map(|error| {
        let own = [
            "cuda",
            "device",
            "kernel image",
            "gpu",
            "ptx",
            "ecc",
            "nvlink",
            "driver",
        ];
        let names = [Some(&error.name), error.runtime_name.as_ref()];
        let says = error.says.as_deref().unwrap_or_default().to_lowercase();
        Sought {
            error,
            // `CUDA_ERROR_…`, `cudaError…`, `CUDNN_STATUS_…`: nobody writes these words by chance.
            names: names
                .into_iter()
                .flatten()
                .filter(|name| name.len() >= 12)
                .map(|name| name.to_lowercase())
                .collect(),
            peculiar: own.iter().any(|word| says.contains(word)),
            says: if says.len() >= 12 {
                says
            } else {
                String::new()
            },
        }
    });
    sought.collect()
});

/// An error of CUDA or of one of its libraries, by its name or by its sentence.
fn catalogued(line: &str) -> Option<Proof> {
    let lower = line.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.len() >= 12)
        .collect();
    let named = |sought: &&Sought| {
        sought
            .names
            .iter()
            .any(|name| words.contains(&name.as_str()))
    };
    // `operation not permitted` and the like are sentences of every library: they need a line that speaks of CUDA.
    let of_cuda = [
        "cuda error",
        "cuda_error",
        "cudaerror",
        "cuda runtime",
        "cuda out of",
        "gpu api call",
        "cudnn",
        "cublas",
        "nvml",
        "nvrtc",
    ];
    let speaks = of_cuda.iter().any(|word| lower.contains(word));
    let said = |sought: &&Sought| {
        let of_kernel = sought.error.domain != Domain::Xid || lower.contains("xid");
        !sought.says.is_empty()
            && of_kernel
            && (speaks || sought.peculiar)
            && lower.contains(&sought.says)
    };
    // The longest sentence says most; of equals the first of the catalogue is the driver's own.
    let longest = || {
        SOUGHT
            .iter()
            .filter(said)
            .rev()
            .max_by_key(|it| it.says.len())
    };
    let named = if words.is_empty() {
        None
    } else {
        SOUGHT.iter().find(named)
    };
    let found = named.or_else(longest)?.error;
    let (name, code, of) = (&found.name, found.code, whose(found.domain));
    Some(Proof {
        cause: format!("{name} ({code} of {of}): {}", found.causes.join("; or ")),
        remedy: found.remedy.clone(),
        class: class(&found.name),
        culprit: found.fault,
        code: match found.domain {
            Domain::Cuda | Domain::Cudart => i32::try_from(found.code).ok(),
            Domain::Cublas | Domain::Cudnn | Domain::Nvml | Domain::Xid => None,
        },
    })
}

fn whose(domain: Domain) -> &'static str {
    match domain {
        Domain::Cuda => "the driver",
        Domain::Cudart => "the runtime",
        Domain::Nvml => "NVML",
        Domain::Cublas => "cuBLAS",
        Domain::Cudnn => "cuDNN",
        Domain::Xid => "the kernel module",
    }
}

fn class(name: &str) -> Class {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&[
        "NO_BINARY",
        "NO_KERNEL_IMAGE",
        "PTX",
        "JIT",
        "ARCH_MISMATCH",
        "INVALID_IMAGE",
    ]) {
        Class::Architecture
    } else if has(&[
        "SHARED_OBJECT",
        "SUBLIBRARY",
        "VERSION_MISMATCH",
        "InsufficientDriver",
        "PREREQUISITE",
        "STUB",
    ]) {
        Class::Loading
    } else {
        Class::Execution
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(Class, &str)>) {
        let found = proof(["nothing to see here", line]);
        let found = found
            .as_ref()
            .map(|proof| (proof.class, proof.cause.as_str()));
        assert_eq!(
            found.map(|it| it.0),
            expected.map(|it| it.0),
            "{line}: {found:?}"
        );
        if let (Some((_, cause)), Some((_, beginning))) = (found, expected) {
            assert!(cause.starts_with(beginning), "{cause}");
        }
    }

    #[test]
    fn what_the_loader_says_is_a_proof() {
        check(
            "/p/bin/x: error while loading shared libraries: libmagma.so: cannot open shared object file: No such file",
            Some((
                Class::Loading,
                "the loader cannot give the tester `libmagma.so`: cannot open shared",
            )),
        );
        check(
            "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory",
            Some((Class::Loading, "`libcudnn.so.9` was opened")),
        );
        check(
            "/p/x: /lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /p/libopencv_core.so)",
            Some((
                Class::Loading,
                "`/p/libopencv_core.so` needs the version GLIBCXX_3.4.30",
            )),
        );
        check(
            "/p/x: symbol lookup error: /p/liba.so.1: undefined symbol: cublasLtCreate, version libcublasLt.so.12",
            Some((
                Class::Loading,
                "`/p/liba.so.1` needs the symbol cublasLtCreate,",
            )),
        );
        check(
            "[h264_cuvid @ 0x55] Cannot load libnvcuvid.so.1",
            Some((
                Class::Loading,
                "`libnvcuvid.so.1` is a part of the driver, and cannot be opened",
            )),
        );
        check(
            "ModuleNotFoundError: No module named 'cupy'",
            Some((Class::Loading, "Python finds no module `cupy`")),
        );
    }

    #[test]
    fn errors_of_cuda_are_explained_by_the_catalogue() {
        check(
            "RuntimeError: CUDA error: no kernel image is available for execution on the device",
            Some((Class::Architecture, "CUDA_ERROR_NO_BINARY_FOR_GPU (209 of ")),
        );
        check(
            "error: (-217:Gpu API call) CUDA driver version is insufficient for CUDA runtime version in function 'x'",
            Some((Class::Loading, "cudaErrorInsufficientDriver (35 of ")),
        );
        check(
            "cudnn error: CUDNN_STATUS_EXECUTION_FAILED at x.cpp",
            Some((Class::Execution, "CUDNN_STATUS_EXECUTION_FAILED (5000 of ")),
        );
        check(
            "CUDA_ERROR_ILLEGAL_ADDRESS",
            Some((Class::Execution, "CUDA_ERROR_ILLEGAL_ADDRESS (700 of ")),
        );
    }

    #[test]
    fn what_others_also_say_is_no_proof() {
        check("write: invalid argument", None);
        check(
            "the device's decoder: Error while opening decoder: Operation not permitted",
            None,
        );
        check("a GPU is needed, but: not supported", None);
        check("sh: out of memory", None);
        check("CUDA_SUCCESS", None);
        check("3 of 5 elements differ", None);
        check("", None);
    }
}
