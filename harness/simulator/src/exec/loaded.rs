//! A module placed in a device's memory.

use std::sync::Arc;

use thiserror::Error;

use super::memory::Memory;
use super::{CODE_ADDRESS, CODE_STEP};
use crate::ptx::code::{Constant, Row};
use crate::ptx::{Module, Symbol};

/// A module whose variables have addresses and their initial values.
#[derive(Debug)]
pub struct Loaded {
    module: Arc<Module>,
    pub(super) addresses: Vec<u64>,
    pub(super) constants: Vec<Row>,
}

/// The device has no room for the module's variables.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("no device memory is left for the variables of the module")]
pub struct OutOfMemory;

impl Loaded {
    /// Places a module.
    ///
    /// # Errors
    ///
    /// When its variables do not fit.
    pub fn load(module: Arc<Module>, memory: &mut Memory) -> Result<Self, OutOfMemory> {
        let mut addresses = Vec::new();
        for variable in &module.variables {
            match memory.allocate(variable.size) {
                Some(address) => addresses.push(address),
                None => {
                    for address in addresses {
                        // Freeing what was allocated above cannot fail.
                        let _ = memory.free(address);
                    }
                    return Err(OutOfMemory);
                }
            }
        }
        for (variable, address) in module.variables.iter().zip(&addresses) {
            let mut initial = variable.initial.clone();
            if !variable.external {
                // The rest of a variable is zero, also where nothing is written.
                initial.resize(usize::try_from(variable.size).map_err(|_| OutOfMemory)?, 0);
            }
            for (at, symbol) in &variable.relocations {
                let value = resolve(&addresses, *symbol).to_le_bytes();
                if let Some(place) = initial.get_mut(*at..at + 8) {
                    place.copy_from_slice(&value);
                }
            }
            memory.write(*address, &initial).map_err(|_| OutOfMemory)?;
        }
        let constants = module
            .constants
            .iter()
            .map(|constant| match constant {
                Constant::Value(value) => [*value; 32],
                Constant::Address(symbol) => [resolve(&addresses, *symbol); 32],
            })
            .collect();
        Ok(Self {
            module,
            addresses,
            constants,
        })
    }

    /// Address and size of a variable.
    pub fn variable(&self, name: &str) -> Option<(u64, u64)> {
        let index = self
            .module
            .variables
            .iter()
            .position(|variable| variable.name == name)?;
        Some((self.addresses[index], self.module.variables[index].size))
    }

    /// Gives the variables' memory back.
    pub fn unload(self, memory: &mut Memory) {
        for address in self.addresses {
            // A caller may have freed it through its address.
            let _ = memory.free(address);
        }
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }
}

fn resolve(addresses: &[u64], symbol: Symbol) -> u64 {
    match symbol {
        Symbol::Variable(index, offset) => addresses[index].wrapping_add(offset.cast_unsigned()),
        Symbol::Function(index) => CODE_ADDRESS + index as u64 * CODE_STEP,
    }
}
