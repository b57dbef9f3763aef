//! The sum over all visible devices, on each of them, in one process and one thread.

use cudacheck_model::cuda;
use cudacheck_model::fault::MachineFault;
use cudacheck_model::journal::CheckResult;

use super::super::exact::{self, Element, POISON};
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{Cuda, FLOAT32, INT32, Nccl, SUM};
use super::single::settled;
use crate::library::{Called, DevicePointer, Handle, SharedLibrary, Status};

/// Elements of an array on each device; a prime, so that no part of it is whole.
const COUNT: usize = 100_003;

/// With |x| ≤ 2^16 the sum over up to 64 devices is an integer of at most 2^22, which f32 adds without rounding in
/// whatever order.
const MOST: u32 = 1 << 16;

/// One device with its arrays.
struct Rank {
    device: i32,
    context: Handle,
    communicator: Handle,
    from: DevicePointer,
    to: DevicePointer,
}

pub(super) fn all_reduce(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let path = bench.driver_file();
    let library = SharedLibrary::open(path).map_err(|reason| {
        Box::new(CheckResult::Machine(MachineFault::LibraryUnusable {
            library: path.to_owned(),
            reason,
        }))
    })?;
    let cuda = Cuda::new(&library);
    let mut ranks = ranks(&cuda)?;
    opened.note("devices", ranks.len().to_string());
    let api = Nccl::new(&opened.library);
    let devices: Vec<i32> = ranks.iter().map(|rank| rank.device).collect();
    let mut communicators = vec![Handle::NULL; ranks.len()];
    let count = i32::try_from(ranks.len()).unwrap_or(i32::MAX);
    let made = api.init_all(
        communicators.as_mut_slice().into(),
        count,
        devices.as_slice().into(),
    );
    opened.ok(made)?;
    for (rank, communicator) in ranks.iter_mut().zip(communicators) {
        rank.communicator = communicator;
    }
    bench.computes();
    let integers = |value: i64| i32::try_from(value).expect("the values are bounded by 2^22");
    summed(opened, bench, &cuda, &ranks, INT32, integers)?;
    summed(opened, bench, &cuda, &ranks, FLOAT32, |value| value as f32)?;
    for rank in &ranks {
        opened.ok(api.destroy(rank.communicator))?;
        driver(cuda.set_current(rank.context))?;
        driver(cuda.free(rank.from))?;
        driver(cuda.free(rank.to))?;
    }
    // The bench goes on with the first device.
    if let Some(first) = ranks.first() {
        driver(cuda.set_current(first.context))?;
    }
    for rank in &ranks {
        driver(cuda.release(rank.device))?;
    }
    Ok(())
}

/// All visible devices, each with two arrays.
fn ranks(cuda: &Cuda<'_>) -> Result<Vec<Rank>, Stop> {
    let mut count = 0;
    driver(cuda.device_count(&mut count))?;
    let mut ranks = Vec::new();
    for ordinal in 0..count {
        let mut device = 0;
        driver(cuda.device(&mut device, ordinal))?;
        let mut context = Handle::NULL;
        driver(cuda.retain(&mut context, device))?;
        driver(cuda.set_current(context))?;
        let (mut from, mut to) = (DevicePointer::NULL, DevicePointer::NULL);
        driver(cuda.allocate(&mut from, COUNT * 4))?;
        driver(cuda.allocate(&mut to, COUNT * 4))?;
        ranks.push(Rank {
            device,
            context,
            communicator: Handle::NULL,
            from,
            to,
        });
    }
    Ok(ranks)
}

/// Every device gets other operands, and each must have the sum of all.
fn summed<T: Element>(
    opened: &Opened<'_>,
    bench: &Bench<'_>,
    cuda: &Cuda<'_>,
    ranks: &[Rank],
    data_type: i32,
    of_integer: impl Fn(i64) -> T,
) -> Verdict {
    let api = Nccl::new(&opened.library);
    let mut sums = vec![0; COUNT];
    for (rank, array) in ranks.iter().zip(0..) {
        let operand = exact::integers(bench.seed, array, MOST, COUNT);
        for (sum, value) in sums.iter_mut().zip(&operand) {
            *sum += value;
        }
        let operand: Vec<T> = operand.into_iter().map(&of_integer).collect();
        let bytes = exact::bytes(&operand);
        driver(cuda.set_current(rank.context))?;
        driver(cuda.upload(rank.from, bytes.as_slice().into(), bytes.len()))?;
        let poison = vec![POISON; bytes.len()];
        driver(cuda.upload(rank.to, poison.as_slice().into(), poison.len()))?;
    }
    opened.ok(api.group_start())?;
    for rank in ranks {
        opened.ok(api.all_reduce(
            rank.from,
            rank.to,
            COUNT,
            data_type,
            SUM,
            rank.communicator,
            Handle::NULL,
        ))?;
    }
    opened.ok(api.group_end())?;
    let expected: Vec<T> = sums.into_iter().map(of_integer).collect();
    for (ordinal, rank) in ranks.iter().enumerate() {
        driver(cuda.set_current(rank.context))?;
        driver(cuda.synchronize())?;
        settled(opened, rank.communicator)?;
        let mut bytes = vec![0; expected.len() * T::SIZE];
        let count = bytes.len();
        driver(cuda.download(bytes.as_mut_slice().into(), rank.to, count))?;
        bench.compares();
        exact::same(&expected, &exact::elements::<T>(&bytes), |index| {
            format!("element {index} on device {ordinal}")
        })?;
    }
    Ok(())
}

/// Goes on if a function of the driver has succeeded.
fn driver(called: Called<Status>) -> Verdict {
    let function = called.function.to_string_lossy().into_owned();
    let Some(Status(code)) = called.value else {
        return Err(Box::new(CheckResult::Machine(MachineFault::Harness {
            message: format!("the driver has no function `{function}`"),
        })));
    };
    if code == 0 {
        return Ok(());
    }
    let known = cuda::find(code);
    Err(Box::new(CheckResult::Cuda {
        function,
        code,
        name: known.map(|error| error.name.to_owned()).unwrap_or_default(),
        text: known
            .map(|error| error.cause.to_owned())
            .unwrap_or_default(),
        log: String::new(),
    }))
}
