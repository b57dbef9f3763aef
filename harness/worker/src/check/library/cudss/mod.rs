//! Opened, and not yet asked for more.

use super::{Checks, UNASKED};

pub(super) const CHECKS: Checks = UNASKED;
