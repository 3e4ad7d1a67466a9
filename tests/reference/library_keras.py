"""Writes the values of Keras that tests/library/reference.rs holds the standard library against.

    python tests/reference/library_keras.py

Beside those of library.py, for what Keras alone has or defines in its own way: gates in another order, an update that
adds `epsilon` elsewhere. Outside of TensorFlow, Keras computes parts in float32 whatever it is told, so that six digits
of its values are sound. Which versions wrote the stored files is told in README.md beside this file.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

keras.config.set_floatx("float64")
FOLDER = Path(__file__).parent / "library"
ROWS = 7
random = np.random.default_rng(22)


def tensor(value):
    value = np.asarray(keras.ops.convert_to_numpy(value), dtype=np.float64)
    return {"dims": list(value.shape), "data": [float(x) for x in value.flatten()]}


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def randn(*dims, scale=1.0):
    # Few digits keep the files small; what is computed from them is exact all the same.
    return np.round(random.normal(size=dims) * scale, 3)


def values():
    cases = []

    def case(model, inputs, want, params=None):
        params = {end: tensor(x) for end, x in (params or {}).items()}
        cases.append({"model": model, "inputs": [tensor(x) for x in inputs], "params": params, "want": tensor(want)})

    def filled(layer, x):
        """The layer with weights of ours, by their names."""
        layer.build(x.shape)
        layer.set_weights([randn(*weight.shape) for weight in layer.weights])
        return layer, [keras.ops.convert_to_numpy(weight) for weight in layer.weights]

    # ---- recurrent layers: gates stand side by side in one matrix, and those of a GRU in another order
    x = randn(ROWS, 5, 4)
    sequence = "model M(x: [batch, t: 5, d: 4]) = x |> "
    rnn, (w, u, b) = filled(keras.layers.SimpleRNN(3, return_sequences=True), x)
    case(sequence + "RNN(h: 3)", [x], rnn(x), {".w": w, ".u": u, ".b": b})
    lstm, (w, u, b) = filled(keras.layers.LSTM(3, return_sequences=True), x)
    gates = lambda m, n: m.reshape(*m.shape[:-1], n, 3)
    case(sequence + "LSTM(h: 3)", [x], lstm(x), {".w": gates(w, 4), ".u": gates(u, 4), ".b": gates(b, 4)})
    gru, (w, u, b) = filled(keras.layers.GRU(3, return_sequences=True, reset_after=True), x)
    # Keras: update, reset, new.
    order = lambda m: gates(m, 3)[..., [1, 0, 2], :]
    case(
        sequence + "GRU(h: 3)",
        [x],
        gru(x),
        {".w": order(w), ".u": order(u), ".bx": order(b[0]), ".bh": order(b[1])},
    )

    # ---- normalisation: Keras has another `epsilon`
    x = randn(ROWS, 5, 8)
    norm, (gain, bias) = filled(keras.layers.LayerNormalization(), x)
    learned = {".gain": gain, ".bias": bias}
    case("model M(x: [batch, t: 5, d: 8]) = x |> LayerNorm(eps = 1e-3)", [x], norm(x), learned)
    norm, (gain, bias) = filled(keras.layers.GroupNormalization(groups=4), x)
    learned = {".gain": gain, ".bias": bias}
    case("model M(x: [batch, t: 5, c: 8]) = x |> GroupNorm(4, eps = 1e-3)", [x], norm(x), learned)
    norm = keras.layers.BatchNormalization()
    norm.build(x.shape)
    gain, bias = randn(8), randn(8)
    norm.set_weights([gain, bias, np.zeros(8), np.ones(8)])
    learned = {".gain": gain, ".bias": bias}
    case("model M(x: [batch, t: 5, c: 8]) = x |> BatchNorm(eps = 1e-3)", [x], norm(x, training=False), learned)

    # ---- losses
    p, y = randn(ROWS), randn(ROWS)
    of_numbers = "model M(p: [batch], y: [batch]) = "
    case(of_numbers + "huber(p, y)", [p, y], keras.losses.Huber()(y, p))
    case(of_numbers + "huber(p, y, delta = 0.4)", [p, y], keras.losses.Huber(delta=0.4)(y, p))
    case(of_numbers + "log_cosh(p, y)", [p, y], keras.losses.LogCosh()(y, p))
    z, soft = randn(ROWS, 4), randn(ROWS, 4)
    softmax = lambda z: keras.ops.softmax(keras.ops.convert_to_tensor(z), -1)
    case(
        "model M(z: logit[batch, class: 4], soft: logit[batch, class: 4]) = kl_div(z, softmax[class](soft))",
        [z, soft],
        keras.losses.KLDivergence()(softmax(soft), softmax(z)),
    )
    labels = random.integers(0, 4, ROWS)
    case(
        "model M(z: logit[batch, class: 4], y: index(class)[batch]) = cross_entropy(z, y)",
        [z, labels],
        keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, z),
    )
    a, b = randn(ROWS, 4), randn(ROWS, 4)
    # Keras has the cosine with a minus in front.
    case(
        "model M(a: [batch, d: 4], b: [batch, d: 4]) = cosine_distance(a, b)",
        [a, b],
        1 + keras.losses.CosineSimilarity()(a, b),
    )
    z, y = randn(ROWS, scale=2), np.array([0.0, 1, 1, 0, 1, 0, 0])
    case(
        "model M(z: logit[batch], y: [batch]) = binary_cross_entropy(z, y)",
        [z, y],
        keras.losses.BinaryCrossentropy(from_logits=True)(y[:, None], z[:, None]),
    )
    case(
        "model M(z: logit[batch], y: [batch]) = focal(z, y)",
        [z, y],
        keras.losses.BinaryFocalCrossentropy(from_logits=True, apply_class_balancing=True)(y[:, None], z[:, None]),
    )
    z, y = randn(2, 3, 4, 5, scale=2), random.integers(0, 5, (2, 3, 4))
    case(
        "model M(z: logit[batch, h: 3, w: 4, class: 5], y: index(class)[batch, h, w]) = dice(z, y)",
        [z, y],
        keras.ops.mean(keras.losses.dice(keras.ops.one_hot(y, 5), softmax(z), axis=(0, 1, 2))),
    )
    write("keras", cases)


def metrics():
    rows = 100
    cases = []

    def case(model, metric, inputs, of, *given):
        of.update_state(*given)
        want = tensor(of.result())
        cases.append({"model": model, "metric": metric, "inputs": [tensor(x) for x in inputs], "want": want})

    # Every probability lies in the middle of a bin of ours. Keras takes the area of a curve over its thresholds, which
    # lie between ours, so it has each of its corners.
    p = (random.integers(0, 200, rows) * 5 + 0.5) / 1000
    y = (random.random(rows) < 0.2 + 0.6 * p).astype(float)
    z = np.log(p / (1 - p))
    of_labels = "model M(z: logit[batch], y: [batch]) -> [batch] = z"
    edges = [at / 1000 for at in range(1, 1000)]
    case(of_labels, "auc(sigmoid(z), y)", [z, y], keras.metrics.AUC(thresholds=edges), y, p)
    case(of_labels, "precision(sigmoid(z), y)", [z, y], keras.metrics.Precision(), y, p)
    case(of_labels, "recall(sigmoid(z), y)", [z, y], keras.metrics.Recall(), y, p)
    case(of_labels, "binary_accuracy(sigmoid(z), y)", [z, y], keras.metrics.BinaryAccuracy(), y[:, None], p[:, None])
    f1 = keras.metrics.F1Score(average="micro", threshold=0.5)
    case(of_labels, "f1(sigmoid(z), y)", [z, y], f1, y[:, None], p[:, None])

    z, y = randn(rows, 6), random.integers(0, 6, rows)
    ones = np.eye(6)[y]
    of_classes = "model M(z: logit[batch, class: 6], y: index(class)[batch]) -> [batch, class] = z"
    case(of_classes, "accuracy(z, y)", [z, y], keras.metrics.SparseCategoricalAccuracy(), y, z)
    case(of_classes, "top_k(z, y, k = 3)", [z, y], keras.metrics.SparseTopKCategoricalAccuracy(3), y, z)
    case(of_classes, "macro_f1(z, y)", [z, y], keras.metrics.F1Score(average="macro"), ones, z)
    case(of_classes, "micro_f1(z, y)", [z, y], keras.metrics.F1Score(average="micro"), ones, z)
    case(of_classes, "iou(z, y)", [z, y], keras.metrics.MeanIoU(6), y, z.argmax(1))

    y = randn(rows) + 5
    p = y + randn(rows, scale=0.3)
    of_numbers = "model M(p: [batch], y: [batch]) -> [batch] = p"
    case(of_numbers, "r2(p, y)", [p, y], keras.metrics.R2Score(), y[:, None], p[:, None])
    case(of_numbers, "rmse(p, y)", [p, y], keras.metrics.RootMeanSquaredError(), y[:, None], p[:, None])
    write("keras_metrics", cases)


def optimizers():
    x, w, b = randn(ROWS, 4), randn(4, 3), randn(3)
    optim = keras.optimizers
    # Keras adds `epsilon` at other places: to the mean of squares before its root, or before the bias of the mean is
    # taken out. With one of 1e-14 the place is beyond the digits compared.
    small = {"epsilon": 1e-14}
    makers = [
        ("SGD(lr = 0.1, momentum = 0.9)", optim.SGD(0.1, momentum=0.9)),
        ("Adam(lr = 0.01, eps = 1e-14)", optim.Adam(0.01, **small)),
        ("RMSprop(lr = 0.01, alpha = 0.9, eps = 1e-14)", optim.RMSprop(0.01, rho=0.9, **small)),
        (
            "RMSprop(lr = 0.01, alpha = 0.8, eps = 1e-14, momentum = 0.5)",
            optim.RMSprop(0.01, rho=0.8, momentum=0.5, **small),
        ),
        # In Keras the momentum grows 250 times as fast as in PyTorch.
        ("NAdam(lr = 0.01, eps = 1e-14, growth = 1)", optim.Nadam(0.01, **small)),
        ("Adamax(lr = 0.01, eps = 1e-14)", optim.Adamax(0.01, **small)),
        ("Adagrad(lr = 0.1, start = 0.1, eps = 1e-14)", optim.Adagrad(0.1, initial_accumulator_value=0.1, **small)),
        ("Adadelta(lr = 1, rho = 0.95, eps = 1e-6)", optim.Adadelta(1.0, rho=0.95, epsilon=1e-6)),
        ("Lion(lr = 0.01)", optim.Lion(0.01)),
    ]
    cases = []
    for ours, optimizer in makers:
        params = [keras.Variable(w, name="w"), keras.Variable(b, name="b")]
        optimizer.build(params)
        steps = []
        for _ in range(10):
            # The gradient of mean(tanh(x w + b)).
            values = [keras.ops.convert_to_numpy(param) for param in params]
            slope = (1 - np.tanh(x @ values[0] + values[1]) ** 2) / (ROWS * 3)
            gradients = [keras.ops.convert_to_tensor(g) for g in (x.T @ slope, slope.sum(0))]
            optimizer.apply(gradients)
            steps.append([tensor(param) for param in params])
        cases.append({"optimizer": ours, "x": tensor(x), "start": [tensor(w), tensor(b)], "steps": steps})
    write("keras_optimizers", cases)


if __name__ == "__main__":
    values()
    metrics()
    optimizers()
    print(f"keras {keras.__version__}, backend {keras.backend.backend()}, numpy {np.__version__}")
