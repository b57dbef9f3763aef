"""Small computations through PyTorch on one CUDA device, compared with Python's own integers.

Every operation that is tested takes another of the libraries that a build of PyTorch brings: its own kernels, cuBLAS,
cuBLASLt, cuDNN, cuFFT, cuSOLVER or MAGMA, cuSPARSE, cuRAND, and NVRTC, which it opens only when it is asked to.
"""

import tap
from tap import ON_CPU, Skip, integers, matrix, product, proves, same, transposed, true, within

torch = tap.need("torch")

if not ON_CPU and torch.version.cuda is None:
    tap.skip_all("this build of PyTorch is without CUDA")
if not ON_CPU:
    try:
        torch.zeros(1, device="cuda:0").item()
    except Exception as error:
        tap.give_up(f"nothing can be put on the device: {tap.one_line(error)}")

device = torch.device("cpu" if ON_CPU else "cuda:0")
torch.set_grad_enabled(True)


def put(values, kind):
    return torch.tensor(values, dtype=kind).to(device)


def back(tensor):
    """The values, by a copy that the device makes. Where a tensor is not on it, nothing was proved."""
    true(tensor.device == device, f"the result is on {tensor.device}")
    if tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.to(torch.float32)
    return tensor.cpu().tolist()


def synchronize():
    if not ON_CPU:
        torch.cuda.synchronize()


@proves("a tensor of 64 MiB is held in the device's memory, and no longer when it is gone")
def placement():
    if ON_CPU:
        raise Skip("there is no device's memory")
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated(0)
    held = torch.full((16 * 1024 * 1024,), 7, dtype=torch.int32, device=device)
    true(held.is_cuda and held.get_device() == 0, f"it is on {held.device}")
    grown = torch.cuda.memory_allocated(0) - before
    true(grown >= 64 * 1024 * 1024, f"the allocator's count has grown by {grown} bytes")
    same([int(held.sum(dtype=torch.int64).item())], [7 * 16 * 1024 * 1024])
    del held
    same([torch.cuda.memory_allocated(0)], [before])


@proves("values of every size come back from the device as they went")
def copies():
    kinds = [
        (torch.uint8, 0, 255),
        (torch.int8, -128, 127),
        (torch.int16, -(2**15), 2**15 - 1),
        (torch.int32, -(2**31), 2**31 - 1),
        (torch.int64, -(2**63), 2**63 - 1),
        (torch.float16, -2048, 2048),
        (torch.bfloat16, -256, 256),
        (torch.float32, -(2**24), 2**24),
        (torch.float64, -(2**53), 2**53),
    ]
    for salt, (kind, low, high) in enumerate(kinds):
        values = integers(1021, low, high, salt)
        same(back(put(values, kind)), values)
    rows = matrix(37, 53, -1000, 1000, 99)
    same(back(put(rows, torch.int32).t().contiguous()), transposed(rows))
    same(back(put(rows, torch.int32)[3::2, 5::3].clone()), [row[5::3] for row in rows[3::2]])


@proves("integer arithmetic wraps, shifts, and compares as 32-bit integers do")
def elementwise():
    left, right = (integers(4099, -(2**31), 2**31 - 1, salt) for salt in (1, 2))
    wrap = lambda value: (value + 2**31) % 2**32 - 2**31
    x, y = put(left, torch.int32), put(right, torch.int32)
    same(back(x + y), [wrap(a + b) for a, b in zip(left, right)])
    same(back(x * y), [wrap(a * b) for a, b in zip(left, right)])
    same(back(x ^ y), [a ^ b for a, b in zip(left, right)])
    same(back(x >> 7), [a >> 7 for a in left])
    same(back(x < y), [a < b for a, b in zip(left, right)])
    same(back(torch.where(x < y, x, y)), [min(a, b) for a, b in zip(left, right)])


