"""Writes the values that tests/library/reference.rs holds the standard library against.

    python tests/reference/library.py

Needs PyTorch, scikit-learn and NumPy; which versions wrote the stored files is told in README.md beside this file.
Everything is computed in float64. A case is a model of ours, its inputs, parameters by the end of their path, and what
PyTorch makes of them; where PyTorch has no such function the formula is written out here.
"""

import json
import math
from pathlib import Path

import numpy as np
import sklearn
import sklearn.metrics as sk
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20)
FOLDER = Path(__file__).parent / "library"
ROWS = 7


def tensor(value):
    value = torch.as_tensor(value).detach()
    return {"dims": list(value.shape), "data": [float(x) for x in value.flatten()]}


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def randn(*dims, scale=1.0):
    # Few digits keep the files small; what is computed from them is exact all the same.
    return (torch.randn(*dims) * scale * 1000).round() / 1000


def a_case(model, inputs, want, params):
    return {
        "model": model,
        "inputs": [tensor(x) for x in inputs],
        "params": {end: tensor(x) for end, x in (params or {}).items()},
        "want": tensor(want),
    }


def values():
    cases = []

    def case(model, inputs, want, params=None):
        cases.append(a_case(model, inputs, want, params))

    # ---- activations, with what overflows a naive form in the first row
    x = randn(ROWS, 4, scale=3)
    x[0] = torch.tensor([-100.0, 100.0, 0.0, -0.001])
    of_x = "model M(x: [batch, d: 4]) -> [batch, d] = "
    for ours, theirs in [
        ("relu(x)", F.relu(x)),
        ("sigmoid(x)", torch.sigmoid(x)),
        ("tanh(x)", torch.tanh(x)),
        ("gelu(x)", F.gelu(x)),
        ("gelu_tanh(x)", F.gelu(x, approximate="tanh")),
        ("softplus(x)", F.softplus(x, threshold=1e9)),
        ("leaky_relu(x)", F.leaky_relu(x)),
        ("leaky_relu(x, 0.2)", F.leaky_relu(x, 0.2)),
        ("relu6(x)", F.relu6(x)),
        ("elu(x)", F.elu(x)),
        ("elu(x, 0.5)", F.elu(x, 0.5)),
        ("selu(x)", F.selu(x)),
        ("celu(x, 2)", F.celu(x, 2.0)),
        ("silu(x)", F.silu(x)),
        ("swish(x)", F.silu(x)),
        ("mish(x)", F.mish(x)),
        ("hardsigmoid(x)", F.hardsigmoid(x)),
        ("hardswish(x)", F.hardswish(x)),
        ("hardtanh(x)", F.hardtanh(x)),
        ("hardtanh(x, -2, 0.5)", F.hardtanh(x, -2.0, 0.5)),
        ("softsign(x)", F.softsign(x)),
        ("log_sigmoid(x)", F.logsigmoid(x)),
        ("softmax[d](x)", F.softmax(x, -1)),
        ("log_softmax[d](x)", F.log_softmax(x, -1)),
        ("l2norm[d](x)", F.normalize(x, dim=-1)),
    ]:
        case(of_x + ours, [x], theirs)
    case("model M(x: [batch, d: 4]) = glu(x)", [x], F.glu(x))
    slope = randn(4)
    case("model M(x: [batch, d: 4]) = x |> PReLU", [x], F.prelu(x, slope), {".slope": slope})
    a, b = randn(ROWS, 4), randn(ROWS, 4)
    case(
        "model M(a: [batch, d: 4], b: [batch, d: 4]) = cosine_similarity[d](a, b)",
        [a, b],
        F.cosine_similarity(a, b),
    )

    # ---- losses
    z, y = randn(ROWS, 3, scale=2), torch.tensor([0, 1, 2, 2, 1, 0, 2])
    z[0] = torch.tensor([-100.0, 100.0, 0.0])
    w = torch.tensor([0.5, 2.0, 1.25])
    of_classes = "model M(z: logit[batch, class: 3], y: index(class)[batch]) = "
    weights = "weights = concat[class](0.5, 2.0, 1.25)"
    for ours, more in [
        ("", {}),
        (", smooth = 0.1", {"label_smoothing": 0.1}),
        (f", {weights}", {"weight": w}),
        (", ignore = 2", {"ignore_index": 2}),
        (f", smooth = 0.2, {weights}", {"label_smoothing": 0.2, "weight": w}),
        (", smooth = 0.2, ignore = 0", {"label_smoothing": 0.2, "ignore_index": 0}),
        (f", smooth = 0.2, {weights}, ignore = 1", {"label_smoothing": 0.2, "weight": w, "ignore_index": 1}),
    ]:
        case(f"{of_classes}cross_entropy(z, y{ours})", [z, y], F.cross_entropy(z, y, **more))
    # Where nothing counts PyTorch says NaN, and we 0.
    case(f"{of_classes}cross_entropy(z, y, ignore = 1)", [z, torch.ones(ROWS)], 0.0)
    words, text = randn(ROWS, 5, 4), torch.randint(0, 4, (ROWS, 5))
    case(
        "model M(z: logit[batch, t: 5, word: 4], y: index(word)[batch, t]) = cross_entropy(z, y, smooth = 0.1, ignore = 0)",
        [words, text],
        F.cross_entropy(words.flatten(0, 1), text.flatten(), label_smoothing=0.1, ignore_index=0),
    )

    z, y = randn(ROWS, scale=2), torch.tensor([0.0, 1, 1, 0, 1, 0, 0])
    z[:2] = torch.tensor([-100.0, -100.0])
    of_labels = "model M(z: logit[batch], y: [batch]) = "
    case(of_labels + "binary_cross_entropy(z, y)", [z, y], F.binary_cross_entropy_with_logits(z, y))
    case(
        of_labels + "binary_cross_entropy(z, y, pos_weight = 3)",
        [z, y],
        F.binary_cross_entropy_with_logits(z, y, pos_weight=torch.tensor(3.0)),
    )
    p = torch.sigmoid(z)
    right = p * y + (1 - p) * (1 - y)
    alpha = 0.25 * y + 0.75 * (1 - y)
    each = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    case(of_labels + "focal(z, y)", [z, y], (alpha * (1 - right) ** 2 * each).mean())
    case(of_labels + "hinge(z, y)", [z, y], F.relu(1 - (2 * y - 1) * z).mean())

    p, y = randn(ROWS), randn(ROWS)
    of_numbers = "model M(p: [batch], y: [batch]) = "
    case(of_numbers + "mse(p, y)", [p, y], F.mse_loss(p, y))
    case(of_numbers + "mae(p, y)", [p, y], F.l1_loss(p, y))
    case(of_numbers + "huber(p, y)", [p, y], F.huber_loss(p, y))
    case(of_numbers + "huber(p, y, delta = 0.5)", [p, y], F.huber_loss(p, y, delta=0.5))
    case(of_numbers + "log_cosh(p, y)", [p, y], torch.log(torch.cosh(p - y)).mean())
    case(of_numbers + "log_cosh(100 * p, y)", [p, y], torch.log(torch.cosh(100 * p - y)).mean())
    counts = torch.tensor([0.0, 1, 4, 2, 0, 3, 1])
    case(of_numbers + "poisson_nll(p, y)", [p, counts], F.poisson_nll_loss(p, counts))
    v = randn(ROWS).abs()
    case(
        "model M(m: [batch], v: [batch], y: [batch]) = gaussian_nll(m, v, y)",
        [p, v, y],
        F.gaussian_nll_loss(p, y, v),
    )
    z, soft = randn(ROWS, 4), randn(ROWS, 4)
    case(
        "model M(z: logit[batch, class: 4], soft: logit[batch, class: 4]) = kl_div(z, softmax[class](soft))",
        [z, soft],
        F.kl_div(F.log_softmax(z, -1), F.softmax(soft, -1), reduction="batchmean"),
    )
    a, b, c = randn(ROWS, 4), randn(ROWS, 4), randn(ROWS, 4)
    pair = "model M(a: [batch, d: 4], b: [batch, d: 4]) = "
    case(pair + "cosine_distance(a, b)", [a, b], F.cosine_embedding_loss(a, b, torch.ones(ROWS)))
    case(
        "model M(a: [batch, d: 4], b: [batch, d: 4], c: [batch, d: 4]) = triplet(a, b, c, margin = 2)",
        [a, b, c],
        F.triplet_margin_loss(a, b, c, margin=2.0),
    )
    y = torch.tensor([0.0, 1, 1, 0, 1, 0, 0])
    apart = F.pairwise_distance(a, b)
    case(
        "model M(a: [batch, d: 4], b: [batch, d: 4], y: [batch]) = contrastive(a, b, y, margin = 3)",
        [a, b, y],
        (y * apart**2 + (1 - y) * F.relu(3 - apart) ** 2).mean(),
    )
    case("model M(x: [batch, d: 4]) = l1(x, 0.1)", [a], 0.1 * a.abs().sum())
    case("model M(x: [batch, d: 4]) = l2(x, 0.1)", [a], 0.1 * a.square().sum())
    case("model M(x: [batch, d: 4]) = norm(x)", [a], a.norm())

    # ---- normalisation; pictures are height, width, channels here
    def picture(x):
        return x.permute(0, 2, 3, 1)

    x = randn(ROWS, 5, 8)
    gain, bias = randn(8), randn(8)
    sequence = "model M(x: [batch, t: 5, d: 8]) = x |> "
    learned = {".gain": gain, ".bias": bias}
    case(sequence + "LayerNorm", [x], F.layer_norm(x, (8,), gain, bias), learned)
    case(sequence + "RMSNorm(eps = 1e-5)", [x], F.rms_norm(x, (8,), gain, 1e-5), {".gain": gain})
    x = randn(ROWS, 6, 4, 3)
    gain, bias = randn(6), randn(6)
    learned = {".gain": gain, ".bias": bias}
    of_picture = "model M(x: [batch, h: 4, w: 3, c: 6]) = x |> "
    case(of_picture + "GroupNorm(3)", [picture(x)], picture(F.group_norm(x, 3, gain, bias)), learned)
    case(
        of_picture + "InstanceNorm",
        [picture(x)],
        picture(F.instance_norm(x, weight=gain, bias=bias)),
        learned,
    )
    case(
        of_picture + "BatchNorm",
        [picture(x)],
        picture(F.batch_norm(x, torch.zeros(6), torch.ones(6), gain, bias)),
        learned,
    )

    # ---- pools and larger pictures
    case(of_picture + "max_pool(2)", [picture(x)], picture(F.max_pool2d(x, 2)))
    case(of_picture + "max_pool(3, 2, 1)", [picture(x)], picture(F.max_pool2d(x, 3, 2, 1)))
    case(of_picture + "avg_pool(3, 2, 1)", [picture(x)], picture(F.avg_pool2d(x, 3, 2, 1)))
    case(of_picture + "upsample(3)", [picture(x)], picture(F.interpolate(x, scale_factor=3, mode="nearest")))
    for k in (2, 3):
        case(
            f"{of_picture}upsample_bilinear({k})",
            [picture(x)],
            picture(F.interpolate(x, scale_factor=k, mode="bilinear")),
        )
    f, b = randn(6, 2, 4, 4), randn(2)
    case(
        of_picture + "UpConv(2)",
        [picture(x)],
        picture(F.conv_transpose2d(x, f, b, stride=2, padding=1)),
        {".f": f.permute(2, 3, 0, 1), ".b": b},
    )
    w0, b0, w1, b1 = randn(6, 3), randn(3), randn(3, 6), randn(6)
    scale = torch.sigmoid(F.relu(x.mean((2, 3)) @ w0 + b0) @ w1 + b1)
    case(
        of_picture + "SqueezeExcite(2)",
        [picture(x)],
        picture(x * scale[:, :, None, None]),
        {".Dense.w": w0, ".Dense.b": b0, ".Dense.1.w": w1, ".Dense.1.b": b1},
    )

    # ---- gates
    x = randn(ROWS, 4)
    w0, b0, w1, b1, w2 = randn(4, 6), randn(6), randn(4, 6), randn(6), randn(6, 4)
    of_x = "model M(x: [batch, d: 4]) = x |> "
    learned = {".Dense.w": w0, ".Dense.b": b0, ".Dense.1.w": w1, ".Dense.1.b": b1}
    case(of_x + "GLU(6)", [x], (x @ w0 + b0) * torch.sigmoid(x @ w1 + b1), learned)
    case(
        of_x + "SwiGLU(6)",
        [x],
        ((x @ w0) * F.silu(x @ w1)) @ w2,
        {".GLU.Dense.w": w0, ".GLU.Dense.1.w": w1, "SwiGLU.Dense.w": w2},
    )
    b2 = randn(4)
    case(
        of_x + "Mlp(6)",
        [x],
        F.gelu(x @ w0 + b0) @ w2 + b2,
        {".Dense.w": w0, ".Dense.b": b0, ".Dense.1.w": w2, ".Dense.1.b": b2},
    )
    w0, b0, w1, b1 = randn(4, 4), randn(4), randn(4, 4), randn(4)
    gate = torch.sigmoid(x @ w0 + b0)
    case(
        of_x + "Highway",
        [x],
        gate * F.relu(x @ w1 + b1) + (1 - gate) * x,
        {".gate.Dense.w": w0, ".gate.Dense.b": b0, "Highway.Dense.w": w1, "Highway.Dense.b": b1},
    )

    # ---- attention
    x, memory = randn(ROWS, 5, 8), randn(ROWS, 3, 6)
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.copy_(randn(*parameter.shape))
    learned = {
        "Attention.Dense.w": attention.in_proj_weight.T,
        "Attention.Dense.b": attention.in_proj_bias,
        "Attention.Dense.1.w": attention.out_proj.weight.T,
        "Attention.Dense.1.b": attention.out_proj.bias,
    }
    later = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    for causal in (False, True):
        want, _ = attention(x, x, x, attn_mask=later if causal else None, need_weights=False)
        case(f"{sequence}Attention(2, causal = {str(causal).lower()})", [x], want, learned)

    wq, wkv, wo = randn(8, 8), randn(8, 8), randn(8, 8)
    heads = lambda t, n: t.unflatten(-1, (n, 2)).transpose(1, 2)
    k, v = (x @ wkv).chunk(2, -1)
    want = F.scaled_dot_product_attention(heads(x @ wq, 4), heads(k, 2), heads(v, 2), enable_gqa=True)
    case(
        sequence + "Attention(4, bias = false, kv_heads = 2)",
        [x],
        want.transpose(1, 2).flatten(2) @ wo,
        {".q.Dense.w": wq, "Attention.Dense.w": wkv, "Attention.Dense.1.w": wo},
    )

    cross = torch.nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True)
    with torch.no_grad():
        for parameter in cross.parameters():
            parameter.copy_(randn(*parameter.shape))
    want, _ = cross(x, memory, memory, need_weights=False)
    of_both = "model M(x: [batch, t: 5, d: 8], m: [batch, s: 3, f: 6]) = "
    case(
        of_both + "CrossAttention(2)(x, m)",
        [x, memory],
        want,
        {
            ".q.Dense.w": cross.q_proj_weight.T,
            ".q.Dense.b": cross.in_proj_bias[:8],
            "CrossAttention.Dense.w": torch.cat([cross.k_proj_weight, cross.v_proj_weight]).T,
            "CrossAttention.Dense.b": cross.in_proj_bias[8:],
            "CrossAttention.Dense.1.w": cross.out_proj.weight.T,
            "CrossAttention.Dense.1.b": cross.out_proj.bias,
        },
    )
    wq, wk, bk, v = randn(8, 4), randn(6, 4), randn(4), randn(4)
    fit = torch.tanh((x @ wq)[:, :, None] + (memory @ wk + bk)[:, None]) @ v
    case(
        of_both + "AdditiveAttention(4)(x, m)",
        [x, memory],
        F.softmax(fit, -1) @ memory,
        {".q.Dense.w": wq, ".k.Dense.w": wk, ".k.Dense.b": bk, ".v": v},
    )
    wq = randn(8, 6)
    case(
        of_both + "LuongAttention()(x, m)",
        [x, memory],
        F.softmax(x @ wq @ memory.mT, -1) @ memory,
        {".q.Dense.w": wq},
    )
    write("values", cases)


