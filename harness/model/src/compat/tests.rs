//! The tables checked, the worked cases, and what must hold for every driver and package.

mod cases;
mod oracle;
mod properties;
mod rules;
mod tables;
