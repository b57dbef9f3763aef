"""Small computations through JAX on one CUDA device, compared with Python's own integers.

Everything is compiled by XLA for the device: its own kernels, cuBLAS, cuDNN, cuFFT, cuSOLVER, and what it fuses.
"""

import os

import tap
from tap import ON_CPU, Skip, integers, matrix, product, proves, same, transposed, true, within

# All of the device's memory at once would say nothing of this test's own.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ["JAX_PLATFORMS"] = "cpu" if ON_CPU else "cuda"

jax = tap.need("jax")
jax.config.update("jax_enable_x64", True)
jnp, lax = jax.numpy, jax.lax



def brings_cuda():
    """Whether a part for CUDA is installed, be it one that works or not: it is a plugin, once it was in jaxlib."""
    import importlib.metadata
    import importlib.util
    import pkgutil

    names = [point.name for point in importlib.metadata.entry_points(group="jax_plugins")]
    if importlib.util.find_spec("jax_plugins"):
        import jax_plugins

        names += [module.name for module in pkgutil.iter_modules(jax_plugins.__path__)]
    return any("cuda" in name for name in names) or importlib.util.find_spec("jaxlib.cuda") is not None


if not ON_CPU and not brings_cuda():
    tap.skip_all("this JAX has no part for CUDA")
try:
    device = jax.devices()[0]
except Exception as error:
    tap.give_up(f"JAX has no device: {tap.one_line(error)}")
if not ON_CPU and device.platform not in ("gpu", "cuda"):
    tap.give_up(f"the device is of the platform {device.platform}")

exact = lax.Precision.HIGHEST


def put(values, kind):
    return jax.device_put(jnp.array(values, dtype=kind), device)


def back(array):
    """The values, from the device. Where an array is not on it, nothing was proved."""
    true(array.devices() == {device}, f"the result is on {array.devices()}")
    if array.dtype in (jnp.float16, jnp.bfloat16):
        array = array.astype(jnp.float32)
    return jax.device_get(array).tolist()


@proves("an array of 64 MiB is held in the device's memory")
def placement():
    if ON_CPU:
        raise Skip("there is no device's memory")
    before = device.memory_stats()["bytes_in_use"]
    held = put([7], jnp.int32) + jnp.zeros(16 * 1024 * 1024, jnp.int32)
    held.block_until_ready()
    grown = device.memory_stats()["bytes_in_use"] - before
    true(grown >= 64 * 1024 * 1024, f"the allocator's count has grown by {grown} bytes")
    same(back(held.sum(dtype=jnp.int64)), 7 * 16 * 1024 * 1024)


@proves("values of every size come back from the device as they went")
def copies():
    kinds = [
        (jnp.uint8, 0, 255),
        (jnp.int8, -128, 127),
        (jnp.int16, -(2**15), 2**15 - 1),
        (jnp.int32, -(2**31), 2**31 - 1),
        (jnp.int64, -(2**63), 2**63 - 1),
        (jnp.float16, -2048, 2048),
        (jnp.bfloat16, -256, 256),
        (jnp.float32, -(2**24), 2**24),
        (jnp.float64, -(2**53), 2**53),
    ]
    for salt, (kind, low, high) in enumerate(kinds):
        values = integers(1021, low, high, salt)
        same(back(put(values, kind)), values)
    rows = matrix(37, 53, -1000, 1000, 99)
    same(back(put(rows, jnp.int32).T), transposed(rows))


@proves("what XLA fuses into one kernel wraps and shifts as 32-bit integers do")
def fused():
    left, right = (integers(4099, -(2**31), 2**31 - 1, salt) for salt in (1, 2))
    wrap = lambda value: (value + 2**31) % 2**32 - 2**31
    step = jax.jit(lambda x, y: ((x * y + x) ^ (y >> 3)) - y)
    expected = [wrap((wrap(wrap(a * b) + a) ^ (b >> 3)) - b) for a, b in zip(left, right)]
    same(back(step(put(left, jnp.int32), put(right, jnp.int32))), expected)


@proves("sums, running sums, sorts and their places are exact")
def reductions_and_order():
    values = integers(50021, -1000, 1000, 3)
    x = put(values, jnp.int64)
    running, total = [], 0
    for value in values:
        total += value
        running.append(total)
    same(back(x.sum()), total)
    same(back(jnp.cumsum(x)), running)
    same(back(jnp.sort(x)), sorted(values))
    same(back(jnp.argsort(x, stable=True)), sorted(range(len(values)), key=values.__getitem__))
    same(back(x.astype(jnp.float32).sum()), total)


@proves("segments are summed, and values gathered, where they belong")
def scattering():
    values, segments = integers(20011, -50, 50, 5), integers(20011, 0, 199, 6)
    sums = [0] * 200
    for value, segment in zip(values, segments):
        sums[segment] += value
    found = jax.ops.segment_sum(put(values, jnp.int64), put(segments, jnp.int32), num_segments=200)
    same(back(found), sums)
    same(back(put(values, jnp.int64)[put(segments, jnp.int32)]), [values[index] for index in segments])


def gemm(kind, bound, rows, inner, columns, salt):
    left = matrix(rows, inner, -bound, bound, salt)
    right = matrix(inner, columns, -bound, bound, salt + 1)
    expected = product(left, right)
    x, y = put(left, kind), put(right, kind)
    same(back(jnp.matmul(x, y, precision=exact)), expected)
    same(back(jnp.matmul(put(transposed(left), kind).T, y, precision=exact)), expected)