@proves("sums, running sums, maxima and their places are exact across blocks")
def reductions():
    values = integers(100003, -1000, 1000, 3)
    x = put(values, torch.int64)
    running, total = [], 0
    for value in values:
        total += value
        running.append(total)
    same(back(x.sum()), total)
    same(back(x.cumsum(0)), running)
    same(back(x.max()), max(values))
    same(back(x.to(torch.float32).sum()), total)
    rows = matrix(129, 257, -9, 9, 4)
    grid = put(rows, torch.float32)
    same(back(grid.sum(1)), [sum(row) for row in rows])
    same(back(grid.sum(0)), [sum(column) for column in zip(*rows)])
    distinct = list(range(50021))
    tap.random.Random(tap.SEED).shuffle(distinct)
    same(back(put(distinct, torch.int32).argmax()), distinct.index(max(distinct)))


@proves("sorting, counting, gathering and scattering put every value where it belongs")
def order():
    values = integers(30011, -500, 500, 5)
    x = put(values, torch.int32)
    found, places = torch.sort(x, stable=True)
    same(back(found), sorted(values))
    same(back(places), sorted(range(len(values)), key=values.__getitem__))
    same(back(torch.unique(x)), sorted(set(values)))
    shifted = put([value + 500 for value in values], torch.int64)
    counts = [0] * 1001
    for value in values:
        counts[value + 500] += 1
    same(back(torch.bincount(shifted, minlength=1001)), counts)
    into = torch.zeros(1001, dtype=torch.int64, device=device)
    same(back(into.scatter_add_(0, shifted, torch.ones_like(shifted))), counts)
    pick = integers(5003, 0, len(values) - 1, 6)
    same(back(x[put(pick, torch.int64)]), [values[index] for index in pick])


def gemm(kind, bound, rows, inner, columns, salt):
    left = matrix(rows, inner, -bound, bound, salt)
    right = matrix(inner, columns, -bound, bound, salt + 1)
    expected = product(left, right)
    x, y = put(left, kind), put(right, kind)
    same(back(x @ y), expected)
    same(back(put(transposed(left), kind).t() @ y), expected)
    same(back(x @ put(transposed(right), kind).t()), expected)


@proves("each element of a product of integers in f32 is exact, at odd sizes and transposed")
def gemm_f32():
    gemm(torch.float32, 63, 65, 129, 33, 10)


@proves("each element of a product of integers in f64 is exact, of 40 bits and more")
def gemm_f64():
    gemm(torch.float64, 2**20, 65, 129, 33, 12)


@proves("each element of a product of integers in f16 is exact")
def gemm_f16():
    if ON_CPU:
        raise Skip("processors may have none")
    # |sum| <= 128 * 4 * 4 = 2048, the last integer that f16 holds.
    gemm(torch.float16, 4, 64, 128, 40, 14)


@proves("each element of a product of integers in bf16 is exact")
def gemm_bf16():
    # |sum| <= 64 * 2 * 2 = 256, the last integer that bf16 holds.
    gemm(torch.bfloat16, 2, 64, 64, 40, 16)


@proves("a product in f32 has the bits that TF32 would drop, since nobody allowed it")
def tf32_is_off():
    # 4097 has 13 significant bits: TF32 holds 11.
    left = [[4097 + 2 * column for column in range(32)] for _ in range(64)]
    right = matrix(32, 64, -7, 7, 18)
    same(back(put(left, torch.float32) @ put(right, torch.float32)), product(left, right))


@proves("a batch of products is exact, each with its own operands")
def batched_gemm():
    lefts = [matrix(17, 23, -15, 15, 20 + index) for index in range(9)]
    rights = [matrix(23, 19, -15, 15, 40 + index) for index in range(9)]
    expected = [product(left, right) for left, right in zip(lefts, rights)]
    same(back(torch.bmm(put(lefts, torch.float32), put(rights, torch.float32))), expected)


@proves("a product of 8-bit integers with 32-bit sums is exact")
def gemm_int8():
    if not hasattr(torch, "_int_mm"):
        raise Skip("this PyTorch has no _int_mm")
    left, right = matrix(32, 64, -128, 127, 60), matrix(64, 24, -128, 127, 61)
    same(back(torch._int_mm(put(left, torch.int8), put(right, torch.int8))), product(left, right))


def convolved(image, kernels):
    """A cross-correlation without padding, in Python's integers: channels x height x width."""
    depth, size = len(kernels[0]), len(kernels[0][0])
    rows, columns = len(image[0]) - size + 1, len(image[0][0]) - size + 1
    offsets = [(c, i, j) for c in range(depth) for i in range(size) for j in range(size)]
    return [
        [
            [
                sum(image[c][row + i][column + j] * kernel[c][i][j] for c, i, j in offsets)
                for column in range(columns)
            ]
            for row in range(rows)
        ]
        for kernel in kernels
    ]


