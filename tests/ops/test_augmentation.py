"""Random changes of images against plain loops over pixels, and their draws against the distributions that are documented."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kdsl.ops import OPS
from kdsl.ops.augmentation import row_draws
from kdsl.ops.dropout import IMAGE_CHANGES

RNG = np.random.default_rng(11)
SETTINGS: dict[str, dict[str, Any]] = {
    "random_flip": {"axis": 1},
    "random_crop": {"pad": 2},
    "random_cutout": {"size": 3},
    "random_affine": {"angle": 0.3, "zoom": 0.2, "shift_y": 0.1, "shift_x": 0.1},
    "random_brightness": {"amount": 20.0, "limit": 255.0},
    "random_contrast": {"share": 0.3, "limit": 255.0},
}


def images(rows: int, *shape: int) -> np.ndarray:
    return RNG.uniform(0, 255, (rows, *shape))


def changed(name: str, x: np.ndarray, seed: int = 1, step: int = 0, stream: int = 0, **settings: Any) -> np.ndarray:
    given = {**SETTINGS[name], **settings}
    return np.asarray(OPS[name].reference(x, **given, stream=stream, seed=seed, step=step))


def even(draws: np.ndarray, outcomes: int) -> None:
    """Chi-squared: whether whole numbers from 0 on are equally likely; 5 deviations are as good as never."""
    counts = np.bincount(draws, minlength=outcomes)
    assert len(counts) == outcomes
    expected = len(draws) / outcomes
    chi = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi - (outcomes - 1)) < 5 * np.sqrt(2 * (outcomes - 1)), counts


# -- draws -----------------------------------------------------------------------------------------------------------


def test_there_is_a_sample_of_each() -> None:
    assert sorted(SETTINGS) == sorted(IMAGE_CHANGES)


def test_draws_are_even_and_of_no_pattern() -> None:
    draws = row_draws(20000, 3, stream=1, seed=7, step=5)
    assert draws.min() >= 0 and draws.max() < 1
    for column in draws.T:
        even((column * 20).astype(int), 20)
        assert abs(np.corrcoef(column[1:], column[:-1])[0, 1]) < 0.03
    assert np.abs(np.corrcoef(draws.T) - np.eye(3)).max() < 0.03


def test_draws_are_those_of_dropout() -> None:
    """The one hash of all random ops: element 1 of a mask that keeps what is drawn above the rate."""
    draws = row_draws(1, 64, stream=3, seed=9, step=2)[0]
    kept = OPS["dropout"].reference(np.ones((1, 64)), rate=0.5, stream=3, seed=9, step=2)[0] > 0
    assert np.array_equal(kept, draws >= 0.5)


@pytest.mark.parametrize("name", IMAGE_CHANGES)
def test_seed_step_and_stream_matter_and_nothing_else(name: str) -> None:
    x = images(16, 6, 5, 2)
    first = changed(name, x)
    assert np.array_equal(first, changed(name, x))
    assert first.shape == x.shape and not np.array_equal(first, x)
    for other in ({"seed": 2}, {"step": 1}, {"stream": 1}):
        assert not np.array_equal(first, changed(name, x, **other)), other
    assert np.array_equal(changed(name, x[:5]), first[:5]), "a row does not know how many there are"


@pytest.mark.parametrize("name", IMAGE_CHANGES)
def test_a_picture_without_channels_is_one_with_a_single_channel(name: str) -> None:
    x = images(9, 6, 5)
    assert np.allclose(changed(name, x), changed(name, x[..., None])[..., 0], rtol=1e-13)


@pytest.mark.parametrize("name", IMAGE_CHANGES)
def test_single_precision_stays(name: str) -> None:
    assert changed(name, images(3, 4, 4, 3).astype(np.float32)).dtype == np.float32


# -- each of them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1])
def test_half_of_the_images_are_flipped(axis: int) -> None:
    x = images(4000, 3, 4, 2)
    y = changed("random_flip", x, axis=axis)
    turned = (y == np.flip(x, axis + 1)).all(axis=(1, 2, 3))
    assert ((y == x).all(axis=(1, 2, 3)) | turned).all()
    assert abs(turned.mean() - 0.5) < 5 * 0.5 / np.sqrt(4000)
    assert np.array_equal(changed("random_flip", y, axis=axis), x), "twice is nothing"


def test_crops_are_every_place_of_the_framed_image_equally_often() -> None:
    pad, x = 2, images(5000, 3, 4, 1)
    y = changed("random_crop", x, pad=pad)
    framed = np.zeros((5000, 7, 8, 1))
    framed[:, 2:5, 2:6] = x
    places = np.full(5000, -1)
    for top in range(5):
        for left in range(5):
            same = (y == framed[:, top : top + 3, left : left + 4]).all(axis=(1, 2, 3))
            places[same & (places < 0)] = top * 5 + left
    even(places, 25)


def test_a_crop_may_miss_the_image() -> None:
    y = changed("random_crop", np.ones((400, 2, 2, 1)), pad=5)
    assert (y == 0).all(axis=(1, 2, 3)).any() and (y == 1).any()


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_cutout_is_a_square_around_any_place(size: int) -> None:
    height, width = 5, 6
    x = np.ones((6000, height, width, 2))
    y = changed("random_cutout", x, size=size)
    assert np.array_equal(y[..., 0], y[..., 1])
    squares = np.ones((height, width, height, width))
    for i in range(height):
        for j in range(width):
            top, left = i - size // 2, j - size // 2
            squares[i, j, max(0, top) : top + size, max(0, left) : left + size] = 0.0
    areas = (y[..., 0] == 0).sum(axis=(1, 2))
    expected = (squares == 0).sum(axis=(2, 3))
    assert areas.max() == size * size
    assert abs(areas.mean() - expected.mean()) < 5 * expected.std() / np.sqrt(len(x)) + 1e-12
    known = {square.tobytes(): number for number, square in enumerate(squares.reshape(-1, height, width))}
    found = np.array([known[np.ascontiguousarray(image).tobytes()] for image in y[..., 0]])
    if len(known) == height * width:
        even(found, height * width)


def by_hand(x: np.ndarray, draws: np.ndarray, angle: float, zoom: float, down: float, right: float) -> np.ndarray:
    """One image [height, width], pixel by pixel, with the distances written out as rotation, zoom and shift say it."""
    height, width = x.shape
    a, z = angle * (2 * draws[0] - 1), 1 + zoom * (2 * draws[1] - 1)
    dy, dx = down * height * (2 * draws[2] - 1), right * width * (2 * draws[3] - 1)
    wide = np.pad(x, 4 * max(height, width), mode="symmetric")
    origin = 4 * max(height, width)
    y = np.zeros_like(x)
    for i in range(height):
        for j in range(width):
            p = np.array([i - (height - 1) / 2, j - (width - 1) / 2])
            turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
            v, u = z * (turn @ p) + [(height - 1) / 2 - dy, (width - 1) / 2 - dx]
            for k, wk in ((np.floor(v), 1 - (v - np.floor(v))), (np.floor(v) + 1, v - np.floor(v))):
                for m, wm in ((np.floor(u), 1 - (u - np.floor(u))), (np.floor(u) + 1, u - np.floor(u))):
                    y[i, j] += wk * wm * wide[origin + int(k), origin + int(m)]
    return y


@pytest.mark.parametrize(
    ("angle", "zoom", "down", "right"),
    [(0.5, 0, 0, 0), (3.1, 0, 0, 0), (0, 0.5, 0, 0), (0, 0, 0.4, 0), (0, 0, 0, 0.9), (1.0, 0.3, 0.2, 0.1)],
)
def test_turned_zoomed_and_shifted_pixel_by_pixel(angle: float, zoom: float, down: float, right: float) -> None:
    x = images(5, 5, 7)
    y = changed("random_affine", x, angle=angle, zoom=zoom, shift_y=down, shift_x=right, stream=2)
    draws = row_draws(5, 4, stream=2, seed=1, step=0)
    for row in range(5):
        np.testing.assert_allclose(y[row], by_hand(x[row], draws[row], angle, zoom, down, right), atol=1e-9)


def test_nothing_asked_for_is_nothing_done() -> None:
    x = images(4, 5, 6, 3)
    assert np.array_equal(changed("random_affine", x, angle=0.0, zoom=0.0, shift_y=0.0, shift_x=0.0), x)
    assert np.array_equal(changed("random_brightness", x, amount=0.0, limit=0.0), x)
    assert np.allclose(changed("random_contrast", x, share=0.0, limit=0.0), x, rtol=1e-13)


def test_a_constant_image_stays_constant_when_moved() -> None:
    y = changed("random_affine", np.full((8, 5, 6, 2), 7.0), angle=2.0, zoom=0.5, shift_y=0.7, shift_x=0.7)
    assert np.allclose(y, 7.0, rtol=1e-14)


def test_brightness_is_one_even_number_for_an_image() -> None:
    x = images(4000, 2, 2, 3)
    added = changed("random_brightness", x, amount=30.0, limit=0.0) - x
    assert np.allclose(added, added[:, :1, :1, :1])
    even(((added[:, 0, 0, 0] + 30.0) / 60.0 * 12).astype(int), 12)
    clipped = changed("random_brightness", x, amount=30.0, limit=255.0)
    assert np.array_equal(clipped, np.clip(x + added, 0, 255)) or np.allclose(clipped, np.clip(x + added, 0, 255))
    assert clipped.min() == 0.0 and clipped.max() == 255.0


def test_contrast_keeps_the_mean_of_each_channel() -> None:
    x = images(4000, 3, 4, 2)
    y = changed("random_contrast", x, share=0.4, limit=0.0)
    assert np.allclose(y.mean(axis=(1, 2)), x.mean(axis=(1, 2)))
    factors = (y - y.mean(axis=(1, 2), keepdims=True)) / (x - x.mean(axis=(1, 2), keepdims=True))
    assert np.allclose(factors, factors[:, :1, :1, :1], rtol=1e-6)
    even(((factors[:, 0, 0, 0] - 0.6) / 0.8 * 12).astype(int), 12)
    assert changed("random_contrast", x, share=1.0, limit=200.0).max() == 200.0
