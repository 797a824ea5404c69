"""Values and flows as documents: where they may be broken, and where the writer's own breaks stay.

Outside brackets a line may only be broken before an arrow, an operator, `then` and `else`; inside, wherever it reads well.
"""

from __future__ import annotations

from collections.abc import Sequence

from kdsl.format.document import INDENT, Align, Behind, Doc, Fill, Group, IfBroken, Line, Nest, Own
from kdsl.format.pieces import Bracket, Piece, Word, divided, first_word, last_word
from kdsl.syntax.tokens import INFIX, VALUE_ENDS

# From what binds least. A power is never taken apart.
LEVELS = (
    frozenset({"OR"}),
    frozenset({"AND"}),
    frozenset({"COMPARE"}),
    frozenset({"PLUS", "MINUS"}),
    frozenset({"STAR", "SLASH", "AT"}),
)
NUMBERS = frozenset({"INT", "FLOAT", "MINUS"})
BEFORE_TYPE = frozenset({"COLON", "ARROW", "COMMA"})


def flow(pieces: Sequence[Piece], kept: bool = False, hang: int = INDENT) -> Doc:
    """A value. `kept`: where it is broken already it stays broken; `hang`: how deep lines with operators stand."""
    above = lifted(pieces)
    if above:
        return *above, flow(pieces, kept, hang)
    if is_word(pieces[0], "IF"):
        return choice(pieces, kept, INDENT)
    parts, arrows = divided(pieces, "ARROW")
    if not arrows:
        return infix(pieces, kept, hang)
    source = infix(parts[0])
    steps = [arrowed(arrow, part) for arrow, part in zip(arrows, parts[1:], strict=True)]
    if kept and any(arrow.first for arrow in arrows):
        return source, Nest(INDENT, rows(arrows, steps))
    return Group((source, Nest(INDENT, tuple((Line(), step) for step in steps))))


def lifted(pieces: Sequence[Piece]) -> Sequence[Doc]:
    """The comments above the first word, taken from it: they do not break the value they stand above."""
    word = first_word(pieces)
    above, word.above = word.above, ()
    return tuple(map(Own, above))


def arrowed(arrow: Word, part: Sequence[Piece]) -> Doc:
    return arrow.doc(), " ", Align(step(part))


def rows(arrows: Sequence[Word], steps: Sequence[Doc]) -> Doc:
    """The steps in the lines they were written in; a line that is too long is broken at each of its arrows."""
    lines: list[list[Doc]] = []
    out: list[Doc] = []
    for number, (arrow, doc) in enumerate(zip(arrows, steps, strict=True)):
        if number == 0 or arrow.first:
            out.append(Line(hard=True, blank=arrow.first and arrow.blank))
            lines.append([doc])
            out.append("")  # stands for the line
        else:
            lines[-1] += [Line(), doc]
    groups = iter([Group(tuple(line)) for line in lines])
    return tuple(next(groups) if part == "" else part for part in out)


def step(pieces: Sequence[Piece]) -> Doc:
    """What stands after an arrow."""
    above = lifted(pieces)
    if above:
        return *above, step(pieces)
    return choice(pieces, False, 0) if is_word(pieces[0], "IF") else glue(pieces)


def choice(pieces: Sequence[Piece], kept: bool, hang: int) -> Doc:
    """`if c then a else if d then b else e`: all in one line, or `then` and `else` each in a line of its own."""
    head: Doc = ""
    branches: list[Doc] = []
    broken = False
    rest = pieces
    lead: Doc = ""
    while rest and is_word(rest[0], "IF"):
        then, otherwise = branch_words(rest)
        condition = (lead, words_doc(rest[0]), " ", infix(rest[1:then]))
        if head == "":
            head = condition
        else:
            branches += [Line(), condition]
        branches += [Line(), words_doc(rest[then]), " ", Align(flow_or_step(rest[then + 1 : otherwise], hang))]
        broken = broken or (kept and (first_word(rest[then:]).first or first_word(rest[otherwise:]).first))
        lead = (words_doc(rest[otherwise]), " ")
        rest = rest[otherwise + 1 :]
    branches += [Line(), lead, Align(flow_or_step(rest, hang))]
    return Group((head, Nest(hang, tuple(branches))), broken)


