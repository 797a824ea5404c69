"""The written parts of `docs/keras.md`."""

from __future__ import annotations

INTRODUCTION = """\
You know Keras; here is what you would write instead. Semantics, defaults and initial weights are Keras's, and its fixtures are part
of the test suite. If you write a Keras or PyTorch word anyway, the error says the kdsl word, and
`kdsl lint --unsafe-fixes` often writes it."""

HABITS = """\
## Habits

| Keras | kdsl |
| --- | --- |
| `Sequential([Dense(64), ReLU()])` | `h = x -> dense(64) -> relu` |
| `Input((28, 28))` | `input image: u8[28, 28]` |
| `x = Dense(64)(x)` | `h = x -> dense(64)`; a name is bound once |
| `Dense(64, activation="relu")` | `dense(64) -> relu` |
| `Concatenate()([a, b])`, `Add()([a, b])` | `(a, b) -> concat`, `a + b` |
| `shared = Dense(64)`, `shared(a)`, `shared(b)` | `p = a -> dense(64) as shared`, `q = b -> shared` |
| `keras.ops.mean(x, axis=-1, keepdims=True)` | `mean(x, axis = -1, keep = true)` |
| axis 1 is the first one after the batch | axis 0 is the first one after the batch; the batch has no number |
| `Lambda(lambda x: x * sigmoid(x))` | `fn swish(x) = x * sigmoid(x)`, then `-> swish` |
| `class Residual(Layer)` with `build` and `call` | `block Residual(x: f32[D]) -> f32[D] { ... }` |
| `self.add_weight(shape=(d,), initializer="ones")` | `weight gain: f32[D] = ones` |
| `trainable=False` in `add_weight` | `frozen weight mask: f32[D] = ones` |
| a Python loop that makes layers | `repeat 3 Residual`, `for width in [32, 64] { dense(width) -> relu }` |
| `for branch in ...: outputs.append(branch(x))` | `x -> each size in [3, 5] { conv(8, kernel = size) } -> concat` |
| `add_loss(...)`, `custom train_step` | `loss` is an expression: `cross_entropy(logits, label) + 0.1 * sum(h ** 2)` |
| a loss as a Python function | `fn pinball(a, b, q = 0.9) = ...`, then `loss = pinball(price, sold_for)` |
| `loss_weights=[1, 0.3]` | `loss = a + 0.3 * b` |
| `compile(optimizer, loss, metrics)` | `train Name { optimizer = ...  loss = ...  metrics = [...] }` |

A subclassed layer is a block. This is all of a Keras `Layer` with `__init__`, `build`, `call`, `compute_output_shape` and `get_config`:

```kmodel
## Root-mean-square normalisation with a trained gain.
block Scaled(x: f32[T, D], epsilon: float = 1e-6) -> f32[T, D] {
  weight gain: f32[D] = ones
  return x / sqrt(mean(x ** 2, axis = -1, keep = true) + epsilon) * gain
}
```

A functional model with two inputs and a shared tower:

```kmodel
## Do two pictures show the same thing?
block Tower(x: f32[H, W], width: int = 32) -> f32[width] {
  return x -> flatten -> dense(64) -> relu -> dense(width)
}

model Pairs {
  input  left: f32[28, 28]
  input  right: f32[28, 28]
  target same: bool

  a = left -> Tower as tower
  b = right -> tower  # the same weights
  score = (a, b) -> dot(normalize = true)

  output probability = sigmoid(4 * score)
}

train Pairs {
  loss      = binary_cross_entropy(4 * score, same)
  metrics   = [accuracy(score, same)]
  optimizer = adam(lr = 1e-3)
}
```"""

CALLBACKS = """\
## Callbacks

| Keras | kdsl |
| --- | --- |
| `LearningRateScheduler`, `ReduceLROnPlateau` | `schedule = ...` in `train` |
| `EarlyStopping(patience=5)` | a callback that returns `True` stops training (below) |
| `ModelCheckpoint` | a callback that calls `model.save(...)` |
| `CSVLogger`, `History` | `history.history`, a dict of lists; or a callback |
| `LambdaCallback(on_epoch_end=...)` | any function `callback(epoch, logs, model)` |
| `TerminateOnNaN` | built in: a loss that is not finite raises `NonFiniteLoss`, and that step is not applied |

```python
best = float("inf")


def keep(epoch, logs, model):
    global best
    if logs["val_loss"] < best:
        best = logs["val_loss"]
        model.save("best.npz")
    return epoch > 50 and logs["val_loss"] > 1.2 * best  # True stops


model.fit(x, y, epochs=200, validation_split=0.1, callbacks=[keep])
```"""

USING = """\
## Using a model

| Keras | kdsl |
| --- | --- |
| `model = build(); model.compile(...)` | `from fashion import Fashion`, `model = Fashion()` |
| `keras.utils.set_random_seed(7)` | `Fashion(seed=7)` |
| `Adam(learning_rate=3e-4)` at run time | `Fashion(lr=3e-4)` or `model.fit(..., lr=3e-4)`; nothing is compiled anew |
| `model.fit(x, y, batch_size=64, epochs=5, validation_split=0.1)` | the same |
| `model.fit(..., verbose=2, initial_epoch=5)` | the same |
| `model.fit({"a": a, "b": b}, y)` | the same; tuples in the order of the inputs too |
| `model.evaluate(x, y)` | the same; it returns a dict, `{"loss": ..., "accuracy": ...}` |
| `model.predict(x)` | the same; a single output is an array, several are a dict |
| `model.train_on_batch(x, y)` | the same |
| `model.summary()` | the same; also `kdsl summary FILE`, without compiling |
| `model.save("a.keras")`, `load_model` | `model.save("a.npz")`, `Fashion.load("a.npz")`: plain arrays, optimizer included |
| `model.load_weights(...)` | the same |
| `model.get_weights()`, a list | the same, a dict by name: `logits.dense.kernel` |
| `normalizer.adapt(data)` | `standardize` takes its numbers from the first `fit`; `model.adapt(x)` from other data |
| `plot_model(model)` | `kdsl draw FILE` |"""
