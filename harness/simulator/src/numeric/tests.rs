//! Holds the numeric core against exact arithmetic that shares no code with it.

mod approximation;
mod conversion;
mod halves;
mod integers;
mod oracle;
mod rounding;
