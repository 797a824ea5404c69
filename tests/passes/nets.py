"""Networks that the pass tests run on: every layer, every loss, sharing, branches, odd orders."""

from __future__ import annotations

from collections.abc import Callable

from small_graphs import Network, f32, index, truth, u8

from kdsl.graph import Graph


def classifier() -> Graph:
    net = Network()
    image, label = net.input("image", u8(4, 3)), net.target("label", index(5))
    h = net.layer("flatten", net.layer("rescale", image, scale=1 / 255))
    h = net.layer("dropout", net.layer("relu", net.layer("dense", h, units=8)), rate=0.3)
    h = net.layer("dense", h, units=5)
    net.loss("cross_entropy", h, label, smoothing=0.1)
    net.metric("accuracy", h, label)
    net.metric("top_k", h, label, k=2)
    net.output("probabilities", net.layer("softmax", h))
    return net.graph()


def dropout_before_relu() -> Graph:
    net = Network()
    h, y = net.input("x", f32(6)), net.target("y", f32(2))
    for rate in (0.2, 0.5):
        h = net.layer("relu", net.layer("dropout", net.layer("dense", h, units=7), rate=rate))
    net.loss("mse", net.layer("dense", h, units=2), y)
    net.output("h", h)
    return net.graph()


def dropped_twice() -> Graph:
    """One relu, two dropouts of it with other streams, and a reader of the relu itself."""
    net = Network()
    x, y = net.input("x", f32(6)), net.target("y", f32(6))
    r = net.layer("relu", net.layer("dense", x, units=6))
    a, b = net.layer("dropout", r, rate=0.4), net.layer("dropout", r, rate=0.4)
    net.loss("huber", net.op("add", net.op("multiply", a, b), r), y)
    return net.graph()


def every_activation() -> Graph:
    net = Network()
    h, y = net.input("x", f32(4)), net.target("y", index(3))
    names = (
        *("linear", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "tanh", "sigmoid"),
        *("hard_sigmoid", "hard_silu", "mish", "exponential", "relu6", "softmax", "log_softmax"),
    )
    for name in names:
        h = net.layer(name, net.layer("dense", h, units=4))
    h = net.layer("gelu", h, approximate=True)
    net.loss("cross_entropy", net.layer("dense", h, units=3, bias=False), y)
    return net.graph()


def shared_tower() -> Graph:
    """Two inputs through one set of weights; the bias is used in a third place."""
    net = Network()
    left, right, same = net.input("left", f32(5)), net.input("right", f32(5)), net.target("same", truth())
    kernel, bias = net.weight("tower.kernel", 5, 4), net.weight("tower.bias", 4)
    shared = {"kernel": kernel, "bias": bias}
    a = net.layer("tanh", net.layer("dense", left, units=4, weights=shared))
    b = net.layer("tanh", net.layer("dense", right, units=4, weights=shared))
    product = net.op("add", net.op("multiply", a, b), bias)
    logit = net.layer("dense", product, units=1)
    net.loss("binary_cross_entropy", logit, same, smoothing=0.05)
    net.metric("accuracy", logit, same)
    net.output("a", a)
    return net.graph()


def residual() -> Graph:
    """A value that is read by a product, an addition and an output; the same product twice; steps of a sequence."""
    net = Network()
    x, y = net.input("x", f32(3, 4)), net.target("y", index(6, 3))
    h = net.layer("dense", x, units=4)
    h = net.op("add", net.layer("relu", h), x)
    again = net.op("add", net.layer("sigmoid", h), net.layer("sigmoid", h))
    logits = net.layer("dense", net.op("divide", again, net.number(2.0)), units=6)
    net.loss("cross_entropy", logits, y)
    net.metric("accuracy", logits, y)
    net.output("hidden", h)
    net.output("logits", logits)
    return net.graph()


