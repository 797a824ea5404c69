"""`.npz` archives: arrays by the model's names, Keras's names, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kdsl.datasets import DataError, load
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.types import TensorType

IMAGES = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
LABELS = np.array([0, 1, 2, 3, 9])


def saved(tmp_path: Path, **arrays: np.ndarray) -> str:
    np.savez(tmp_path / "data.npz", **arrays)
    return str(tmp_path / "data.npz")


def test_arrays_by_name_with_a_test_part(tmp_path: Path, images: ModelProgram) -> None:
    spec = saved(tmp_path, image=IMAGES, label=LABELS, test_image=IMAGES[:2], test_label=LABELS[:2], notes=LABELS)
    data = load(spec, images)
    assert np.array_equal(data.train.inputs["image"], IMAGES)
    assert data.train.targets["label"].dtype == np.int32
    assert data.test is not None and data.test.rows == 2
    assert data.unused == ("notes",)


def test_the_names_of_keras(tmp_path: Path, images: ModelProgram) -> None:
    spec = saved(tmp_path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:1], y_test=LABELS[:1])
    data = load(spec, images)
    assert data.train.rows == 5 and data.test is not None and data.test.rows == 1 and data.unused == ()


def test_axes_of_one_come_and_go_and_flat_rows_are_shaped(tmp_path: Path, images: ModelProgram) -> None:
    for given in (IMAGES[..., None], IMAGES.reshape(5, 12)):
        data = load(saved(tmp_path, image=given, label=LABELS[:, None]), images)
        assert np.array_equal(data.train.inputs["image"], IMAGES)
        assert data.train.targets["label"].shape == (5,)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"images": IMAGES, "label": LABELS}, r"no array for image: u8\[4, 3\] \(net.kmodel:3\).*images uint8\[5, 4, 3\].* is images meant"),
        ({"image": IMAGES.transpose(0, 2, 1), "label": LABELS}, r"data\.npz: image has shape \(5, 3, 4\), wanted is \(rows, 4, 3\) for `image: u8\[4, 3\]`, net\.kmodel:3; channels come last"),
        ({"image": IMAGES / 255, "label": LABELS}, r"data\.npz: image has 0\.00.* in row 0, not a whole number .*declare `image: f32\[4, 3\]`"),
        ({"image": IMAGES.astype(int) + 250, "label": LABELS}, r"image has 256 in row 0, outside 0\.\.255"),
        ({"image": np.where(IMAGES == 7, np.nan, 1.0), "label": LABELS}, r"image has nan in row 0"),
        ({"image": IMAGES, "label": LABELS.astype(str)}, r"label holds text .*give each text a number first"),
        ({"image": IMAGES, "label": LABELS.astype(object)}, r"label holds Python objects"),
        ({"image": IMAGES, "label": LABELS - 1}, r"label has -1 in row 0, outside 0\.\.9 \(`label: index\(10\)`, net\.kmodel:3\)"),
        ({"image": IMAGES, "label": LABELS + 2}, r"label has 11 in row 4, outside 0\.\.9"),
        ({"image": IMAGES, "label": LABELS[:4]}, r"different numbers of rows: image has 5, label has 4"),
        ({"image": IMAGES[:0], "label": LABELS[:0]}, r"image has no rows"),
        ({"image": IMAGES, "label": np.array(3)}, r"label has shape \(\), wanted is \(rows,\)"),
        ({"image": IMAGES, "label": LABELS, "test_image": IMAGES}, r"has test_image but no test_label"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    tmp_path: Path, images: ModelProgram, arrays: dict[str, np.ndarray], says: str
) -> None:
    spec = saved(tmp_path, **arrays)
    with pytest.raises(DataError, match=says) as caught:
        load(spec, images)
    assert "data.npz" in str(caught.value)


def test_pickles_are_never_loaded(tmp_path: Path, images: ModelProgram) -> None:
    class Payload:
        def __reduce__(self):  # what unpickling would run
            return (Path.touch, (tmp_path / "owned",))

    spec = saved(tmp_path, image=np.array([Payload()], dtype=object), label=LABELS)
    with pytest.raises(DataError, match="Python objects"):
        load(spec, images)
    assert not (tmp_path / "owned").exists()


def test_damaged_archives(tmp_path: Path, images: ModelProgram) -> None:
    path = Path(saved(tmp_path, image=IMAGES, label=LABELS))
    whole = path.read_bytes()
    for damaged in (b"", b"PK", whole[:200], whole[:-30], whole.replace(IMAGES.tobytes()[:20], b"x" * 20)):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"data\.npz"):
            load(str(path), images)


def test_a_single_array_is_no_archive(tmp_path: Path, images: ModelProgram) -> None:
    np.save(tmp_path / "one.npy", IMAGES)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(DataError, match="holds a single array"):
        load(str(tmp_path / "one.npz"), images)


def test_bool_and_float_targets(tmp_path: Path, model) -> None:
    tags = model({"x": TensorType("f32", (2,))}, {"tags": TensorType("bool", (3,)), "score": TensorType("f32")})
    spec = saved(tmp_path, x=np.ones((4, 2), dtype=np.int64), tags=np.eye(4, 3), score=np.ones(4, dtype=np.float32))
    data = load(spec, tags)
    assert data.train.targets["tags"].tolist() == np.eye(4, 3).tolist()
    assert data.train.targets["score"].dtype == np.float32
    assert data.train.inputs["x"].dtype.kind == "f"


@pytest.mark.parametrize(
    ("spec", "says"),
    [("nowhere.npz", "there is no file or folder"), ("dat.npz", r"did you mean .*data\.npz"), ("data.parquet", "of no kind that kdsl reads")],
)  # fmt: skip
def test_specs_that_name_nothing(tmp_path: Path, images: ModelProgram, spec: str, says: str) -> None:
    (tmp_path / "data.parquet").touch()
    saved(tmp_path, image=IMAGES, label=LABELS)
    with pytest.raises(DataError, match=says):
        load(str(tmp_path / spec), images)
