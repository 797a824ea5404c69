"""The templates' surroundings: where they are, and the filters through which values enter them."""

from __future__ import annotations

from jinja2 import Environment, FunctionLoader, StrictUndefined

from kdsl._resources import read_text
from kdsl.codegen.text import comment, docstring, joined_tuple, pyrepr


def environment() -> Environment:
    """Templates of `templates/`; a name that is not given is an error, and no text is ever a template."""

    def load(name: str) -> str:
        return read_text("templates", name)

    made = Environment(loader=FunctionLoader(load), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"pyrepr": pyrepr, "docstring": docstring, "heading": heading, "tuple_of": joined_tuple}
    return made


def heading(title: str) -> str:
    """A section's title as a comment between two rules."""
    rule = "# " + "=" * 118
    return "\n".join([rule, *(f"# {comment(line)}".rstrip() for line in title.strip().split("\n")), rule])
