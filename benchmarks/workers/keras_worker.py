"""Keras on JAX or on TensorFlow: `compile` and `fit`, as every tutorial has it, at the fastest of its own settings."""

import os

from protocol import Peer, serve

STEPS_PER_EXECUTION = 20  # divides every workload's steps


class Keras(Peer):
    def __init__(self, workload, threads, backend):
        os.environ.update(KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3", JAX_PLATFORMS="cpu")
        if backend == "tensorflow":
            import tensorflow as tf

            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        import keras

        self.keras, self.workload, self.backend = keras, workload, backend
        self.packages = ("keras", "jax", "jaxlib") if backend == "jax" else ("keras", "tensorflow", "tensorflow-cpu")

    def candidates(self):
        tried = {
            "default": lambda: self.prepare(),
            f"steps_per_execution={STEPS_PER_EXECUTION}": lambda: self.prepare(steps_per_execution=STEPS_PER_EXECUTION),
        }
        if self.backend == "tensorflow":
            tried["jit_compile=False"] = lambda: self.prepare(jit_compile=False)
            tried[f"jit_compile=False, steps_per_execution={STEPS_PER_EXECUTION}"] = lambda: self.prepare(
                jit_compile=False, steps_per_execution=STEPS_PER_EXECUTION
            )
        return tried

    def prepare(self, **options):
        keras = self.keras
        self.model = network(keras, self.workload, self.x.shape[1:])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, **options)

    def epoch(self):
        self.model.fit(self.x, self.y, batch_size=self.workload.batch, epochs=1, shuffle=True, verbose=0)

    def probabilities(self, x):
        return self.keras.ops.convert_to_numpy(self.keras.ops.softmax(self.model.predict(x, verbose=0)))

    def predictors(self):
        sample = self.x[:1].copy()
        return {
            "model.predict(x)": lambda: self.model.predict(sample, verbose=0),
            "model.predict_on_batch(x)": lambda: self.model.predict_on_batch(sample),
        }


def network(keras, workload, shape):
    """The workload's layers in Keras's functional form; an activation behind a layer is that layer's own."""
    layers = keras.layers
    x = first = keras.Input(shape)
    kinds = [*(layer[0] for layer in workload.layers), ""]
    for number, (kind, *rest) in enumerate(workload.layers):
        activation = "relu" if kinds[number + 1] == "relu" else None
        if kind == "flatten":
            x = x if workload.flat else layers.Flatten()(x)
        elif kind == "dense":
            x = layers.Dense(rest[0], activation=activation)(x)
        elif kind == "dropout":
            x = layers.Dropout(rest[0])(x)
        elif kind == "conv":
            x = layers.Conv2D(rest[0], 3, padding=rest[1], activation=activation)(x)
        elif kind == "pool":
            x = layers.MaxPooling2D(2)(x)
        elif kind == "conv_bn_relu":
            x = layers.ReLU()(normalised(layers, x, rest[0]))
        elif kind == "residual":
            x = residual(keras, x, *rest)
        elif kind == "mean":
            x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(first, x)


def normalised(layers, x, filters, stride=1):
    x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization()(x)


def residual(keras, x, filters, stride):
    layers = keras.layers
    main = normalised(layers, layers.ReLU()(normalised(layers, x, filters, stride)), filters)
    skip = x if stride == 1 else x[:, ::stride, ::stride, :]
    missing = filters - x.shape[-1]
    if missing:
        skip = keras.ops.pad(skip, [[0, 0], [0, 0], [0, 0], [missing // 2, missing - missing // 2]])
    return layers.ReLU()(layers.Add()([main, skip]))


if __name__ == "__main__":
    serve(lambda workload, given: Keras(workload, given.threads, given.backend))
