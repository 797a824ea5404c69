"""Where words and marks stand that do not fit: flows, lines, first lines, values."""

from __future__ import annotations

from kdsl.diagnostics.entry import Entry

FLOWS = (
    Entry(
        "E101",
        "operator-after-layer",
        "a layer is followed by an operator or an index",
        "`x -> conv(3) + y` could mean that the sum flows, or that `y` is added to what the layer gives. An arrow and an\n"
        "operator therefore never meet without parentheses.",
        "block Skip(x: f32[D]) -> f32[D] {\n  return x -> dense(D) + x\n}\n",
        "block Skip(x: f32[D]) -> f32[D] {\n  return (x -> dense(D)) + x\n}\n",
    ),
    Entry(
        "E102",
        "arrow-after-operator",
        "an arrow after a sum or product",
        "`a + b -> layer` has two readings, so it has none: write `(a + b) -> layer` or `a + (b -> layer)`.",
        "block Skip(x: f32[D], y: f32[D]) -> f32[D] {\n  return x + y -> relu\n}\n",
        "block Skip(x: f32[D], y: f32[D]) -> f32[D] {\n  return (x + y) -> relu\n}\n",
    ),
    Entry(
        "E124",
        "values-in-parentheses",
        "several values in parentheses that flow nowhere",
        "`(a, b) -> layer` feeds a layer of several inputs; alone, such a pair has no meaning. A list of numbers stands in\n"
        "square brackets: `kernel = [3, 3]`.",
        "block Pair(x: f32[D]) -> f32[2 * D] {\n  both = (x, x)\n  return both\n}\n",
        "block Pair(x: f32[D]) -> f32[2 * D] {\n  both = (x, x) -> concat\n  return both\n}\n",
    ),
    Entry(
        "E125",
        "malformed-chain",
        "steps in braces that cannot be read",
        "Braces after `repeat`, `for`, `then` and `else` hold steps with arrows between them: `{ conv(16) -> relu }`.",
        "block Deep(x: f32[D]) -> f32[D] {\n  return x -> repeat 2 { dense(D), relu }\n}\n",
        "block Deep(x: f32[D]) -> f32[D] {\n  return x -> repeat 2 { dense(D) -> relu }\n}\n",
    ),
    Entry(
        "E126",
        "malformed-flow",
        "a flow that cannot be read",
        "A flow is a value and steps behind arrows: `x -> dense(10) -> relu`. A layer takes its input from the arrow, not\n"
        "from a second pair of parentheses (`Dense(10)(x)`), and values have no methods (`x.relu()`).",
        "model M {\n  input x: f32[4]\n  h = dense(10)(x)\n  output h\n}\n",
        "model M {\n  input x: f32[4]\n  h = x -> dense(10)\n  output h\n}\n",
    ),
    Entry(
        "E128",
        "missing-arrow",
        "a line below a flow lacks its arrow",
        "A flow goes on in the next line where that line starts with `->`. Without it the line would be a statement of its\n"
        "own.",
        "model M {\n  input x: f32[4]\n  h = x\n    -> dense(10)\n    relu\n  output h\n}\n",
        "model M {\n  input x: f32[4]\n  h = x\n    -> dense(10)\n    -> relu\n  output h\n}\n",
    ),
)

LINES = (
    Entry(
        "E105",
        "unfinished-line",
        "the line ends too early",
        "A value must follow `=` and every operator, a layer every arrow. Lines never end with an arrow, an operator or a\n"
        "comma: a long value goes on in a line that starts with `->` or an operator.",
        "model M {\n  input x: f32[4]\n  h = x ->\n    dense(10)\n  output h\n}\n",
        "model M {\n  input x: f32[4]\n  h = x\n    -> dense(10)\n  output h\n}\n",
    ),
    Entry(
        "E106",
        "two-statements-in-a-line",
        "a statement starts in the middle of a line",
        "Every statement has a line of its own, so that a mistake in one leaves the others alone.",
        "train M {\n  batch = 32 seed = 1\n}\n",
        "train M {\n  batch = 32\n  seed = 1\n}\n",
    ),
    Entry(
        "E107",
        "reserved-name",
        "a word of the language is used as a name",
        "Thirteen words cannot be names: and as else false for if in not or repeat return then true.",
        "dim repeat = 3\n",
        "dim repeats = 3\n",
    ),
    Entry(
        "E112",
        "unknown-statement",
        "a line starts with something that starts no statement",
        "A file holds `import`, `dim`, `fn`, `block`, `model` and `train`; a body holds `name = value`, `input`, `target`,\n"
        "`weight`, `output` and `return`.",
        "def swish(x) = x * sigmoid(x)\n",
        "fn swish(x) = x * sigmoid(x)\n",
    ),
    Entry(
        "E118",
        "body-without-braces",
        "a body does not stand in braces",
        "The body of a model, block, fn or train stands in `{` and `}`, and the `{` ends the first line. Indentation is\n"
        "yours to choose.",
        "model M:\n  input x: f32[4]\n  output x\n",
        "model M {\n  input x: f32[4]\n  output x\n}\n",
    ),
    Entry(
        "E119",
        "value-without-name",
        "a value that nothing can use",
        "A value is bound to a name: `h = x -> dense(10)`. Without one, nothing could refer to it.",
        "model M {\n  input x: f32[4]\n  x -> dense(10)\n  output x\n}\n",
        "model M {\n  input x: f32[4]\n  h = x -> dense(10)\n  output h\n}\n",
    ),
)

