"""`docs/lint.md`: the rules, which of them run, what they mend, and how to choose."""

from __future__ import annotations

from kdsl.diagnostics.catalogue import CATALOGUE
from kdsl.docs.diagnostics import capital
from kdsl.docs.markdown import page, table
from kdsl.lint import RULES

FIXES = {"": "", "safe": "`--fix`", "unsafe": "`--unsafe-fixes`"}

INTRODUCTION = """\
`kdsl lint FILE` checks everything: first whether the file compiles, then, where it does, the rules below. Exit code 0 means that
nothing was found, 1 that something was, 2 that a file could not be read. A file takes about a fifth of a second.

```text
kdsl lint digits.kmodel
kdsl lint models/                        every .kmodel file in the folder
kdsl lint models/ --fix                  make the edits that change no results
kdsl lint models/ --unsafe-fixes         make every suggested edit that leaves no new errors
kdsl lint models/ --statistics           how often each code was found
kdsl lint - --stdin-filename a.kmodel    what an editor has not saved yet
```"""

CHOOSING = """\
## Choosing rules

A rule is named by its code (`W603`), by its name (`unused-value`), by the beginning of some codes (`W60`), or by `ALL`.

| where | what |
| --- | --- |
| `--select W601,W603` | these rules only |
| `--extend-select W619` | these besides the ones that run anyway |
| `--ignore W610` | not these |
| `# kdsl: ignore[W603]` behind a line, or above it | not these in this line; several with commas |
| `# kdsl: ignore-file[W603]` | not these in this file |

A comment that lets nothing pass is reported itself (W626). Errors cannot be ignored.

The nearest `pyproject.toml` at or above a file may choose for it; `--select` on the command line takes the place of its choice.

```toml
[tool.kdsl.lint]
select = ["W6"]
extend-select = ["undocumented"]
ignore = ["W618"]

[tool.kdsl.lint.per-file-ignores]
"examples/*" = ["W619", "W620"]
```"""

OUTPUT = """\
## Output

`--output full` (the default) shows the place, why, and what to write. `concise` is one line each. `github` makes annotations of a
workflow; `sarif` (2.1.0) is read by code-scanning services.

`json` is for programs: a list of objects with `code`, `name`, `severity`, `message`, `filename`, `location` and `end_location` (rows and columns count
from 1, in characters; the end is the place behind), `label`, `labels` (other places), `notes`, `help`, and `fix`. A `fix` is `null`, or has a
`message`, its `edits`, and an `applicability`: `safe` where it changes no results, so that `--fix` makes it, else `unsafe`.

```text
"fix": {"message": "leave one out", "applicability": "safe", "edits": [{"content": "", "filename": "net.kmodel",
        "location": {"row": 7, "column": 49}, "end_location": {"row": 7, "column": 57}}]}
```

The manifest `.pre-commit-hooks.yaml` offers the hooks `kdsl-lint` and `kdsl-format`:

```yaml
repos:
  - repo: https://github.com/your/kdsl
    rev: main
    hooks:
      - id: kdsl-lint
      - id: kdsl-format
```"""


def lint_page() -> str:
    return page("kdsl lint", INTRODUCTION, "## Rules", rules(), CHOOSING, OUTPUT)


def rules() -> str:
    rows = []
    for rule in RULES:
        each = CATALOGUE[rule.code]
        link = f"[{each.code}](diagnostics.md#{each.code.lower()}-{each.name})"
        rows.append([link, each.name, capital(each.title), "yes" if rule.default else "no", FIXES[rule.fix]])
    said = f"There are {len(RULES)} rules; {sum(rule.default for rule in RULES)} of them run when nothing is chosen."
    return f"{said}\n\n" + table(["code", "name", "reports", "runs by itself", "mended by"], rows)
