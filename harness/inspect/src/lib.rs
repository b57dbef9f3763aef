//! What a package contains, read from its files: GPU code, what the loader is told, names that are opened later.
//!
//! Nothing is executed, nothing is loaded, and no file is mapped: headers are read at their places, so that a library of
//! a gigabyte costs milliseconds, and a file that changes or lies costs a warning.
#![forbid(unsafe_code)]
