//! Gives the shared library a SONAME that tests overwrite, in each copy, with the name of the library it stands in for.

fn main() {
    println!(
        "cargo::rustc-cdylib-link-arg=-Wl,-soname,libcudacheck-stand-in-whose-name-is-replaced-in-copies.so"
    );
    println!("cargo::rerun-if-changed=build.rs");
}
