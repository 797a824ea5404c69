"""JAX, written by hand for speed: a whole epoch, shuffling included, is one compiled `lax.scan`. Convolutional networks take
one compiled step after the other: on processors XLA's convolutions are many times slower inside of a scan."""

import functools
import os

from protocol import Peer, serve


class Jax(Peer):
    packages = ("jax", "jaxlib")

    def __init__(self, workload, threads):
        os.environ.update(JAX_PLATFORMS="cpu")
        import jax

        self.jax, self.workload = jax, workload

    def candidates(self):
        tried = {"threefry keys": lambda: self.prepare("threefry2x32")}
        if self.workload.dropout:
            tried["unsafe_rbg keys"] = lambda: self.prepare("unsafe_rbg")
        return tried

    def load(self, x, y):
        self.x, self.y = self.jax.device_put(x), self.jax.device_put(y)
        self.sample = x[:1].copy()

    def prepare(self, generator):
        jax, jnp = self.jax, self.jax.numpy
        key, first = jax.random.split(jax.random.key(0, impl=generator))
        weights, statistics = initial(jax, self.workload, self.x.shape[1:], first)
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state = (weights, statistics, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.int32), key)
        whole = epoch if self.workload.flat else one_step
        self.compiled = jax.jit(functools.partial(whole, jax, self.workload), donate_argnums=0)
        self.generator = jax.random.key(1, impl=generator)
        self.forward = jax.jit(
            lambda weights, statistics, x: jax.nn.softmax(network(jax, self.workload, weights, statistics, x)[0])
        )

    def epoch(self):
        if self.workload.flat:
            self.state, loss = self.compiled(self.state, self.x, self.y)
        else:
            self.generator, key = self.jax.random.split(self.generator)
            order = self.jax.random.permutation(key, self.x.shape[0]).reshape(-1, self.workload.batch)
            for rows in order:
                self.state, loss = self.compiled(self.state, self.x, self.y, rows)
        loss.block_until_ready()

    def probabilities(self, x):
        import numpy as np

        return np.asarray(self.forward(*self.state[:2], x))

    def predictors(self):
        return {"compiled function": lambda: self.probabilities(self.sample)}


def initial(jax, workload, shape, key):
    """(weights, moving statistics): an entry for each layer, empty where it has none."""
    jnp, glorot = jax.numpy, jax.nn.initializers.glorot_uniform()
    weights, statistics = [], []
    width, size = shape[-1], list(shape)

    def normalised(key, inputs, filters):
        moving = (jnp.zeros(filters), jnp.ones(filters))
        return (glorot(key, (3, 3, inputs, filters)), jnp.ones(filters), jnp.zeros(filters)), moving

    for layer, (kind, *rest) in enumerate(workload.layers):
        own, moving, keys = (), (), jax.random.split(jax.random.fold_in(key, layer))
        if kind == "flatten":
            width = 1
            for length in size:
                width *= length
        elif kind == "dense":
            own, width = (glorot(keys[0], (width, rest[0])), jnp.zeros(rest[0])), rest[0]
        elif kind == "conv":
            own = (glorot(keys[0], (3, 3, width, rest[0])), jnp.zeros(rest[0]))
            less, width = 0 if rest[1] == "same" else 2, rest[0]
            size = [size[0] - less, size[1] - less, width]
        elif kind == "pool":
            size = [size[0] // 2, size[1] // 2, size[2]]
        elif kind == "conv_bn_relu":
            (own, moving), width = normalised(keys[0], width, rest[0]), rest[0]
        elif kind == "residual":
            pairs = normalised(keys[0], width, rest[0]), normalised(keys[1], rest[0], rest[0])
            own, moving = zip(*pairs, strict=True)
            width = rest[0]
        weights.append(own)
        statistics.append(moving)
    return weights, statistics


def network(jax, workload, weights, statistics, x, key=None):
    """(logits, new moving statistics); with a key as in training."""
    jnp, lax, new = jax.numpy, jax.lax, []

    def convolved(x, kernel, padding="SAME", stride=1):
        return lax.conv_general_dilated(
            x, kernel, (stride, stride), padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def normalised(x, own, moving, stride=1):
        kernel, scale, offset = own
        x = convolved(x, kernel, stride=stride)
        mean, variance = moving
        if key is not None:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
            moving = tuple(0.99 * old + 0.01 * now for old, now in zip(moving, (mean, variance), strict=True))
        return (x - mean) * (scale * lax.rsqrt(variance + 1e-3)) + offset, moving

    for index, ((kind, *rest), own, moving) in enumerate(zip(workload.layers, weights, statistics, strict=True)):
        if kind == "dense":
            x = x @ own[0] + own[1]
        elif kind == "relu":
            x = jax.nn.relu(x)
        elif kind == "dropout" and key is not None:
            keep = jax.random.bernoulli(jax.random.fold_in(key, index), 1 - rest[0], x.shape)
            x = jnp.where(keep, x / (1 - rest[0]), 0)
        elif kind == "flatten":
            x = x.reshape(*x.shape[: -len(workload.shape)], -1) if not workload.flat else x
        elif kind == "conv":
            x = convolved(x, own[0], rest[1]) + own[1]
        elif kind == "pool":
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        elif kind == "conv_bn_relu":
            x, moving = normalised(x, own, moving)
            x = jax.nn.relu(x)
        elif kind == "residual":
            filters, stride = rest
            missing = filters - x.shape[-1]
            skip = jnp.pad(x[:, ::stride, ::stride], [(0, 0)] * 3 + [(missing // 2, missing - missing // 2)])
            x, first = normalised(x, own[0], moving[0], stride)
            x, second = normalised(jax.nn.relu(x), own[1], moving[1])
            x, moving = jax.nn.relu(x + skip), (first, second)
        elif kind == "mean":
            x = x.mean((1, 2))
        new.append(moving)
    return x, new


def epoch(jax, workload, state, x, y):
    """One epoch of Adam: permute the rows, then scan over the batches."""
    *rest, key = state
    key, order_key = jax.random.split(key)
    order = jax.random.permutation(order_key, x.shape[0]).reshape(-1, workload.batch)
    state, losses = jax.lax.scan(lambda state, rows: one_step(jax, workload, state, x, y, rows), (*rest, key), order)
    return state, losses.mean()


def one_step(jax, workload, state, x, y, rows):
    """One step of Adam."""
    jnp = jax.numpy

    def loss_of(weights, statistics, rows, key):
        logits, statistics = network(jax, workload, weights, statistics, x[rows], key)
        log_p = jax.nn.log_softmax(logits)
        return -jnp.take_along_axis(log_p, y[rows][:, None], axis=1).mean(), statistics

    weights, statistics, m, v, t, key = state
    key, dropout_key = jax.random.split(key)
    of_weights = jax.value_and_grad(loss_of, has_aux=True)
    (loss, statistics), gradient = of_weights(weights, statistics, rows, dropout_key)
    t = t + 1
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = jax.tree.map(lambda m, g: m + (g - m) * 0.1, m, gradient)
    v = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, v, gradient)
    weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
    return (weights, statistics, m, v, t, key), loss


if __name__ == "__main__":
    serve(lambda workload, given: Jax(workload, given.threads))
