//! The layout of `errors.yaml` and `xids.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Culprit;
use crate::compat::tables::{self, Sources};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::compat) struct Errors {
    pub(in crate::compat) schema: u32,
    pub(in crate::compat) sources: Sources,
    pub(in crate::compat) cuda: Vec<DriverEntry>,
    pub(in crate::compat) cudart: Vec<Entry>,
    pub(in crate::compat) cublas: Vec<Entry>,
    pub(in crate::compat) cudnn8: Vec<Entry>,
    pub(in crate::compat) cudnn9: Vec<Entry>,
    pub(in crate::compat) nvml: Vec<Entry>,
}

/// A code of the driver: what [`crate::cuda`] does not say of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::compat) struct DriverEntry {
    pub(in crate::compat) code: u32,
    #[serde(default)]
    pub(in crate::compat) runtime: Option<String>,
    #[serde(default)]
    pub(in crate::compat) says: Option<String>,
    #[serde(default)]
    pub(in crate::compat) blame: Option<Culprit>,
    #[serde(default)]
    pub(in crate::compat) cause: Option<String>,
    #[serde(default)]
    pub(in crate::compat) further: Vec<String>,
    #[serde(default)]
    pub(in crate::compat) look: Vec<String>,
    #[serde(default)]
    pub(in crate::compat) remedy: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::compat) struct Entry {
    pub(in crate::compat) code: u32,
    pub(in crate::compat) name: String,
    #[serde(default)]
    pub(in crate::compat) says: Option<String>,
    pub(in crate::compat) blame: Culprit,
    pub(in crate::compat) cause: String,
    #[serde(default)]
    pub(in crate::compat) further: Vec<String>,
    #[serde(default)]
    pub(in crate::compat) look: Vec<String>,
    pub(in crate::compat) remedy: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::compat) struct Xids {
    pub(in crate::compat) schema: u32,
    pub(in crate::compat) sources: Sources,
    pub(in crate::compat) xids: Vec<Xid>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::compat) struct Xid {
    pub(in crate::compat) xid: u32,
    pub(in crate::compat) name: String,
    pub(in crate::compat) says: String,
    pub(in crate::compat) class: XidClass,
    pub(in crate::compat) action: XidAction,
    #[serde(default)]
    pub(in crate::compat) note: Option<String>,
    #[serde(default)]
    pub(in crate::compat) doubt: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::compat) enum XidClass {
    Application,
    Hardware,
    Driver,
    Info,
    Ambiguous,
}

/// The immediate actions of NVIDIA's catalogue.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::compat) enum XidAction {
    RestartApp,
    Ignore,
    ResetGpu,
    ContactSupport,
    CheckNvlink,
    SeeOther,
    CheckMechanicals,
    UpdateSwfw,
    RestartBm,
    RestartVm,
    CheckUvm,
}

impl XidAction {
    pub(in crate::compat) fn remedy(self) -> &'static str {
        match self {
            Self::RestartApp => {
                "run the program again; if it comes back, compute-sanitizer on the program, then the same program on another GPU"
            }
            Self::Ignore => "nothing by itself: look at other Xids around it",
            Self::ResetGpu => {
                "end all programs on the GPU, then nvidia-smi --gpu-reset; if it comes back, take the GPU out of service"
            }
            Self::ContactSupport => "nvidia-bug-report.sh, and NVIDIA's or the vendor's support",
            Self::CheckNvlink => {
                "nvidia-smi nvlink --errorcounters; nvidia-smi --gpu-reset; if it comes back, look at the links and bridges"
            }
            Self::SeeOther => "look at the Xid before it, and do what that one needs",
            Self::CheckMechanicals => "look at the power cables and the seat of the GPU",
            Self::UpdateSwfw => "update the driver and the firmware of the GPU",
            Self::RestartBm => {
                "reboot the machine; if it comes back, look at power, temperature, and the slot, then replace the GPU"
            }
            Self::RestartVm => "restart the virtual machine",
            Self::CheckUvm => "look at the messages of nvidia-uvm around it; run the program again",
        }
    }
}

pub(in crate::compat) fn errors() -> &'static Errors {
    static TABLE: LazyLock<Errors> = LazyLock::new(|| {
        tables::parsed(
            "errors.yaml",
            include_str!("../../../data/compat/errors.yaml"),
        )
    });
    &TABLE
}

pub(in crate::compat) fn xids() -> &'static Xids {
    static TABLE: LazyLock<Xids> = LazyLock::new(|| {
        tables::parsed("xids.yaml", include_str!("../../../data/compat/xids.yaml"))
    });
    &TABLE
}
