"""The tables of names and modules say what the modules define, all of it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import kdsl.ops
import kdsl.training
from kdsl.ops.registry import LAYERS, OPS
from kdsl.registry import DefinitionError, Registry
from kdsl.training import registry as training

TABLES = [
    OPS,
    LAYERS,
    training.LOSSES,
    training.METRICS,
    training.OPTIMIZERS,
    training.INITIALIZERS,
    training.SCHEDULES,
    training.REGULARIZERS,
    training.AUGMENTATIONS,
]


@pytest.mark.parametrize("table", TABLES, ids=[table.noun for table in TABLES])
def test_every_name_is_defined_where_the_table_says(table: Registry[type]) -> None:
    assert {name: table[name].__module__ for name in table} == table.modules


@pytest.mark.parametrize("package", [kdsl.ops, kdsl.training], ids=["ops", "training"])
def test_no_file_defines_more(package: object) -> None:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):  # type: ignore[attr-defined]
        import_module(module.name)  # a name that its table lacks is an error here
    own = [table for table in TABLES if next(iter(table.modules.values())).startswith(f"{package.__name__}.")]  # type: ignore[attr-defined]
    assert len(own) > 1 and all(table.defined.keys() == set(table) for table in own)


def test_a_name_is_enough_to_be_found_and_to_be_in_it() -> None:
    code = (
        "import sys; from kdsl.ops import LAYERS; loaded = lambda: 'kdsl.ops.dense' in sys.modules;"
        "print('dense' in LAYERS, LAYERS.get('dens'), len(list(LAYERS)) > 100, loaded(), LAYERS['dense'].name, loaded())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "None", "True", "False", "dense", "True"]


def test_what_the_table_lacks_is_refused() -> None:
    table: Registry[type] = Registry("layer", "kdsl", {"records": "dataclass"})
    with pytest.raises(DefinitionError, match="layer `field` is not in the table"):
        table.add("field", int)
    with pytest.raises(DefinitionError, match=r"kdsl\.records defines no layer `dataclass`"):
        table["dataclass"]
    with pytest.raises(KeyError):
        table["field"]
    table.add("dataclass", int)
    assert table["dataclass"] is int and dict(table) == {"dataclass": int}
    with pytest.raises(DefinitionError, match="twice"):
        table.add("dataclass", int)
