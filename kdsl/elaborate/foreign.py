"""The names of Keras and PyTorch: what they are called here. The table of layers is in the layers themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kdsl.elaborate.not_yet import LAYERS as LATER
from kdsl.ops.registry import LAYERS, Param
from kdsl.syntax import tree

# Layers to come, as (kdsl, Keras and PyTorch); the layers there are say it themselves.
LATER_NAMES = {
    "lstm": "LSTM",
    "gru": "GRU",
    "simple_rnn": "SimpleRNN RNN",
    "bidirectional": "Bidirectional",
    "attention": "MultiHeadAttention MultiheadAttention Attention multi_head_attention",
}
LOSSES = {
    "cross_entropy": "sparse_categorical_crossentropy categorical_crossentropy SparseCategoricalCrossentropy "
    "CategoricalCrossentropy CrossEntropyLoss CrossEntropy crossentropy nll_loss NLLLoss softmax_cross_entropy "
    "categorical_cross_entropy sparse_categorical_cross_entropy",
    "binary_cross_entropy": "binary_crossentropy BinaryCrossentropy BCELoss BCEWithLogitsLoss bce "
    "binary_cross_entropy_with_logits sigmoid_cross_entropy",
    "mse": "mean_squared_error MeanSquaredError MSELoss MSE mse_loss l2_loss",
    "mae": "mean_absolute_error MeanAbsoluteError L1Loss MAE l1_loss mae_loss",
    "huber": "Huber HuberLoss SmoothL1Loss smooth_l1_loss huber_loss",
}
METRICS = {
    "accuracy": "acc Accuracy SparseCategoricalAccuracy CategoricalAccuracy BinaryAccuracy categorical_accuracy "
    "sparse_categorical_accuracy binary_accuracy",
    "top_k": "TopKCategoricalAccuracy SparseTopKCategoricalAccuracy top_k_categorical_accuracy top_k_accuracy topk top5 "
    "sparse_top_k_categorical_accuracy",
    "mse": "mean_squared_error MeanSquaredError MSE",
    "mae": "mean_absolute_error MeanAbsoluteError MAE",
}
OPTIMIZERS = {
    "sgd": "SGD momentum gradient_descent GradientDescent",
    "rmsprop": "RMSprop RMSProp rms_prop",
    "adam": "Adam",
    "adamw": "AdamW adam_w",
}
SETTINGS = {
    "batch": "batch_size batchsize minibatch",
    "epochs": "num_epochs n_epochs max_epochs nb_epoch",
    "optimizer": "optim",
    "loss": "criterion loss_fn loss_function objective",
    "metrics": "weighted_metrics",
    "schedule": "scheduler lr_schedule lr_scheduler learning_rate_schedule lr_decay",
    "regularize": "regularizer regularizers kernel_regularizer regularization",
    "augment": "augmentation augmentations data_augmentation transforms",
    "stop_early": "early_stopping",
    "keep_best": "checkpoint model_checkpoint save_best_only",
    "seed": "random_seed random_state",
    "validation_split": "val_split validation",
}
IN_OPTIMIZER = ("lr", "learning_rate", "momentum", "weight_decay", "clipnorm", "clip_norm")
ARGUMENTS = {
    "kernel_size": "kernel",
    "strides": "stride",
    "padding": "pad",
    "dilation_rate": "dilation",
    "use_bias": "bias",
    "kernel_initializer": "init",
    "negative_slope": "slope",
    "label_smoothing": "smoothing",
    "learning_rate": "lr",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "batch_size": "batch",
    "clipnorm": "clip_norm",
    "clipvalue": "clip_value",
    "global_clipnorm": "global_clip_norm",
    "dim": "axis",
    "dims": "axis",
    "keepdims": "keep",
    "keepdim": "keep",
    "eps": "epsilon",
    "p": "rate",
    "in_features": "",  # sizes that come in are inferred
    "input_shape": "",
    "input_dim": "",
    "in_channels": "",
    "num_features": "",
    "name": "",
    "from_logits": "",
}
IN_ORDER = ("kernel", "stride")  # what Keras and PyTorch take without a name behind the first argument
SIZED = ("conv", "conv_transpose", "batch_norm")  # PyTorch gives them the channels that come in
LEFT_OUT = {"name": "names are given with `as`", "from_logits": "losses always take logits"}
NUMBERED = re.compile(r"(?<=[A-Za-z])[123][dD]$")


def here(name: str, table: Mapping[str, str]) -> str:
    """The kdsl name of what other libraries call `name`, in a table of this file; empty where it has none."""
    return next((ours for ours, theirs in table.items() if name in theirs.split()), "")


def layer_here(name: str) -> tuple[str, str]:
    """(kdsl's name, "Keras" or "PyTorch") for a layer of theirs, if we have it: `Linear` -> ("dense", "PyTorch")."""
    for ours, layer in LAYERS.items():
        if name in layer.keras:
            return ours, "Keras"
        if name in layer.torch:
            return ours, "PyTorch"
    return "", ""


def later_layer(name: str) -> str:
    """The name that a layer still to come will have: `Conv2D`, `conv` -> `conv`."""
    return name if name in LATER else here(name, LATER_NAMES)


def lowered(name: str) -> str:
    """In the style of the language: `LeakyReLU` -> `leaky_relu`, `Conv2D` -> `conv`, `GELU` -> `gelu`."""
    plain = NUMBERED.sub("", name).replace("ReLU", "Relu").replace("SiLU", "Silu").replace("ELU", "Elu")
    if plain.isupper():
        return plain.lower()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower()


def translated(
    name: str, parameters: Mapping[str, Param], arguments: Sequence[tree.Argument] | None, whose: str = ""
) -> tuple[str, str] | None:
    """A layer's call as kdsl writes it, and the steps that follow it: (`dense(10)`, ` -> relu`).

    None where an argument has no counterpart: a rewriting that only looks right is worse than none.
    """
    first, others, steps = "", [], ""
    positional = next((key for key, parameter in parameters.items() if parameter.positional), None)
    unnamed = [argument for argument in arguments or () if argument.name is None]
    order = list(dict.fromkeys(key for key in (positional, *IN_ORDER) if key is not None and key in parameters))
    # Linear(784, 10), Embedding(words, 64), PyTorch's Conv2d(3, 32, 5): the size that comes in is inferred
    sized = name in ("dense", "embed") and len(unnamed) == 2
    unnamed = unnamed[1:] if sized or (whose == "PyTorch" and name in SIZED) else unnamed
    if len(unnamed) > len(order):
        return None
    for place, argument in zip(order, unnamed, strict=False):
        if place == positional:
            first = bare(argument.value)
        else:
            others.append(f"{place} = {bare(argument.value)}")
    for argument in arguments or ():
        if argument.name is None:
            continue
        key = renamed(argument.name.text, parameters)
        if argument.name.text == "activation":
            step = bare(argument.value)
            if step not in LAYERS:
                return None
            steps = "" if step == "linear" else f" -> {step}"
        elif key is None or not takes_alike(key, parameters, argument.value, whose):
            return None
        elif key == positional and not first:
            first = bare(argument.value)
        elif key:
            unit = " steps" if parameters[key].kind == "time" and isinstance(argument.value, tree.Number) else ""
            others.append(f"{key} = {bare(argument.value)}{unit}")
    inside = ", ".join([*([first] if first else []), *others])
    return (f"{name}({inside})" if inside else name), steps


def takes_alike(key: str, parameters: Mapping[str, Param], value: tree.Value, whose: str) -> bool:
    """Whether an argument means here what it means there: PyTorch's padding is a number, and its momentum the rest to 1."""
    if key in parameters and parameters[key].kind == "word" and isinstance(value, tree.Number):
        return False
    return whose != "PyTorch" or key != "momentum"


def renamed(word: str, parameters: Mapping[str, Param]) -> str | None:
    """The parameter that an argument of this name means: itself, Keras's word for it, "" for what is left out, or None."""
    if word in parameters:
        return word
    for key, parameter in parameters.items():
        if parameter.keras == word:
            return key
    ours = ARGUMENTS.get(word)
    if ours is None and word in ("units", "filters", "out_features", "out_channels", "features"):
        ours = next((key for key, parameter in parameters.items() if parameter.positional), None)
    return ours if ours == "" or (ours is not None and ours in parameters) else None


def bare(value: tree.Value) -> str:
    """An argument as written, without the quotes of a word."""
    text = value.value if isinstance(value, tree.Text) else value.span.text
    return " ".join(text.split())