def regression() -> Graph:
    """Vectors of constants, reshapes of reshapes, a squeezed prediction, an unused weight and an unused input."""
    net = Network()
    x, price = net.input("x", f32(2, 3)), net.target("price", f32())
    net.input("unused", f32(2))
    net.weight("idle", 3)
    h = net.layer("normalize", x, mean=(0.1, 0.2, 0.3), std=(1.0, 0.5, 2.0))
    h = net.layer("rescale", h, scale=1.0, offset=(0.0, 1.0, 0.0))
    h = net.layer("reshape", net.layer("flatten", h), shape=(3, -1))
    h = net.layer("flatten", net.layer("linear", h))
    h = net.layer("elu", net.layer("dense", net.layer("dropout", h, rate=0.0), units=5), alpha=0.5)
    out = net.layer("dense", h, units=1)
    net.loss("mae", out, price)
    net.metric("mse", out, price)
    net.output("estimate", out)
    return net.graph()


def weighted_losses() -> Graph:
    """`cross_entropy + 0.3 * mse`, of which both read the same hidden value; a constant product that folds."""
    net = Network()
    x, label, value = net.input("x", f32(5)), net.target("label", f32(3)), net.target("value", f32(1))
    h = net.layer("silu", net.layer("dense", x, units=6))
    first = net.loss("cross_entropy", net.layer("dense", h, units=3), label)
    second = net.loss("mse", net.layer("dense", h, units=1), value)
    share = net.op("multiply", net.number(0.1), net.number(3.0))
    net.the_loss = net.op("add", first, net.op("multiply", share, second))
    net.scalars.append(("first", first))
    return net.graph()


def normalised() -> Graph:
    """`(x - mean) / sqrt(var + eps) * gain + shift` over the last axis, written out; then RMS normalisation."""
    net = Network()
    x, y = net.input("x", f32(3, 4)), net.target("y", f32(3, 4))
    h = net.layer("dense", x, units=4)
    centered = net.op("subtract", h, net.layer("mean", h, axis=(-1,), keep=True))
    deviation = net.layer("sqrt", net.op("add", net.layer("var", h, axis=(-1,), keep=True), net.number(1e-3)))
    h = net.op("divide", centered, deviation)
    h = net.op("add", net.op("multiply", h, net.weight("gain", 4)), net.weight("shift", 4))
    squares = net.layer("mean", net.op("power", h, net.number(2.0)), axis=(-1,), keep=True)
    h = net.op("divide", h, net.op("power", net.op("add", squares, net.number(1e-3)), net.number(0.5)))
    net.loss("mse", net.op("multiply", h, net.weight("rows", 3, 1)), y)
    net.output("h", h)
    return net.graph()


def attention() -> Graph:
    """Two heads of attention by einsum and softmax, with weights of three axes and a mask."""
    net = Network()
    x, y, seen = net.input("x", f32(3, 4)), net.target("y", f32(3, 4)), net.input("seen", truth(3))
    q, k, v = (
        net.layer("einsum", x, net.weight(name, 4, 2, 2), equation="td,dhk->thk") for name in ("query", "key", "value")
    )
    scores = net.op("divide", net.layer("einsum", q, k, equation="qhc,khc->hqk"), net.number(1.4142135))
    mask = net.op("reshape", seen, shape=(1, 1, 3))
    scores = net.layer("where", net.op("equal", net.op("cast", mask), net.number(1.0)), scores, net.number(-1e9))
    mixed = net.layer("einsum", net.layer("softmax", scores), v, equation="hqk,khc->qhc")
    out = net.layer("einsum", mixed, net.weight("out", 2, 2, 4), equation="qhc,hcd->qd")
    net.loss("mse", out, y)
    net.output("out", out)
    return net.graph()


