//! A module placed in a device's memory.

use std::sync::Arc;

use thiserror::Error;

use super::memory::Memory;
use crate::ptx::Module;

/// A module whose variables have addresses and their initial values.
#[derive(Debug)]
pub struct Loaded {
    module: Arc<Module>,
    addresses: Vec<u64>,
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
        Ok(Self { module, addresses })
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
