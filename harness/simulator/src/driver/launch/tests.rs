//! What launches are refused for, and where faults strike.

use super::*;
use crate::driver::jit::{Image, JitLog, JitRequest};
use crate::driver::machine::tests::machine;

const STORE: &[u8] = b".version 6.0\n.target sm_50\n.address_size 64\n\
    .visible .entry store(.param .u64 out)\n{\n.reg .b64 %rd<2>;\n.reg .b32 %r<2>;\n\
    ld.param.u64 %rd0, [out];\nmov.u32 %r0, 7;\nst.global.u32 [%rd0], %r0;\nret;\n}\n";

struct Ready {
    machine: Machine,
    context: Handle,
    store: Handle,
    launch: Launch,
    address: u64,
}

fn ready(inject: &str) -> Ready {
    let mut machine = machine(&[("CUDACHECK_SIMULATE", "h100"), ("CUDACHECK_INJECT", inject)]);
    machine.initialise(0).unwrap();
    let context = machine.retain_primary(0).unwrap();
    let mut log = JitLog::default();
    let module = machine
        .load_module(context, Image::Text(STORE), JitRequest::default(), &mut log)
        .unwrap_or_else(|status| panic!("{status:?}: {}", log.error));
    let store = machine.find_function(module, "store").unwrap();
    let address = machine.allocate(context, 4).unwrap();
    machine.write(context, address, &[0; 4]).unwrap();
    let launch = Launch {
        grid: [1; 3],
        block: [1; 3],
        dynamic_shared: 0,
        stream: 0,
        cooperation: Cooperation::Plain,
        parameters: address.to_le_bytes().to_vec(),
    };
    Ready {
        machine,
        context,
        store,
        launch,
        address,
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut Launch), expected: u32) {
    let mut ready = ready("");
    change(&mut ready.launch);
    let answer = ready
        .machine
        .launch(ready.context, ready.store, &ready.launch);
    assert_eq!(answer.err().unwrap_or(Status::SUCCESS), Status(expected));
}

/// What launch, synchronisation, and the memory say under a fault.
#[track_caller]
fn check_fault(inject: &str, launched: u32, synchronised: u32, stored: Option<u8>) {
    let mut ready = ready(inject);
    let code = |answer: Result<(), Status>| answer.err().unwrap_or(Status::SUCCESS);
    let answer = ready
        .machine
        .launch(ready.context, ready.store, &ready.launch);
    assert_eq!(code(answer), Status(launched), "launch");
    let answer = ready.machine.synchronise(ready.context);
    assert_eq!(code(answer), Status(synchronised), "synchronisation");
    let mut bytes = [0; 4];
    let read = ready.machine.read(ready.context, ready.address, &mut bytes);
    assert_eq!(read.ok().map(|()| bytes[0]), stored, "memory");
}

#[test]
fn a_launch_is_refused_for_its_shape() {
    check(|_| {}, 0);
    check(|launch| launch.block = [1025, 1, 1], 1);
    check(|launch| launch.block = [32, 33, 1], 1);
    check(|launch| launch.block = [1, 1, 65], 1);
    check(|launch| launch.grid = [0, 1, 1], 1);
    check(|launch| launch.grid = [1, 65_536, 1], 1);
    check(|launch| launch.dynamic_shared = 48 << 10, 0);
    check(|launch| launch.dynamic_shared = (48 << 10) + 1, 1);
    check(|launch| launch.stream = 99, 400);
    let cooperative = |launch: &mut Launch| launch.cooperation = Cooperation::Cooperative;
    check(cooperative, 0);
    let too_large = |launch: &mut Launch| {
        launch.cooperation = Cooperation::Cooperative;
        launch.grid = [132 * 32 + 1, 1, 1];
    };
    check(too_large, 720);
}

#[test]
fn opting_in_raises_the_limit_of_shared_memory() {
    let mut ready = ready("");
    let Ready { machine, store, .. } = &mut ready;
    assert_eq!(machine.function_attribute(*store, 8), Ok(48 << 10));
    assert_eq!(machine.set_function_attribute(*store, 8, 232_448), Ok(()));
    let beyond = machine.set_function_attribute(*store, 8, 232_449);
    assert_eq!(beyond, Err(Status::INVALID_VALUE));
    ready.launch.dynamic_shared = 232_448;
    let answer = ready
        .machine
        .launch(ready.context, ready.store, &ready.launch);
    assert_eq!(answer, Ok(()));
}

#[test]
fn faults_strike_where_a_device_would_show_them() {
    check_fault("", 0, 0, Some(7));
    check_fault("launch:silent", 0, 0, Some(0));
    check_fault("launch:700", 0, 700, None);
    check_fault("launch:701", 701, 0, Some(0));
    check_fault("launch:hang", 0, u32::MAX, Some(0));
    check_fault("gpu:lost", 0, 719, None);
    check_fault("ecc:uncorrected", 0, 214, None);
    check_fault("xid:79", 0, 0, Some(7));
}

#[test]
fn a_dead_kernel_is_told_at_synchronisation() {
    let mut ready = ready("");
    ready.launch.parameters = 0x1234_5678_u64.to_le_bytes().to_vec();
    let Ready {
        machine,
        context,
        store,
        launch,
        ..
    } = &mut ready;
    assert_eq!(machine.launch(*context, *store, launch), Ok(()));
    assert_eq!(machine.launch(*context, *store, launch), Ok(()));
    let illegal = Err(Status::ILLEGAL_ADDRESS);
    assert_eq!(machine.synchronise(*context), illegal);
    assert_eq!(machine.launch(*context, *store, launch), illegal);
    let event = machine.hardware.take_event().unwrap();
    assert_eq!(event.xid, 31);
}

#[test]
fn the_process_is_struck_once() {
    let mut machine = machine(&[
        ("CUDACHECK_SIMULATE", "h100"),
        ("CUDACHECK_INJECT", "print:3MB,child:escape"),
    ]);
    let expected = vec![ProcessEffect::Flood(3), ProcessEffect::EscapedChild];
    assert_eq!(machine.first_launch(), expected);
    assert_eq!(machine.first_launch(), []);
}