def convolution(kind, largest, bound):
    image = [matrix(14, 15, -largest, largest, 70 + channel) for channel in range(8)]
    kernels = [[matrix(3, 3, -largest, largest, 80 + 8 * out + channel) for channel in range(8)] for out in range(6)]
    x, w = put([image], kind), put(kernels, kind)
    found = back(torch.nn.functional.conv2d(x, w))[0]
    within(found, convolved(image, kernels), bound)


@proves("a convolution of integers in f64 is right to the last places")
def convolution_f64():
    # Fast algorithms divide by 24: what that loses is far below this, and a wrong element is off by one at least.
    convolution(torch.float64, 4, 2.0**-30)


@proves("a convolution of integers in f32 is right in every element")
def convolution_f32():
    # What fast algorithms lose is less than half of one, and a wrong element is off by one at least.
    convolution(torch.float32, 4, 0.25)


@proves("a convolution of integers in f16 is right in every element")
def convolution_f16():
    if ON_CPU:
        raise Skip("processors may have none")
    # Results up to 288 have a last place of 1/4 in f16; fast algorithms may lose two more.
    convolution(torch.float16, 2, 0.75)


@proves("maxima of windows are exact, and so is a batch's normalisation by powers of two")
def pooling_and_normalisation():
    rows = matrix(12, 16, -100, 100, 90)
    windows = [
        [max(rows[2 * i + a][2 * j + b] for a in (0, 1) for b in (0, 1)) for j in range(8)] for i in range(6)
    ]
    same(back(torch.nn.functional.max_pool2d(put([[rows]], torch.float32), 2))[0][0], windows)
    # (x - 3) / sqrt(4) * 8 + 1, every step of which is exact.
    four = lambda value: put([value], torch.float32)
    found = torch.nn.functional.batch_norm(put([[rows]], torch.float32), four(3.0), four(4.0), four(8.0), four(1.0), eps=0.0)
    # Eight last places of the largest, for a reciprocal root that is not rounded correctly.
    within(back(found)[0][0], [[(value - 3) * 4 + 1 for value in row] for row in rows], 2.0**-12)


@proves("a Fourier transform turns an impulse into ones, and integers back into themselves")
def fourier():
    for length in (1024, 1000, 1009):
        impulse = torch.zeros(length, dtype=torch.float64)
        impulse[0] = 1.0
        spectrum = torch.view_as_real(torch.fft.fft(impulse.to(device)))
        # u * log2(n) is 1.1e-15 in f64; this is far above it, and far below any wrong element.
        within(back(spectrum), [[1.0, 0.0]] * length, 1e-12)
        values = integers(length, -1000, 1000, length)
        there = torch.fft.rfft(put(values, torch.float64))
        within([back(torch.view_as_real(there[:1]))[0][0]], [sum(values)], 1e-8)
        within(back(torch.fft.irfft(there, n=length)), values, 1e-8)


def unimodular(size, salt):
    """L * U with ones on both diagonals, so that integers solve it exactly."""
    low, high = matrix(size, size, -1, 1, salt), matrix(size, size, -1, 1, salt + 1)
    lower = [[low[i][j] if j < i else int(i == j) for j in range(size)] for i in range(size)]
    upper = [[high[i][j] if j > i else int(i == j) for j in range(size)] for i in range(size)]
    return product(lower, upper)


@proves("systems of equations are solved: the answer is known, and integer")
def solving():
    size = 24
    system = unimodular(size, 100)
    answer = matrix(size, 3, -20, 20, 102)
    x = torch.linalg.solve(put(system, torch.float64), put(product(system, answer), torch.float64))
    # Such matrices may be badly conditioned, but an answer that is wrong by a half is wrong.
    within(back(x), answer, 0.01)
    same(back(torch.round(x)), answer)


