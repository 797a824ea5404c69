"""What a syntax error says: the first of these that recognises the place has the word.

A message is chosen by the rule the parser is in and by what it met, not by state numbers, so that it survives changes
of the grammar.
"""

from __future__ import annotations

from collections.abc import Callable

from kdsl.diagnostics.diagnostic import Diagnostic
from kdsl.source import Source
from kdsl.syntax import explain_headers as headers
from kdsl.syntax import explain_missing as missing
from kdsl.syntax import explain_statements as statements
from kdsl.syntax import explain_values as values
from kdsl.syntax import habits
from kdsl.syntax import python_habits as programs
from kdsl.syntax.problems import indentation, problem, shown
from kdsl.syntax.tokens import NAME_WORDS, Token
from kdsl.syntax.where import Where

ORDER: tuple[Callable[[Where], Diagnostic | None], ...] = (
    values.broken_token,
    programs.program_word,
    programs.function,
    programs.anonymous,
    programs.letter_before_text,
    programs.modules,
    programs.changed_value,
    programs.dotted_name,
    programs.sequential,
    programs.tuple_of_one,
    habits.ternary,
    habits.loop,
    habits.called_layer,
    habits.method,
    habits.dotted_layer,
    statements.reserved_word,
    statements.statement_start,
    habits.missing_arrow,
    statements.statement_second,
    statements.names_alone,
    values.line_ended,
    values.operator_after_step,
    values.arrow_after_operator,
    statements.after_body,
    missing.continued_line,
    values.chained,
    values.value_missing,
    headers.no_colon,
    values.tuple_without_layer,
    values.list_in_parentheses,
    values.colon,
    missing.equal_sign,
    missing.arrow,
    missing.comma,
    values.conditional,
    statements.one_a_line,
    headers.header,
)


def explain(where: Where) -> Diagnostic:
    """The diagnostic for a place where the parser stopped."""
    for test in ORDER:
        found = test(where)
        if found is not None:
            return found
    return values.parts(where)


def ends_early(source: Source, header: Token, last: Token, behind: Token) -> Diagnostic:
    """The first line of an item goes on in the next line."""
    change = [(last.stop, behind.start, " " if behind.kind in ("LBRACE", "ARROW") or last.kind in NAME_WORDS else "")]
    if behind.kind == "LBRACE":
        message = f"the `{{` of this `{header.text}` stands on a line of its own"
        return problem(source, "E118", message, behind, f"write it behind {shown(last)}", change)
    message = f"the first line of this `{header.text}` ends before its `{{`"
    return problem(source, "E118", message, last, f"go on with {shown(behind)} in the same line", change)


def needs_newline(source: Source, token: Token) -> Diagnostic:
    """A statement starts in the middle of a line."""
    change = (token.start, token.start, "\n" + indentation(source, token.start))
    message, help = f"{shown(token)} starts a new statement", f"put {shown(token)} on a line of its own"
    return problem(source, "E106", message, token, help, [change])