def metrics():
    rows = 100
    cases = []

    def case(model, metric, inputs, want):
        cases.append({"model": model, "metric": metric, "inputs": [tensor(x) for x in inputs], "want": tensor(want)})

    # Each probability lies in the middle of a bin of `auc`, some twice, so that the histogram is exact.
    places = torch.randint(0, 200, (rows,)) * 5
    p = (places + 0.5) / 1000
    y = (torch.rand(rows) < 0.2 + 0.6 * p).double()
    z = torch.log(p / (1 - p))
    said = (p > 0.5).double()
    of_labels = "model M(z: logit[batch], y: [batch]) -> [batch] = z"
    for name, want in [
        ("binary_accuracy", sk.accuracy_score(y, said)),
        ("precision", sk.precision_score(y, said)),
        ("recall", sk.recall_score(y, said)),
        ("f1", sk.f1_score(y, said)),
        ("auc", sk.roc_auc_score(y, p)),
    ]:
        case(of_labels, f"{name}(sigmoid(z), y)", [z, y], want)
    case(of_labels, "f1(sigmoid(z), y, at = 0.3)", [z, y], sk.f1_score(y, (p > 0.3).double()))

    # The last class is neither there nor called, the one before called only.
    z, y = randn(rows, 6), torch.randint(0, 4, (rows,))
    z[:, 5] = -9
    called = z.argmax(1)
    assert (called == 4).any()
    of_classes = "model M(z: logit[batch, class: 6], y: index(class)[batch]) -> [batch, class] = z"
    more = {"average": "macro", "zero_division": 0}
    for name, want in [
        ("accuracy(z, y)", sk.accuracy_score(y, called)),
        ("top_k(z, y, k = 2)", sk.top_k_accuracy_score(y, z, k=2, labels=range(6))),
        ("macro_precision(z, y)", sk.precision_score(y, called, **more)),
        ("macro_recall(z, y)", sk.recall_score(y, called, **more)),
        ("macro_f1(z, y)", sk.f1_score(y, called, **more)),
        ("micro_f1(z, y)", sk.f1_score(y, called, average="micro")),
        # Of the classes that are there or called.
        ("iou(z, y)", sk.jaccard_score(y, called, average="macro")),
        ("recall_at(z, y, k = 3)", sk.top_k_accuracy_score(y, z, k=3, labels=range(6))),
        ("perplexity(z, y)", F.cross_entropy(z, y).exp()),
    ]:
        case(of_classes, name, [z, y], want)
    case(of_classes, "confusion(z, y)", [z, y], sk.confusion_matrix(y, called, labels=range(6)))

    y = randn(rows) + 50
    p = y + randn(rows, scale=0.3)
    of_numbers = "model M(p: [batch], y: [batch]) -> [batch] = p"
    for name, want in [
        ("mae", sk.mean_absolute_error(y, p)),
        ("mse", sk.mean_squared_error(y, p)),
        ("rmse", sk.root_mean_squared_error(y, p)),
        ("r2", sk.r2_score(y, p)),
    ]:
        case(of_numbers, f"{name}(p, y)", [p, y], want)
    write("metrics", cases)