def flow_or_step(pieces: Sequence[Piece], hang: int) -> Doc:
    return flow(pieces) if hang else step(pieces)


def branch_words(pieces: Sequence[Piece]) -> tuple[int, int]:
    """Where the `then` and the `else` of the `if` in front stand."""
    depth, then = 0, 0
    for i, piece in enumerate(pieces):
        kind = piece.kind
        depth += kind == "IF"
        if kind == "THEN" and depth == 1 and not then:
            then = i
        if kind == "ELSE":
            if depth == 1:
                return then, i
            depth -= 1
    raise AssertionError("an `if` has an `else`")


def infix(pieces: Sequence[Piece], kept: bool = False, hang: int = INDENT) -> Doc:
    """Operands with operators of one precedence, the lowest there is."""
    above = lifted(pieces)
    if above:
        return *above, infix(pieces, kept, hang)
    for level in LEVELS:
        if "COMPARE" in level and is_word(pieces[0], "NOT"):
            return words_doc(pieces[0]), " ", infix(pieces[1:])
        places = [i for i in range(1, len(pieces)) if pieces[i].kind in level and ends_value(pieces[i - 1])]
        if places:
            break
    else:
        return glue(pieces)
    ends = [*places[1:], len(pieces)]
    right = [
        (Line(), words_doc(pieces[at]), " ", infix(pieces[at + 1 : end])) for at, end in zip(places, ends, strict=True)
    ]
    broken = kept and any(pieces[at].first for at in places)
    return Group((infix(pieces[: places[0]]), Nest(hang, tuple(right))), broken)


def glue(pieces: Sequence[Piece]) -> Doc:
    """Pieces that stay in one line, except inside their brackets."""
    out: list[Doc] = []
    for i, piece in enumerate(pieces):
        before = pieces[i - 1] if i else None
        if before is not None and spaced(before, piece, pieces[i - 2] if i > 1 else None):
            out.append(" ")
        if isinstance(piece, Word):
            out.append(piece.doc())
        else:
            called = before is not None and ends_value(before)
            typed = called and i > 1 and pieces[i - 2].kind in BEFORE_TYPE
            out.append(bracket(piece, called, typed))
    return tuple(out)


def spaced(left: Piece, right: Piece, before: Piece | None) -> bool:
    """A blank stands between two pieces of one line."""
    if right.kind in ("COMMA", "DOT", "COLON") or left.kind == "DOT":
        return False
    if right.kind in ("LPAR", "LSQB"):
        return not ends_value(left) and not is_sign(left, before)
    return not is_sign(left, before)


def is_sign(piece: Piece, before: Piece | None) -> bool:
    """A minus that belongs to the value behind it."""
    return piece.kind == "MINUS" and (before is None or not ends_value(before))


def ends_value(piece: Piece) -> bool:
    return piece.kind != "LBRACE" if isinstance(piece, Bracket) else piece.kind in VALUE_ENDS


def is_word(piece: Piece, kind: str) -> bool:
    return isinstance(piece, Word) and piece.kind == kind


def words_doc(piece: Piece) -> Doc:
    assert isinstance(piece, Word)
    return piece.doc()


# -- brackets


def bracket(it: Bracket, called: bool, typed: bool) -> Doc:
    """`called`: arguments, an index or a shape; `typed`: what belongs to a type's name."""
    if it.kind == "LBRACE":
        return surrounded(it, Line(), chain(it), first_word([*it.inside, it.closer]).first)
    parts, commas = divided(it.inside, "COMMA")
    if not it.inside:
        return surrounded(it, Line(""), "", False)
    if not commas and it.kind == "LPAR" and (typed or not called):
        inner = item(parts[0], it.kind) if typed else alone(parts[0])
        return surrounded(it, Line(""), inner, False)
    closing = not parts[-1]
    if closing:
        parts.pop()
    plain = all(map(is_number, parts)) and not any(map(comments, commas)) and not it.closer.above
    if it.kind == "LSQB" and not called and len(parts) > 1 and plain:
        numbers = [(flow(part), "," if i < len(parts) - 1 else "") for i, part in enumerate(parts)]
        return surrounded(it, Line(""), (Fill(tuple(numbers)), IfBroken(",")), closing)
    items = [with_comma(part, it.kind, commas[i : i + 1]) for i, part in enumerate(parts)]
    inner = tuple((Line(), one) if i else one for i, one in enumerate(items))
    return surrounded(it, Line(""), inner, closing)


