"""Small computations through CuPy on one CUDA device, compared with Python's own integers.

CuPy compiles its kernels with NVRTC when they are called, and brings none: a missing NVRTC, or missing headers of the
CUDA runtime, show here and nowhere before.
"""

import tap
from tap import ON_CPU, Skip, integers, matrix, product, proves, same, transposed, true, within

if ON_CPU:
    import numpy as cupy
else:
    cupy = tap.need("cupy")
    try:
        cupy.zeros(1).item()
    except Exception as error:
        tap.give_up(f"nothing can be put on the device: {tap.one_line(error)}")


def put(values, kind):
    return cupy.asarray(values, dtype=kind)


def back(array):
    """The values, from the device. Where an array is not on it, nothing was proved."""
    true(isinstance(array, cupy.ndarray), f"the result is a {type(array).__name__}")
    return array.tolist()


def on_device():
    if ON_CPU:
        raise Skip("there is no device")


@proves("an array of 64 MiB is held in the device's memory")
def placement():
    on_device()
    pool = cupy.get_default_memory_pool()
    before = pool.used_bytes()
    held = cupy.full(16 * 1024 * 1024, 7, dtype=cupy.int32)
    grown = pool.used_bytes() - before
    true(grown >= 64 * 1024 * 1024, f"the pool's count has grown by {grown} bytes")
    true(held.device.id == 0, f"it is on {held.device}")
    kind = cupy.cuda.runtime.pointerGetAttributes(held.data.ptr).type
    same([kind, int(held.sum(dtype=cupy.int64))], [2, 7 * 16 * 1024 * 1024])


@proves("values of every size come back from the device as they went")
def copies():
    kinds = [
        ("uint8", 0, 255),
        ("int8", -128, 127),
        ("int16", -(2**15), 2**15 - 1),
        ("int32", -(2**31), 2**31 - 1),
        ("int64", -(2**63), 2**63 - 1),
        ("float16", -2048, 2048),
        ("float32", -(2**24), 2**24),
        ("float64", -(2**53), 2**53),
    ]
    for salt, (kind, low, high) in enumerate(kinds):
        values = integers(1021, low, high, salt)
        same(back(put(values, kind)), values)
    rows = matrix(37, 53, -1000, 1000, 99)
    same(back(put(rows, "int32").T.copy()), transposed(rows))


@proves("kernels that are compiled when they are called wrap and shift as 32-bit integers do")
def elementwise():
    left, right = (integers(4099, -(2**31), 2**31 - 1, salt) for salt in (1, 2))
    wrap = lambda value: (value + 2**31) % 2**32 - 2**31
    x, y = put(left, "int32"), put(right, "int32")
    same(back(x + y), [wrap(a + b) for a, b in zip(left, right)])
    same(back(x * y), [wrap(a * b) for a, b in zip(left, right)])
    same(back(x >> 7), [a >> 7 for a in left])
    same(back(cupy.where(x < y, x, y)), [min(a, b) for a, b in zip(left, right)])