def more_values():
    """Values that came later; with random numbers of their own, so that those before stay as they are."""
    torch.manual_seed(21)
    cases = []

    def case(model, inputs, want, params=None):
        cases.append(a_case(model, inputs, want, params))

    # ---- volumes; they are depth, height, width, channels here
    def volume(x):
        return x.permute(0, 2, 3, 4, 1)

    x = randn(2, 3, 4, 3, 4)
    of_volume = "model M(x: [batch, d: 4, h: 3, w: 4, c: 3]) = x |> "
    case(of_volume + "MaxPool3d", [volume(x)], volume(F.max_pool3d(x, 2)))
    case(of_volume + "MaxPool3d(3, 2, 1)", [volume(x)], volume(F.max_pool3d(x, 3, 2, 1)))
    case(of_volume + "AvgPool3d(3, 2, 1)", [volume(x)], volume(F.avg_pool3d(x, 3, 2, 1)))
    f, b = randn(3, 2, 3, 3, 3), randn(2)
    case(
        of_volume + "ConvTranspose3d(2, k = 3, stride = 2, pad = 1)",
        [volume(x)],
        volume(F.conv_transpose3d(x, f, b, stride=2, padding=1)),
        {".f": f.permute(2, 3, 4, 0, 1), ".b": b},
    )

    # ---- attention between the places of a picture
    x = randn(2, 3, 4, 8)
    attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.copy_(randn(*parameter.shape))
    want, _ = attention(*[x.flatten(1, 2)] * 3, need_weights=False)
    case(
        "model M(x: [batch, h: 3, w: 4, c: 8]) = x |> Attention2d(2)",
        [x],
        want.unflatten(1, (3, 4)),
        {
            "Attention.Dense.w": attention.in_proj_weight.T,
            "Attention.Dense.b": attention.in_proj_bias,
            "Attention.Dense.1.w": attention.out_proj.weight.T,
            "Attention.Dense.1.b": attention.out_proj.bias,
        },
    )

    # ---- losses
    p, y = randn(ROWS), randn(ROWS)
    of_numbers = "model M(p: [batch], y: [batch]) = "
    case(of_numbers + "smooth_l1(p, y)", [p, y], F.smooth_l1_loss(p, y))
    case(of_numbers + "smooth_l1(p, y, beta = 0.3)", [p, y], F.smooth_l1_loss(p, y, beta=0.3))
    p = randn(ROWS, 3)
    each = [sk.mean_pinball_loss(y, p[:, at], alpha=alpha) for at, alpha in enumerate((0.1, 0.5, 0.9))]
    case(
        "model M(p: [batch, q: 3], y: [batch]) = quantile(p, y, concat[q](0.1, 0.5, 0.9))",
        [p, y],
        np.mean(each),
    )
    z, y = randn(2, 3, 4, 5, scale=2), torch.randint(0, 5, (2, 3, 4))
    p, truth = F.softmax(z, -1).flatten(0, 2), F.one_hot(y, 5).flatten(0, 2)
    case(
        "model M(z: logit[batch, h: 3, w: 4, class: 5], y: index(class)[batch, h, w]) = dice(z, y)",
        [z, y],
        1 - (2 * (p * truth).sum(0) / (p.sum(0) + truth.sum(0) + 1e-7)).mean(),
    )

    # ---- the area under the curve without bins, with ties
    p = torch.randint(0, 12, (40,)) / 12 + 0.04
    y = (torch.rand(40) < p).double()
    case(
        "model M(z: logit[batch], y: [batch]) = exact_auc(sigmoid(z), y)",
        [torch.log(p / (1 - p)), y],
        sk.roc_auc_score(y, p),
    )

    # ---- boxes
    corner, size = torch.rand(2, 9, 2), torch.rand(2, 9, 2)
    boxes = torch.cat([corner, corner + size], -1)
    scores = randn(2, 9)
    others = boxes[:, :3] + 0.1
    case(
        "model M(a: [batch, anchor: 9, side: 4], b: [batch, object: 3, side: 4]) = box_iou(a, b)",
        [boxes, others],
        torch.stack([torch.tensor([[overlap(a, b) for b in bs] for a in as_]) for as_, bs in zip(boxes, others)]),
    )
    for most in (0.1, 0.5):
        kept = [best_boxes(b, s, 6, most) for b, s in zip(boxes, scores)]
        case(
            "model M(b: [batch, box: 9, side: 4], s: [batch, box: 9]) -> [batch, k: 6] "
            f"= max(nms(b, s, top = 6, overlap = {most}).score, -1e9)",
            [boxes, scores],
            torch.tensor([[float(s[at]) for at in ats] + [-1e9] * (6 - len(ats)) for ats, s in zip(kept, scores)]),
        )
    write("more", cases)


