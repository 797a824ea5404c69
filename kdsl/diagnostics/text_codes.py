"""What is wrong with the text itself: brackets, foreign marks, numbers, limits, files that cannot be read."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry

BRACKETS = (
    Entry(
        "E103",
        "unclosed-bracket",
        "a bracket is not closed, or closed by another kind",
        "Every `(`, `[` and `{` needs its counterpart. The message marks the bracket that stays open and says where its\n"
        "closer belongs, judged by how the file is laid out.",
        "dim T = (3 + 4\ndim V = 65\n",
        "dim T = (3 + 4)\ndim V = 65\n",
    ),
    Entry(
        "E104",
        "stray-bracket",
        "a bracket closes or opens nothing",
        "A closing bracket stands where none of its kind is open, or a `{` is one too many.",
        "dim T = 3 + 4)\n",
        "dim T = 3 + 4\n",
    ),
)

MARKS = (
    Entry(
        "E108",
        "foreign-mark",
        "a mark of another language",
        "kdsl has three marks: `:` states a type, `=` binds a value, `->` feeds a value into a layer. Words join\n"
        "conditions (`and`, `or`, `not`), `**` is the power, `#` starts a comment, `true` and `false` are lower case, text\n"
        "stands in double quotes, and a line needs no `;`. Where a mark of another language has a plain meaning, the file\n"
        "is read as if it had been written the kdsl way.",
        "dim T := 8\ndim HALF = T // 2;\n",
        "dim T = 8\ndim HALF = T / 2\n",
    ),
    Entry(
        "E109",
        "unknown-character",
        "a character without a meaning",
        "Names are made of ASCII letters, digits and `_`, so that two names that look alike are alike. Characters that\n"
        "cannot be seen or that turn the direction of text are refused everywhere, comments included, because with them a\n"
        "file does not say what it shows.",
        "dim gr\u00f6sse = 3\n",
        "dim groesse = 3\n",
    ),
    Entry(
        "E110",
        "malformed-number",
        "neither a number nor a name",
        "Numbers are written `20_000`, `0.5`, `1e-3`, times `5 epochs`, `200 steps`. A number has a digit on both sides of\n"
        "its point, and a name does not start with a digit.",
        "dim T = 3x2\n",
        "dim T = 3 * 2\n",
    ),
    Entry(
        "E111",
        "unclosed-text",
        "a text has no closing quote",
        'Text stands in straight double quotes and ends in its line: `"blocks/conv.kmodel"`.',
        'import ConvBn from "blocks/conv.kmodel\n',
        'import ConvBn from "blocks/conv.kmodel"\n',
    ),
)

LIMITS = (
    Entry(
        "E120",
        "nested-too-deep",
        "nested more than 100 deep",
        "Brackets inside brackets, operators beside operators and conditions inside conditions are read up to a depth of\n"
        "100. Name the parts and put them together.",
        "dim T = " + "(" * 101 + "1" + ")" * 101 + "\n",
        "dim T = 1\n",
    ),
    Entry(
        "E143",
        "too-many-problems",
        "more problems than are worth reading",
        "After 100 problems the rest of the file is not read. Mend the first ones and look again: a bracket or a first\n"
        "line of a model often explains many of them.",
        "dim 3\n" * 101,
        "dim T = 3\n",
    ),
    Entry(
        "E144",
        "name-too-long",
        "a name of more than 200 characters",
        "Names appear in messages, in tables and as the names of weights. They have at most 200 characters.",
        "dim " + "T" * 201 + " = 3\n",
        "dim T = 3\n",
    ),
    Entry(
        "E145",
        "number-too-long",
        "a number of more than 300 digits",
        "Compile-time numbers are exact, and no size or factor needs more than 300 digits.",
        "dim T = " + "9" * 301 + "\n",
        "dim T = 9\n",
    ),
    Entry(
        "E146",
        "number-out-of-range",
        "a number that no float can hold",
        "A number written with a point or an exponent must be a finite float, and may not vanish by being rounded to 0.",
        "fn huge(x) = x * 1e999\n",
        "fn huge(x) = x * 1e38\n",
    ),
)

FILES = (
    Entry(
        "E150",
        "unreadable-file",
        "the file cannot be read",
        "The file is missing, may not be opened, or is no regular file: folders, pipes and devices are not read.",
        "",
        "",
    ),
    Entry(
        "E151",
        "file-too-large",
        "the file is larger than 4 MiB",
        "A description of a network is a page or two. Split a larger file and `import` its blocks.",
        "",
        "",
    ),
    Entry(
        "E152",
        "not-utf8",
        "the file is not UTF-8",
        "Files are read as UTF-8, with or without a byte-order mark. The message marks the first byte that is not.",
        "",
        "",
    ),
)

TEXT: tuple[Entry, ...] = (*BRACKETS, *MARKS, *LIMITS, *FILES)
