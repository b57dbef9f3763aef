//! Pointers of a foreign caller, each in a type that says what may lie behind it.
//!
//! The types are made by nobody but the caller of an exported function, who vouches for them by the contract of the
//! driver API: a pointer is null, or it points at what the parameter is documented to be, for the length of the call.
#![expect(unsafe_code, reason = "a foreign caller hands over raw pointers")]

use std::ffi::{CStr, c_char};

use crate::driver::Status;

/// A pointer that is null or whose length cannot be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BadPointer;

impl From<BadPointer> for Status {
    fn from(_: BadPointer) -> Self {
        Self::INVALID_VALUE
    }
}

/// Where an answer goes, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    /// Stores the answer.
    pub(crate) fn set(self, value: T) -> Result<(), BadPointer> {
        self.set_at(0, value)
    }

    /// Stores one answer of several; the caller has said how many there is room for.
    pub(crate) fn set_at(self, index: usize, value: T) -> Result<(), BadPointer> {
        if self.0.is_null() {
            return Err(BadPointer);
        }
        let place = self.0.wrapping_add(index);
        // SAFETY: the pointer is not null, so that the caller vouches for room for its type, `index` included.
        unsafe { place.write_unaligned(value) };
        Ok(())
    }

    /// Stores the answer, unless the caller does not want it.
    pub(crate) fn set_if_wanted(self, value: T) {
        // A null pointer is how a caller says that it does not want the answer.
        let _ = self.set(value);
    }

    /// What the caller has put there: some parameters go both ways.
    pub(crate) fn get(self) -> Result<T, BadPointer> {
        self.get_at(0)
    }

    /// What the caller has put at an index; the caller has said how many there are.
    pub(crate) fn get_at(self, index: usize) -> Result<T, BadPointer> {
        if self.0.is_null() {
            return Err(BadPointer);
        }
        let place = self.0.wrapping_add(index);
        // SAFETY: the pointer is not null, so that the caller vouches for values of its type, `index` included.
        Ok(unsafe { place.read_unaligned() })
    }

    /// Whether the caller wants no answer.
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The same place for a value of another type, as an attribute's number says.
    pub(crate) fn of<U>(self) -> Out<U> {
        Out(self.0.cast())
    }
}

#[cfg(test)]
impl<T> From<&mut T> for Out<T> {
    fn from(place: &mut T) -> Self {
        Self(place)
    }
}

/// Elements that the caller has laid out, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct In<T>(*const T);

impl<T: Copy> In<T> {
    /// Nothing.
    pub(crate) fn null() -> Self {
        Self(std::ptr::null())
    }

    /// The element of an index; the caller has said how many there are.
    pub(crate) fn at(self, index: usize) -> Result<T, BadPointer> {
        if self.0.is_null() {
            return Err(BadPointer);
        }
        let place = self.0.wrapping_add(index);
        // SAFETY: the pointer is not null, so that the caller vouches for the elements that the call is documented
        // to read, of which `index` is one.
        Ok(unsafe { place.read_unaligned() })
    }

    /// Whether the caller gives nothing.
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }
}

/// Bytes that the caller owns, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Bytes(*const u8);

impl Bytes {
    /// So many of them, for the length of the call.
    pub(crate) fn slice<'call>(self, length: usize) -> Result<&'call [u8], BadPointer> {
        if length == 0 {
            return Ok(&[]);
        }
        if self.0.is_null() || isize::try_from(length).is_err() {
            return Err(BadPointer);
        }
        // SAFETY: the pointer is not null and the length is possible; the caller vouches for so many readable bytes
        // that nobody writes during the call.
        Ok(unsafe { std::slice::from_raw_parts(self.0, length) })
    }

    /// The address as a number.
    pub(crate) fn address(self) -> u64 {
        self.0.expose_provenance() as u64
    }

    /// The bytes at a numeric address.
    pub(crate) fn at(address: u64) -> Self {
        Self(std::ptr::with_exposed_provenance(
            usize::try_from(address).unwrap_or(0),
        ))
    }
}

