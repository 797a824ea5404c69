"""Every differentiable op: the gradient it builds is the full Jacobian by central differences, in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from op_samples import Sample, arrays_of, every_sample, extras
from small_graphs import line

from kdsl.graph import Graph
from kdsl.graph.builder import Builder
from kdsl.graph.interpreter import run
from kdsl.ops import OPS

BATCH = 3


@every_sample(differentiable=True)
def test_gradient_is_the_finite_difference(sample: Sample) -> None:
    op, rng = OPS[sample.op], np.random.default_rng(3)
    build = Builder()
    with build.at(line(1), layer="layer"):
        inputs = [build.source("input", f"x{i}", t, {"name": f"x{i}"}) for i, t in enumerate(sample.types)]
        value = build.add(sample.op, inputs, sample.attributes)
        upstream = build.source("input", "upstream", build.type_of(value), {"name": "upstream"})
        gradients = op.gradient(build, build.nodes[len(inputs)], upstream)
    graph = Graph("test", tuple(build.nodes))
    arrays = dict(zip(inputs, arrays_of(sample, rng, BATCH), strict=True))
    assert len(gradients) == len(inputs)
    extra = extras(sample, 5, 2, "float64")

    def forward(given: dict[str, np.ndarray]) -> np.ndarray:
        return np.asarray(op.reference(*(given[name] for name in inputs), **sample.attributes, **extra))

    result = forward(arrays)
    for place in np.ndindex(result.shape):
        one = np.zeros(result.shape)
        one[place] = 1.0
        values = run(graph, {**arrays, "upstream": one}, seed=5, step=2)
        for name, gradient, type in zip(inputs, gradients, sample.types, strict=True):
            if gradient is None:
                continue
            assert type.dtype == "f32"
            found = np.asarray(values[gradient])
            assert found.shape == arrays[name].shape
            wanted = _difference(lambda given, at=place: forward(given)[at], arrays, name)
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7, err_msg=f"to {name} from {place}")


def _difference(function, arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    step = 1e-6
    wanted = np.zeros(arrays[name].shape)
    for place in np.ndindex(wanted.shape):
        moved = []
        for sign in (1, -1):
            array = np.array(arrays[name], "float64")
            array[place] += sign * step
            moved.append(function({**arrays, name: array}))
        wanted[place] = (moved[0] - moved[1]) / (2 * step)
    return wanted


FLAT = ("sign", "floor", "ceil", "round", "stop_gradient", "full", "random_normal", "random_uniform")
NOTHING = (("where", 0), ("while_training", 1))


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.differentiable])
def test_every_float_input_gets_a_gradient(name: str) -> None:
    """None stands for integers, conditions and what counts at inference only; steps are flat, their gradient is nothing."""
    from op_samples import samples_of

    for sample in samples_of(name):
        build = Builder()
        with build.at(line(1)):
            inputs = [build.source("input", f"x{i}", t, {"name": f"x{i}"}) for i, t in enumerate(sample.types)]
            value = build.add(name, inputs, sample.attributes)
            upstream = build.source("input", "upstream", build.type_of(value), {"name": "upstream"})
            gradients = OPS[name].gradient(build, build.nodes[len(inputs)], upstream)
        for i, (type, gradient) in enumerate(zip(sample.types, gradients, strict=True)):
            assert (gradient is not None) == (type.dtype == "f32" and name not in FLAT and (name, i) not in NOTHING)
