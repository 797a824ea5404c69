"""save, load and load_weights: resumed training, whole files or none, and files that are not to be believed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

HEADER = "kdsl/header.npy"


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def trained(small, data, **arguments):
    model = small.Small(**arguments)
    model.fit(*data, epochs=2, verbose=0)
    return model


def npy(array, **arguments):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), **arguments)
    return file.getvalue()


def rewritten(path, changes, compression=zipfile.ZIP_STORED):
    """The file with members replaced (bytes), removed (None) or added."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members |= changes
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)


def test_round_trip(small, data, tmp_path):
    model = trained(small, data, lr=0.02, seed=11)
    path = tmp_path / "weights.npz"
    model.save(path)
    loaded = small.Small.load(path)
    assert same(model.get_weights(), loaded.get_weights())
    assert loaded._numbers == model._numbers and loaded._seed == 11
    assert (loaded._iterations, loaded._epochs) == (10, 2)
    for slot in ("momentum", "velocity"):
        for name in model.get_weights():
            assert np.array_equal(model._core.get_slot(slot, name), loaded._core.get_slot(slot, name))
    with np.load(path) as archive:  # NumPy reads it without pickle
        assert np.array_equal(archive["logits.dense.kernel"], model.get_weights()["logits.dense.kernel"])


def test_equal_models_make_equal_files(small, data, tmp_path):
    for name in ("a", "b"):
        trained(small, data).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


RESUME = """
import sys
import numpy as np
sys.path.insert(0, {folder!r})
from small import Small
x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
y = x[:, :3].argmax(axis=1)
model = Small.load({path!r})
model.fit(x, y, epochs=10, initial_epoch=5, validation_split=0.1, verbose=0)
model.save({path!r} + ".resumed")
"""


def test_training_resumed_in_a_new_process_gives_the_same_bits(small, built, data, tmp_path):
    whole, half = small.Small(lr=0.03, seed=3), small.Small(lr=0.03, seed=3)
    path = tmp_path / "half.npz"
    whole.fit(*data, epochs=10, validation_split=0.1, verbose=0)
    half.fit(*data, epochs=5, validation_split=0.1, verbose=0)
    half.save(path)
    script = RESUME.format(folder=str(built), path=str(path))
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    whole.save(tmp_path / "whole.npz")
    assert (tmp_path / "half.npz.resumed").read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_load_weights_takes_the_weights_alone(small, data, tmp_path):
    model, other = trained(small, data), small.Small(seed=9)
    model.save(tmp_path / "w")
    other.load_weights(tmp_path / "w")
    assert same(model.get_weights(), other.get_weights())
    assert other._iterations == 0 and not other._core.get_slot("momentum", "logits.dense.bias").any()


