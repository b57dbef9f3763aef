//! Names of the device attributes, so that a profile reads as `warp-size: 32`, not as `10: 32`.

use std::fmt;

use cudacheck_model::version::ToolkitVersion;
use serde::{Deserialize, Deserializer, de};

/// A device attribute of `cuDeviceGetAttribute`, by the number of `CUdevice_attribute` in `cuda.h`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Attribute(u32);

impl Attribute {
    /// The attribute of a number, if `cuda.h` of CUDA 13.4 has it.
    pub fn from_number(number: u32) -> Option<Self> {
        NAMES
            .binary_search_by_key(&number, |(known, _)| *known)
            .ok()
            .map(|_| Self(number))
    }

    /// The attribute of a name in profile spelling: `warp-size`.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(number, _)| Self(*number))
    }

    /// Its number in `cuda.h`.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Whether a driver of this CUDA version knows the attribute; older ones answer `CUDA_ERROR_INVALID_VALUE`.
    pub fn known_to(self, driver: ToolkitVersion) -> bool {
        let limit = LIMITS
            .iter()
            .rev()
            .find(|(major, minor, _)| driver >= ToolkitVersion::new(*major, *minor))
            .map_or(LIMITS[0].2, |(_, _, limit)| *limit);
        self.0 < limit
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES
            .binary_search_by_key(&self.0, |(known, _)| *known)
            .map_or("?", |index| NAMES[index].1);
        formatter.write_str(name)
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| {
            let hint = crate::inject::nearest(&name, NAMES.iter().map(|(_, known)| *known))
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            de::Error::custom(format!("`{name}` is no device attribute{hint}"))
        })
    }
}

/// The first attribute that the header of a CUDA version does not have, as `CU_DEVICE_ATTRIBUTE_MAX` says.
const LIMITS: &[(u32, u32, u32)] = &[
    (11, 2, 117),
    (11, 4, 120),
    (11, 6, 122),
    (11, 7, 125),
    (12, 0, 130),
    (12, 1, 133),
    (12, 2, 135),
    (12, 5, 136),
    (12, 8, 144),
    (13, 0, 148),
    (13, 1, 149),
    (13, 3, 157),
    (13, 4, 162),
];

/// What every device from Maxwell to Blackwell answers alike; a profile may say otherwise.
pub(super) const SHARED: &[(u32, i32)] = &[
    (1, 1024),
    (2, 1024),
    (3, 1024),
    (4, 64),
    (5, i32::MAX),
    (6, 65535),
    (7, 65535),
    (8, 49152),
    (9, 65536),
    (10, 32),
    (11, i32::MAX),
    (12, 65536),
    (14, 512),
    (15, 1),
    (19, 1),
    (30, 512),
    (31, 1),
    (41, 1),
    (51, 32),
    (78, 1),
    (79, 1),
    (80, 1),
    (82, 65536),
    (83, 1),
    (90, 1),
    (95, 1),
];