def overlap(a, b):
    """Intersection over union of two boxes (left, upper, right, lower)."""
    area = lambda box: float((box[2] - box[0]) * (box[3] - box[1]))
    width = max(0.0, float(min(a[2], b[2]) - max(a[0], b[0])))
    height = max(0.0, float(min(a[3], b[3]) - max(a[1], b[1])))
    return width * height / (area(a) + area(b) - width * height)


def best_boxes(boxes, scores, top, most):
    """Greedy suppression: the best box that overlaps none before it by more than `most`, and so on."""
    kept = []
    for at in torch.argsort(scores, descending=True):
        if len(kept) < top and all(overlap(boxes[at], boxes[other]) <= most for other in kept):
            kept.append(at)
    return kept


def polynomial_steps(x, coefficients):
    """Muon's iteration, in the precision of its argument."""
    tall = x.shape[0] > x.shape[1]
    x = (x.T if tall else x) / x.norm()
    for a, b, c in coefficients:
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Formula(torch.optim.Optimizer):
    """An optimizer that PyTorch lacks, or has in bfloat16 only, as a function of parameter, gradient, state and step."""

    def __init__(self, params, update):
        super().__init__(params, {})
        self.update = update

    @torch.no_grad()
    def step(self):
        params = self.param_groups[0]["params"]
        everything = math.sqrt(sum(float(p.grad.square().sum()) for p in params))
        for p in params:
            state = self.state[p]
            state["step"] = state.get("step", 0) + 1
            state["everything"] = everything
            p.copy_(self.update(p.clone(), p.grad, state))


