"""Small computations through cv2.cuda on one CUDA device, compared with Python's own integers.

Of OpenCV's modules for CUDA: cudev and core by uploads, cudaarithm (its own kernels, cuBLAS by gemm, cuFFT by dft),
cudawarping, cudafilters (NPP), cudaimgproc, and the CUDA backend of dnn (cuDNN).
"""

import tap
from tap import ON_CPU, Skip, integers, matrix, product, proves, same, transposed, true, within

numpy = tap.need("numpy")
cv2 = tap.need("cv2")

if ON_CPU:

    class OnProcessor:
        """The same functions of the processor's half of OpenCV, to test the references."""

        class GpuMat:
            def __init__(self):
                self.held = None

            def upload(self, values):
                self.held = values.copy()

            def download(self):
                return self.held

        def __getattr__(self, name):
            renamed = {"sum": "sumElems", "minMaxLoc": "minMaxLoc"}
            function = getattr(cv2, renamed.get(name, name))

            def call(*arguments, **options):
                plain = [a.held if isinstance(a, self.GpuMat) else a for a in arguments]
                plain = [None if a is None else a for a in plain]
                result = function(*plain, **options)
                if isinstance(result, numpy.ndarray):
                    held = self.GpuMat()
                    held.upload(result)
                    return held
                return result

            return call

    cuda = OnProcessor()
elif not hasattr(cv2, "cuda") or not hasattr(cv2.cuda, "GpuMat"):
    tap.skip_all("this build of OpenCV has no cv2.cuda")
else:
    cuda = cv2.cuda
    count = cuda.getCudaEnabledDeviceCount()
    if count == 0 and "NVIDIA CUDA" not in cv2.getBuildInformation():
        tap.skip_all("this build of OpenCV is without CUDA")
    if count < 1:
        # -1 means that the driver is too old, or was not found.
        tap.give_up(f"getCudaEnabledDeviceCount() is {count}")


def put(rows, kind):
    held = cuda.GpuMat()
    held.upload(numpy.array(rows, dtype=kind))
    return held


def back(held):
    true(isinstance(held, cuda.GpuMat), f"the result is a {type(held).__name__}")
    return held.download().tolist()


def has(name):
    if not ON_CPU and not hasattr(cuda, name):
        raise Skip(f"this build has no cv2.cuda.{name}")


@proves("an image of 64 MiB is held in the device's memory")
def placement():
    if ON_CPU:
        raise Skip("there is no device's memory")
    held = cuda.GpuMat(4096, 4096, cv2.CV_32SC1)
    held.upload(numpy.full((4096, 4096), 7, dtype=numpy.int32))
    true(held.cudaPtr() != 0, "it has no address")
    same([held.size()[0], held.size()[1], int(held.download().sum())], [4096, 4096, 7 * 4096 * 4096])


@proves("images of every depth come back from the device as they went, odd rows and all")
def copies():
    kinds = [
        ("uint8", 0, 255),
        ("int8", -128, 127),
        ("uint16", 0, 65535),
        ("int16", -(2**15), 2**15 - 1),
        ("int32", -(2**31), 2**31 - 1),
        ("float32", -(2**24), 2**24),
        ("float64", -(2**53), 2**53),
    ]
    for salt, (kind, low, high) in enumerate(kinds):
        rows = matrix(37, 53, low, high, salt)
        same(back(put(rows, kind)), rows)


@proves("sums and differences saturate as 8-bit pixels do, and wide ones do not")
def arithmetic():
    has("add")
    left, right = matrix(113, 129, 0, 255, 1), matrix(113, 129, 0, 255, 2)
    x, y = put(left, "uint8"), put(right, "uint8")
    pairs = lambda step: [[step(a, b) for a, b in zip(*rows)] for rows in zip(left, right)]
    same(back(cuda.add(x, y)), pairs(lambda a, b: min(a + b, 255)))
    same(back(cuda.subtract(x, y)), pairs(lambda a, b: max(a - b, 0)))
    same(back(cuda.absdiff(x, y)), pairs(lambda a, b: abs(a - b)))
    same(back(cuda.bitwise_xor(x, y)), pairs(lambda a, b: a ^ b))
    wide = [put(rows, "float32") for rows in (left, right)]
    same(back(cuda.multiply(*wide)), pairs(lambda a, b: a * b))


