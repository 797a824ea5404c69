"""`.csv` files: columns by name, by number, by option; missing values and text refused with their line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kdsl.datasets import DataError, Options, load
from kdsl.elaborate.program import ModelProgram
from kdsl.graph.types import TensorType

HOUSING = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "california-housing"

PLAIN = "id,numbers.0,numbers.1,place,price\nx,1,2.5,4,100\ny,3,4,0,200\n"
NAMED = "rooms,area,place,price\n1,2.5,4,100\n3,4,0,200\n"


def saved(tmp_path: Path, text: str, encoding: str = "utf-8") -> str:
    (tmp_path / "data.csv").write_bytes(text.encode(encoding))
    return str(tmp_path / "data.csv")


def columns(**chosen: str) -> Options:
    return Options({name: tuple(text.split(",")) for name, text in chosen.items()})


def test_columns_by_name_and_number(tmp_path: Path, houses: ModelProgram) -> None:
    data = load(saved(tmp_path, PLAIN), houses)
    assert data.train.inputs["numbers"].tolist() == [[1, 2.5], [3, 4]]
    assert data.train.inputs["place"].tolist() == [4, 0] and data.train.inputs["place"].dtype == np.int32
    assert data.train.targets["price"].tolist() == [100, 200]
    assert data.test is None and data.unused == ("id",)


def test_columns_by_option(tmp_path: Path, houses: ModelProgram) -> None:
    data = load(saved(tmp_path, NAMED), houses, columns(numbers="area,rooms"))
    assert data.train.inputs["numbers"].tolist() == [[2.5, 1], [4, 3]]


def test_the_columns_left_over_feed_the_input_that_has_none(tmp_path: Path, houses: ModelProgram) -> None:
    data = load(saved(tmp_path, NAMED), houses)
    assert data.train.inputs["numbers"].tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t", ", "])
def test_separators_quotes_and_line_ends(tmp_path: Path, houses: ModelProgram, separator: str, encoding: str) -> None:
    text = NAMED.replace(",", separator).replace("rooms", '"rooms"').replace("\n", "\r\n") + "\r\n"
    assert load(saved(tmp_path, text, encoding), houses).train.inputs["numbers"].tolist() == [[1, 2.5], [3, 4]]


def test_words_for_truth(tmp_path: Path, model) -> None:
    spam = model({"x": TensorType("f32")}, {"spam": TensorType("bool")})
    assert load(saved(tmp_path, "x,spam\n1,True\n2,false\n"), spam).train.targets["spam"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("a,b,c,place,price\n1,2,3,4,5\n", {}, r"nothing for numbers: f32\[2\] \(net\.kmodel:3\): it wants columns numbers\.0 to numbers\.1 or --columns numbers=a,b,c\. The columns are a, b, c, place, price; a, b, c would be free"),
        (NAMED, {"numbers": "rooms,are"}, r"has no column are; did you mean area\?"),
        (NAMED, {"numbers": "rooms"}, r"numbers: f32\[2\] .* needs 2 columns, 1 is given \(rooms\)"),
        (NAMED, {"number": "rooms,area"}, r"--columns gives columns to number, but the model has numbers, place, price"),
        (NAMED.replace("2.5", ""), {}, r"data\.csv:2: the column area has 1 missing value in 2 rows"),
        (NAMED.replace("2.5", "NaN").replace(",4,0", ",NA,0"), {}, r"data\.csv:2: the column area has 2 missing values"),
        (NAMED.replace("4,0,", "4,inland,"), {}, r"data\.csv:3: the column place holds text \('inland'\).* 2 different values: 4, inland"),
        (NAMED + "1,2,3\n", {}, r"data\.csv:4 has 3 values, the header names 4 columns"),
        (NAMED.replace(",place", ",area"), {}, r"two columns called area"),
        ("1,2,3,4\n5,6,7,8\n", {}, r"has no header: its first line is 1, 2, 3, 4"),
        ("", {}, r"is empty"),
        ("rooms,area,place,price\n", {}, r"has a header and no rows"),
        (NAMED.replace(",4,100", ",3.5,100"), {}, r"place has 3\.5 in row 0, not a whole number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(
    tmp_path: Path, houses: ModelProgram, text: str, options: dict[str, str], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        load(saved(tmp_path, text), houses, columns(**options))


def test_a_file_that_is_not_utf8(tmp_path: Path, houses: ModelProgram) -> None:
    with pytest.raises(DataError, match="no csv file in UTF-8"):
        load(saved(tmp_path, NAMED.replace("area", "flüche"), "latin-1"), houses)


@pytest.mark.skipif(not HOUSING.is_dir(), reason="California housing is not in ../shared/data")
def test_california_housing(model) -> None:
    path = next(HOUSING.glob("*.csv"))
    housing = model({"place": TensorType("f32", (2,))}, {"median_house_value": TensorType("f32")})
    data = load(str(path), housing, columns(place="longitude,latitude"))
    assert data.train.rows == 20640
    with pytest.raises(DataError, match="the column total_bedrooms has 207 missing values in 20,640 rows"):
        load(str(path), housing, columns(place="total_bedrooms,latitude"))
