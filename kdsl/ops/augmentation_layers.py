"""Random changes of images as layers: Keras's `Random...`. In `train`, `augment = [...]` says the same in fewer words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi
from typing import TYPE_CHECKING, Any

from kdsl.graph.graph import Attribute
from kdsl.graph.types import TensorType
from kdsl.ops.cast import as_float
from kdsl.ops.dropout import next_stream
from kdsl.ops.registry import Layer, Param, Refused, layer
from kdsl.ops.unsuitable import a_shape, refuse_classes

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

BYTE = 255.0


def drawn(build: Builder, op: str, image: str, name: str = "", **attributes: Attribute) -> str:
    """One change of an image, with draws of its own."""
    return build.add(op, [image], {**attributes, "stream": next_stream(build)}, name=name)


def affine(
    build: Builder,
    image: str,
    name: str = "",
    angle: float = 0.0,
    zoom: float = 0.0,
    shift_y: float = 0.0,
    shift_x: float = 0.0,
) -> str:
    """Turned by up to `angle` radians, enlarged and moved by up to these shares."""
    settings: dict[str, Attribute] = {"angle": angle, "zoom": zoom, "shift_y": shift_y, "shift_x": shift_x}
    return drawn(build, "random_affine", image, name, **settings)


class RandomLayer(Layer):
    """A change that happens in training only: at inference the image goes on as it is."""

    @classmethod
    def guard(cls, arguments: Mapping[str, Any], types: Sequence[TensorType]) -> None:
        refuse_classes(cls.name, types[0])
        if types[0].rank not in (2, 3) or not types[0].batched:
            raise Refused(
                "E401",
                f"`{cls.name}` changes an image [height, width] or [height, width, channels], {{0}} has {a_shape(types[0])}",
                label="is no image",
            )

    @classmethod
    def lower(
        cls, build: Builder, arguments: Mapping[str, Any], values: Sequence[str], weights: Mapping[str, str]
    ) -> str:
        byte = build.type_of(values[0]).dtype == "u8"
        return cls.change(build, arguments, as_float(build, values[0]), BYTE if byte else 0.0)

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        """`limit` is what the values are clipped to, 0 for no limit."""
        raise NotImplementedError


@layer("random_flip")
class RandomFlipLayer(RandomLayer):
    """In training, left and right are exchanged with probability one half, or top and bottom, or both independently.

    ```kmodel
    h = image -> random_flip(mode = horizontal) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_flip.py.
    """

    keras = ("RandomFlip",)
    torch = ("RandomHorizontalFlip", "RandomVerticalFlip")
    mode = Param(
        "word",
        "which axes",
        "horizontal_and_vertical",
        positional=True,
        words=("horizontal", "vertical", "horizontal_and_vertical"),
    )

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        mode = arguments["mode"]
        if mode == "horizontal_and_vertical":
            image = drawn(build, "random_flip", image, axis=1)
        return drawn(build, "random_flip", image, build.layer, axis=1 if mode == "horizontal" else 0)


@layer("random_translation")
class RandomTranslation(RandomLayer):
    """In training, moved by shares of height and width drawn evenly from minus to plus these. Bilinear; what comes in from
    outside is the image reflected at its edge (`d c b a | a b c d | d c b a`), Keras's defaults.

    ```kmodel
    h = image -> random_translation(height_factor = 0.1, width_factor = 0.1) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_translation.py.
    """

    keras = ("RandomTranslation",)
    height_factor = Param("number", "the largest share of the height", low=0.0, high=1.0)
    width_factor = Param("number", "the largest share of the width", low=0.0, high=1.0)

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        down, right = float(arguments["height_factor"]), float(arguments["width_factor"])
        return affine(build, image, build.layer, shift_y=down, shift_x=right)


@layer("random_rotation")
class RandomRotation(RandomLayer):
    """In training, turned about its middle by a share of a whole turn drawn evenly from minus to plus `factor`. Bilinear,
    reflected at the edges, Keras's defaults.

    ```kmodel
    h = image -> random_rotation(0.05) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_rotation.py.
    """

    keras = ("RandomRotation",)
    torch = ("RandomRotation",)
    factor = Param("number", "the largest share of a whole turn", positional=True, low=0.0, high=1.0)

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return affine(build, image, build.layer, angle=2.0 * pi * arguments["factor"])


@layer("random_zoom")
class RandomZoom(RandomLayer):
    """In training, places are taken from 1 + z times as far from the middle, z drawn evenly from minus to plus
    `height_factor`: above 0 the image becomes smaller. The aspect is kept. Bilinear, reflected at the edges.

    ```kmodel
    h = image -> random_zoom(0.2) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_zoom.py, without `width_factor`.
    """

    keras = ("RandomZoom",)
    height_factor = Param("number", "the largest share", positional=True, low=0.0, high=1.0, open="high")

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return affine(build, image, build.layer, zoom=float(arguments["height_factor"]))


@layer("random_contrast")
class RandomContrastLayer(RandomLayer):
    """In training, `y = (x - mean) * f + mean`, f drawn evenly from 1 - factor to 1 + factor for each image, with the mean of
    each channel. A `u8` image is clipped to 0 .. 255; others are not clipped.

    ```kmodel
    h = image -> random_contrast(0.2) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_contrast.py.
    """

    keras = ("RandomContrast",)
    factor = Param("number", "the largest share", positional=True, low=0.0, high=1.0)

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_contrast", image, build.layer, share=float(arguments["factor"]), limit=limit)


@layer("random_brightness")
class RandomBrightnessLayer(RandomLayer):
    """In training, `y = x + d`, d drawn evenly from minus to plus `factor` times the range of values for each image. The range of
    a `u8` image is 255, and it is clipped to 0 .. 255; that of others is 1, and they are not clipped.

    ```kmodel
    h = image -> random_brightness(0.2) -> rescale(1 / 255)
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_brightness.py.
    """

    keras = ("RandomBrightness",)
    torch = ("ColorJitter",)
    factor = Param("number", "the largest share of the range", positional=True, low=0.0, high=1.0)

    @classmethod
    def change(cls, build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        amount = float(arguments["factor"]) * (limit or 1.0)
        return drawn(build, "random_brightness", image, build.layer, amount=amount, limit=limit)
