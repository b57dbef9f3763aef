//! What goes wrong while a library is loaded, before any of its functions is called: the faults `load-hang`,
//! `load-crash`, `load-abort`, `load-exit`, and `load-neighbour`, which takes another library from wherever the search leads.
#![expect(
    clippy::exit,
    clippy::print_stderr,
    reason = "the faults are to end the process, and to say so as libraries do"
)]

use std::{process, ptr, thread};

use libloading::os::unix::{Library, RTLD_NOW};

use crate::fault;

/// The loader calls what is listed here before it hands out the library.
#[used]
// SAFETY: the section is for pointers to functions of this type, and the function does not unwind.
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    if fault::on("load-hang") {
        loop {
            thread::park();
        }
    }
    if fault::on("load-crash") {
        // SAFETY: it is not; that is the fault.
        unsafe { ptr::null_mut::<u8>().write_volatile(0) };
    }
    if fault::on("load-abort") {
        eprintln!("stand-in: this library does not want to be loaded");
        process::abort();
    }
    if fault::on("load-exit") {
        process::exit(3);
    }
    if fault::on("load-neighbour") {
        // SAFETY: what the tests' search path leads to is a stand-in as well.
        let neighbour = unsafe { Library::open(Some("libcublasLt.so.12"), RTLD_NOW) };
        // It stays open, as those of real libraries do.
        std::mem::forget(neighbour);
    }
}
