"""The small models that the catalogue's examples are made of."""

from __future__ import annotations


def digits(body: str, settings: str = "") -> str:
    """A classifier of digits with these statements in its body, and a `train` block with these settings."""
    return model("Digits", f"input  image: f32[28, 28]\ntarget label: index(10)\n{body}", settings)


def prices(body: str, settings: str = "") -> str:
    """A regression on four numbers."""
    return model("Prices", f"input  house: f32[4]\ntarget price: f32\n{body}", settings)


def model(name: str, body: str, settings: str = "") -> str:
    text = f"model {name} {{\n{_indented(body)}}}\n"
    return f"{text}\ntrain {name} {{\n{_indented(settings)}}}\n" if settings else text


def _indented(lines: str) -> str:
    return "".join(f"  {line}\n" for line in lines.split("\n"))