def surrounded(it: Bracket, edge: Line, inner: Doc, broken: bool) -> Doc:
    """The brackets around a document, broken at both edges or at none. Comments before the closing one stay inside."""
    opener, closer = it.opener, it.closer
    above = tuple(map(Own, closer.above))
    if inner == "" and not above and not opener.behind:
        inside: Doc = ""
    else:
        inside = (Nest(INDENT, (edge, inner, *above)), edge)
    start: tuple[Doc, ...] = (opener.text, Behind(opener.behind)) if opener.behind else (opener.text,)
    end: tuple[Doc, ...] = (Behind(closer.behind),) if closer.behind else ()
    return (*map(Own, opener.above), Group((*start, inside, closer.text), broken), *end)


def chain(it: Bracket) -> Doc:
    """The steps inside braces."""
    if not it.inside:
        return ""
    parts, arrows = divided(it.inside, "ARROW")
    steps = [arrowed(arrow, part) for arrow, part in zip(arrows, parts[1:], strict=True)]
    if not first_word(it.inside).first or not any(arrow.first for arrow in arrows):
        return Group((Align(step(parts[0])), *((Line(), doc) for doc in steps)))
    joined = next((i for i, arrow in enumerate(arrows) if arrow.first), 0)
    lead = Group((Align(step(parts[0])), *((Line(), doc) for doc in steps[:joined])))
    return lead, rows(arrows[joined:], steps[joined:])


def alone(pieces: Sequence[Piece]) -> Doc:
    """The value inside `( )`: its later lines stand as deep as its first."""
    parts, arrows = divided(pieces, "ARROW")
    if not arrows or is_word(pieces[0], "IF"):
        return flow(pieces, hang=0)
    steps = (arrowed(arrow, part) for arrow, part in zip(arrows, parts[1:], strict=True))
    return Group((infix(parts[0]), *((Line(), doc) for doc in steps)))


def with_comma(part: Sequence[Piece], kind: str, comma: Sequence[Word]) -> Doc:
    """An item and the comma behind it, which stands before the item's comment; without one, a comma where it is broken."""
    last = last_word(part)
    behind, last.behind = last.behind, ""
    moved = (Behind(behind),) if behind else ()
    if not comma:
        return item(part, kind), IfBroken(","), *moved
    later = (Behind(comma[0].behind),) if comma[0].behind else ()
    return item(part, kind), ",", *moved, *map(Own, comma[0].above), *later


def item(part: Sequence[Piece], kind: str) -> Doc:
    """One item of a list, of arguments, of parameters, of a shape or of an index."""
    sides, marks = divided(part, "EQUAL")
    if marks:
        return glue(sides[0]), " ", marks[0].doc(), " ", flow(sides[1])
    if kind == "LSQB" and any(is_word(piece, "COLON") for piece in part):
        return between(part)
    if len(part) > 1 and is_word(part[1], "COLON"):
        return glue(part)
    return flow(part)


def between(part: Sequence[Piece]) -> Doc:
    """`0:4`, `-n:`, `a + 1 : b`: blanks around the colon where a side has an operator."""
    sides, colons = divided(part, "COLON")
    wide = any(piece.kind in INFIX and i > 0 for side in sides for i, piece in enumerate(side))
    out: list[Doc] = []
    for number, side in enumerate(sides):
        if number:
            left = " " if wide and sides[number - 1] else ""
            out += [left, colons[number - 1].doc(), " " if wide and side else ""]
        if side:
            out.append(flow(side))
    return tuple(out)


def is_number(part: Sequence[Piece]) -> bool:
    """A plain number without comments; lists of these are packed."""
    return all(isinstance(piece, Word) and piece.kind in NUMBERS and not comments(piece) for piece in part)


def comments(word: Word) -> bool:
    return bool(word.above or word.behind)