@proves("sums, extremes and their places are exact")
def reductions():
    has("sum")
    rows = matrix(129, 257, 0, 255, 3)
    rows[77][200], rows[3][9] = 255, 0
    x = put(rows, "uint8")
    same([cuda.sum(x)[0]], [sum(map(sum, rows))])
    low, high, _, at = cuda.minMaxLoc(x)
    same([low, high, rows[at[1]][at[0]]], [0, 255, 255])
    same([cuda.countNonZero(x)], [sum(value != 0 for row in rows for value in row)])


@proves("a picture is turned, flipped and split exactly")
def rearranging():
    has("transpose")
    rows = matrix(65, 97, 0, 255, 4)
    x = put(rows, "uint8")
    same(back(cuda.transpose(x)), transposed(rows))
    same(back(cuda.flip(x, 1)), [row[::-1] for row in rows])
    same(back(cuda.flip(x, 0)), rows[::-1])


@proves("a table of 256 entries is applied to every pixel")
def lookup():
    has("createLookUpTable")
    if ON_CPU:
        raise Skip("the processor's function has another name")
    rows, table = matrix(65, 97, 0, 255, 5), integers(256, 0, 255, 6)
    found = cuda.createLookUpTable(numpy.array([table], dtype=numpy.uint8)).transform(put(rows, "uint8"))
    same(back(found), [[table[value] for value in row] for row in rows])


