//! Writes small ELF files, archives, and Windows libraries, with exactly what a test is about.

/// What an ELF file is made for, and how it writes its numbers.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub(crate) machine: u16,
    pub(crate) big_endian: bool,
}

pub(crate) const X86_64: Host = Host {
    machine: 62,
    big_endian: false,
};
pub(crate) const AARCH64: Host = Host {
    machine: 183,
    big_endian: false,
};
pub(crate) const PPC64LE: Host = Host {
    machine: 21,
    big_endian: false,
};
pub(crate) const PPC64: Host = Host {
    machine: 21,
    big_endian: true,
};

/// A section with data.
pub(crate) struct Section<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn section(name: &str, bytes: impl Into<Vec<u8>>) -> Section<'_> {
    Section {
        name,
        bytes: bytes.into(),
    }
}

/// A shared object with these sections and nothing that a loader needs.
pub(crate) fn elf(host: Host, sections: &[Section<'_>]) -> Vec<u8> {
    let u16 = |value: u16| {
        if host.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u32 = |value: u32| {
        if host.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u64 = |value: u64| {
        if host.big_endian {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut names = vec![0];
    let mut data = vec![0; 64];
    let mut headers = vec![0; 64];
    let mut header = |name: u32, kind: u32, flags: u64, offset: usize, size: usize| {
        headers.extend([u32(name), u32(kind)].concat());
        headers.extend([u64(flags), u64(0), u64(offset as u64), u64(size as u64)].concat());
        headers.extend([u32(0), u32(0)].concat());
        headers.extend([u64(8), u64(0)].concat());
    };
    for section in sections {
        data.resize(data.len().next_multiple_of(256), 0);
        // Data, in memory.
        header(
            u32::try_from(names.len()).unwrap(),
            1,
            2,
            data.len(),
            section.bytes.len(),
        );
        names.extend(section.name.bytes().chain([0]));
        data.extend(&section.bytes);
    }
    header(0, 3, 0, data.len(), names.len());
    data.extend(&names);
    data.resize(data.len().next_multiple_of(8), 0);
    let table = data.len();
    let count = u16::try_from(sections.len() + 2).unwrap();
    let mut file = b"\x7fELF\x02".to_vec();
    file.extend([
        if host.big_endian { 2 } else { 1 },
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]);
    file.extend([u16(3), u16(host.machine)].concat());
    file.extend(u32(1));
    file.extend([u64(0), u64(0), u64(table as u64)].concat());
    file.extend(u32(0));
    file.extend(
        [
            u16(64),
            u16(56),
            u16(0),
            u16(64),
            u16(count),
            u16(count - 1),
        ]
        .concat(),
    );
    file.extend(&data[64..]);
    file.extend(headers);
    file
}

/// A static library with these members.
pub(crate) fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        file.extend(format!("{name:<16}{:<32}{:<10}`\n", 0, bytes.len()).bytes());
        file.extend(bytes);
        if bytes.len() % 2 == 1 {
            file.push(b'\n');
        }
    }
    file
}

/// A Windows library with these sections of data.
pub(crate) fn windows(sections: &[Section<'_>]) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 64;
    file.extend(b"PE\0\0");
    file.extend(0x8664_u16.to_le_bytes());
    file.extend(u16::try_from(sections.len()).unwrap().to_le_bytes());
    file.extend([0; 16]);
    let mut offset = file.len() + sections.len() * 40;
    for section in sections {
        let mut name = [0; 8];
        let length = section.name.len().min(8);
        name[..length].copy_from_slice(&section.name.as_bytes()[..length]);
        file.extend(name);
        file.extend([0; 8]);
        file.extend(u32::try_from(section.bytes.len()).unwrap().to_le_bytes());
        file.extend(u32::try_from(offset).unwrap().to_le_bytes());
        file.extend([0; 12]);
        // Initialised data that can be read.
        file.extend(0x4000_0040_u32.to_le_bytes());
        offset += section.bytes.len();
    }
    for section in sections {
        file.extend(&section.bytes);
    }
    file
}

/// A container with these entries: the number of the kind, that of the target, and the payload as it is.
pub(crate) fn container(entries: &[(u16, u32, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, target, payload) in entries {
        let padded = payload.len().next_multiple_of(8);
        body.extend([kind.to_le_bytes(), [1, 1]].concat());
        body.extend(64_u32.to_le_bytes());
        body.extend((padded as u64).to_le_bytes());
        body.extend([0; 8]);
        body.extend([8, 0, 1, 0]);
        body.extend(target.to_le_bytes());
        body.extend([0; 8]);
        body.extend(0x11_u64.to_le_bytes());
        body.extend([0; 16]);
        body.extend(*payload);
        body.resize(body.len() + padded - payload.len(), 0);
    }
    let mut file = vec![0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0];
    file.extend((body.len() as u64).to_le_bytes());
    file.extend(body);
    file
}

/// What a loader is told by [`linked`].
pub(crate) struct Linked<'a> {
    pub(crate) host: Host,
    /// Tags and texts: `(1, "libc.so.6")` is needed.
    pub(crate) texts: &'a [(u64, &'a str)],
    /// Tags and numbers.
    pub(crate) numbers: &'a [(u64, u64)],
    /// A file, and a version that is needed of it.
    pub(crate) needed_version: (&'a str, &'a str),
    /// The file's own name, and a version that it provides.
    pub(crate) provided_version: (&'a str, &'a str),
    /// Undefined symbols.
    pub(crate) symbols: &'a [&'a str],
    /// Flags of the stack.
    pub(crate) stack: u32,
}

/// A shared object without sections, of which a loader reads everything from its program headers.
pub(crate) fn linked(linked: &Linked<'_>) -> Vec<u8> {
    let big = linked.host.big_endian;
    let u16 = |value: u16| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u32 = |value: u32| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let u64 = |value: u64| {
        if big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    };
    let mut strings = vec![0];
    let mut string = |text: &str| {
        let at = strings.len();
        strings.extend(text.bytes().chain([0]));
        at as u64
    };
    let mut dynamic: Vec<(u64, u64)> = Vec::new();
    dynamic.extend(linked.texts.iter().map(|(tag, text)| (*tag, string(text))));
    dynamic.extend(linked.numbers);
    let short = |at: u64| u32(u32::try_from(at).unwrap());
    let symbols: Vec<u8> = std::iter::once("")
        .chain(linked.symbols.iter().copied())
        .flat_map(|name| {
            let name = if name.is_empty() { 0 } else { string(name) };
            [&short(name)[..], &[0x12, 0], &u16(0), &u64(0), &u64(0)].concat()
        })
        .collect();
    let (file, version) = linked.needed_version;
    let needed = [
        &[
            &u16(1)[..],
            &u16(1),
            &short(string(file)),
            &u32(16),
            &u32(0),
        ]
        .concat()[..],
        &[
            &u32(0)[..],
            &u16(0),
            &u16(2),
            &short(string(version)),
            &u32(0),
        ]
        .concat(),
    ]
    .concat();
    let (name, version) = linked.provided_version;
    let definition = |flags: u16, index: u16, name: u64, next: u32| {
        [
            &u16(1)[..],
            &u16(flags),
            &u16(index),
            &u16(1),
            &u32(0),
            &u32(20),
            &u32(next),
            &short(name),
            &u32(0),
        ]
        .concat()
    };
    let provided = [
        definition(1, 1, string(name), 28),
        definition(0, 2, string(version), 0),
    ]
    .concat();
    let hash = [
        u32(1),
        u32(u32::try_from(linked.symbols.len() + 1).unwrap()),
    ]
    .concat();

    // The file is loaded to address 0, so that addresses are offsets.
    let start = 64 + 3 * 56;
    let mut data = Vec::new();
    let mut place = |bytes: &[u8]| {
        let at = (start + data.len()) as u64;
        data.extend(bytes);
        data.resize(data.len().next_multiple_of(8), 0);
        at
    };
    dynamic.extend([
        (5, place(&strings)),
        (10, strings.len() as u64),
        (6, place(&symbols)),
        (4, place(&hash)),
    ]);
    dynamic.extend([(0x6fff_fffe, place(&needed)), (0x6fff_ffff, 1)]);
    dynamic.extend([(0x6fff_fffc, place(&provided)), (0x6fff_fffd, 2), (0, 0)]);
    let table: Vec<u8> = dynamic
        .iter()
        .flat_map(|(tag, value)| [u64(*tag), u64(*value)].concat())
        .collect();
    let at = place(&table);
    let end = (start + data.len()) as u64;

    let mut file = b"\x7fELF\x02".to_vec();
    file.extend([if big { 2 } else { 1 }, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend([u16(3), u16(linked.host.machine)].concat());
    file.extend(u32(1));
    file.extend([u64(0), u64(64), u64(0)].concat());
    file.extend(u32(0));
    file.extend([u16(64), u16(56), u16(3), u16(0), u16(0), u16(0)].concat());
    let segments = [
        (1, 4, 0, end),
        (2, 6, at, table.len() as u64),
        (0x6474_e551, linked.stack, 0, 0),
    ];
    for (kind, flags, offset, size) in segments {
        file.extend([u32(kind), u32(flags)].concat());
        file.extend(
            [
                u64(offset),
                u64(offset),
                u64(offset),
                u64(size),
                u64(size),
                u64(8),
            ]
            .concat(),
        );
    }
    file.extend(data);
    file
}