@proves("a kernel of our own is compiled, launched on a grid, and writes every element")
def own_kernel():
    on_device()
    source = r"""
    extern "C" __global__ void step(const long long* x, long long* y, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) y[i] = 3 * x[i] + i;
    }
    """
    values = integers(100003, -(2**40), 2**40, 3)
    x = put(values, "int64")
    y = cupy.full(len(values), -1, dtype=cupy.int64)
    cupy.RawKernel(source, "step")((len(values) // 256 + 1,), (256,), (x, y, len(values)))
    same(back(y), [3 * value + index for index, value in enumerate(values)])


@proves("sums, running sums, sorts and their places are exact")
def reductions_and_order():
    values = integers(50021, -1000, 1000, 4)
    x = put(values, "int64")
    running, total = [], 0
    for value in values:
        total += value
        running.append(total)
    same([int(x.sum())], [total])
    same(back(cupy.cumsum(x)), running)
    same(back(cupy.sort(x)), sorted(values))
    distinct = list(range(50021))
    tap.random.Random(tap.SEED).shuffle(distinct)
    same(back(cupy.argsort(put(distinct, "int32"))), sorted(range(len(distinct)), key=distinct.__getitem__))
    same([float(x.astype("float32").sum())], [total])


@proves("values are counted and gathered where they belong")
def scattering():
    values = integers(20011, 0, 199, 5)
    counts = [0] * 200
    for value in values:
        counts[value] += 1
    x = put(values, "int64")
    same(back(cupy.bincount(x, minlength=200)), counts)
    same(back(put(counts, "int64")[x]), [counts[value] for value in values])


def gemm(kind, bound, rows, inner, columns, salt):
    left = matrix(rows, inner, -bound, bound, salt)
    right = matrix(inner, columns, -bound, bound, salt + 1)
    expected = product(left, right)
    x, y = put(left, kind), put(right, kind)
    same(back(x @ y), expected)
    same(back(put(transposed(left), kind).T @ y), expected)


@proves("each element of a product of integers in f32 is exact, at odd sizes and transposed")
def gemm_f32():
    gemm("float32", 63, 65, 129, 33, 10)


@proves("each element of a product of integers in f64 is exact, of 40 bits and more")
def gemm_f64():
    gemm("float64", 2**20, 65, 129, 33, 12)


@proves("each element of a product of integers in f16 is exact")
def gemm_f16():
    gemm("float16", 4, 64, 128, 40, 14)


@proves("a product in f32 has the bits that TF32 would drop, since nobody allowed it")
def tf32_is_off():
    left = [[4097 + 2 * column for column in range(32)] for _ in range(64)]
    right = matrix(32, 64, -7, 7, 18)
    same(back(put(left, "float32") @ put(right, "float32")), product(left, right))


@proves("a Fourier transform turns an impulse into ones, and integers back into themselves")
def fourier():
    for length in (1024, 1000, 1009):
        spectrum = cupy.fft.fft(put([1.0] + [0.0] * (length - 1), "float64"))
        within(back(spectrum.real.copy()), [1.0] * length, 1e-12)
        within(back(spectrum.imag.copy()), [0.0] * length, 1e-12)
        values = integers(length, -1000, 1000, length)
        there = cupy.fft.rfft(put(values, "float64"))
        within(back(cupy.fft.irfft(there, n=length)), values, 1e-8)


@proves("systems of equations are solved, and factors are those that are known")
def solving():
    size = 24
    low, high = matrix(size, size, -1, 1, 100), matrix(size, size, -1, 1, 101)
    lower = [[low[i][j] if j < i else int(i == j) for j in range(size)] for i in range(size)]
    upper = [[high[i][j] if j > i else int(i == j) for j in range(size)] for i in range(size)]
    system, answer = product(lower, upper), matrix(size, 3, -20, 20, 102)
    found = cupy.linalg.solve(put(system, "float64"), put(product(system, answer), "float64"))
    # Such matrices may be badly conditioned, but an answer that is wrong by a half is wrong.
    within(back(found), answer, 0.01)
    lower = [[3 * low[i][j] if j < i else (4 if i == j else 0) for j in range(size)] for i in range(size)]
    square = put(product(lower, transposed(lower)), "float64")
    within(back(cupy.linalg.cholesky(square)), lower, 1e-8)


@proves("a sparse matrix times a dense one is exact")
def sparse():
    on_device()
    try:
        from cupyx.scipy.sparse import csr_matrix
    except ImportError as error:
        raise Skip(f"sparse matrices need SciPy: {error}")
    rows = [[value if value % 7 == 0 else 0 for value in row] for row in matrix(61, 47, -50, 50, 120)]
    dense = matrix(47, 13, -50, 50, 121)
    same(back(csr_matrix(put(rows, "float32")) @ put(dense, "float32")), product(rows, dense))


@proves("random numbers are those of their seed, and others of another")
def random_numbers():
    def draw(seed):
        return back(cupy.random.RandomState(seed).randint(0, 2**31 - 1, 10007))

    first = draw(20261121)
    same(draw(20261121), first)
    true(sum(a == b for a, b in zip(draw(20261122), first)) < 10, "another seed gives the same numbers")
    # Five standard deviations of the mean of 10007 uniform numbers.
    within([sum(first) / len(first) / 2**31], [0.5], 5 * 0.2887 / 10007**0.5)


tap.run(f"CuPy {cupy.__version__}")