@proves("each element of a product of integers in f32 is exact, at odd sizes and transposed")
def gemm_f32():
    gemm(jnp.float32, 63, 65, 129, 33, 10)


@proves("each element of a product of integers in f64 is exact, of 40 bits and more")
def gemm_f64():
    gemm(jnp.float64, 2**20, 65, 129, 33, 12)


@proves("each element of a product of integers in f16 is exact")
def gemm_f16():
    gemm(jnp.float16, 4, 64, 128, 40, 14)


@proves("each element of a product of integers in bf16 is exact")
def gemm_bf16():
    gemm(jnp.bfloat16, 2, 64, 64, 40, 16)


@proves("a product in f32 at the highest precision has the bits that TF32 would drop")
def tf32_is_off():
    left = [[4097 + 2 * column for column in range(32)] for _ in range(64)]
    right = matrix(32, 64, -7, 7, 18)
    found = jnp.matmul(put(left, jnp.float32), put(right, jnp.float32), precision=exact)
    same(back(found), product(left, right))


@proves("a convolution of integers is right in every element")
def convolution():
    image = matrix(14, 15, -4, 4, 70)
    kernel = matrix(3, 3, -4, 4, 71)
    expected = [
        [sum(image[r + i][c + j] * kernel[i][j] for i in range(3) for j in range(3)) for c in range(13)]
        for r in range(12)
    ]
    for kind, bound in ((jnp.float64, 2.0**-30), (jnp.float32, 0.25)):
        # What fast algorithms lose is less than half of one, and a wrong element is off by one at least.
        found = lax.conv(put([[image]], kind), put([[kernel]], kind), (1, 1), "VALID")
        within(back(found)[0][0], expected, bound)


@proves("a Fourier transform turns an impulse into ones, and integers back into themselves")
def fourier():
    for length in (1024, 1000, 1009):
        spectrum = jnp.fft.fft(put([1.0] + [0.0] * (length - 1), jnp.float64))
        within(back(spectrum.real), [1.0] * length, 1e-12)
        within(back(spectrum.imag), [0.0] * length, 1e-12)
        values = integers(length, -1000, 1000, length)
        there = jnp.fft.rfft(put(values, jnp.float64))
        within(back(there.real[:1]), [sum(values)], 1e-8)
        within(back(jnp.fft.irfft(there, n=length)), values, 1e-8)


@proves("systems of equations are solved, and factors are those that are known")
def solving():
    size = 24
    low, high = matrix(size, size, -1, 1, 100), matrix(size, size, -1, 1, 101)
    lower = [[low[i][j] if j < i else int(i == j) for j in range(size)] for i in range(size)]
    upper = [[high[i][j] if j > i else int(i == j) for j in range(size)] for i in range(size)]
    system, answer = product(lower, upper), matrix(size, 3, -20, 20, 102)
    found = jnp.linalg.solve(put(system, jnp.float64), put(product(system, answer), jnp.float64))
    # Such matrices may be badly conditioned, but an answer that is wrong by a half is wrong.
    within(back(found), answer, 0.01)
    lower = [[3 * low[i][j] if j < i else (4 if i == j else 0) for j in range(size)] for i in range(size)]
    square = put(product(lower, transposed(lower)), jnp.float64)
    within(back(jnp.linalg.cholesky(square)), lower, 1e-8)


@proves("gradients of integers are exact")
def gradients():
    weights, inputs = matrix(7, 11, -9, 9, 130), matrix(11, 5, -9, 9, 131)
    y = put(inputs, jnp.float32)
    gradient = jax.grad(lambda w: (jnp.matmul(w, y, precision=exact) ** 2).sum())
    outer = product(product(weights, inputs), transposed(inputs))
    same(back(gradient(put(weights, jnp.float32))), [[2 * value for value in row] for row in outer])


@proves("a loop on the device ends where it must")
def loops():
    found = jax.jit(lambda n: lax.while_loop(lambda s: s[0] > 0, lambda s: (s[0] - 1, s[1] * 3 + 1), (n, n)))
    value = 30
    for _ in range(30):
        value = value * 3 + 1
    same(back(found(put(30, jnp.int64))[1]), value)


def threefry(key, block):
    """The generator by its paper: two words of key, two of counter, twenty rounds."""
    rotations = ((13, 15, 26, 6), (17, 29, 16, 24))
    mask = 2**32 - 1
    keys = (key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA)
    x, y = (block[0] + keys[0]) & mask, (block[1] + keys[1]) & mask
    for turn in range(5):
        for rotation in rotations[turn % 2]:
            x = (x + y) & mask
            y = ((y << rotation | y >> (32 - rotation)) & mask) ^ x
        x = (x + keys[(turn + 1) % 3]) & mask
        y = (y + keys[(turn + 2) % 3] + turn + 1) & mask
    return x, y


@proves("random bits are Threefry's, by its paper")
def random_bits():
    from jax.extend import random as extended

    if not hasattr(extended, "threefry_2x32"):
        raise Skip("this JAX does not offer its generator by itself")
    key, count = (0x13198A2E, 0x03707344), 2000
    words = put(list(range(count)), jnp.uint32)
    found = back(extended.threefry_2x32(put(key, jnp.uint32), words))
    # The first half of the words is the first of each counter's two, the second half the second.
    pairs = [threefry(key, (index, index + count // 2)) for index in range(count // 2)]
    same(found, [first for first, _ in pairs] + [second for _, second in pairs])


tap.run(f"JAX {jax.__version__}, jaxlib {tap.need('jaxlib').__version__}")
