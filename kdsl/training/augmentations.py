"""Augmentations: random changes of training images, inside the compiled step, drawn anew for every image and step.

They stand between the data and the model, in training only. Row i of a batch takes its draws from a hash of the seed, the step, the
augmentation's place and i, so that a seed gives the same images on every target and with any number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import radians
from typing import TYPE_CHECKING, Any

from kdsl.ops.augmentation_layers import affine, drawn
from kdsl.ops.dropout import next_stream
from kdsl.ops.registry import Param
from kdsl.training.registry import AUGMENTATIONS, Augmentation, augmentation

if TYPE_CHECKING:
    from kdsl.graph.builder import Builder

__all__ = ["AUGMENTATIONS", "Augmentation"]


@augmentation("flip_horizontal")
class FlipHorizontal(Augmentation):
    """Left and right exchanged, with probability one half.

    ```kmodel
    augment = [flip_horizontal]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_flip.py, mode "horizontal".
    """

    keras = ("RandomFlip", "random_flip")
    torch = ("RandomHorizontalFlip",)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_flip", image, axis=1)


@augmentation("flip_vertical")
class FlipVertical(Augmentation):
    """Top and bottom exchanged, with probability one half.

    ```kmodel
    augment = [flip_vertical]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_flip.py, mode "vertical".
    """

    torch = ("RandomVerticalFlip",)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_flip", image, axis=0)


@augmentation("pad_crop")
class PadCrop(Augmentation):
    """Zeros all around, then a cut of the old size; each of its (2 * pad + 1) ** 2 places is equally likely.

    ```kmodel
    augment = [pad_crop(4)]
    ```
    Source: He et al. 2015, arXiv 1512.03385, section 4.2.
    """

    keras = ("RandomCrop",)
    torch = ("RandomCrop",)
    pad = Param("size", "zeros on each side", positional=True)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_crop", image, pad=arguments["pad"])


@augmentation("shift")
class Shift(Augmentation):
    """Moved by two shares, of its height and of its width, each drawn evenly from -share to share. Bilinear; what comes in is
    the image reflected at its edge (`d c b a | a b c d | d c b a`).

    ```kmodel
    augment = [shift(0.1)]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_translation.py.
    """

    keras = ("RandomTranslation",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        share = float(arguments["share"])
        return affine(build, image, shift_y=share, shift_x=share)


@augmentation("rotate")
class Rotate(Augmentation):
    """Turned about its middle by an angle drawn evenly from -degrees to degrees. Bilinear, reflected at the edges.

    ```kmodel
    augment = [rotate(10)]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_rotation.py (which is given shares of a turn).
    """

    keras = ("RandomRotation",)
    torch = ("RandomRotation",)
    degrees = Param("number", "the largest angle in degrees", positional=True, low=0.0, high=180.0)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return affine(build, image, angle=radians(arguments["degrees"]))


@augmentation("zoom")
class Zoom(Augmentation):
    """Places are taken from 1 + z times as far from the middle, z drawn evenly from -share to share: larger or smaller, with
    its aspect kept. Bilinear, reflected at the edges.

    ```kmodel
    augment = [zoom(0.1)]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_zoom.py.
    """

    keras = ("RandomZoom",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0, open="high")

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return affine(build, image, zoom=float(arguments["share"]))


@augmentation("contrast")
class Contrast(Augmentation):
    """Differences from the mean of each channel multiplied by a factor, drawn evenly from 1 - share to 1 + share. A `u8` image
    is clipped to 0 .. 255.

    ```kmodel
    augment = [contrast(0.2)]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_contrast.py.
    """

    keras = ("RandomContrast",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_contrast", image, share=float(arguments["share"]), limit=limit)


@augmentation("brightness")
class Brightness(Augmentation):
    """One number added to all pixels, drawn evenly from -share to share of the range of values: 255 for a `u8` image, which is
    clipped to 0 .. 255, and 1 for others.

    ```kmodel
    augment = [brightness(0.2)]
    ```
    Source: keras/src/layers/preprocessing/image_preprocessing/random_brightness.py.
    """

    keras = ("RandomBrightness",)
    torch = ("ColorJitter",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_brightness", image, amount=arguments["share"] * (limit or 1.0), limit=limit)


@augmentation("cutout")
class Cutout(Augmentation):
    """A square of zeros. Its centre is any place of the image with equal probability; what lies outside is cut off.

    ```kmodel
    augment = [cutout(8)]
    ```
    Source: DeVries and Taylor 2017, arXiv 1708.04552.
    """

    keras = ("RandomErasing", "CutOut")
    torch = ("RandomErasing",)
    size = Param("size", "the side of the square", positional=True)

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        return drawn(build, "random_cutout", image, size=arguments["size"])


@augmentation("mixup")
class Mixup(Augmentation):
    """Each sample mixed with the next one of its batch, inputs and targets alike: `share * own + (1 - share) * next`.

    Every sample's share is drawn from Beta(alpha, alpha). The last of a batch is mixed with the first; where batches are
    shuffled, the next one is a sample drawn at random. All inputs and all targets are mixed, images or not, as they are at
    this place of the list: the changes before it are done to both samples.

    A class becomes a share for each class, so `cross_entropy` is `share * loss(own) + (1 - share) * loss(next)`. The
    `accuracy` and `top_k` of training batches compare with the class, or the answer, that has the larger share; other metrics
    compare with the mixture. Nothing is mixed outside of training.

    ```kmodel
    augment = [mixup]
    ```
    Source: Zhang et al. 2017, arXiv 1710.09412, equation 1; Keras's layer draws one share for the whole batch.
    """

    keras = ("MixUp",)
    torch = ("MixUp",)
    mixes = True
    alpha = Param("number", "how even the shares are", 0.2, positional=True, low=0.0, open="low")

    @staticmethod
    def lower(build: Builder, arguments: Mapping[str, Any], image: str, limit: float) -> str:
        attributes = {"alpha": float(arguments["alpha"]), "stream": next_stream(build)}
        return build.add("random_share", [image], attributes, name="mixup.share")