@proves("Cholesky, eigenvalues, and singular values of matrices whose answers are known")
def decompositions():
    size = 16
    low = matrix(size, size, -3, 3, 110)
    lower = [[low[i][j] if j < i else (4 if i == j else 0) for j in range(size)] for i in range(size)]
    square = product(lower, transposed(lower))
    within(back(torch.linalg.cholesky(put(square, torch.float64))), lower, 1e-9)
    from math import cos, pi

    chain = [[2 if i == j else (-1 if abs(i - j) == 1 else 0) for j in range(size)] for i in range(size)]
    known = sorted(2 - 2 * cos(pi * k / (size + 1)) for k in range(1, size + 1))
    within(back(torch.linalg.eigvalsh(put(chain, torch.float64))), known, 1e-12)
    diagonal = [[(k + 1) * (i == k) for i in range(size)] for k in range(size)]
    within(back(torch.linalg.svdvals(put(diagonal, torch.float64))), list(range(size, 0, -1)), 1e-12)


@proves("a sparse matrix times a dense one is exact")
def sparse():
    rows = [[value if value % 7 == 0 else 0 for value in row] for row in matrix(61, 47, -50, 50, 120)]
    dense = matrix(47, 13, -50, 50, 121)
    held = put(rows, torch.float32).to_sparse()
    true(held.device == device, f"it is on {held.device}")
    same(back(torch.sparse.mm(held, put(dense, torch.float32))), product(rows, dense))


@proves("gradients of integers are exact")
def gradients():
    weights, inputs = matrix(7, 11, -9, 9, 130), matrix(11, 5, -9, 9, 131)
    w = put(weights, torch.float32).requires_grad_()
    ((w @ put(inputs, torch.float32)) ** 2).sum().backward()
    outer = product(product(weights, inputs), transposed(inputs))
    same(back(w.grad), [[2 * value for value in row] for row in outer])


@proves("attention to nothing in particular is the mean of the values")
def attention():
    if not hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        raise Skip("this PyTorch is older than attention")
    values = [[[matrix(64, 32, -64, 64, 140)]]][0]
    kind = torch.float32 if ON_CPU else torch.float16
    v = put(values, kind)
    q = torch.zeros_like(v)
    found = back(torch.nn.functional.scaled_dot_product_attention(q, v, v))[0][0]
    means = [sum(column) / 64 for column in zip(*values[0][0])]
    # One rounding to f16 of a number below 64.
    within(found, [means] * 64, 2.0**-5)


@proves("the greatest common divisor, whose kernel is compiled when it is called, is right")
def compiled_when_called():
    from math import gcd

    left, right = integers(2003, 1, 10**6, 150), integers(2003, 1, 10**6, 151)
    found = torch.gcd(put(left, torch.int64), put(right, torch.int64))
    same(back(found), [gcd(a, b) for a, b in zip(left, right)])


@proves("random numbers are those of their seed, and others of another")
def random_numbers():
    def draw(seed):
        generator = torch.Generator(device=device)
        generator.manual_seed(seed)
        return back(torch.randint(0, 2**31 - 1, (10007,), generator=generator, device=device))

    first = draw(tap.SEED)
    same(draw(tap.SEED), first)
    true(sum(a == b for a, b in zip(draw(tap.SEED + 1), first)) < 10, "another seed gives the same numbers")
    mean = sum(first) / len(first)
    # Five standard deviations of the mean of 10007 uniform numbers.
    within([mean / 2**31], [0.5], 5 * 0.2887 / 10007**0.5)


@proves("work on a second stream waits for an event of the first")
def streams():
    if ON_CPU:
        raise Skip("a processor has no streams")
    values = integers(1 << 20, 0, 1000, 160)
    first, second = torch.cuda.Stream(), torch.cuda.Stream()
    x = put(values, torch.int64)
    synchronize()
    with torch.cuda.stream(first):
        for _ in range(20):
            x = x * 3 + 1
        event = first.record_event()
    with torch.cuda.stream(second):
        second.wait_event(event)
        y = x - 1
    synchronize()

    def stepped(value):
        for _ in range(20):
            value = value * 3 + 1
        return value - 1

    same(back(y[:4096]), [stepped(value) for value in values[:4096]])


@proves("nothing before this has left an error behind on the device")
def nothing_left_behind():
    synchronize()
    same(back(torch.ones(1000, dtype=torch.int32, device=device).sum()), 1000)


tap.run(f"PyTorch {torch.__version__}, built with CUDA {torch.version.cuda}")