def test_saving_replaces_what_a_link_points_to(small, tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    small.Small().save(link)
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    small.Small().load_weights(target)


@pytest.mark.parametrize("where", ["folder", "missing folder", "read-only folder"])
def test_places_that_cannot_be_written(small, tmp_path, where):
    path = {"folder": tmp_path, "missing folder": tmp_path / "no" / "w", "read-only folder": tmp_path / "w"}[where]
    if where == "read-only folder":
        if os.geteuid() == 0:
            pytest.skip("root writes everywhere")
        tmp_path.chmod(0o500)
    with pytest.raises(OSError):
        small.Small().save(path)


def test_a_failing_save_leaves_the_old_file_and_nothing_else(small, tmp_path, monkeypatch):
    path = tmp_path / "w"
    small.Small(seed=1).save(path)
    before = path.read_bytes()
    for error in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        monkeypatch.setattr(os, "fsync", lambda number, error=error: (_ for _ in ()).throw(error))
        with pytest.raises(type(error)):
            small.Small(seed=2).save(path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["w"]


def test_what_killed_writers_left_is_removed(small, tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    kept = [f".w.{os.getpid()}-aa.tmp", f".other.{dead.stdout.strip()}-aa.tmp", ".w.npz"]
    for name in (*kept, f".w.{dead.stdout.strip()}-aa.tmp"):
        (tmp_path / name).write_bytes(b"")
    old = tmp_path / f".w.{os.getpid()}-bb.tmp"
    old.write_bytes(b"")
    os.utime(old, (time.time() - 7200,) * 2)
    small.Small().save(tmp_path / "w")
    assert sorted(os.listdir(tmp_path)) == sorted(["w", *kept])


SAVING = """
import sys
sys.path.insert(0, {folder!r})
from small import Small
models = [Small(seed=seed) for seed in range(3)]
print("ready", flush=True)
while True:
    for model in models:
        model.save({path!r})
"""


def test_a_killed_save_leaves_a_whole_file(small, built, tmp_path):
    path = tmp_path / "w.npz"
    expected = [small.Small(seed=seed).get_weights() for seed in range(3)]
    for attempt in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVING.format(folder=str(built), path=str(path))], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        while attempt == 0 and not path.exists():
            time.sleep(0.001)
        time.sleep(0.0037 * (attempt + 1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        weights = small.Small.load(path).get_weights()
        assert any(same(weights, one) for one in expected)
    small.Small().save(path)
    assert os.listdir(tmp_path) == ["w.npz"]


# -- files that are not this model's --------------------------------------------------------------------------------


def header_with(path, **changes):
    with zipfile.ZipFile(path) as archive:
        array = np.lib.format.read_array(io.BytesIO(archive.read(HEADER)))
    return npy(np.array(json.dumps({**json.loads(str(array)), **changes})))


BIAS = "logits.dense.bias.npy"
DAMAGE = {
    "nothing": (lambda path: path.write_bytes(b""), "File is not a zip file"),
    "text": (lambda path: path.write_text("epoch,loss\n" * 100), "File is not a zip file"),
    "first half": (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "is no weight file"),
    "no header": (lambda path: rewritten(path, {HEADER: None}), "no kdsl module saved it"),
    "header of another format": (lambda path: rewritten(path, {HEADER: header_with(path, format=2)}), "its format is not 1"),
    "header that is no object": (lambda path: rewritten(path, {HEADER: npy(np.array("[1]"))}), "its format is not 1"),
    "header that is no text": (lambda path: rewritten(path, {HEADER: npy(np.array(3))}), "kdsl/header is int64, not U"),
    "header that is no JSON": (lambda path: rewritten(path, {HEADER: npy(np.array("{"))}), "is no weight file"),
    "header with a pickle": (lambda path: rewritten(path, {HEADER: npy(np.array({}, object))}), "is object, not U"),
    "header too long": (lambda path: rewritten(path, {HEADER: npy(np.array("x" * 2**19))}), "its header has 2,097,"),
    "damaged counters": (lambda path: rewritten(path, {HEADER: header_with(path, epochs=-1)}), "damaged header: epochs"),
    "counters of another kind": (lambda path: rewritten(path, {HEADER: header_with(path, seed="x")}), "damaged header: seed"),
    "numbers of another optimizer": (lambda path: rewritten(path, {HEADER: header_with(path, numbers={"rho": 1})}), "'rho'"),
    "numbers that are none": (lambda path: rewritten(path, {HEADER: header_with(path, numbers=[1])}), "damaged header"),
    "numbers not finite": (lambda path: rewritten(path, {HEADER: header_with(path, numbers={"lr": 1e999})}), "lr is a finite"),
    "another optimizer": (lambda path: rewritten(path, {HEADER: header_with(path, optimizer="sgd")}), "saved with the optimizer sgd, Small has adam"),
    "missing member": (lambda path: rewritten(path, {BIAS: None}), "it lacks logits.dense.bias"),
    "missing state": (lambda path: rewritten(path, {f"optimizer/velocity/{BIAS}": None}), "it lacks optimizer/velocity/logits.dense.bias"),
    "extra member": (lambda path: rewritten(path, {"extra.npy": npy(np.ones(3))}), "the model has no extra"),
    "compressed": (lambda path: rewritten(path, {}, zipfile.ZIP_DEFLATED), "is compressed or encrypted"),
    "another shape": (lambda path: rewritten(path, {BIAS: npy(np.ones((2, 4), np.float32))}), r"logits.dense.bias has the shape (2, 4), not (8,)"),
    "another type": (lambda path: rewritten(path, {BIAS: npy(np.ones(8, np.int32))}), "logits.dense.bias is int32, not <f4"),
    "another byte order": (lambda path: rewritten(path, {BIAS: npy(np.ones(8, ">f4"))}), "logits.dense.bias is >f4, not <f4"),
    "double precision": (lambda path: rewritten(path, {BIAS: npy(np.ones(800, np.float64))}), "logits.dense.bias has 6,528 bytes, float32[8] has 32 and a short header"),
    "objects": (lambda path: rewritten(path, {BIAS: npy(np.array([None] * 8), allow_pickle=True)}), "logits.dense.bias is object, not <f4"),
    "no array": (lambda path: rewritten(path, {BIAS: b"x" * 160}), "the magic string is not correct"),
    "array cut short": (lambda path: rewritten(path, {BIAS: npy(np.ones(8, np.float32))[:-4]}), "logits.dense.bias has 28 bytes of values"),
    "evil header": (lambda path: rewritten(path, {BIAS: b"\x93NUMPY\x01\x00\x76\x00" + b"(" * 118 + b"\0" * 32}), "is no weight file"),
    "huge shape": (lambda path: rewritten(path, {BIAS: npy(np.ones(8, np.float32)).replace(b"(8,), }          ", b"(8000000000000,), }")}), "has the shape (8000000000000,), not (8,)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_files(small, data, tmp_path, kind):
    damage, text = DAMAGE[kind]
    path = tmp_path / "w.npz"
    trained(small, data).save(path)
    damage(path)
    with pytest.raises(ValueError) as caught:
        small.Small.load(path)
    assert text in str(caught.value) and str(path) in str(caught.value)


def test_a_flipped_bit_is_found(small, data, tmp_path):
    path = tmp_path / "w.npz"
    model = trained(small, data)
    model.save(path)
    whole = path.read_bytes()
    place = whole.index(model.get_weights()["logits.dense.kernel"].tobytes()) + 5
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
    other = small.Small(seed=1)
    before = other.get_weights()
    with pytest.raises(ValueError, match="Bad CRC-32"):
        other.load_weights(path)
    assert same(before, other.get_weights())


def test_two_members_of_one_name(small, tmp_path):
    path = tmp_path / "w.npz"
    small.Small().save(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(BIAS, npy(np.ones(8, np.float32)))
    with pytest.raises(ValueError, match=r"it has two members 'logits.dense.bias.npy'"):
        small.Small.load(path)


def test_a_zip_bomb_is_refused_before_it_is_read(small, tmp_path):
    path = tmp_path / "w.npz"
    small.Small().save(path)
    rewritten(path, {BIAS: npy(np.zeros(50_000_000, np.float32))}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1_000_000
    start = time.perf_counter()
    with pytest.raises(ValueError, match="compressed"):
        small.Small.load(path)
    assert time.perf_counter() - start < 0.5


def test_another_models_file_says_how_it_differs(small, pictures, tmp_path):
    pictures.Pictures().save(tmp_path / "w")
    with pytest.raises(ValueError, match=r"it lacks logits.dense_2.bias, logits.dense_2.kernel"):
        small.Small.load(tmp_path / "w")


def test_a_file_of_numpy_itself(small, tmp_path):
    np.savez(tmp_path / "w.npz", **small.Small().get_weights())
    with pytest.raises(ValueError, match="no kdsl module saved it"):
        small.Small.load(tmp_path / "w.npz")


def test_no_file(small, tmp_path):
    with pytest.raises(FileNotFoundError):
        small.Small.load(tmp_path / "nothing")


def test_weights_for_a_model_that_only_predicts(untrained, tmp_path):
    first, second = untrained.Untrained(seed=1), untrained.Untrained(seed=2)
    first.save(tmp_path / "w")
    second.load_weights(tmp_path / "w")
    assert same(first.get_weights(), second.get_weights())
    assert same(first.get_weights(), untrained.Untrained.load(tmp_path / "w").get_weights())
