//! The tables that the rules look into, as they lie in `data/compat`: data with sources, so that a new toolkit or a new
//! branch of the driver is one entry and no code.
//!
//! They are compiled in, and parsed when a question is first asked: a run that asks none pays nothing.

mod rows;

pub use rows::{
    Branch, Changes, CompatPackage, CompatPackages, Compilers, Confidence, Drivers, Floor,
    Generation, Gpus, JetPackRelease, JetPackUpgrade, JetPacks, Libraries, LibraryFloor, Product,
    Release, Seen, Soname, Source, SourceKind, Sources, Span, System, Systems, Toolkit, Toolkits,
    Variable, VariableTable,
};

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use super::bound::Bound;
use crate::version::{ComputeCapability, PtxIsa, ToolkitVersion};

pub(super) fn parsed<T: DeserializeOwned>(name: &str, text: &str) -> T {
    serde_yaml::from_str(text)
        .unwrap_or_else(|error| panic!("data/compat/{name} is a table of ours, but: {error}"))
}

macro_rules! tables {
    ($($(#[$doc:meta])* $function:ident: $type:ty = $file:literal;)*) => {
        $($(#[$doc])*
        pub fn $function() -> &'static $type {
            static TABLE: LazyLock<$type> = LazyLock::new(|| {
                parsed($file, include_str!(concat!("../../data/compat/", $file)))
            });
            &TABLE
        })*
    };
}

tables! {
    /// The toolkits.
    toolkits: Toolkits = "toolkits.yaml";
    /// The branches of the driver.
    drivers: Drivers = "drivers.yaml";
    /// The GPUs.
    gpus: Gpus = "gpus.yaml";
    /// The releases of JetPack.
    jetpacks: JetPacks = "jetpacks.yaml";
    /// The libraries.
    libraries: Libraries = "libraries.yaml";
    /// The distributions.
    systems: Systems = "systems.yaml";
    /// The environment variables.
    variables: VariableTable = "variables.yaml";
}

/// The toolkit of this version.
pub fn toolkit(version: ToolkitVersion) -> Option<&'static Toolkit> {
    toolkits()
        .toolkits
        .iter()
        .find(|toolkit| toolkit.version == version)
}

/// The lowest driver of minor-version compatibility for toolkits of this major version.
pub fn floor(major: u32) -> Option<&'static Floor> {
    toolkits().floors.iter().find(|floor| floor.major == major)
}

/// The generation of this capability.
pub fn generation(capability: ComputeCapability) -> Option<&'static Generation> {
    let mut all = gpus().capabilities.iter();
    all.find(|generation| generation.capability == capability)
}

/// The branch of this number.
pub fn branch(number: u32) -> Option<&'static Branch> {
    drivers()
        .branches
        .iter()
        .find(|branch| branch.branch == number)
}

/// The version of PTX that goes with a CUDA version: what a toolkit emits, and what a driver's compiler accepts.
pub fn ptx_of(cuda: Bound<ToolkitVersion>) -> Bound<PtxIsa> {
    let all = &toolkits().toolkits;
    let at_least = cuda.at_least.and_then(|low| {
        let older = all.iter().rev().find(|toolkit| toolkit.version <= low);
        older.map(|toolkit| toolkit.ptx)
    });
    let at_most = cuda.at_most.and_then(|high| {
        let newer = all.iter().find(|toolkit| toolkit.version >= high);
        newer.map(|toolkit| toolkit.ptx)
    });
    Bound { at_least, at_most }
}

/// The CUDA version that a branch of the driver supports. Between known branches and beyond them, bounds.
pub fn cuda_of(number: u32) -> Bound<ToolkitVersion> {
    let all = &drivers().branches;
    let at_least = all.iter().rev().find(|branch| branch.branch <= number);
    let at_most = all.iter().find(|branch| branch.branch >= number);
    Bound {
        at_least: at_least.map(|branch| branch.cuda),
        at_most: at_most.map(|branch| branch.cuda),
    }
}
