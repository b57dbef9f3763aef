"""Small computations through TensorFlow on one CUDA device, compared with Python's own integers."""

import os

import tap
from tap import ON_CPU, Skip, integers, matrix, product, proves, same, transposed, true, within

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
# Else every byte of the device is taken at once.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

tf = tap.need("tensorflow")

place = "/CPU:0" if ON_CPU else "/GPU:0"
if not ON_CPU:
    if not tf.test.is_built_with_cuda():
        tap.skip_all("this build of TensorFlow is without CUDA")
    if not tf.config.list_physical_devices("GPU"):
        tap.give_up("TensorFlow finds no device: what it lacks, it has printed above")
tf.config.experimental.enable_tensor_float_32_execution(False)
# An operation without a kernel for the device would silently be made on the processor.
tf.config.set_soft_device_placement(False)


def put(values, kind):
    with tf.device("/CPU:0"):
        there = tf.constant(values, dtype=kind)
    with tf.device(place):
        return tf.identity(there)


def back(tensor):
    """The values, from the device. Where a tensor is not on it, nothing was proved."""
    true(tensor.device.endswith(place.replace("/", "device:")), f"the result is on {tensor.device}")
    if tensor.dtype in (tf.float16, tf.bfloat16):
        tensor = tf.cast(tensor, tf.float32)
    return tensor.numpy().tolist()


def on_device(function):
    with tf.device(place):
        return function()


@proves("a tensor of 64 MiB is held in the device's memory")
def placement():
    if ON_CPU:
        raise Skip("there is no device's memory")
    before = tf.config.experimental.get_memory_info("GPU:0")["current"]
    held = on_device(lambda: tf.fill([16 * 1024 * 1024], tf.constant(7.0)))
    grown = tf.config.experimental.get_memory_info("GPU:0")["current"] - before
    true(grown >= 64 * 1024 * 1024, f"the allocator's count has grown by {grown} bytes")
    same(back(held[:1000]), [7] * 1000)


@proves("values of every size come back from the device as they went")
def copies():
    kinds = [
        (tf.uint8, 0, 255),
        (tf.int8, -128, 127),
        (tf.int16, -(2**15), 2**15 - 1),
        (tf.int64, -(2**63), 2**63 - 1),
        (tf.float16, -2048, 2048),
        (tf.bfloat16, -256, 256),
        (tf.float32, -(2**24), 2**24),
        (tf.float64, -(2**53), 2**53),
    ]
    for salt, (kind, low, high) in enumerate(kinds):
        values = integers(1021, low, high, salt)
        same(back(put(values, kind)), values)
    rows = matrix(37, 53, -1000, 1000, 99)
    same(back(on_device(lambda: tf.transpose(put(rows, tf.float32)))), transposed(rows))


@proves("elementwise arithmetic and comparisons are exact")
def elementwise():
    left, right = integers(4099, -(2**20), 2**20, 1), integers(4099, -(2**20), 2**20, 2)
    x, y = put(left, tf.int64), put(right, tf.int64)
    same(back(on_device(lambda: x * y + x - y)), [a * b + a - b for a, b in zip(left, right)])
    same(back(on_device(lambda: tf.maximum(x, y))), [max(a, b) for a, b in zip(left, right)])
    same(back(on_device(lambda: x < y)), [a < b for a, b in zip(left, right)])


@proves("sums, running sums and greatest values are exact across blocks")
def reductions():
    values = integers(50021, -1000, 1000, 3)
    running, total = [], 0
    for value in values:
        total += value
        running.append(total)
    x = put(values, tf.float64)
    same(back(on_device(lambda: tf.reduce_sum(x))), total)
    same(back(on_device(lambda: tf.cumsum(x))), running)
    same(back(on_device(lambda: tf.reduce_max(x))), max(values))
    rows = matrix(129, 257, -9, 9, 4)
    grid = put(rows, tf.float32)
    same(back(on_device(lambda: tf.reduce_sum(grid, axis=1))), [sum(row) for row in rows])
    same(back(on_device(lambda: tf.reduce_sum(grid, axis=0))), [sum(column) for column in zip(*rows)])


@proves("values are gathered, and segments summed, where they belong")
def scattering():
    values, segments = integers(20011, -50, 50, 5), integers(20011, 0, 199, 6)
    sums = [0] * 200
    for value, segment in zip(values, segments):
        sums[segment] += value
    x, places = put(values, tf.float32), put(segments, tf.int64)
    same(back(on_device(lambda: tf.math.unsorted_segment_sum(x, places, 200))), sums)
    same(back(on_device(lambda: tf.gather(x, places))), [values[index] for index in segments])