def lion(p, g, s):
    m = s.get("m", torch.zeros_like(p))
    u = torch.sign(0.9 * m + 0.1 * g)
    s["m"] = 0.99 * m + 0.01 * g
    return p - 0.01 * (u + 0.1 * p)


def lamb(p, g, s):
    s["m"] = 0.9 * s.get("m", torch.zeros_like(p)) + 0.1 * g
    s["v"] = 0.999 * s.get("v", torch.zeros_like(p)) + 0.001 * g**2
    m, v = s["m"] / (1 - 0.9 ** s["step"]), s["v"] / (1 - 0.999 ** s["step"])
    u = m / (v.sqrt() + 1e-6) + 0.01 * p
    trust = p.norm() / u.norm() if p.norm() > 0 and u.norm() > 0 else 1.0
    return p - 0.01 * trust * u


def muon(p, g, s):
    if p.ndim != 2:
        s["m"] = 0.9 * s.get("m", torch.zeros_like(p)) + 0.1 * g
        s["v"] = 0.95 * s.get("v", torch.zeros_like(p)) + 0.05 * g**2
        m, v = s["m"] / (1 - 0.9 ** s["step"]), s["v"] / (1 - 0.95 ** s["step"])
        return p - 3e-4 * m / (v.sqrt() + 1e-10)
    s["m"] = 0.95 * s.get("m", torch.zeros_like(p)) + 0.05 * g
    u = polynomial_steps(0.05 * g + 0.95 * s["m"], [(3.4445, -4.775, 2.0315)] * 5)
    # Our matrices are in by out.
    return p * (1 - 0.02 * 0.1) - 0.02 * math.sqrt(max(1.0, p.shape[1] / p.shape[0])) * u


