//! Modules: loading with the options of the JIT compiler, functions, variables, and attributes.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use std::time::Instant;

use super::value::{In, Out, Room, Text};
use super::{call, in_context, initialised};
use crate::driver::Status;
use crate::driver::jit::{Image, JitLog, JitRequest, is_machine_code};
use crate::driver::machine::Handle;

/// The options of `cuModuleLoadDataEx`: numbers of `CUjit_option`, and values that are pointers or numbers.
#[derive(Clone, Copy)]
struct Options {
    count: u32,
    names: In<u32>,
    values: Out<u64>,
}

/// Of `CUjit_option`.
const WALL_TIME: u32 = 2;
const INFO_LOG: u32 = 3;
const INFO_LOG_BYTES: u32 = 4;
const ERROR_LOG: u32 = 5;
const ERROR_LOG_BYTES: u32 = 6;
const TARGET: u32 = 9;
const VERBOSE: u32 = 12;

impl Options {
    /// Index and value of an option.
    fn find(self, wanted: u32) -> Result<Option<(usize, u64)>, Status> {
        let count = usize::try_from(self.count).map_err(|_| Status::INVALID_VALUE)?;
        for index in 0..count {
            if self.names.at(index)? == wanted {
                return Ok(Some((index, self.values.get_at(index)?)));
            }
        }
        Ok(None)
    }

    /// A value that is a number in the lower half of a pointer.
    fn number(self, wanted: u32) -> Result<Option<u32>, Status> {
        let found = self.find(wanted)?;
        Ok(found.map(|(_, value)| u32::try_from(value & 0xffff_ffff).unwrap_or(0)))
    }

    /// Fills a log's buffer; the size option answers how many bytes were filled.
    fn answer_log(self, buffer: u32, bytes: u32, text: &str) -> Result<(), Status> {
        let Some((index, _)) = self.find(bytes)? else {
            return Ok(());
        };
        let capacity = self.number(bytes)?.unwrap_or(0);
        let Some((_, address)) = self.find(buffer)? else {
            return Ok(());
        };
        let capacity = usize::try_from(capacity).map_err(|_| Status::INVALID_VALUE)?;
        let stored = Room::at(address).set_text(text, capacity)?;
        Ok(self.values.set_at(index, stored as u64)?)
    }
}

fn load(module: Out<Handle>, image: Text, options: Option<Options>) -> Result<(), Status> {
    let begun = Instant::now();
    if module.is_null() {
        return Err(Status::INVALID_VALUE);
    }
    let image = if is_machine_code(image.first_four()?) {
        Image::MachineCode
    } else {
        Image::Text(image.bytes()?)
    };
    let mut request = JitRequest::default();
    if let Some(options) = options {
        request.target = options.number(TARGET)?;
        request.verbose = options.number(VERBOSE)?.unwrap_or(0);
    }
    let mut log = JitLog::default();
    let answer =
        in_context(|machine, current| machine.load_module(current, image, request, &mut log));
    if let Some(options) = options {
        options.answer_log(INFO_LOG, INFO_LOG_BYTES, &log.info)?;
        options.answer_log(ERROR_LOG, ERROR_LOG_BYTES, &log.error)?;
        if let Some((index, _)) = options.find(WALL_TIME)? {
            let milliseconds = begun.elapsed().as_secs_f32() * 1000.0;
            options
                .values
                .set_at(index, u64::from(milliseconds.to_bits()))?;
        }
    }
    Ok(module.set(answer?)?)
}

exported! { call => Status;
    fn cuModuleLoadData(module: Out<Handle>, image: Text) {
        load(module, image, None)
    }

    fn cuModuleLoadDataEx(module: Out<Handle>, image: Text, count: u32, names: In<u32>, values: Out<u64>) {
        load(module, image, Some(Options { count, names, values }))
    }

    fn cuModuleLoadFatBinary(module: Out<Handle>, image: Text) {
        load(module, image, None)
    }

    fn cuModuleLoad(module: Out<Handle>, path: Text) {
        let mut text = std::fs::read(path.read()?).map_err(|_| Status(301))?;
        let mut first = [0; 4];
        let known = text.len().min(4);
        first[..known].copy_from_slice(&text[..known]);
        if let Some(end) = text.iter().position(|byte| *byte == 0) {
            text.truncate(end);
        }
        let image = if is_machine_code(first) { Image::MachineCode } else { Image::Text(&text) };
        let handle = in_context(|machine, current| {
            machine.load_module(current, image, JitRequest::default(), &mut JitLog::default())
        })?;
        Ok(module.set(handle)?)
    }

    fn cuModuleUnload(module: Handle) {
        in_context(|machine, current| machine.unload_module(current, module))
    }

    fn cuModuleGetFunction(function: Out<Handle>, module: Handle, name: Text) {
        let name = name.read()?;
        let handle = initialised(|machine| machine.find_function(module, name))?;
        Ok(function.set(handle)?)
    }

    fn cuModuleGetFunctionCount(count: Out<u32>, module: Handle) {
        let entries = initialised(|machine| machine.function_count(module))?;
        Ok(count.set(u32::try_from(entries).unwrap_or(u32::MAX))?)
    }

    fn cuModuleGetGlobal_v2(address: Out<u64>, bytes: Out<usize>, module: Handle, name: Text) {
        let name = name.read()?;
        let (place, size) = initialised(|machine| machine.find_variable(module, name))?;
        address.set_if_wanted(place);
        bytes.set_if_wanted(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(())
    }

    // CU_MODULE_EAGER_LOADING: a module is compiled when it is loaded.
    fn cuModuleGetLoadingMode(mode: Out<u32>) {
        initialised(|_| Ok(()))?;
        Ok(mode.set(1)?)
    }

    fn cuFuncGetAttribute(value: Out<i32>, attribute: u32, function: Handle) {
        let answer = initialised(|machine| machine.function_attribute(function, attribute))?;
        Ok(value.set(answer)?)
    }

    fn cuFuncSetAttribute(function: Handle, attribute: u32, value: i32) {
        initialised(|machine| machine.set_function_attribute(function, attribute, value))
    }

    fn cuFuncSetCacheConfig(function: Handle, _config: u32) {
        initialised(|machine| machine.module_of(function).map(|_| ()))
    }

    fn cuFuncGetModule(module: Out<Handle>, function: Handle) {
        let handle = initialised(|machine| machine.module_of(function))?;
        Ok(module.set(handle)?)
    }
}