/// Every attribute of CUDA 13.4, by number.
const NAMES: &[(u32, &str)] = &[
    (1, "max-threads-per-block"),
    (2, "max-block-dim-x"),
    (3, "max-block-dim-y"),
    (4, "max-block-dim-z"),
    (5, "max-grid-dim-x"),
    (6, "max-grid-dim-y"),
    (7, "max-grid-dim-z"),
    (8, "max-shared-memory-per-block"),
    (9, "total-constant-memory"),
    (10, "warp-size"),
    (11, "max-pitch"),
    (12, "max-registers-per-block"),
    (13, "clock-rate"),
    (14, "texture-alignment"),
    (15, "gpu-overlap"),
    (16, "multiprocessor-count"),
    (17, "kernel-exec-timeout"),
    (18, "integrated"),
    (19, "can-map-host-memory"),
    (20, "compute-mode"),
    (21, "maximum-texture1d-width"),
    (22, "maximum-texture2d-width"),
    (23, "maximum-texture2d-height"),
    (24, "maximum-texture3d-width"),
    (25, "maximum-texture3d-height"),
    (26, "maximum-texture3d-depth"),
    (27, "maximum-texture2d-layered-width"),
    (28, "maximum-texture2d-layered-height"),
    (29, "maximum-texture2d-layered-layers"),
    (30, "surface-alignment"),
    (31, "concurrent-kernels"),
    (32, "ecc-enabled"),
    (33, "pci-bus-id"),
    (34, "pci-device-id"),
    (35, "tcc-driver"),
    (36, "memory-clock-rate"),
    (37, "global-memory-bus-width"),
    (38, "l2-cache-size"),
    (39, "max-threads-per-multiprocessor"),
    (40, "async-engine-count"),
    (41, "unified-addressing"),
    (42, "maximum-texture1d-layered-width"),
    (43, "maximum-texture1d-layered-layers"),
    (44, "can-tex2d-gather"),
    (45, "maximum-texture2d-gather-width"),
    (46, "maximum-texture2d-gather-height"),
    (47, "maximum-texture3d-width-alternate"),
    (48, "maximum-texture3d-height-alternate"),
    (49, "maximum-texture3d-depth-alternate"),
    (50, "pci-domain-id"),
    (51, "texture-pitch-alignment"),
    (52, "maximum-texturecubemap-width"),
    (53, "maximum-texturecubemap-layered-width"),
    (54, "maximum-texturecubemap-layered-layers"),
    (55, "maximum-surface1d-width"),
    (56, "maximum-surface2d-width"),
    (57, "maximum-surface2d-height"),
    (58, "maximum-surface3d-width"),
    (59, "maximum-surface3d-height"),
    (60, "maximum-surface3d-depth"),
    (61, "maximum-surface1d-layered-width"),
    (62, "maximum-surface1d-layered-layers"),
    (63, "maximum-surface2d-layered-width"),
    (64, "maximum-surface2d-layered-height"),
    (65, "maximum-surface2d-layered-layers"),
    (66, "maximum-surfacecubemap-width"),
    (67, "maximum-surfacecubemap-layered-width"),
    (68, "maximum-surfacecubemap-layered-layers"),
    (69, "maximum-texture1d-linear-width"),
    (70, "maximum-texture2d-linear-width"),
    (71, "maximum-texture2d-linear-height"),
    (72, "maximum-texture2d-linear-pitch"),
    (73, "maximum-texture2d-mipmapped-width"),
    (74, "maximum-texture2d-mipmapped-height"),
    (75, "compute-capability-major"),
    (76, "compute-capability-minor"),
    (77, "maximum-texture1d-mipmapped-width"),
    (78, "stream-priorities-supported"),
    (79, "global-l1-cache-supported"),
    (80, "local-l1-cache-supported"),
    (81, "max-shared-memory-per-multiprocessor"),
    (82, "max-registers-per-multiprocessor"),
    (83, "managed-memory"),
    (84, "multi-gpu-board"),
    (85, "multi-gpu-board-group-id"),
    (86, "host-native-atomic-supported"),
    (87, "single-to-double-precision-perf-ratio"),
    (88, "pageable-memory-access"),
    (89, "concurrent-managed-access"),
    (90, "compute-preemption-supported"),
    (91, "can-use-host-pointer-for-registered-mem"),
    (92, "can-use-stream-mem-ops-v1"),
    (93, "can-use-64-bit-stream-mem-ops-v1"),
    (94, "can-use-stream-wait-value-nor-v1"),
    (95, "cooperative-launch"),
    (96, "cooperative-multi-device-launch"),
    (97, "max-shared-memory-per-block-optin"),
    (98, "can-flush-remote-writes"),
    (99, "host-register-supported"),
    (100, "pageable-memory-access-uses-host-page-tables"),
    (101, "direct-managed-mem-access-from-host"),
    (102, "virtual-address-management-supported"),
    (103, "handle-type-posix-file-descriptor-supported"),
    (104, "handle-type-win32-handle-supported"),
    (105, "handle-type-win32-kmt-handle-supported"),
    (106, "max-blocks-per-multiprocessor"),
    (107, "generic-compression-supported"),
    (108, "max-persisting-l2-cache-size"),
    (109, "max-access-policy-window-size"),
    (110, "gpu-direct-rdma-with-cuda-vmm-supported"),
    (111, "reserved-shared-memory-per-block"),
    (112, "sparse-cuda-array-supported"),
    (113, "read-only-host-register-supported"),
    (114, "timeline-semaphore-interop-supported"),
    (115, "memory-pools-supported"),
    (116, "gpu-direct-rdma-supported"),
    (117, "gpu-direct-rdma-flush-writes-options"),
    (118, "gpu-direct-rdma-writes-ordering"),
    (119, "mempool-supported-handle-types"),
    (120, "cluster-launch"),
    (121, "deferred-mapping-cuda-array-supported"),
    (122, "can-use-64-bit-stream-mem-ops"),
    (123, "can-use-stream-wait-value-nor"),
    (124, "dma-buf-supported"),
    (125, "ipc-event-supported"),
    (126, "mem-sync-domain-count"),
    (127, "tensor-map-access-supported"),
    (128, "handle-type-fabric-supported"),
    (129, "unified-function-pointers"),
    (130, "numa-config"),
    (131, "numa-id"),
    (132, "multicast-supported"),
    (133, "mps-enabled"),
    (134, "host-numa-id"),
    (135, "d3d12-cig-supported"),
    (136, "mem-decompress-algorithm-mask"),
    (137, "mem-decompress-maximum-length"),
    (138, "vulkan-cig-supported"),
    (139, "gpu-pci-device-id"),
    (140, "gpu-pci-subsystem-id"),
    (141, "host-numa-virtual-memory-management-supported"),
    (142, "host-numa-memory-pools-supported"),
    (143, "host-numa-multinode-ipc-supported"),
    (144, "host-memory-pools-supported"),
    (145, "host-virtual-memory-management-supported"),
    (146, "host-alloc-dma-buf-supported"),
    (147, "only-partial-host-native-atomic-supported"),
    (148, "atomic-reduction-supported"),
    (149, "locality-domain-count"),
    (150, "max-oversized-shared-memory-per-block"),
    (151, "d3d12-cig-streams-supported"),
    (152, "dma-buf-mmap-supported"),
    (153, "logical-endpoint-unicast-supported"),
    (154, "logical-endpoint-multicast-supported"),
    (155, "logical-endpoint-counted-ops-supported"),
    (
        156,
        "logical-endpoint-unicast-access-on-owner-device-supported",
    ),
    (157, "locality-domain-multiprocessor-count"),
    (158, "logical-endpoint-supported-handle-types"),
    (161, "gpu-direct-rdma-with-localized-memory-supported"),
];
