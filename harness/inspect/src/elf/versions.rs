//! The versions of symbols that a file needs and provides: linked lists, which hostile files close to circles.

use std::io;

use cudacheck_model::package::{NeededVersions, WarningCode};
use object::elf::{self, Verdaux, Verdef, Vernaux, Verneed};
use object::endian::Endianness;

use super::Elf;
use super::dynamic::{Dynamic, Strings};
use crate::source::{Source, Window};
use crate::warnings::Warnings;

/// Records that are read of one file. libstdc++ defines some dozens, and glibc needs and defines fewer.
const RECORDS: u64 = 16 * 1024;

/// The versions that are needed, by file.
pub(super) fn needed(
    source: Source<'_>,
    elf: &Elf,
    dynamic: &Dynamic,
    strings: &mut Strings<'_>,
    warnings: &mut Warnings,
) -> io::Result<Vec<NeededVersions>> {
    let mut all = Vec::new();
    let Some(mut at) = start(elf, dynamic.needed_versions, "needed", warnings) else {
        return Ok(all);
    };
    let (mut window, endian) = (Window::new(source), elf.endian);
    let mut budget = RECORDS;
    for _ in 0..dynamic.needed_versions_count {
        let Some(file) = record::<Verneed<Endianness>>(&mut window, at, &mut budget, warnings)?
        else {
            break;
        };
        let name = strings.get(file.vn_file.get(endian).into(), warnings)?;
        let mut entry = NeededVersions {
            file: name.unwrap_or_default(),
            versions: Vec::new(),
            weak: Vec::new(),
        };
        let mut version_at = at.saturating_add(file.vn_aux.get(endian).into());
        for _ in 0..file.vn_cnt.get(endian) {
            let Some(version) =
                record::<Vernaux<Endianness>>(&mut window, version_at, &mut budget, warnings)?
            else {
                break;
            };
            if let Some(name) = strings.get(version.vna_name.get(endian).into(), warnings)? {
                if version.vna_flags.get(endian).contains(elf::VER_FLG_WEAK) {
                    entry.weak.push(name.clone());
                }
                entry.versions.push(name);
            }
            match version.vna_next.get(endian) {
                0 => break,
                next => version_at = version_at.saturating_add(next.into()),
            }
        }
        all.push(entry);
        match file.vn_next.get(endian) {
            0 => break,
            next => at = at.saturating_add(next.into()),
        }
    }
    Ok(all)
}

/// The versions that are provided, without the one that is the file's own name.
pub(super) fn provided(
    source: Source<'_>,
    elf: &Elf,
    dynamic: &Dynamic,
    strings: &mut Strings<'_>,
    warnings: &mut Warnings,
) -> io::Result<Vec<String>> {
    let mut all = Vec::new();
    let Some(mut at) = start(elf, dynamic.provided_versions, "provided", warnings) else {
        return Ok(all);
    };
    let (mut window, endian) = (Window::new(source), elf.endian);
    let mut budget = RECORDS;
    for _ in 0..dynamic.provided_versions_count {
        let Some(version) = record::<Verdef<Endianness>>(&mut window, at, &mut budget, warnings)?
        else {
            break;
        };
        let name_at = at.saturating_add(version.vd_aux.get(endian).into());
        // The first name is that of the version itself, the others are those of its parents.
        if !version.vd_flags.get(endian).contains(elf::VER_FLG_BASE)
            && let Some(name) =
                record::<Verdaux<Endianness>>(&mut window, name_at, &mut budget, warnings)?
        {
            all.extend(strings.get(name.vda_name.get(endian).into(), warnings)?);
        }
        match version.vd_next.get(endian) {
            0 => break,
            next => at = at.saturating_add(next.into()),
        }
    }
    Ok(all)
}

fn start(elf: &Elf, address: Option<u64>, which: &str, warnings: &mut Warnings) -> Option<u64> {
    let offset = elf.offset_of(address?);
    if offset.is_none() {
        let message = format!(
            "the table of {which} symbol versions is at an address that is not in the file"
        );
        warnings.whole(WarningCode::MalformedFile, message);
    }
    offset
}

fn record<T: object::pod::Pod + Copy>(
    window: &mut Window<'_>,
    offset: u64,
    budget: &mut u64,
    warnings: &mut Warnings,
) -> io::Result<Option<T>> {
    let place = window.source().place(offset);
    let Some(left) = budget.checked_sub(1) else {
        let message = format!("of the symbol versions the first {RECORDS} are read");
        warnings.at(WarningCode::LimitReached, place, message);
        return Ok(None);
    };
    *budget = left;
    let record = window.pod(offset)?;
    if record.is_none() {
        warnings.at(
            WarningCode::Truncated,
            place,
            "the file ends in its symbol versions",
        );
    }
    Ok(record)
}
