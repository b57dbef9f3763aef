//! The subcommands, one file each.

pub(crate) mod compat;
pub(crate) mod explain;
pub(crate) mod facts;
pub(crate) mod inspect;
mod inspection;
pub(crate) mod linkage;
pub(crate) mod list;
pub(crate) mod probe;
pub(crate) mod run;
pub(crate) mod validate;
