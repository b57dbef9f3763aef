//! How many thread-instructions the interpreter executes in a second, on one core.
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::sync::Arc;
use std::time::Instant;

use cudacheck_model::version::{ComputeCapability, PtxIsa};
use cudacheck_simulator::exec::{
    Cooperation, ExecFaults, LaunchConfig, Loaded, Memory, SmShape, launch,
};
use cudacheck_simulator::ptx::{JitTarget, compile};

/// A loop of eight times the instruction, with its counter.
fn text(registers: &str, instruction: &str) -> String {
    format!(
        "
.version 6.0
.target sm_50
.address_size 64
.visible .entry looped(.param .u64 out, .param .u32 count)
{{
    .reg .pred %p;
    .reg .b32 %r<8>;
    .reg .b64 %rd<8>;
    .shared .align 4 .b8 room[4096];
    {registers}
    ld.param.u32 %r0, [count];
    ld.param.u64 %rd0, [out];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd1, %r1, 4;
    add.u64 %rd0, %rd0, %rd1;
    shl.b32 %r2, %r1, 2;
again:
    {}
    sub.u32 %r0, %r0, 1;
    setp.ne.u32 %p, %r0, 0;
    @%p bra again;
    st.global.u32 [%rd0], %r0;
    ret;
}}",
        instruction.repeat(8)
    )
}

fn measure(name: &str, registers: &str, instruction: &str) {
    let target = JitTarget {
        isa_max: PtxIsa::new(9, 0),
        capability: ComputeCapability::new(9, 0),
    };
    let module = compile(&text(registers, instruction), &target).expect("the text above is PTX");
    let mut memory = Memory::new(1 << 30);
    let loaded = Loaded::load(Arc::new(module), &mut memory).expect("there is room");
    let out = memory.allocate(4096).expect("there is room");
    let mut parameters = out.to_le_bytes().to_vec();
    parameters.extend(100_000u32.to_le_bytes());
    let config = LaunchConfig {
        grid: [1, 1, 1],
        block: [256, 1, 1],
        dynamic_shared: 0,
        cooperative: Cooperation::Plain,
        parameters,
        sm: SmShape {
            multiprocessors: 1,
            threads: 2048,
            blocks: 32,
            shared_bytes: 1 << 16,
            clock_khz: 1_000_000,
        },
        step_limit: None,
    };
    let start = Instant::now();
    let statistics = launch(
        &mut memory,
        &loaded,
        "looped",
        &config,
        &ExecFaults::default(),
        &mut |_| {},
    )
    .expect("the loop ends");
    let seconds = start.elapsed().as_secs_f64();
    let rate = statistics.thread_instructions as f64 / seconds / 1e6;
    println!("{name:16} {rate:8.0} million thread-instructions a second");
}

fn main() {
    measure(
        "fma.rn.f32",
        ".reg .f32 %f<4>;",
        "fma.rn.f32 %f0, %f1, %f2, %f0;\n",
    );
    measure("add.u32", "", "add.u32 %r3, %r3, %r1;\n");
    measure("mad.wide.u32", "", "mad.wide.u32 %rd2, %r1, %r2, %rd2;\n");
    measure(
        "fma.rn.f64",
        ".reg .f64 %d<4>;",
        "fma.rn.f64 %d0, %d1, %d2, %d0;\n",
    );
    measure("ld.global.u32", "", "ld.global.u32 %r3, [%rd0];\n");
    measure("ld.shared.u32", "", "ld.shared.u32 %r3, [%r2];\n");
    measure(
        "atom.global.add",
        "",
        "atom.global.add.u32 %r3, [%rd0], 1;\n",
    );
    measure("bar.sync", "", "bar.sync 0;\n");
    measure(
        "shfl.sync",
        "",
        "shfl.sync.bfly.b32 %r3, %r1, 1, 31, 0xffffffff;\n",
    );
}
