//! Reads a manifest of NVIDIA's redistributables, `redistrib_12.4.1.json`: the product, its version, its platforms.

use std::fs;
use std::path::Path;

use cudacheck_model::compat::{Bound, LibraryVersion, Package};
use cudacheck_model::suite::Platform;
use cudacheck_model::version::ToolkitVersion;
use serde_json::Value;

use super::{question, wrong};
use crate::failure::Failure;

/// The largest manifest that is read; NVIDIA's have a hundred kilobytes.
const MOST_BYTES: u64 = 16 << 20;

const PLATFORMS: [(&str, Platform); 4] = [
    ("linux-x86_64", Platform::LinuxX86_64),
    ("linux-sbsa", Platform::LinuxSbsa),
    ("linux-aarch64", Platform::LinuxAarch64),
    ("linux-ppc64le", Platform::LinuxPpc64le),
];

pub(super) fn package(path: &Path) -> Result<Package, Failure> {
    let cannot = |source| Failure::File {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let not_one = |why: &str| {
        let message = format!(
            "`{}` is not a manifest of redistributables: {why}",
            path.display()
        );
        wrong(
            message,
            "name a file such as redistrib_12.4.1.json".to_owned(),
        )
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(not_one("there is no such file"));
        }
        Err(error) => return Err(cannot(error)),
    };
    if metadata.len() > MOST_BYTES {
        return Err(not_one("it is too large"));
    }
    let text = fs::read(path).map_err(cannot)?;
    let value: Value =
        serde_json::from_slice(&text).map_err(|error| not_one(&error.to_string()))?;
    let entries = value
        .as_object()
        .ok_or_else(|| not_one("it is not an object"))?;
    let components: Vec<(&String, &Value)> = entries
        .iter()
        .filter(|(_, entry)| entry.get("version").is_some())
        .collect();
    if components.is_empty() {
        return Err(not_one("it names no component with a version"));
    }
    let label = value
        .get("release_label")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let version = label.or_else(|| stem.strip_prefix("redistrib_").map(str::to_owned));
    let product = value.get("release_product").and_then(Value::as_str);
    let product = product.unwrap_or_else(|| {
        let cuda = components.iter().any(|(name, _)| name.starts_with("cuda_"));
        if cuda { "cuda" } else { components[0].0 }
    });
    let version = version
        .or_else(|| component_version(&components, product))
        .ok_or_else(|| not_one("it tells no version"))?;
    let mut package = Package::named(format!("{product} {version}"));
    for (name, platform) in PLATFORMS {
        if components
            .iter()
            .any(|(_, entry)| entry.get(name).is_some())
        {
            package.platforms.push(platform);
        }
    }
    if product == "cuda" {
        package.toolkit = question::toolkit(&version)?;
        package.name = format!("toolkit {}", package.toolkit);
    } else {
        let name = product
            .strip_prefix("lib")
            .unwrap_or(product)
            .to_ascii_lowercase();
        package.libraries.push(LibraryVersion { name, version });
        package.toolkit = variants(&components).unwrap_or(Bound::UNKNOWN);
    }
    Ok(package)
}

fn component_version(components: &[(&String, &Value)], product: &str) -> Option<String> {
    let wanted = if product == "cuda" {
        "cuda_cudart"
    } else {
        product
    };
    let found = components.iter().find(|(name, _)| *name == wanted)?;
    found.1.get("version")?.as_str().map(str::to_owned)
}

/// The CUDA major versions that a library is built for, if it is only one.
fn variants(components: &[(&String, &Value)]) -> Option<Bound<ToolkitVersion>> {
    let lists = components
        .iter()
        .filter_map(|(_, entry)| entry.get("cuda_variant")?.as_array());
    let mut majors: Vec<u32> = lists
        .flatten()
        .filter_map(|major| major.as_str()?.parse().ok())
        .collect();
    majors.sort_unstable();
    majors.dedup();
    match majors.as_slice() {
        [only] => question::toolkit(&only.to_string()).ok(),
        [..] => None,
    }
}
