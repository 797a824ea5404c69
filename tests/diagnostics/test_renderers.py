"""How diagnostics look: text with and without colour, one line each, and JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from kdsl.diagnostics.cells import visible, width
from kdsl.diagnostics.concise import render_concise
from kdsl.diagnostics.diagnostic import Diagnostic, Edit, Label
from kdsl.diagnostics.edits import apply, changed_lines
from kdsl.diagnostics.json import render_json
from kdsl.diagnostics.text import render_text
from kdsl.source import Source, Span

SOURCE = Source(
    "models/digits.kmodel",
    "model Digits {\n  input image: f32[28, 28]\n  target label: index(10)\n  h = image -> dense(12)\n}\n",
)


def at(text: str, source: Source = SOURCE) -> Span:
    start = source.text.index(text)
    return source.span(start, start + len(text))


FULL = Diagnostic(
    "E104",
    "`h` has 12 classes, `label` has 10",
    Label(at("dense(12)"), "12 classes"),
    (Label(at("index(10)"), "10 classes"),),
    ("shapes: image [28, 28] -> dense [28, 12]", "two\nlines"),
    "change the size",
    (Edit(at("12"), "10"),),
)


def test_text_of_everything_a_diagnostic_can_have() -> None:
    assert render_text([FULL]) == (
        "error[E104]: `h` has 12 classes, `label` has 10\n"
        " --> models/digits.kmodel:4:16\n"
        "4 |   h = image -> dense(12)\n"
        "  |                ^^^^^^^^^ 12 classes\n"
        "3 |   target label: index(10)\n"
        "  |                 --------- 10 classes\n"
        "  = shapes: image [28, 28] -> dense [28, 12]\n"
        "  = two\n"
        "    lines\n"
        "help: change the size\n"
        "4 +   h = image -> dense(10)\n"
    )


def test_a_blank_line_between_two() -> None:
    one = render_text([FULL])
    assert render_text([FULL, FULL]) == one + "\n" + one
    assert render_text([]) == ""


def test_colour_changes_nothing_but_colour() -> None:
    coloured = render_text([FULL], colour=True)
    assert coloured.count("\x1b[") > 10
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text([FULL])


def test_a_warning_is_called_by_name() -> None:
    text = render_text([replace(FULL, code="W999")])
    assert text.startswith("warning[W999]: ")
    assert replace(FULL, code="W999").severity == "warning"


def test_a_label_in_another_file_says_so() -> None:
    other = Source("blocks.kmodel", "\n" * 99 + "block B\n")
    text = render_text([replace(FULL, secondary=(Label(at("block B", other), "made here"),), notes=(), edits=())])
    assert text.split("\n")[1:6] == [
        "   --> models/digits.kmodel:4:16",
        "  4 |   h = image -> dense(12)",
        "    |                ^^^^^^^^^ 12 classes",
        "   --> blocks.kmodel:100:1",
        "100 | block B",
    ]


def marked(text: str, part: str, width: int = 0) -> list[str]:
    source = Source("x", text)
    start = text.index(part)
    span = source.span(start, start + (width or len(part)))
    return render_text([Diagnostic("E104", "here", Label(span))]).split("\n")[2:4]


def test_tabs_and_wide_characters_keep_the_marks_in_place() -> None:
    assert marked("\tx = $\n", "$") == ["1 |     x = $", "  |         ^"]
    assert marked("a\tb$\n", "$") == ["1 | a   b$", "  |      ^"]
    assert marked("大 = 字$ e\u0301$\n", "字$") == ["1 | 大 = 字$ e\u0301$", "  |      ^^^"]


def test_what_would_disturb_the_terminal_is_not_printed() -> None:
    line, marks = marked("a \x1b[31m \u202e b\n", "\x1b")
    assert line == "1 | a \ufffd[31m \ufffd b" and marks == "  |   ^"
    hostile = Diagnostic("E104", "\x1b[2J", Label(Source("\x07name", "x\n").span(0, 1)), help="\x1b]0;")
    for text in (render_text([hostile]), render_concise([hostile]), render_json([hostile])):
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


def test_ends_of_lines_and_files() -> None:
    assert marked("ab\n", "\n") == ["1 | ab", "  |   ^"]
    source = Source("x", "ab\n")
    assert render_text([Diagnostic("E104", "here", Label(source.span(3, 3)))]).split("\n")[2:4] == ["2 |", "  | ^"]
    over = render_text([Diagnostic("E104", "here", Label(source.span(0, 3)))])
    assert over.split("\n")[2:4] == ["1 | ab", "  | ^^"]


def test_a_long_line_is_cut_around_the_mark() -> None:
    line, marks = marked("x" * 1000 + "$" + "y" * 1000, "$")
    assert len(line) < 180 and line.startswith("1 | ...") and line.endswith("...")
    assert line[marks.index("^")] == "$"


def test_an_edit_that_only_removes_shows_no_line() -> None:
    source = Source("x", "a\nb\n")
    gone = Diagnostic("E104", "here", Label(source.span(2, 3)), help="remove it", edits=(Edit(source.span(1, 3), ""),))
    assert render_text([gone]).endswith("help: remove it\n")


def test_edits() -> None:
    source = Source("x", "a b\nc\nd\n")
    edits = (Edit(source.span(0, 1), "A"), Edit(source.span(2, 2), "+ "), Edit(source.span(4, 5), "C\n  e"))
    assert apply(source.text, edits) == "A + b\nC\n  e\nd\n"
    assert changed_lines(edits) == [(1, "A + b"), (2, "C"), (3, "  e")]
    assert changed_lines((Edit(source.span(6, 7), "D"),)) == [(3, "D")]


def test_concise() -> None:
    assert render_concise([FULL]) == "models/digits.kmodel:4:16: E104 `h` has 12 classes, `label` has 10\n"


def test_json() -> None:
    [record] = json.loads(render_json([FULL]))
    assert record == {
        "code": "E104",
        "name": "stray-bracket",
        "message": "`h` has 12 classes, `label` has 10",
        "severity": "error",
        "filename": "models/digits.kmodel",
        "location": {"row": 4, "column": 16},
        "end_location": {"row": 4, "column": 25},
        "label": "12 classes",
        "labels": [
            {
                "message": "10 classes",
                "filename": "models/digits.kmodel",
                "location": {"row": 3, "column": 17},
                "end_location": {"row": 3, "column": 26},
            }
        ],
        "notes": ["shapes: image [28, 28] -> dense [28, 12]", "two\nlines"],
        "help": "change the size",
        "fix": {
            "message": "change the size",
            "applicability": "unsafe",
            "edits": [
                {
                    "content": "10",
                    "filename": "models/digits.kmodel",
                    "location": {"row": 4, "column": 22},
                    "end_location": {"row": 4, "column": 24},
                }
            ],
        },
    }
    assert json.loads(render_json([])) == []
    assert json.loads(render_json([FULL], {FULL.code}))[0]["fix"]["applicability"] == "safe"
    bare = json.loads(render_json([Diagnostic("E104", "m", Label(SOURCE.span(0, 1)))]))[0]
    assert bare["fix"] is bare["help"] is bare["label"] is None


def test_cells() -> None:
    assert visible("a\tb") == "a   b" and visible("大\tb") == "大  b"
    assert width("大e\u0301\t") == 4


# -- several labels -----------------------------------------------------------------------------------------------


def two_labels(text: str, *marks: tuple[str, str]) -> str:
    source = Source("net.kmodel", text)
    labels = [Label(source.span(text.index(mark), text.index(mark) + len(mark)), said) for mark, said in marks]
    return render_text([Diagnostic("E402", "a message", labels[0], tuple(labels[1:]))])


def test_labels_of_one_line_share_it() -> None:
    assert two_labels("y = left + right\n", ("right", "[3]"), ("left", "[4]")).split("\n")[2:] == [
        "1 | y = left + right",
        "  |     ----   ^^^^^ [3]",
        "  |     [4]",
        "",
    ]


def test_labels_that_meet_have_lines_of_their_own() -> None:
    text = two_labels("y = left + right\n", ("left + right", "both"), ("right", "one"))
    assert text.count("1 | y = left + right") == 2
    assert text.count("1 | ") == two_labels("y = ab\n", ("a", ""), ("b", "")).count("1 | ") == 2


def test_labels_of_other_lines_and_back() -> None:
    text = two_labels("a = left\nb = a + right\n", ("right", "here"), ("left", "there"), ("b", "and there"))
    assert text.split("\n")[2:] == [
        "2 | b = a + right",
        "  | -       ^^^^^ here",
        "  | and there",
        "1 | a = left",
        "  |     ---- there",
        "",
    ]
