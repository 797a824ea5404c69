"""The generated pages of `docs/`, made from the registries: `python -m kdsl.docs` writes them anew."""
