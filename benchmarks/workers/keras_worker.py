"""Keras on JAX or on TensorFlow: `compile` and `fit`, as every tutorial has it, at the fastest of its own settings."""

import os

from protocol import CLASSES, Peer, serve

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
        layers, keras = [], self.keras
        for units in self.workload.hidden:
            layers.append(keras.layers.Dense(units, activation="relu"))
            if self.workload.dropout:
                layers.append(keras.layers.Dropout(self.workload.dropout))
        layers.append(keras.layers.Dense(CLASSES))
        self.model = keras.Sequential([keras.Input((self.x.shape[1],)), *layers])
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


if __name__ == "__main__":
    serve(lambda workload, given: Keras(workload, given.threads, given.backend))
