"""Folders of idx files: both parts, gzipped or not, and every way they can be damaged."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from kdsl.datasets import DataError, load
from kdsl.datasets.idx import read
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.types import TensorType

FASHION = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "fashion-mnist"
IMAGES = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
LABELS = np.array([0, 1, 2, 3, 9], dtype=np.uint8)


def idx(array: np.ndarray, code: int = 8) -> bytes:
    return struct.pack(">HBB", 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES), mtime=0))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS), mtime=0))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(IMAGES[:2]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS[:2]))
    (tmp_path / "LICENSE").write_text("free")
    return tmp_path


def test_both_parts(folder: Path, images: ModelProgram) -> None:
    data = load(str(folder), images)
    inputs, targets = data.train
    assert np.array_equal(inputs["image"], IMAGES) and inputs["image"].dtype == np.uint8
    assert np.array_equal(targets["label"], LABELS) and targets["label"].dtype == np.int32
    assert data.test is not None and data.test.rows == 2
    assert data.unused == ()


def test_a_plain_file_is_read_before_its_gzipped_copy(folder: Path, images: ModelProgram) -> None:
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[::-1]))
    assert load(str(folder), images).train.targets["label"][0] == 9


def test_files_named_after_the_model(folder: Path, images: ModelProgram) -> None:
    (folder / "train-image-idx3-ubyte").write_bytes(idx(IMAGES + 1))
    data = load(str(folder), images)
    assert data.train.inputs["image"][0, 0, 0] == 1
    assert data.unused == ("train-images-idx3-ubyte.gz",)


def test_every_number_type_comes_back_in_native_order(tmp_path: Path) -> None:
    for code, dtype in [(8, ">u1"), (9, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]:
        array = np.array([[1, 2], [3, 100]], dtype=dtype)
        (tmp_path / "x").write_bytes(idx(array, code))
        back = read(tmp_path / "x")
        assert back.dtype == np.dtype(dtype).newbyteorder("=")
        assert np.array_equal(back, array)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (gzip.compress(idx(LABELS), mtime=0)[:-12], "is damaged"),
        (gzip.compress(idx(LABELS[:-1]), mtime=0), "different numbers of rows: image has 5, label has 4"),
        (gzip.compress(idx(LABELS)[:-1], mtime=0), "announces 5 values = 5 bytes, 4 follow"),
        (gzip.compress(idx(LABELS) + b"x", mtime=0), "announces 5 values = 5 bytes, 6 follow"),
        (gzip.compress(b"\x89PNG....", mtime=0), "is no idx file: it starts with 89 50 4e 47"),
        (gzip.compress(b"", mtime=0), "is no idx file: it starts with nothing"),
        (gzip.compress(b"\0\0\x08\x03\0\0", mtime=0), "its header is cut off"),
        (b"not gzip at all", "is damaged"),
        (
            gzip.compress(idx(IMAGES), mtime=0),
            "label has shape (5, 4, 3), wanted is (rows,) for `label: index(10)`, net.kmodel:3",
        ),
    ],
)
def test_a_damaged_file_is_named(folder: Path, images: ModelProgram, data: bytes, says: str) -> None:
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(data)
    with pytest.raises(DataError) as caught:
        load(str(folder), images)
    message = str(caught.value)
    assert says in message
    assert "train-labels-idx1-ubyte.gz" in message or says.startswith(("different", "label"))


def test_a_folder_without_idx_files(tmp_path: Path, images: ModelProgram) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"no idx files such as train-images.* it has cat\.jpg"):
        load(str(tmp_path), images)


def test_a_missing_partner(folder: Path, images: ModelProgram) -> None:
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"no file for label: index\(10\) \(net\.kmodel:3\): of train-images"):
        load(str(folder), images)


@pytest.mark.skipif(not FASHION.is_dir(), reason="Fashion-MNIST is not in ../shared/data")
def test_fashion_mnist(model) -> None:
    fashion = model({"image": TensorType("u8", (28, 28))}, {"label": TensorType("index", (), classes=10)})
    data = load(str(FASHION), fashion)
    assert data.train.inputs["image"].shape == (60000, 28, 28)
    assert data.test is not None and data.test.rows == 10000
    assert np.bincount(data.train.targets["label"]).tolist() == [6000] * 10
    assert round(float(data.train.inputs["image"].mean()), 2) == 72.94
