//! cuDNN 8 and 9.

use super::LibraryCard;

pub(super) const CUDNN: LibraryCard = LibraryCard {
    stem: "libcudnn",
    sonames: &["libcudnn.so.8", "libcudnn.so.9"],
    tests: &[],
};
