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


NETS: dict[str, Callable[[], Graph]] = {
    f.__name__: f
    for f in (
        *(classifier, dropout_before_relu, dropped_twice, every_activation, shared_tower, residual, regression),
        weighted_losses,
    )
}
