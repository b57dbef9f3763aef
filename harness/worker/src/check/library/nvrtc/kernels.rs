//! The programs that the compiler is given, and what their kernels compute, on the CPU.

use super::super::exact;
use super::program::Source;
use crate::library::DevicePointer;

/// Blocks and threads of every launch: an odd number of blocks, none of the arrays a multiple of it.
pub(super) const SHAPE: (u32, u32) = (5, 64);

/// y = a·x + y in f32, each thread for several elements.
pub(super) const AXPY: Source = Source {
    name: c"axpy.cu",
    text: cr#"extern "C" __global__ void axpy(float a, const float *x, float *y, unsigned n)
{
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        y[i] = a * x[i] + y[i];
}
"#,
    instances: &[],
};

/// Each element multiplied, rotated, and mixed with its right neighbour in the block, which comes through shared memory.
pub(super) const MIX: Source = Source {
    name: c"mix.cu",
    text: cr#"extern "C" __global__ void mix(const unsigned *x, unsigned *y, unsigned n)
{
    __shared__ unsigned shared[64];
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned own = i < n ? x[i] : 0;
    shared[threadIdx.x] = own;
    __syncthreads();
    unsigned next = shared[(threadIdx.x + 1) % 64];
    if (i < n)
        y[i] = (((own << 5) | (own >> 27)) * 2654435761u) ^ (next >> 7);
}
"#,
    instances: &[],
};

/// A template, of which one instance is asked for by name.
pub(super) const SCALE: Source = Source {
    name: c"scale.cu",
    text: cr"template <typename T, int N> __global__ void scale(T *x)
{
    x[threadIdx.x] *= N;
}
",
    instances: &[SCALE_BY_3],
};

/// The instance that is asked for.
pub(super) const SCALE_BY_3: &std::ffi::CStr = c"scale<float, 3>";

/// Its name by the rules of the Itanium C++ ABI, which `nvrtcGetLoweredName` follows.
pub(super) const SCALE_BY_3_LOWERED: &str = "_Z5scaleIfLi3EEvPT_";

/// An error in its third line.
pub(super) const BROKEN: Source = Source {
    name: c"broken.cu",
    text: cr#"extern "C" __global__ void broken(int *x)
{
    x[0] = undeclared;
}
"#,
    instances: &[],
};

/// Operands of [`AXPY`]: with |a·x + y| ≤ 7·1000 + 1000 every value is an integer that f32 has.
pub(super) struct Axpy {
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
}

impl Axpy {
    /// A prime that no multiple of the launch's threads meets.
    const COUNT: usize = 1009;
    const A: f32 = -7.0;

    pub(super) fn new(seed: u64) -> Self {
        let array = |number| {
            let integers = exact::integers(seed, number, 1000, Self::COUNT);
            integers.into_iter().map(|value| value as f32).collect()
        };
        Self {
            x: array(0),
            y: array(1),
        }
    }

    pub(super) fn arguments(&self, x: DevicePointer, y: DevicePointer) -> Vec<Vec<u8>> {
        vec![
            Self::A.to_le_bytes().to_vec(),
            x.0.to_le_bytes().to_vec(),
            y.0.to_le_bytes().to_vec(),
            length(&self.x),
        ]
    }

    pub(super) fn expected(&self) -> Vec<f32> {
        let pairs = self.x.iter().zip(&self.y);
        pairs.map(|(x, y)| Self::A * x + y).collect()
    }
}

/// The operand of [`MIX`].
pub(super) struct Mix {
    pub(super) x: Vec<u32>,
}

impl Mix {
    /// The last block has 45 elements for its 64 threads.
    const COUNT: usize = 301;

    pub(super) fn new(seed: u64) -> Self {
        let integers = exact::integers(seed, 0, u32::MAX / 2, Self::COUNT);
        let bits = integers.into_iter().map(|value| {
            let [a, b, c, d, ..] = value.to_le_bytes();
            u32::from_le_bytes([a, b, c, d])
        });
        Self { x: bits.collect() }
    }

    pub(super) fn arguments(&self, x: DevicePointer, y: DevicePointer) -> Vec<Vec<u8>> {
        vec![
            x.0.to_le_bytes().to_vec(),
            y.0.to_le_bytes().to_vec(),
            length(&self.x),
        ]
    }

    pub(super) fn expected(&self) -> Vec<u32> {
        let threads = SHAPE.1 as usize;
        let blocks = self.x.chunks(threads);
        let mixed = blocks.flat_map(|block| {
            let next = |thread: usize| block.get((thread + 1) % threads).copied().unwrap_or(0);
            let each = block.iter().enumerate();
            each.map(move |(thread, own)| {
                own.rotate_left(5).wrapping_mul(2_654_435_761) ^ (next(thread) >> 7)
            })
        });
        mixed.collect()
    }
}

fn length<T>(array: &[T]) -> Vec<u8> {
    let count = u32::try_from(array.len()).expect("arrays of this module are small");
    count.to_le_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axpy_is_what_its_source_says() {
        let case = Axpy {
            x: vec![1.0, -2.0, 0.0],
            y: vec![3.0, 4.0, -5.0],
        };
        assert_eq!(case.expected(), [-4.0, 18.0, -5.0]);
    }

    #[test]
    fn mix_takes_the_neighbour_of_the_same_block() {
        let mut x = vec![0; 66];
        x[0] = 0x8000_0001;
        x[63] = 1;
        x[64] = 0x100;
        x[65] = 0x80;
        let mixed = Mix { x }.expected();
        // 0x80000001 rotated by 5 is 0x30; its neighbour is zero.
        assert_eq!(mixed[0], 0x30_u32.wrapping_mul(2_654_435_761));
        // The neighbour of a block's last thread is its first, not the next block's.
        assert_eq!(
            mixed[63],
            0x20_u32.wrapping_mul(2_654_435_761) ^ 0x0100_0000
        );
        assert_eq!(mixed[64], 0x2000_u32.wrapping_mul(2_654_435_761) ^ 1);
        // Beyond the end of the array the kernel reads a zero.
        assert_eq!(mixed[65], 0x1000_u32.wrapping_mul(2_654_435_761));
    }

    #[test]
    fn sums_stay_within_what_f32_counts() {
        let case = Axpy::new(7);
        assert!(case.expected().iter().all(|value| value.abs() <= 8000.0));
        assert_eq!(case.x.len(), 1009);
    }
}
