//! The CUDA driver's error codes: whose fault each is, why it happens, and what to do.
//!
//! Names and numbers are those of `cuda.h` (enum `cudaError_enum`). A code without a known cause has a
//! name, but is neither explained nor blamed on anyone.

mod names;
mod table;

/// One code of the CUDA driver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CudaError {
    /// The number.
    pub code: i32,
    /// The name in `cuda.h`.
    pub name: &'static str,
    /// Whose fault it is.
    pub blame: Blame,
    /// The most likely cause.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Whether the device must not be used again before a person has looked at it.
    pub needs_attention: bool,
    /// Whether the context is lost, so that every later call in the process fails with the same code.
    pub sticky: bool,
    /// Whether it may go away by itself, so that another attempt is worth its time.
    pub transient: bool,
}

/// Whose fault an error code is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The code that was run: the package, or the driver if the code is our own.
    Code,
    /// The machine's configuration, driver, or hardware.
    Machine,
}

/// What is known of a code.
pub fn find(code: i32) -> Option<&'static CudaError> {
    table::TABLE.iter().find(|error| error.code == code)
}

/// The name of a code in `cuda.h`, whether its cause is known or not.
pub fn name(code: i32) -> Option<&'static str> {
    let found = names::NAMES.iter().find(|(number, _)| *number == code);
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_complete() {
        assert!(names::NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(
            table::TABLE
                .windows(2)
                .all(|pair| pair[0].code < pair[1].code)
        );
        for error in table::TABLE {
            assert_eq!(name(error.code), Some(error.name));
            assert!(!error.cause.is_empty() && !error.remedy.is_empty());
            // A remedy continues a line that starts with the word itself.
            assert!(!error.remedy.ends_with('.') && !error.cause.ends_with('.'));
        }
    }

    #[track_caller]
    fn check(code: i32, expected: Option<(&str, Blame)>) {
        let found = find(code).map(|error| (error.name, error.blame));
        assert_eq!(found, expected);
    }

    #[test]
    fn blame_follows_the_code() {
        check(209, Some(("CUDA_ERROR_NO_BINARY_FOR_GPU", Blame::Code)));
        check(
            803,
            Some(("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", Blame::Machine)),
        );
        check(700, Some(("CUDA_ERROR_ILLEGAL_ADDRESS", Blame::Code)));
        check(0, None);
        check(424_242, None);
    }

    #[test]
    fn a_code_without_a_known_cause_still_has_its_name() {
        assert_eq!(name(5), Some("CUDA_ERROR_PROFILER_DISABLED"));
        assert_eq!(find(5), None);
        assert_eq!(name(424_242), None);
    }

    #[test]
    fn only_broken_hardware_takes_a_device_out_of_service() {
        let codes: Vec<_> = table::TABLE
            .iter()
            .filter(|error| error.needs_attention)
            .map(|error| error.code)
            .collect();
        assert_eq!(codes, [214, 220]);
    }
}
