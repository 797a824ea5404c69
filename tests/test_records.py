"""Records are dataclasses, only cheaper to define."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from kdsl.records import dataclass as record
from kdsl.source import Source
from kdsl.syntax import parse, tree


@record(frozen=True, slots=True)
class Ours:
    """A doc."""

    name: str
    size: int = 3

    def twice(self) -> int:
        return 2 * self.size


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """A doc."""

    name: str
    size: int = 3


@record(frozen=True, slots=True)
class WithField:
    parts: list[int] = dataclasses.field(default_factory=list)


def test_a_record_is_a_dataclass() -> None:
    one = Ours("a")
    assert dataclasses.is_dataclass(one) and one.twice() == 6
    for kind in (Ours, Theirs):
        fields = [(f.name, f.type, f.default, f.init) for f in dataclasses.fields(kind)]
        assert fields == [("name", "str", dataclasses.MISSING, True), ("size", "int", 3, True)]
        assert kind.__slots__ == kind.__match_args__ == ("name", "size") and kind.__doc__ == "A doc."
    assert repr(one) == repr(Theirs("a")).replace("Theirs", "Ours")
    assert dataclasses.replace(one, size=4) == Ours("a", 4) == Ours(size=4, name="a")
    assert dataclasses.asdict(one) == {"name": "a", "size": 3}


def test_equality_and_hash() -> None:
    assert Ours("a") == Ours("a", 3) != Ours("b")
    assert Ours("a") != Theirs("a") and Ours("a") != ("a", 3)
    assert len({Ours("a"), Ours("a"), Ours("b")}) == 2


def test_it_is_frozen_and_has_no_other_attributes() -> None:
    one = Ours("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.size = 4  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.other = 4  # type: ignore[attr-defined]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.name
    with pytest.raises(TypeError):
        Ours()  # type: ignore[call-arg]
    assert not hasattr(one, "__dict__")


def test_copy_pickle_and_match() -> None:
    one = Ours("a", 5)
    assert copy.copy(one) == copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one
    match one:
        case Ours(name, size):
            assert (name, size) == ("a", 5)
        case _:
            raise AssertionError


def test_what_it_does_not_do_itself_the_standard_library_does() -> None:
    assert WithField().parts == [] and WithField().parts is not WithField().parts
    assert record(frozen=True)(type("Open", (), {"__annotations__": {"x": int}}))(3).__dict__ == {"x": 3}


def test_trees_are_equal_by_value() -> None:
    source = Source("x", "dim A = 1 + 2\n")
    one, two = parse(source).tree, parse(source).tree
    assert one == two and hash(one) == hash(two)
    assert isinstance(one.items[0], tree.Dim) and pickle.loads(pickle.dumps(one.items[0].name.text)) == "A"