def optimizers():
    x, w, b = randn(ROWS, 4), randn(4, 3), randn(3)
    optim = torch.optim
    makers = [
        ("SGD(lr = 0.1)", lambda p: optim.SGD(p, 0.1)),
        (
            "SGD(lr = 0.1, momentum = 0.9, dampening = 0.2, decay = 0.01)",
            lambda p: optim.SGD(p, 0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
        ),
        (
            "SGD(lr = 0.1, momentum = 0.9, decay = 0.01, nesterov = true)",
            lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
        ),
        ("Adam(lr = 0.01)", lambda p: optim.Adam(p, 0.01)),
        ("Adam(lr = 0.01, decay = 0.1)", lambda p: optim.AdamW(p, 0.01, weight_decay=0.1)),
        (
            "AdamW(lr = 0.01, b1 = 0.8, b2 = 0.99, decay = 0.1, vectors = true)",
            lambda p: optim.AdamW(p, 0.01, betas=(0.8, 0.99), weight_decay=0.1),
        ),
        (
            "AdamW(lr = 0.01, decay = 0.1)",
            lambda p: optim.AdamW([{"params": p[:1]}, {"params": p[1:], "weight_decay": 0.0}], 0.01, weight_decay=0.1),
        ),
        ("RMSprop(lr = 0.01)", lambda p: optim.RMSprop(p, 0.01)),
        (
            "RMSprop(lr = 0.01, alpha = 0.9, eps = 1e-6, momentum = 0.5, centered = true, decay = 0.01)",
            lambda p: optim.RMSprop(p, 0.01, alpha=0.9, eps=1e-6, momentum=0.5, centered=True, weight_decay=0.01),
        ),
        ("Adagrad(lr = 0.1)", lambda p: optim.Adagrad(p, 0.1)),
        (
            "Adagrad(lr = 0.1, lr_decay = 0.1, start = 0.5, decay = 0.01)",
            lambda p: optim.Adagrad(p, 0.1, lr_decay=0.1, initial_accumulator_value=0.5, weight_decay=0.01),
        ),
        ("Adadelta(decay = 0.01)", lambda p: optim.Adadelta(p, weight_decay=0.01)),
        ("Adamax(lr = 0.01, decay = 0.01)", lambda p: optim.Adamax(p, 0.01, weight_decay=0.01)),
        ("NAdam(lr = 0.01, decay = 0.01)", lambda p: optim.NAdam(p, 0.01, weight_decay=0.01)),
        ("Lion(lr = 0.01, decay = 0.1)", lambda p: Formula(p, lion)),
        ("Lamb(lr = 0.01)", lambda p: Formula(p, lamb)),
        ("Muon(lr = 0.02, decay = 0.1)", lambda p: Formula(p, muon)),
        # Of the user's own, by `total`: the gradients of all parameters together have at most the length 0.1.
        ("Clipped(lr = 0.5)", lambda p: Formula(p, lambda p, g, s: p - 0.5 * g * min(1.0, 0.1 / s["everything"]))),
    ]
    cases = []
    for ours, make in makers:
        params = [torch.nn.Parameter(w.clone()), torch.nn.Parameter(b.clone())]
        optimizer = make(params)
        steps = []
        for _ in range(10):
            optimizer.zero_grad()
            torch.tanh(x @ params[0] + params[1]).mean().backward()
            optimizer.step()
            steps.append([tensor(param.detach()) for param in params])
        cases.append({"optimizer": ours, "x": tensor(x), "start": [tensor(w), tensor(b)], "steps": steps})
    write("optimizers", cases)


def schedules():
    scheduler = torch.optim.lr_scheduler

    def of(make, count, lr=0.1):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr)
        schedule = make(optimizer)
        found = []
        for at in range(count):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if at + 1 < count:
                schedule.step()
        return found

    def rule(f):
        return lambda optimizer: scheduler.LambdaLR(optimizer, f)

    wave = lambda part: (1 + math.cos(math.pi * part)) / 2
    cases = [
        ("constant(0.1)", of(lambda o: scheduler.ConstantLR(o, 1.0), 5)),
        ("step(0.1, every = 3, factor = 0.5)", of(lambda o: scheduler.StepLR(o, 3, 0.5), 12)),
        ("cosine(0.1, over = 10, floor = 0.01)", of(lambda o: scheduler.CosineAnnealingLR(o, 10, 0.01), 11)),
        (
            "cosine(0.1, over = 10, warmup = 4)",
            of(rule(lambda n: (n + 1) / 4 if n < 4 else wave(min(1, (n - 4) / 6))), 14),
        ),
        ("linear(0.1, 0.01, over = 8)", of(lambda o: scheduler.LinearLR(o, 1.0, 0.1, 8), 12)),
        ("exponential(0.1, 0.001, over = 10)", of(lambda o: scheduler.ExponentialLR(o, 0.01**0.1), 11)),
        ("polynomial(0.1, over = 8, power = 2)", of(lambda o: scheduler.PolynomialLR(o, 8, 2.0), 12)),
        (
            "cosine_restarts(0.1, first = 5, floor = 0.01)",
            of(lambda o: scheduler.CosineAnnealingWarmRestarts(o, 5, 1, 0.01), 17),
        ),
        (
            "cosine_restarts(0.1, first = 3, widen = 2)",
            of(lambda o: scheduler.CosineAnnealingWarmRestarts(o, 3, 2), 50),
        ),
        (
            "cosine_restarts(0.1, first = 2, widen = 3)",
            of(lambda o: scheduler.CosineAnnealingWarmRestarts(o, 2, 3), 90),
        ),
        ("one_cycle(0.1, over = 20)", of(lambda o: scheduler.OneCycleLR(o, 0.1, total_steps=20), 20)),
        (
            "one_cycle(0.1, over = 17, rise = 0.4, start = 0.02, end = 0.0001)",
            of(
                lambda o: scheduler.OneCycleLR(
                    o, 0.1, total_steps=17, pct_start=0.4, div_factor=5.0, final_div_factor=200.0
                ),
                17,
            ),
        ),
        (
            "warmup(exponential(0.1, 0.001, over = 10), over = 4)",
            of(rule(lambda n: 0.01 ** min(1, n / 10) * min(1, (n + 1) / 4)), 12),
        ),
        (
            "noam(64, warmup = 4)",
            of(rule(lambda n: 10 * 64**-0.5 * min((n + 1) ** -0.5, (n + 1) * 4**-1.5)), 12),
        ),
        ("inverse_sqrt(0.1, warmup = 4)", of(rule(lambda n: min((n + 1) / 4, math.sqrt(4 / (n + 1)))), 12)),
    ]
    write("schedules", [{"lr": lr, "want": want} for lr, want in cases])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    values()
    metrics()
    optimizers()
    schedules()
    more_values()
    print(f"torch {torch.__version__}, numpy {np.__version__}, scikit-learn {sklearn.__version__}")
