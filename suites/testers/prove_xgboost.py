"""Trees that XGBoost grows on one CUDA device from data whose only right trees are known.

With no regularisation and a step of one, a leaf is the mean of its labels. The labels are integers that depend on few
features, so the trees that fit them give back exactly those integers.
"""

import json

import tap
from tap import ON_CPU, Skip, integers, proves, same, true, within

xgboost = tap.need("xgboost")
numpy = tap.need("numpy")

if not ON_CPU and not xgboost.build_info().get("USE_CUDA"):
    tap.skip_all("this build of XGBoost is without CUDA")

place = "cpu" if ON_CPU else "cuda:0"


def grow(features, labels, depth, rounds=1, kind=None):
    """Trains on the device, and sees to it that no other was taken."""
    settings = {
        "device": place,
        "tree_method": "hist",
        "objective": "reg:squarederror",
        "max_depth": depth,
        "learning_rate": 1.0,
        "lambda": 0.0,
        "alpha": 0.0,
        "gamma": 0.0,
        "min_child_weight": 0.0,
        "base_score": 0.0,
        "verbosity": 1,
    }
    kind = kind or xgboost.DMatrix
    data = kind(numpy.array(features, dtype=numpy.float32), label=numpy.array(labels, dtype=numpy.float32))
    model = xgboost.train(settings, data, num_boost_round=rounds)
    used = json.loads(model.save_config())["learner"]["generic_param"]["device"]
    true(used == place, f"it was trained on {used}")
    return model, data


def leaves(model, data, expected):
    """Every row is in its leaf. A device sums gradients in fixed point: what that rounds is far below any mistake."""
    within(model.predict(data).tolist(), expected, 2.0**-10)


@proves("a step in one of eight features is found, and its leaves are the labels")
def one_split():
    rows = [integers(8, -100, 100, salt) for salt in range(2000)]
    labels = [7 if row[3] > 0 else -5 for row in rows]
    model, data = grow(rows, labels, 1)
    leaves(model, data, labels)
    same([set(model.get_score()) == {"f3"}], [True])


@proves("two features together need depth two, and every quarter has its own integer")
def quarters():
    rows = [integers(5, -100, 100, 3000 + salt) for salt in range(4000)]
    labels = [(100 if row[1] > 0 else 0) + (9 if row[4] > 0 else 2) for row in rows]
    model, data = grow(rows, labels, 2)
    leaves(model, data, labels)


@proves("what the first tree leaves over, the second takes")
def two_trees():
    rows = [integers(4, -100, 100, 8000 + salt) for salt in range(4000)]
    labels = [(64 if row[0] > 0 else 0) + (8 if row[2] > 0 else 0) for row in rows]
    model, data = grow(rows, labels, 2, rounds=2)
    leaves(model, data, labels)


@proves("quantiles that the device makes itself lead to the same tree")
def quantiles():
    rows = [integers(8, -100, 100, 20000 + salt) for salt in range(2000)]
    labels = [3 if row[6] > 0 else 11 for row in rows]
    model, data = grow(rows, labels, 1, kind=xgboost.QuantileDMatrix)
    leaves(model, data, labels)


@proves("a model that was trained on the device predicts new rows as its rule says")
def new_rows():
    rows = [[value, 0] for value in range(-100, 100)]
    labels = [1 if value >= 0 else 4 for value, _ in rows]
    model, _ = grow(rows, labels, 1)
    fresh = [[value + 0.25, 1] for value in integers(500, -90, 90, 5) if value not in (-1, 0)]
    data = xgboost.DMatrix(numpy.array(fresh, dtype=numpy.float32))
    leaves(model, data, [1 if value > 0 else 4 for value, _ in fresh])


@proves("groups of a ranking and classes of a classifier are told apart without an error")
def classes():
    rows = [integers(3, 0, 299, 30000 + salt) for salt in range(3000)]
    labels = [row[1] // 100 for row in rows]
    settings = {"device": place, "tree_method": "hist", "objective": "multi:softmax", "num_class": 3, "max_depth": 3}
    data = xgboost.DMatrix(numpy.array(rows, dtype=numpy.float32), label=numpy.array(labels))
    model = xgboost.train(settings, data, num_boost_round=10)
    leaves(model, data, labels)


@proves("the device was used for all of this")
def device_used():
    if ON_CPU:
        raise Skip("there is no device")
    true(xgboost.build_info()["USE_CUDA"], "this build is without CUDA")
    model, data = grow([[0], [1]] * 100, [0, 1] * 100, 1)
    model.set_param({"device": "cuda:0"})
    leaves(model, data, [0, 1] * 100)


tap.run(f"XGBoost {xgboost.__version__}")
