//! The libraries that there are checks for: their names, the ABIs that the checks were written against, and their tests.
//!
//! A check calls functions of a foreign library by their C signatures. A SONAME stands for one set of signatures, so a
//! SONAME that is not listed here is not called: the answer is a skip with its reason, never a guess.

mod arrays;
mod blas;
mod cudnn;
mod packages;
mod subject;
mod tools;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use subject::{Host, Loader, Part, PartNeed, Subject, Subjects, Territory};

/// A library, by the name that suites use.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Library {
    /// The CUDA runtime.
    Cudart,
    /// Dense linear algebra.
    Cublas,
    /// Matrix products with epilogues.
    CublasLt,
    /// Deep neural networks.
    Cudnn,
    /// Fourier transforms.
    Cufft,
    /// Random numbers.
    Curand,
    /// Factorisations and solvers of dense systems.
    Cusolver,
    /// Sparse linear algebra.
    Cusparse,
    /// Tensor contractions.
    Cutensor,
    /// Image and signal processing.
    Npp,
    /// JPEG decoding.
    Nvjpeg,
    /// The run-time compiler of CUDA C++.
    Nvrtc,
    /// The run-time linker.
    Nvjitlink,
    /// Collective communication.
    Nccl,
    /// Profiling.
    Cupti,
    /// Sparse direct solvers.
    Cudss,
    /// Inference.
    Tensorrt,
    /// Dense linear algebra of the University of Tennessee.
    Magma,
    /// Computer vision, as far as it uses CUDA.
    Opencv,
}

/// One test of a library, as a suite names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LibraryTest {
    /// A name of lower-case letters, digits, and hyphens.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub summary: &'static str,
    /// Whether a device computes.
    pub needs: TestNeeds,
}

/// What a test needs beside the library.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestNeeds {
    /// Neither driver nor device.
    Nothing,
    /// One device.
    Device,
}

/// What is known of a library.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LibraryCard {
    /// What its file's name begins with: `libcublas`.
    pub stem: &'static str,
    /// The SONAMEs whose signatures the checks know, the newest last. A `*` at the end stands for anything.
    pub sonames: &'static [&'static str],
    /// Its tests.
    pub tests: &'static [LibraryTest],
}

/// Every library, in the order of reports: what others depend on comes first.
pub const LIBRARIES: &[Library] = &[
    Library::Cudart,
    Library::Nvrtc,
    Library::Nvjitlink,
    Library::Cublas,
    Library::CublasLt,
    Library::Cufft,
    Library::Curand,
    Library::Cusparse,
    Library::Cusolver,
    Library::Cudnn,
    Library::Cutensor,
    Library::Cudss,
    Library::Npp,
    Library::Nvjpeg,
    Library::Nccl,
    Library::Cupti,
    Library::Tensorrt,
    Library::Magma,
    Library::Opencv,
];

impl Library {
    /// What is known of it.
    pub const fn card(self) -> &'static LibraryCard {
        match self {
            Self::Cudart => &tools::CUDART,
            Self::Cublas => &blas::CUBLAS,
            Self::CublasLt => &blas::CUBLAS_LT,
            Self::Cudnn => &cudnn::CUDNN,
            Self::Cufft => &arrays::CUFFT,
            Self::Curand => &arrays::CURAND,
            Self::Cusolver => &arrays::CUSOLVER,
            Self::Cusparse => &arrays::CUSPARSE,
            Self::Cutensor => &packages::CUTENSOR,
            Self::Npp => &tools::NPP,
            Self::Nvjpeg => &tools::NVJPEG,
            Self::Nvrtc => &tools::NVRTC,
            Self::Nvjitlink => &tools::NVJITLINK,
            Self::Nccl => &tools::NCCL,
            Self::Cupti => &tools::CUPTI,
            Self::Cudss => &packages::CUDSS,
            Self::Tensorrt => &packages::TENSORRT,
            Self::Magma => &packages::MAGMA,
            Self::Opencv => &packages::OPENCV,
        }
    }

    /// The name that suites use: `cublaslt`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cudart => "cudart",
            Self::Cublas => "cublas",
            Self::CublasLt => "cublaslt",
            Self::Cudnn => "cudnn",
            Self::Cufft => "cufft",
            Self::Curand => "curand",
            Self::Cusolver => "cusolver",
            Self::Cusparse => "cusparse",
            Self::Cutensor => "cutensor",
            Self::Npp => "npp",
            Self::Nvjpeg => "nvjpeg",
            Self::Nvrtc => "nvrtc",
            Self::Nvjitlink => "nvjitlink",
            Self::Nccl => "nccl",
            Self::Cupti => "cupti",
            Self::Cudss => "cudss",
            Self::Tensorrt => "tensorrt",
            Self::Magma => "magma",
            Self::Opencv => "opencv",
        }
    }

    /// The test of this name.
    pub fn test(self, name: &str) -> Option<&'static LibraryTest> {
        self.card().tests.iter().find(|test| test.name == name)
    }

    /// The library whose file has this name or SONAME: `libcublas.so.12` and `libcublas.so.12.9.1.4` are
    /// [`Library::Cublas`], `libcublasLt.so.12` is not.
    pub fn of_file(name: &str) -> Option<Self> {
        let (stem, rest) = name.split_once(".so")?;
        let is_version = rest.is_empty() || rest.starts_with('.');
        LIBRARIES
            .iter()
            .copied()
            .find(|library| is_version && library.card().stem == stem)
    }

    /// Whether the checks know the signatures that this SONAME stands for.
    pub fn knows(self, soname: &str) -> bool {
        let same = |known: &&str| match known.strip_suffix('*') {
            Some(beginning) => soname.starts_with(beginning),
            None => soname == *known,
        };
        self.card().sonames.iter().any(same)
    }
}

impl fmt::Display for Library {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check(file: &str, expected: Option<Library>) {
        assert_eq!(Library::of_file(file), expected, "{file}");
    }

    #[test]
    fn a_file_belongs_to_the_library_of_its_stem() {
        check("libcublas.so.12", Some(Library::Cublas));
        check("libcublas.so.12.9.1.4", Some(Library::Cublas));
        check("libcublasLt.so.12", Some(Library::CublasLt));
        check("libmagma.so", Some(Library::Magma));
        check("libmagma_sparse.so", None);
        check("libcublas.sox", None);
        check("libcublas_static.a", None);
        check("libnvrtc-builtins.so.12.9", None);
    }

    #[test]
    fn every_card_can_be_read() {
        for library in LIBRARIES {
            let card = library.card();
            assert!(!card.sonames.is_empty(), "{library}");
            for soname in card.sonames {
                assert_eq!(Library::of_file(soname), Some(*library));
            }
            let names: BTreeSet<_> = card.tests.iter().map(|test| test.name).collect();
            assert_eq!(names.len(), card.tests.len(), "{library}: a test twice");
            let json = serde_json::to_string(library).unwrap();
            assert_eq!(json, format!("\"{library}\""));
        }
    }
}