VALUES = (
    Entry(
        "E113",
        "malformed-declaration",
        "a first line or declaration that cannot be read",
        "Items and declarations have a fixed look, which the message shows: `input image: u8[28, 28]`,\n"
        "`block Name(x: f32[C]) -> f32[C] { ... }`, `repeat 3 Residual`.",
        "model M {\n  input x f32[4]\n  output x\n}\n",
        "model M {\n  input x: f32[4]\n  output x\n}\n",
    ),
    Entry(
        "E114",
        "missing-comma",
        "a comma is missing, or nothing stands before one",
        "Arguments, items of lists and sizes of a shape are separated by commas; one may follow the last.",
        "model M {\n  input x: f32[4 4]\n  output x\n}\n",
        "model M {\n  input x: f32[4, 4]\n  output x\n}\n",
    ),
    Entry(
        "E115",
        "colon-for-equals",
        "a `:` where a value is given",
        "`:` states a type and `=` gives a value. Types belong to inputs, targets, weights and parameters; the type of\n"
        "everything else is found by the compiler.",
        "model M {\n  input x: f32[4]\n  h = x -> dense(10, bias: false)\n  output h\n}\n",
        "model M {\n  input x: f32[4]\n  h = x -> dense(10, bias = false)\n  output h\n}\n",
    ),
    Entry(
        "E116",
        "chained-comparison",
        "comparisons do not chain",
        "`a < b < c` means different things in different languages. Write `a < b and b < c`.",
        "fn inside(x) = where(0 < x < 1, 1, 0)\n",
        "fn inside(x) = where(0 < x and x < 1, 1, 0)\n",
    ),
    Entry(
        "E117",
        "incomplete-if",
        "an `if` without its `then` or `else`",
        "A condition chooses between two values or two steps: `if c then a else b`. Among steps, `identity` does nothing.",
        "fn ramp(x) = x if x > 0 else 0\n",
        "fn ramp(x) = if x > 0 then x else 0\n",
    ),
    Entry(
        "E121",
        "malformed-arguments",
        "arguments that cannot be read",
        "At most one argument stands without a name, first; the others are `name = value`, separated by commas.",
        "model M {\n  input x: f32[4]\n  h = x -> dense(10 as wide)\n  output h\n}\n",
        "model M {\n  input x: f32[4]\n  h = x -> dense(10) as wide\n  output h\n}\n",
    ),
    Entry(
        "E122",
        "malformed-list",
        "a list that cannot be read",
        "A list holds values between square brackets, separated by commas: `[32, 64]`.",
        "model M(widths: list = [32 as 64]) {}\n",
        "model M(widths: list = [32, 64]) {}\n",
    ),
    Entry(
        "E123",
        "malformed-index",
        "an index that cannot be read",
        "An index holds positions and ranges: `x[0]`, `x[-1]`, `x[1:T]`, `x[0:T:2]`.",
        "fn first(x) = x[]\n",
        "fn first(x) = x[0]\n",
    ),
    Entry(
        "E127",
        "malformed-value",
        "a value that cannot be read",
        "A value is a number, a name, a call, a list, a formula or a flow. `=` binds a name; `==` compares.",
        "fn f(x) = if x = 1 then 2 else 3\n",
        "fn f(x) = if x == 1 then 2 else 3\n",
    ),
)

GRAMMAR: tuple[Entry, ...] = (*FLOWS, *LINES, *VALUES)