/// Room for bytes that the caller owns, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Room(*mut u8);

impl Room {
    /// So many bytes of it, for the length of the call.
    pub(crate) fn slice<'call>(self, length: usize) -> Result<&'call mut [u8], BadPointer> {
        if length == 0 {
            return Ok(&mut []);
        }
        if self.0.is_null() || isize::try_from(length).is_err() {
            return Err(BadPointer);
        }
        // SAFETY: the pointer is not null and the length is possible; the caller vouches for so many writable bytes
        // that nobody else uses during the call.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.0, length) })
    }

    /// Stores text and a NUL; what does not fit is left out. Answers the bytes of the text that were stored.
    pub(crate) fn set_text(self, text: &str, capacity: usize) -> Result<usize, BadPointer> {
        let room = self.slice(capacity)?;
        let Some(most) = capacity.checked_sub(1) else {
            return Ok(0);
        };
        let length = text.len().min(most);
        room[..length].copy_from_slice(&text.as_bytes()[..length]);
        room[length] = 0;
        Ok(length)
    }

    /// The address as a number.
    pub(crate) fn address(self) -> u64 {
        self.0.expose_provenance() as u64
    }

    /// The room at a numeric address.
    pub(crate) fn at(address: u64) -> Self {
        Self(std::ptr::with_exposed_provenance_mut(
            usize::try_from(address).unwrap_or(0),
        ))
    }
}

#[cfg(test)]
impl From<&[u8]> for Bytes {
    fn from(place: &[u8]) -> Self {
        Self(place.as_ptr())
    }
}

#[cfg(test)]
impl<T> From<&[T]> for In<T> {
    fn from(place: &[T]) -> Self {
        Self(place.as_ptr())
    }
}

#[cfg(test)]
impl From<&mut [u8]> for Room {
    fn from(place: &mut [u8]) -> Self {
        Self(place.as_mut_ptr())
    }
}

/// Text that ends with a NUL, or null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Text(*const c_char);

impl Text {
    /// The text as bytes, for the length of the call.
    pub(crate) fn bytes<'call>(self) -> Result<&'call [u8], BadPointer> {
        if self.0.is_null() {
            return Err(BadPointer);
        }
        // SAFETY: the pointer is not null, so that the caller vouches for a NUL-terminated string that nobody writes
        // during the call.
        Ok(unsafe { CStr::from_ptr(self.0) }.to_bytes())
    }

    /// The text, if it is UTF-8.
    pub(crate) fn read<'call>(self) -> Result<&'call str, BadPointer> {
        std::str::from_utf8(self.bytes()?).map_err(|_| BadPointer)
    }

    /// The first bytes, up to the NUL; zeros follow.
    pub(crate) fn first_four(self) -> Result<[u8; 4], BadPointer> {
        if self.0.is_null() {
            return Err(BadPointer);
        }
        let mut first = [0; 4];
        for (index, byte) in first.iter_mut().enumerate() {
            let place = self.0.wrapping_add(index).cast::<u8>();
            // SAFETY: no byte before this one was NUL, so that this one belongs to the caller's image too.
            *byte = unsafe { place.read() };
            if *byte == 0 {
                break;
            }
        }
        Ok(first)
    }
}

#[cfg(test)]
impl From<&CStr> for Text {
    fn from(text: &CStr) -> Self {
        Self(text.as_ptr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_refused_and_text_is_cut() {
        assert_eq!(Out::<u32>(std::ptr::null_mut()).set(1), Err(BadPointer));
        assert_eq!(Text(std::ptr::null()).read(), Err(BadPointer));
        assert_eq!(Bytes::at(0).slice(1), Err(BadPointer));
        assert_eq!(Bytes::at(0).slice(0), Ok(&[][..]));
        let mut room = [1; 4];
        assert_eq!(Room::from(&mut room[..]).set_text("hello", 4), Ok(3));
        assert_eq!(&room, b"hel\0");
        assert_eq!(Text::from(c"ab").first_four(), Ok([b'a', b'b', 0, 0]));
    }
}
