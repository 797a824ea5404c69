"""CIFAR-10 and CIFAR-100 in both versions, from folders and archives, and every way their files can be wrong."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kdsl.datasets import DataError, load
from kdsl.datasets import cifar as cifar_files
from kdsl.graph.types import TensorType

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cifar10"
RNG = np.random.default_rng(7)
IMAGES = RNG.integers(0, 256, (7, 32, 32, 3)).astype(np.uint8)
PLANES = IMAGES.transpose(0, 3, 1, 2).reshape(7, 3072)
LABELS = np.array([3, 1, 4, 1, 5, 9, 2])
COARSE = np.array([19, 0, 3, 4, 5, 6, 7])
FINE = np.array([99, 0, 30, 40, 50, 60, 70])
PICTURE = {"image": TensorType("u8", (32, 32, 3))}
LABEL = {"label": TensorType("index", (), classes=10)}


def binary(rows: slice, *labels: np.ndarray) -> bytes:
    columns = [each[rows, None].astype(np.uint8) for each in labels]
    return np.concatenate([*columns, PLANES[rows]], axis=1).tobytes()


def pickled(rows: slice, **labels: np.ndarray) -> bytes:
    lists = {key.encode(): value[rows].tolist() for key, value in labels.items()}
    return pickle.dumps({b"batch_label": b"testing", b"data": PLANES[rows], **lists}, protocol=2)


TEN_BINARY = {
    "data_batch_1.bin": binary(slice(0, 2), LABELS),
    "data_batch_2.bin": binary(slice(2, 3), LABELS),
    "data_batch_10.bin": binary(slice(3, 5), LABELS),
    "test_batch.bin": binary(slice(5, 7), LABELS),
    "batches.meta.txt": b"airplane\n",
}
TEN_PYTHON = {
    "data_batch_1": pickled(slice(0, 2), labels=LABELS),
    "data_batch_2": pickled(slice(2, 5), labels=LABELS),
    "test_batch": pickled(slice(5, 7), labels=LABELS),
    "batches.meta": pickle.dumps({}),
}
HUNDRED_BINARY = {"train.bin": binary(slice(0, 5), COARSE, FINE), "test.bin": binary(slice(5, 7), COARSE, FINE)}
HUNDRED_PYTHON = {
    "train": pickled(slice(0, 5), coarse_labels=COARSE, fine_labels=FINE),
    "test": pickled(slice(5, 7), coarse_labels=COARSE, fine_labels=FINE),
    "meta": pickle.dumps({}),
}
INSIDE = {
    "binary": ("cifar-10-batches-bin", TEN_BINARY),
    "python": ("cifar-10-batches-py", TEN_PYTHON),
    "binary100": ("cifar-100-binary", HUNDRED_BINARY),
    "python100": ("cifar-100-python", HUNDRED_PYTHON),
}


def tar(path: Path, inside: str, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{inside}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def cifar(model):
    return model(PICTURE, LABEL)


@pytest.fixture
def cifar100(model):
    return model(PICTURE, {"label": TensorType("index", (), classes=100)})


def place_of(tmp_path: Path, version: str, how: str) -> Path:
    inside, files = INSIDE[version]
    if how == "folder":
        return write(tmp_path / "data", files)
    if how == "zipped":
        return write(tmp_path / "data", {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in files.items()})
    if how == "unpacked below":
        return write(tmp_path / inside, files).parent
    if how == "archive below":
        return tar(tmp_path / f"{inside}.tar.gz", inside, files).parent
    if how == "plain archive":
        return tar(tmp_path / "any.tar", inside, files, "w")
    return tar(tmp_path / "any.tar.gz", inside, files)


HOWS = ("folder", "zipped", "unpacked below", "archive below", "archive", "plain archive")


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("version", ["binary", "python"])
def test_cifar10(version: str, how: str, tmp_path: Path, cifar) -> None:
    data = load(f"cifar10:{place_of(tmp_path, version, how)}", cifar)
    assert np.array_equal(data.train.inputs["image"], IMAGES[:5])
    assert data.train.inputs["image"].dtype == np.uint8 and data.train.inputs["image"].flags.c_contiguous
    assert data.train.targets["label"].tolist() == LABELS[:5].tolist()
    assert data.test is not None
    assert np.array_equal(data.test.inputs["image"], IMAGES[5:])
    assert data.test.targets["label"].tolist() == LABELS[5:].tolist()


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("version", ["binary100", "python100"])
def test_cifar100(version: str, how: str, tmp_path: Path, cifar100) -> None:
    place = place_of(tmp_path, version, how)
    for ending, labels in (("", FINE), (":fine", FINE), (":coarse", COARSE)):
        data = load(f"cifar100:{place}{ending}", cifar100)
        assert np.array_equal(data.train.inputs["image"], IMAGES[:5])
        assert data.train.targets["label"].tolist() == labels[:5].tolist()
        assert data.test is not None and data.test.targets["label"].tolist() == labels[5:].tolist()


def test_both_labels_by_name(tmp_path: Path, model) -> None:
    both = model(PICTURE, {"fine": TensorType("index", (), classes=100), "coarse": TensorType("index", (), classes=20)})
    data = load(f"cifar100:{write(tmp_path / 'x', HUNDRED_BINARY)}", both)
    assert data.train.targets["fine"].tolist() == FINE[:5].tolist()
    assert data.train.targets["coarse"].tolist() == COARSE[:5].tolist()


def test_a_target_named_coarse_takes_those_labels(tmp_path: Path, model) -> None:
    coarse = model(PICTURE, {"coarse": TensorType("index", (), classes=20)})
    data = load(f"cifar100:{write(tmp_path / 'x', HUNDRED_BINARY)}", coarse)
    assert data.train.targets["coarse"].tolist() == COARSE[:5].tolist()


def test_a_test_part_may_be_missing_or_a_cut(tmp_path: Path, cifar) -> None:
    files = {name: data for name, data in TEN_BINARY.items() if name != "test_batch.bin"}
    folder = write(tmp_path / "x", files)
    assert load(f"cifar10:{folder}", cifar).test is None
    write(folder, {"test_batch_first1.bin": binary(slice(5, 6), LABELS)})
    test = load(f"cifar10:{folder}", cifar).test
    assert test is not None and test.rows == 1
    write(folder, {"test_batch.bin": TEN_BINARY["test_batch.bin"]})
    test = load(f"cifar10:{folder}", cifar).test
    assert test is not None and test.rows == 2


def refused(spec: str, program) -> str:
    with pytest.raises(DataError) as caught:
        load(spec, program)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("data_batch_2.bin", TEN_BINARY["data_batch_2.bin"][:-1], "3,072 bytes are no whole number of images"),
        ("data_batch_2.bin", b"", "0 bytes are no whole number of images, which have 3,073 each"),
        ("data_batch_2.bin", b"\x0a" + bytes(3072), "image 0 has the label 10, they lie in 0 to 9"),
        ("data_batch_2.bin.gz", gzip.compress(TEN_BINARY["data_batch_2.bin"], mtime=0)[:-20], "is damaged"),
        ("data_batch_2.bin.gz", b"no gzip", "is damaged"),
    ],
)
def test_a_wrong_binary_file_is_named(name: str, data: bytes, says: str, tmp_path: Path, cifar) -> None:
    folder = write(tmp_path / "x", TEN_BINARY)
    (folder / "data_batch_2.bin").unlink()
    (folder / name).write_bytes(data)
    message = refused(f"cifar10:{folder}", cifar)
    assert says in message and str(folder / name) in message


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ([1, 2], "is no batch of cifar10: it holds no dict"),
        ({b"labels": [1]}, "its `data` is no array of bytes of shape (images, 3072)"),
        ({b"data": np.zeros((1, 3071), np.uint8), b"labels": [1]}, "its `data` is no array of bytes"),
        ({b"data": np.zeros((1, 3072), np.float32), b"labels": [1]}, "its `data` is no array of bytes"),
        ({b"data": np.zeros((1, 3072), np.uint8)}, "has no list `labels`"),
        ({b"data": np.zeros((1, 3072), np.uint8), b"labels": [1, 2]}, "has 1 images, its `labels` are not as many"),
        ({b"data": np.zeros((1, 3072), np.uint8), b"labels": ["a"]}, "its `labels` are not as many whole numbers"),
        ({b"data": np.zeros((1, 3072), np.uint8), b"labels": [-1]}, "image 0 has the label -1"),
        ({b"data": np.zeros((1, 3072), np.uint8), b"labels": Path("x")}, "holds more than arrays, lists and texts"),
    ],
)
def test_a_wrong_pickle_is_named(held: object, says: str, tmp_path: Path, cifar) -> None:
    folder = write(tmp_path / "x", {**TEN_PYTHON, "data_batch_2": pickle.dumps(held, protocol=2)})
    message = refused(f"cifar10:{folder}", cifar)
    assert says in message and str(folder / "data_batch_2") in message


def test_a_cut_pickle_is_named(tmp_path: Path, cifar) -> None:
    folder = write(tmp_path / "x", {**TEN_PYTHON, "test_batch": TEN_PYTHON["test_batch"][:-100]})
    assert f"{folder / 'test_batch'} is damaged, or no pickle" in refused(f"cifar10:{folder}", cifar)


def test_damaged_archives(tmp_path: Path, cifar) -> None:
    path = place_of(tmp_path, "binary", "archive")
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], whole[:-9], b"", b"no archive", gzip.compress(b"no archive", mtime=0)):
        path.write_bytes(data)
        assert f"{path} is no tar archive, or a damaged one" in refused(f"cifar10:{path}", cifar)
    path = tar(tmp_path / "cut.tar", "x", TEN_BINARY, "w")
    path.write_bytes(path.read_bytes()[:5000])
    assert str(path) in refused(f"cifar10:{path}", cifar)


def test_members_are_read_in_memory_whatever_their_names_say(tmp_path: Path, cifar) -> None:
    (tmp_path / "inside").mkdir()
    path = tar(tmp_path / "inside" / "a.tar.gz", "../..", TEN_BINARY)
    assert load(f"cifar10:{path}", cifar).train.rows == 5
    path = tar(tmp_path / "inside" / "b.tar.gz", "/etc", TEN_BINARY)
    assert load(f"cifar10:{path}", cifar).train.rows == 5
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar.gz", "b.tar.gz", "inside"]


def test_links_in_archives_are_passed_over(tmp_path: Path, cifar) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(TEN_BINARY["data_batch_1.bin"])
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo("data_batch_1.bin")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
    assert "has no files of cifar10" in refused(f"cifar10:{tmp_path / 'links.tar'}", cifar)


def test_published_files_have_known_checksums(tmp_path: Path, cifar, monkeypatch) -> None:
    """Files of the published names and sizes are the published ones, or else said to be damaged."""
    kind = replace(cifar_files.KINDS["cifar10"], rows=(2,))
    monkeypatch.setitem(cifar_files.KINDS, "cifar10", kind)
    folder = write(tmp_path / "x", TEN_BINARY)
    message = refused(f"cifar10:{folder}", cifar)
    assert f"{folder / 'data_batch_1.bin'} is damaged or changed: its MD5 is" in message
    assert "the published file's is 5dd7e06a14cb22eb9f671a540d1b7c25" in message


def test_models_that_do_not_fit(tmp_path: Path, model) -> None:
    folder = write(tmp_path / "x", TEN_BINARY)
    grey = model({"image": TensorType("u8", (32, 32))}, LABEL)
    assert "image has shape (5, 32, 32, 3), wanted is (rows, 32, 32)" in refused(f"cifar10:{folder}", grey)
    two = model({**PICTURE, "other": TensorType("f32")}, LABEL)
    assert "cifar10 has images for one input, the model Net has 2" in refused(f"cifar10:{folder}", two)
    strange = model(PICTURE, {**LABEL, "boxes": TensorType("f32", (4,))})
    assert "cifar10 has nothing for boxes: f32[4]" in refused(f"cifar10:{folder}", strange)
    few = model(PICTURE, {"label": TensorType("index", (), classes=3)})
    assert "label" in refused(f"cifar10:{folder}", few)
    floats = model({"image": TensorType("f32", (32, 32, 3))}, LABEL)
    assert load(f"cifar10:{folder}", floats).train.inputs["image"].dtype == np.float32


def test_places_without_data(tmp_path: Path, cifar, cifar100) -> None:
    assert refused(f"cifar10:{tmp_path / 'none'}", cifar) == f"there is no file or folder {tmp_path / 'none'}"
    (tmp_path / "notes.txt").write_text("x")
    assert "such as data_batch_1.bin or data_batch_1, nor an archive of them; it has notes.txt" in refused(
        f"cifar10:{tmp_path}", cifar
    )
    assert "has no files of cifar100 such as train.bin or train" in refused(f"cifar100:{tmp_path}", cifar100)
    (tmp_path / "test_batch.bin").write_bytes(TEN_BINARY["test_batch.bin"])
    assert "has a test part of cifar10 but no training part" in refused(f"cifar10:{tmp_path}", cifar)
    assert "asks for the labels rough; there are coarse and fine ones" in refused(
        f"cifar100:{tmp_path}:rough", cifar100
    )
    assert f"cifar10:{tmp_path}" in refused(str(tmp_path), cifar)


@pytest.mark.skipif(not REAL.is_dir(), reason="CIFAR-10 is not in ../shared/data")
def test_the_real_files(cifar) -> None:
    data = load(f"cifar10:{REAL}", cifar)
    assert data.train.rows == 20000 and data.train.inputs["image"].shape == (20000, 32, 32, 3)
    assert data.train.targets["label"][:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert data.train.inputs["image"][0, 0, 0].tolist() == [59, 62, 63]
    assert data.test is not None and data.test.rows == 1000
    assert data.test.targets["label"][:6].tolist() == [3, 8, 8, 0, 6, 6]
