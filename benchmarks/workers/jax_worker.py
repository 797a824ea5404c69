"""JAX, written by hand for speed: a whole epoch, shuffling included, is one compiled `lax.scan`."""

import functools
import os

from protocol import CLASSES, Peer, serve


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
        widths = (self.x.shape[1], *self.workload.hidden, CLASSES)
        keys = jax.random.split(jax.random.key(0, impl=generator), len(widths))
        glorot = jax.nn.initializers.glorot_uniform()
        weights = [
            (glorot(key, (a, b), jnp.float32), jnp.zeros(b))
            for key, a, b in zip(keys, widths, widths[1:], strict=False)
        ]
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros((), jnp.int32), keys[-1])
        self.compiled = jax.jit(functools.partial(epoch, jax, self.workload), donate_argnums=0)
        self.forward = jax.jit(lambda weights, x: jax.nn.softmax(network(jax, weights, x)))

    def epoch(self):
        self.state, loss = self.compiled(self.state, self.x, self.y)
        loss.block_until_ready()

    def probabilities(self, x):
        import numpy as np

        return np.asarray(self.forward(self.state[0], x))

    def predictors(self):
        return {"compiled function": lambda: self.probabilities(self.sample)}


def network(jax, weights, x, key=None, rate=0.0):
    for index, (kernel, bias) in enumerate(weights[:-1]):
        x = jax.nn.relu(x @ kernel + bias)
        if key is not None and rate:
            keep = jax.random.bernoulli(jax.random.fold_in(key, index), 1 - rate, x.shape)
            x = jax.numpy.where(keep, x / (1 - rate), 0)
    kernel, bias = weights[-1]
    return x @ kernel + bias


def epoch(jax, workload, state, x, y):
    """One epoch of Adam: permute the rows, then scan over the batches."""
    jnp = jax.numpy

    def loss_of(weights, rows, key):
        log_p = jax.nn.log_softmax(network(jax, weights, x[rows], key, workload.dropout))
        return -jnp.take_along_axis(log_p, y[rows][:, None], axis=1).mean()

    def step(state, rows):
        weights, m, v, t, key = state
        key, dropout_key = jax.random.split(key)
        loss, gradient = jax.value_and_grad(loss_of)(weights, rows, dropout_key)
        t = t + 1
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = jax.tree.map(lambda m, g: m + (g - m) * 0.1, m, gradient)
        v = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, v, gradient)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
        return (weights, m, v, t, key), loss

    *rest, key = state
    key, order_key = jax.random.split(key)
    order = jax.random.permutation(order_key, x.shape[0]).reshape(-1, workload.batch)
    state, losses = jax.lax.scan(step, (*rest, key), order)
    return state, losses.mean()


if __name__ == "__main__":
    serve(lambda workload, given: Jax(workload, given.threads))