def gemm(kind, bound, rows, inner, columns, salt):
    left = matrix(rows, inner, -bound, bound, salt)
    right = matrix(inner, columns, -bound, bound, salt + 1)
    expected = product(left, right)
    x, y, z = put(left, kind), put(right, kind), put(transposed(left), kind)
    same(back(on_device(lambda: tf.linalg.matmul(x, y))), expected)
    same(back(on_device(lambda: tf.linalg.matmul(z, y, transpose_a=True))), expected)


@proves("each element of a product of integers in f32 is exact, at odd sizes and transposed")
def gemm_f32():
    gemm(tf.float32, 63, 65, 129, 33, 10)


@proves("each element of a product of integers in f64 is exact, of 40 bits and more")
def gemm_f64():
    gemm(tf.float64, 2**20, 65, 129, 33, 12)


@proves("each element of a product of integers in f16 is exact")
def gemm_f16():
    gemm(tf.float16, 4, 64, 128, 40, 14)


@proves("a product in f32 has the bits that TF32 would drop, since it is switched off")
def tf32_is_off():
    left = [[4097 + 2 * column for column in range(32)] for _ in range(64)]
    right = matrix(32, 64, -7, 7, 18)
    x, y = put(left, tf.float32), put(right, tf.float32)
    same(back(on_device(lambda: tf.linalg.matmul(x, y))), product(left, right))


@proves("a convolution of integers is right in every element")
def convolution():
    image, kernel = matrix(14, 15, -4, 4, 70), matrix(3, 3, -4, 4, 71)
    expected = [
        [sum(image[r + i][c + j] * kernel[i][j] for i in range(3) for j in range(3)) for c in range(13)]
        for r in range(12)
    ]
    x = put([[[[value] for value in row] for row in image]], tf.float32)
    w = put([[[[value]] for value in row] for row in kernel], tf.float32)
    found = back(on_device(lambda: tf.nn.conv2d(x, w, strides=1, padding="VALID")))
    # What fast algorithms lose is less than half of one, and a wrong element is off by one at least.
    within([[pixel[0] for pixel in row] for row in found[0]], expected, 0.25)


@proves("a Fourier transform turns an impulse into ones, and integers back into themselves")
def fourier():
    for length in (1024, 1000):
        impulse = put([1.0] + [0.0] * (length - 1), tf.float64)
        spectrum = on_device(lambda: tf.signal.fft(tf.complex(impulse, tf.zeros_like(impulse))))
        within(back(on_device(lambda: tf.math.real(spectrum))), [1.0] * length, 1e-12)
        values = integers(length, -1000, 1000, length)
        x = put(values, tf.float64)
        there = on_device(lambda: tf.signal.rfft(x))
        within(back(on_device(lambda: tf.signal.irfft(there, fft_length=[length]))), values, 1e-8)


@proves("systems of equations are solved: the answer is known, and integer")
def solving():
    size = 24
    low, high = matrix(size, size, -1, 1, 100), matrix(size, size, -1, 1, 101)
    lower = [[low[i][j] if j < i else int(i == j) for j in range(size)] for i in range(size)]
    upper = [[high[i][j] if j > i else int(i == j) for j in range(size)] for i in range(size)]
    system, answer = product(lower, upper), matrix(size, 3, -20, 20, 102)
    x, y = put(system, tf.float64), put(product(system, answer), tf.float64)
    # Such matrices may be badly conditioned, but an answer that is wrong by a half is wrong.
    within(back(on_device(lambda: tf.linalg.solve(x, y))), answer, 0.01)


@proves("gradients of integers are exact")
def gradients():
    weights, inputs = matrix(7, 11, -9, 9, 130), matrix(11, 5, -9, 9, 131)
    w, y = put(weights, tf.float32), put(inputs, tf.float32)
    with tf.device(place), tf.GradientTape() as tape:
        tape.watch(w)
        loss = tf.reduce_sum(tf.square(tf.linalg.matmul(w, y)))
    outer = product(product(weights, inputs), transposed(inputs))
    same(back(tape.gradient(loss, w)), [[2 * value for value in row] for row in outer])


@proves("what XLA compiles for the device is exact")
def compiled():
    left, right = matrix(33, 65, -9, 9, 140), matrix(65, 17, -9, 9, 141)

    @tf.function(jit_compile=True)
    def step(x, y):
        return tf.linalg.matmul(x, y) * 3 - 1

    x, y = put(left, tf.float32), put(right, tf.float32)
    expected = [[3 * value - 1 for value in row] for row in product(left, right)]
    same(back(on_device(lambda: step(x, y))), expected)


tap.run(f"TensorFlow {tf.__version__}")
