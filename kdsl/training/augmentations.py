"""Augmentations: random changes of training images. Their arguments are checked; a later version runs them."""

from __future__ import annotations

from kdsl.ops.registry import Param
from kdsl.training.registry import AUGMENTATIONS, Augmentation, augmentation

__all__ = ["AUGMENTATIONS", "Augmentation"]


@augmentation("flip_horizontal")
class FlipHorizontal(Augmentation):
    """Left and right exchanged, with probability one half.

    ```kmodel
    augment = [flip_horizontal]
    ```
    """

    keras = ("RandomFlip", "random_flip")
    torch = ("RandomHorizontalFlip",)


@augmentation("flip_vertical")
class FlipVertical(Augmentation):
    """Top and bottom exchanged, with probability one half.

    ```kmodel
    augment = [flip_vertical]
    ```
    """

    torch = ("RandomVerticalFlip",)


@augmentation("pad_crop")
class PadCrop(Augmentation):
    """Zeros all around, then a cut of the old size at a random place.

    ```kmodel
    augment = [pad_crop(4)]
    ```
    """

    keras = ("RandomCrop",)
    torch = ("RandomCrop",)
    pad = Param("size", "zeros on each side", positional=True)


@augmentation("shift")
class Shift(Augmentation):
    """Moved by a random share of its height and width, up to this one.

    ```kmodel
    augment = [shift(0.1)]
    ```
    """

    keras = ("RandomTranslation",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0)


@augmentation("rotate")
class Rotate(Augmentation):
    """Turned by a random angle, up to this one either way.

    ```kmodel
    augment = [rotate(10)]
    ```
    """

    keras = ("RandomRotation",)
    torch = ("RandomRotation",)
    degrees = Param("number", "the largest angle in degrees", positional=True, low=0.0, high=180.0)


@augmentation("zoom")
class Zoom(Augmentation):
    """Made larger or smaller by a random share, up to this one.

    ```kmodel
    augment = [zoom(0.1)]
    ```
    """

    keras = ("RandomZoom",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0, open="high")


@augmentation("contrast")
class Contrast(Augmentation):
    """Differences from the mean multiplied by a random factor, up to this share from 1.

    ```kmodel
    augment = [contrast(0.2)]
    ```
    """

    keras = ("RandomContrast",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0)


@augmentation("brightness")
class Brightness(Augmentation):
    """A random number added to all pixels, up to this share of the range of values.

    ```kmodel
    augment = [brightness(0.2)]
    ```
    """

    keras = ("RandomBrightness",)
    torch = ("ColorJitter",)
    share = Param("number", "the largest share", positional=True, low=0.0, high=1.0)


@augmentation("cutout")
class Cutout(Augmentation):
    """A square of zeros at a random place. DeVries and Taylor 2017, arXiv 1708.04552.

    ```kmodel
    augment = [cutout(8)]
    ```
    """

    keras = ("RandomErasing", "CutOut")
    torch = ("RandomErasing",)
    size = Param("size", "the side of the square", positional=True)


@augmentation("mixup")
class Mixup(Augmentation):
    """Two samples and their targets mixed, the share drawn from Beta(alpha, alpha). Zhang et al. 2017, arXiv 1710.09412.

    ```kmodel
    augment = [mixup]
    ```
    """

    keras = ("MixUp",)
    torch = ("MixUp",)
    alpha = Param("number", "how even the shares are", 0.2, positional=True, low=0.0, open="low")
