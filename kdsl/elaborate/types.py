"""Types of inputs and targets, as written, to types of tensors."""

from __future__ import annotations

from kdsl.diagnostics.diagnostic import Edit
from kdsl.elaborate import evaluate
from kdsl.elaborate.callee import CONSTANTS
from kdsl.elaborate.context import Context
from kdsl.elaborate.names import BATCH
from kdsl.elaborate.sizes import fits, size
from kdsl.elaborate.words import question, short
from kdsl.graph.types import Dtype, TensorType
from kdsl.syntax import tree

TENSORS: dict[str, Dtype] = {"f32": "f32", "u8": "u8", "i32": "i32", "index": "index", "bool": "bool"}
THEIRS = {
    "float32": "f32", "float": "f32", "f64": "f32", "float64": "f32", "double": "f32", "tensor": "f32", "Tensor": "f32",
    "uint8": "u8", "byte": "u8", "int32": "i32", "int64": "i32", "int": "i32", "i64": "i32", "long": "i32", "boolean": "bool",
    "label": "index", "class": "index", "category": "index", "categorical": "index",
}  # fmt: skip


def tensor_type(context: Context, written: tree.TypeRef, what: str = "one sample") -> TensorType | None:
    """None where something is wrong, which has been reported."""
    name = written.name.text
    if name not in TENSORS:
        unknown_type(context, written)
        return None
    classes = None
    if name == "index":
        classes = classes_of(context, written)
        if classes is None:
            return None
    elif written.argument is not None:
        text = short(written.argument.span.text)
        shaped = f"{name}[{text}]"
        context.report.error(
            "E305",
            f"only `index` has a number in parentheses, and this is `{name}`",
            written.span,
            help=f"a vector of {text} is `{shaped}`, a label of {text} classes is `index({text})`",
            edits=[Edit(written.span, shaped)] if written.shape is None else [],
        )
        return None
    shape = shape_of(context, written)
    if shape is None:
        return None
    type = TensorType(TENSORS[name], shape, classes=classes)
    return type if fits(context, type, written.span, what) else None


def classes_of(context: Context, written: tree.TypeRef) -> int | None:
    if written.argument is None:
        first = short(written.shape[0].span.text) if written.shape and len(written.shape) == 1 else ""
        help = "one label of 10 classes is `index(10)`; ten labels of 5 classes are `index(5)[10]`"
        edits = []
        if first:
            help = f"one label of {first} classes is `index({first})`; {'ten' if first == '10' else first} labels of 5 classes are `index(5)[{first}]`"
            edits = [Edit(written.span, f"index({first})")]
        context.report.error(
            "E305", "`index` does not say how many classes there are", written.span, help=help, edits=edits
        )
        return None
    value = evaluate.constant(context, written.argument, "the number of classes")
    return None if value is None else size(context, value, written.argument, "`index`")


def shape_of(context: Context, written: tree.TypeRef) -> tuple[int, ...] | None:
    sizes = []
    for place in written.shape or ():
        if isinstance(place, tree.Path) and place.text in BATCH and context.scope.find(place.text) is None:
            context.report.error(
                "E202",
                f"`{place.text}` looks like the batch axis, which is never written",
                place.span,
                help="shapes start with the first axis after the batch",
            )
            return None
        value = evaluate.constant(context, place, "a size")
        sizes.append(None if value is None else size(context, value, place, "a shape"))
    known = tuple(each for each in sizes if each is not None)
    return known if len(known) == len(sizes) else None


def unknown_type(context: Context, written: tree.TypeRef) -> None:
    name = written.name.text
    help, edits = question(name, TENSORS), []
    if name in THEIRS:
        ours = THEIRS[name]
        help = {
            "f64": "write `f32`: `--dtype f64` computes everything in double precision",
            "float64": "write `f32`: `--dtype f64` computes everything in double precision",
        }.get(name, f"write `{'index(n)' if ours == 'index' else ours}`")
        edits = [Edit(written.name.span, ours)] if ours != "index" else []
    elif name in CONSTANTS:
        help = f"`{name}` is the type of a parameter; tensors are {', '.join(f'`{t}`' for t in TENSORS)}"
    elif not help:
        help = "types are `f32`, `u8`, `i32`, `bool` and `index(n)`, each with or without a shape: `f32[28, 28]`"
    context.report.error("E311", f"there is no type `{short(name)}`", written.name.span, help=help, edits=edits)