@proves("a picture that is doubled by its nearest pixels has each pixel four times")
def resizing():
    has("resize")
    rows = matrix(31, 45, 0, 255, 7)
    found = cuda.resize(put(rows, "uint8"), (90, 62), interpolation=cv2.INTER_NEAREST)
    same(back(found), [[rows[i // 2][j // 2] for j in range(90)] for i in range(62)])


@proves("a picture that is moved by whole pixels keeps every one of them")
def warping():
    has("warpAffine")
    rows = matrix(40, 50, 1, 255, 8)
    move = numpy.array([[1, 0, 3], [0, 1, 5]], dtype=numpy.float32)
    found = cuda.warpAffine(put(rows, "uint8"), move, (50, 40), flags=cv2.INTER_NEAREST)
    moved = [[rows[i - 5][j - 3] if i >= 5 and j >= 3 else 0 for j in range(50)] for i in range(40)]
    same(back(found), moved)


@proves("grey, threshold and histogram of known pixels are exact")
def colours():
    has("threshold")
    rows = matrix(64, 80, 0, 255, 9)
    limited = cuda.threshold(put(rows, "uint8"), 100, 255, cv2.THRESH_BINARY)[1]
    if isinstance(limited, numpy.ndarray):
        limited = put(limited, "uint8")
    same(back(limited), [[255 if value > 100 else 0 for value in row] for row in rows])
    if not ON_CPU and hasattr(cuda, "calcHist"):
        counts = [0] * 256
        for row in rows:
            for value in row:
                counts[value] += 1
        same(back(cuda.calcHist(put(rows, "uint8")))[0], counts)
    grey = [[[value] * 3 for value in row] for row in rows]
    same(back(cuda.cvtColor(put(grey, "uint8"), cv2.COLOR_BGR2GRAY)), rows)


@proves("a filter with integer weights is exact away from the border, and at it")
def filtering():
    weights = [[1, 2, 1], [0, -3, 4], [5, 0, -2]]
    rows = matrix(40, 50, -20, 20, 10)
    x = put(rows, "float32")
    kernel = numpy.array(weights, dtype=numpy.float32)
    if ON_CPU:
        found = put(cv2.filter2D(x.held, -1, kernel, borderType=cv2.BORDER_CONSTANT), "float32")
    else:
        has("createLinearFilter")
        found = cuda.createLinearFilter(cv2.CV_32FC1, cv2.CV_32FC1, kernel, borderMode=cv2.BORDER_CONSTANT).apply(x)
    at = lambda i, j: rows[i][j] if 0 <= i < 40 and 0 <= j < 50 else 0
    expected = [
        [sum(weights[a][b] * at(i + a - 1, j + b - 1) for a in range(3) for b in range(3)) for j in range(50)]
        for i in range(40)
    ]
    same(back(found), expected)


@proves("a Gaussian blur of a constant picture is that picture")
def blurring():
    rows = [[77] * 64 for _ in range(48)]
    x = put(rows, "uint8")
    if ON_CPU:
        found = put(cv2.GaussianBlur(x.held, (5, 5), 1.0), "uint8")
    else:
        has("createGaussianFilter")
        found = cuda.createGaussianFilter(cv2.CV_8UC1, cv2.CV_8UC1, (5, 5), 1.0).apply(x)
    same(back(found), rows)


@proves("each element of a product of integers is exact, which cuBLAS makes")
def gemm():
    has("gemm")
    left, right, third = matrix(33, 65, -60, 60, 11), matrix(65, 17, -60, 60, 12), matrix(33, 17, -60, 60, 13)
    try:
        found = cuda.gemm(put(left, "float32"), put(right, "float32"), 2.0, put(third, "float32"), 3.0)
    except cv2.error as error:
        if "not built with" in str(error) or "-213" in str(error):
            raise Skip("this build is without cuBLAS") from error
        raise
    both = zip(product(left, right), third)
    same(back(found), [[2 * a + 3 * b for a, b in zip(*rows)] for rows in both])


@proves("a Fourier transform of an impulse is ones, which cuFFT makes")
def fourier():
    has("dft")
    rows = [[[0.0, 0.0] for _ in range(64)] for _ in range(32)]
    rows[0][0] = [1.0, 0.0]
    try:
        found = cuda.dft(put(rows, "float32"), (64, 32)) if not ON_CPU else put(cv2.dft(numpy.array(rows, "float32")), "float32")
    except cv2.error as error:
        if "not built with" in str(error) or "-213" in str(error):
            raise Skip("this build is without cuFFT") from error
        raise
    within(back(found), [[[1.0, 0.0]] * 64] * 32, 2.0**-20)


@proves("a network that takes the greatest of windows does so, on the CUDA backend")
def network():
    net_of = getattr(cv2.dnn, "readNetFromCaffe", None)
    if net_of is None:
        raise Skip("this build has no dnn.readNetFromCaffe")
    text = b"""
    name: "one"  input: "x"  input_shape { dim: 1 dim: 1 dim: 12 dim: 13 }
    layer { name: "y" type: "Pooling" bottom: "x" top: "y" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
    """
    net = net_of(numpy.frombuffer(text, dtype=numpy.uint8))
    if not ON_CPU:
        targets = cv2.dnn.getAvailableTargets(cv2.dnn.DNN_BACKEND_CUDA)
        if cv2.dnn.DNN_TARGET_CUDA not in list(targets):
            raise Skip("this build's dnn is without CUDA")
        net.setPreferableBackend(cv2.dnn.DNN_BACKEND_CUDA)
        net.setPreferableTarget(cv2.dnn.DNN_TARGET_CUDA)
    rows = matrix(12, 13, -100, 100, 14)
    net.setInput(numpy.array([[rows]], dtype=numpy.float32))
    found = net.forward()[0][0].tolist()
    # Caffe rounds up: the last window of a row has but one column.
    at = lambda i, j: rows[i][j] if j < 13 else -1000
    windows = [
        [max(at(2 * i + a, 2 * j + b) for a in (0, 1) for b in (0, 1)) for j in range(7)] for i in range(6)
    ]
    same(found, windows)


tap.run(f"OpenCV {cv2.__version__}")
