//! Names the shared library: glibc takes an already loaded library for `libcuda.so.1` by its SONAME.

fn main() {
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libcuda.so.1");
    println!("cargo::rerun-if-changed=build.rs");
}
