//! A stand-in for libnvJitLink, from `nvJitLink.h` of CUDA 12.9. It links PTX by putting one text behind the other.
//!
//! The simulated driver runs PTX only, so the linked PTX is what it gives as machine code where the process has already
//! opened a driver; otherwise it gives the head of a real cubin, which nobody can run.

use std::ffi::{CStr, c_char, c_void};
use std::{ptr, slice};

use crate::fault;
use crate::nvrtc::driver_is_open;

const SUCCESS: i32 = 0;
const INVALID_INPUT: i32 = 3;
const PTX_COMPILE: i32 = 4;
const INTERNAL: i32 = 6;

/// What an `nvJitLinkHandle` points to.
#[derive(Default)]
pub(crate) struct Linker {
    architecture: u8,
    modules: Vec<(String, String)>,
    code: Vec<u8>,
    log: Vec<u8>,
}

#[unsafe(no_mangle)]
extern "C" fn nvJitLinkVersion(major: &mut u32, minor: &mut u32) -> i32 {
    (*major, *minor) = match fault::on("nvjitlink-version") {
        true => (13, 0),
        false => (12, 9),
    };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvJitLinkCreate(
    linker: &mut *mut Linker,
    count: u32,
    options: *const *const c_char,
) -> i32 {
    let mut made = Linker::default();
    for index in 0..count as usize {
        // SAFETY: the caller passes as many pointers as it says.
        let option = unsafe { options.add(index) };
        // SAFETY: there is a pointer in each place.
        let option = unsafe { *option };
        // SAFETY: each is a string.
        let option = unsafe { CStr::from_ptr(option) }.to_string_lossy();
        if let Some(number) = option.strip_prefix("-arch=sm_") {
            made.architecture = number.parse().unwrap_or_default();
        }
    }
    if made.architecture == 0 {
        return INVALID_INPUT;
    }
    *linker = Box::into_raw(Box::new(made));
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvJitLinkAddData(
    linker: &mut Linker,
    kind: i32,
    data: *const c_void,
    size: usize,
    name: *const c_char,
) -> i32 {
    if kind != 2 {
        return INVALID_INPUT;
    }
    // SAFETY: the caller passes so many bytes.
    let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), size) };
    // SAFETY: the caller passes a string.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    let text = String::from_utf8_lossy(bytes).into_owned();
    let wrong = text.lines().zip(1..).find(|(line, _)| {
        let mut words = line.split_whitespace();
        words.any(|word| word.starts_with("mad.") && !KNOWN.contains(&word))
    });
    if let Some((_, line)) = wrong
        && !fault::on("nvjitlink-accepts-errors")
    {
        linker.say(&format!(
            "ptxas application ptx input, line {line}; fatal   : Parsing error near 'mad'\nERROR: {name}\n"
        ));
        return PTX_COMPILE;
    }
    linker.modules.push((name.into_owned(), text));
    SUCCESS
}

const KNOWN: [&str; 2] = ["mad.lo.u32", "mad.lo.s32"];

#[unsafe(no_mangle)]
extern "C" fn nvJitLinkComplete(linker: &mut Linker) -> i32 {
    let all: String = linker
        .modules
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    if all.contains(".extern .func")
        && !all.contains(".visible .func")
        && !fault::on("nvjitlink-accepts-undefined")
    {
        let log = "error   : Undefined reference to 'step' in 'kernel.ptx'\n";
        linker.say(log);
        return INTERNAL;
    }
    linker.code = match driver_is_open() {
        true => linked(&linker.modules).into_bytes(),
        false => cubin(linker.architecture),
    };
    SUCCESS
}

/// The texts without what only one of them may have, and what is called before what calls it.
fn linked(modules: &[(String, String)]) -> String {
    let mut text = ".version 6.0\n.target sm_50\n.address_size 64\n".to_owned();
    for (_, module) in modules.iter().rev() {
        let kept = module.lines().filter(|line| {
            let heads = [".version", ".target", ".address_size", ".extern"];
            !heads.iter().any(|head| line.starts_with(head))
        });
        for line in kept {
            text.push_str(line);
            text.push('\n');
        }
    }
    match fault::on("nvjitlink-wrong-code") {
        true => text.replace(", 3, 7;", ", 3, 8;"),
        false => text,
    }
}

fn cubin(architecture: u8) -> Vec<u8> {
    let number = match (architecture, fault::on("nvjitlink-architecture")) {
        (86, true) => 80,
        (other, _) => other,
    };
    let mut bytes = b"\x7fELF\x02\x01\x01\x33\x07".to_vec();
    bytes.resize(64, 0);
    bytes[16] = 2;
    bytes[18] = 190;
    bytes[48..52].copy_from_slice(&[number, 0x05, 0x32, 0]);
    let section: &[u8] = match fault::on("nvjitlink-no-kernel") {
        true => b"\0.text\0",
        false => b"\0.text.stepped\0",
    };
    bytes.extend(section);
    bytes
}

impl Linker {
    fn say(&mut self, words: &str) {
        let words = match fault::on("nvjitlink-silent") {
            true => "",
            false => words,
        };
        self.log = words.as_bytes().to_vec();
        self.log.push(0);
    }
}

#[unsafe(no_mangle)]
extern "C" fn nvJitLinkGetLinkedCubinSize(linker: &Linker, size: &mut usize) -> i32 {
    *size = linker.code.len();
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvJitLinkGetLinkedCubin(linker: &Linker, cubin: *mut u8) -> i32 {
    // SAFETY: the caller has asked for the size.
    unsafe { ptr::copy_nonoverlapping(linker.code.as_ptr(), cubin, linker.code.len()) };
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvJitLinkGetErrorLogSize(linker: &Linker, size: &mut usize) -> i32 {
    *size = linker.log.len();
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvJitLinkGetErrorLog(linker: &Linker, log: *mut u8) -> i32 {
    // SAFETY: the caller has asked for the size.
    unsafe { ptr::copy_nonoverlapping(linker.log.as_ptr(), log, linker.log.len()) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvJitLinkDestroy(linker: &mut *mut Linker) -> i32 {
    if linker.is_null() {
        return INVALID_INPUT;
    }
    // SAFETY: the pointer came from `nvJitLinkCreate`, and is forgotten here.
    drop(unsafe { Box::from_raw(*linker) });
    *linker = ptr::null_mut();
    SUCCESS
}
