//! Stand-ins for the libraries of CUDA packages, so that every numeric check can be seen to pass and to fail without
//! a GPU.
//!
//! One shared library has the functions of all of them; tests copy it under the name of the library that is wanted,
//! with the SONAME replaced. The functions have the real signatures, read and write the memory of whatever driver is
//! loaded as `libcuda.so.1`, which in tests is the simulator, and compute on the CPU in the plainest way.
//! `CUDACHECK_STAND_IN` names faults, separated by commas, each of which makes one thing go wrong.
#![expect(
    unsafe_code,
    reason = "functions that C calls, and pointers that C passes"
)]

mod cublas;
mod cublaslt;
mod cudart;
mod cudnn;
mod cudss;
mod cufft;
mod cupti;
mod curand;
mod cusolver;
mod cusparse;
mod cutensor;
mod fault;
mod load;
mod magma;
mod memory;
mod nccl;
mod npp;
mod nvjitlink;
mod nvjpeg;
mod nvrtc;
mod opencv;
mod tensorrt;