def choices() -> Graph:
    """Comparisons, logic, where, the larger of two, the largest of many, clipping, powers, steps, argmax as an
    output."""
    net = Network()
    x, y = net.input("x", f32(2, 3)), net.target("y", f32(2, 3))
    h = net.layer("dense", x, units=3)
    low, high = net.op("greater", h, net.number(-0.5)), net.op("less", h, net.op("absolute", x))
    inside = net.op("logical_and", low, net.op("logical_not", high))
    h = net.layer("where", inside, net.op("square", h), net.op("negative", net.op("multiply", h, h)))
    h = net.layer("maximum", net.layer("clip", h, low=-1.5, high=1.5), net.op("multiply", h, net.weight("slopes", 3)))
    peak = net.layer("max", h, axis=(0,), keep=True)
    h = net.op("add", net.op("subtract", h, peak), net.op("negative", net.layer("floor", h)))
    cubes = net.op("power", net.layer("sigmoid", h), net.number(3.0))
    h = net.op("multiply", net.op("power", net.layer("softplus", h), net.weight("exponent", 1)), cubes)
    net.loss("mse", net.op("add", h, net.layer("logsumexp", h, axis=(1,), keep=True)), y)
    net.output("place", net.layer("argmax", h))
    net.output("inside", inside)
    return net.graph()


def sampled() -> Graph:
    """A variational layer, noise on its input, and values that are drawn without any input."""
    net = Network()
    x, y = net.input("x", f32(3)), net.target("y", f32(3))
    noisy = net.op("add", x, net.layer("uniform_like", x, low=-0.1, high=0.1))
    mean, log_variance = net.layer("dense", noisy, units=2), net.layer("dense", noisy, units=2)
    deviation = net.layer("exp", net.op("multiply", log_variance, net.number(0.5)))
    z = net.op("add", mean, net.op("multiply", deviation, net.layer("normal_like", mean)))
    z = net.op("add", z, net.layer("normal", shape=(2,), mean=0.5, stddev=0.1))
    out = net.layer("dense", z, units=3)
    squares = net.op("add", net.op("square", mean), net.layer("exp", log_variance))
    divergence = net.op("subtract", squares, net.op("add", log_variance, net.number(1.0)))
    reconstruction = net.loss("mse", out, y)
    net.the_loss = net.op("add", reconstruction, net.op("mean", net.layer("sum", divergence, axis=(-1,))))
    net.output("out", out)
    net.output("dice", net.layer("uniform", shape=(2, 2), sample="always"))
    return net.graph()


def of_weights() -> Graph:
    """Values made of weights alone, a tied matrix, a penalty on the weights in the loss."""
    net = Network()
    x, y = net.input("x", f32(4)), net.target("y", f32(4))
    kernel, gain = net.weight("kernel", 4, 3), net.weight("gain", 3, 1)
    unit = net.op("divide", kernel, net.layer("norm", kernel, axis=(0,), keep=True))
    h = net.layer("tanh", net.op("matmul", x, unit))
    scaled = net.op("multiply", net.layer("exp", gain), net.op("transpose", kernel, axes=(1, 0)))
    out = net.layer("matmul", h, scaled)
    penalty = net.op("reduce_sum", net.op("square", kernel), axes=(0, 1), keep=False)
    net.the_loss = net.op("add", net.loss("mse", out, y), net.op("multiply", penalty, net.number(0.01)))
    net.output("out", out)
    return net.graph()


def pooled() -> Graph:
    """Pools behind relu: windows side by side, windows that overlap, the mean."""
    net = Network()
    h, y = net.input("x", f32(6, 6, 2)), net.target("y", f32(3))
    h = net.layer("max_pool", net.layer("relu", net.layer("conv", h, filters=3, kernel=2, pad="same")), size=2)
    h = net.layer("relu", net.layer("conv", h, filters=4, kernel=2, pad="same"))
    h = net.layer("max_pool", h, size=2, stride=1)
    h = net.layer("avg_pool", net.layer("conv", h, filters=2, kernel=1), size=2)
    net.loss("mse", net.layer("dense", net.layer("flatten", h), units=3), y)
    net.output("h", h)
    return net.graph()


NETS: dict[str, Callable[[], Graph]] = {
    f.__name__: f
    for f in (
        *(classifier, dropout_before_relu, dropped_twice, every_activation, shared_tower, residual, regression),
        *(weighted_losses, normalised, attention, choices, sampled, of_weights, pooled),
    )
}
