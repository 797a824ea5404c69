"""Every known attack on a compiler of strangers' files is a test, and this table says which.

Code in the generated module
    S1  texts in docstrings                     test_attacks.test_evil_texts_stay_texts
                                                test_attacks.test_evil_doc_comments_through_the_whole_compiler
                                                test_attacks_on_new_parts.test_evil_docs_change_no_code
    S2  a carriage return in a comment          test_limits.test_a_lone_carriage_return_is_refused
                                                test_attacks.test_comments_are_one_printable_line
    S3  text of the template's language         test_attacks.test_evil_texts_stay_texts
    S4  names that are words of Python          test_attacks.test_every_awkward_word_as_a_name_of_a_value
                                                test_attacks.test_every_awkward_word_as_a_binding
                                                test_attacks.test_every_awkward_word_as_the_name_of_a_model
                                                test_attacks_on_new_parts.test_awkward_names_change_no_code
    S5  letters that Python folds, bidi marks   test_limits.test_characters_that_cannot_be_seen
                                                test_attack_table.test_letters_that_python_folds_are_no_names
    S6  numbers no float or text can hold       test_limits.test_numbers_no_float_can_hold
                                                test_limits.test_long_numbers
                                                test_attacks.test_literals_are_their_values
    S7  modules that shadow others              test_build.test_every_module_of_python_is_refused
                                                test_build.test_names_that_would_do_harm
                                                test_build.test_a_file_that_kdsl_did_not_make_stays
    S8  the finished module is held to a list   test_attacks.test_what_is_not_allowed
                                                test_attacks.test_any_text_stays_text
Paths and files
    P1  imports that leave the project          test_imports.test_nothing_outside_of_the_project_is_read
                                                test_imports.test_paths_that_are_none
                                                test_attacks_on_new_parts.test_evil_paths_of_imports_are_refused
    P2  links                                   test_imports.test_links_are_followed_before_the_project_is_asked_for
    P3  pipes, devices, 5 GB, no UTF-8          test_imports.test_what_is_no_text_is_refused_at_once
                                                test_source_files.test_what_is_no_regular_file
                                                test_source_files.test_size
    P4  circles and diamonds                    test_imports.test_a_circle_is_shown_as_a_chain
                                                test_imports.test_a_file_that_imports_itself_need_not_exist
                                                test_imports.test_a_circle_through_a_hard_link_is_found
                                                test_imports.test_a_diamond_is_read_once
    P5  chains and crowds of imports            test_imports.test_chains_and_crowds_of_files_are_limited
                                                test_imports.test_a_crowd_of_imports_is_refused_at_once
    P6  linting runs and writes nothing         test_lint.test_linting_imports_neither_numpy_nor_numba_nor_jinja
                                                test_attack_table.test_linting_writes_nothing
Time and memory of the compiler
    R1  20,000 parentheses                      test_limits.test_nesting
    R2  deep code                               test_attack_table.test_long_sums_become_flat_code
    R3  a billion copies                        test_elaborate_limits.test_what_is_too_large_is_refused_at_once
                                                test_elaborate_limits.test_attacks_end_soon_in_a_diagnostic
    R4  sizes past 64 bits                      test_elaborate_limits.test_the_message_says_how_much_it_would_need
    R5  long names, many problems               test_limits.test_long_names
                                                test_limits.test_more_than_a_hundred_problems
                                                test_limits.test_one_mark_a_hundred_thousand_times
                                                test_elaborate_limits.test_no_more_than_a_hundred_diagnostics
    R6  sizes that make no sense                test_elaborate_limits.test_sizes_that_make_no_sense
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from kdsl.compiler import compile_file
from kdsl.elaborate import elaborate
from kdsl.lint import lint
from kdsl.source import Source
from kdsl.syntax import parse

TESTS = Path(__file__).resolve().parent.parent
NAMED = re.findall(r"\b(test_\w+)\.(test_\w+)", __doc__ or "")
ROWS = re.findall(r"^    ([SPR]\d)  ", __doc__ or "", re.MULTILINE)


def test_every_row_has_a_test() -> None:
    assert sorted(ROWS) == sorted([f"S{n}" for n in range(1, 9)] + [f"{k}{n}" for k in "PR" for n in range(1, 7)])


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_the_table_names_tests_that_exist(file: str, test: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in TESTS.rglob(f"{file}.py")]
    assert any(f"def {test}(" in text for text in texts)


@pytest.mark.parametrize("name", ["\ufb01", "\uff41", "\u00aa", "\u017f", "gr\u00f6sse", "\u0430"])
def test_letters_that_python_folds_are_no_names(name: str) -> None:
    assert [found.code for found in parse(Source("net.kmodel", f"dim {name} = 3\n")).diagnostics] == ["E109"]


def test_linting_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "part.kmodel").write_text("dim T = 3\n")
    text = 'import T from "part.kmodel"\nmodel Net {\n  input x: f32[T]\n  output y = x -> dense(T)\n}\n'
    parsed = parse(Source("net.kmodel", text))
    result = elaborate(parsed.tree)
    assert not result.diagnostics
    lint(parsed.tree, result)
    assert [path.name for path in tmp_path.rglob("*")] == ["part.kmodel"]


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_long_sums_become_flat_code(target: str) -> None:
    """Ninety operators in one value, and three hundred values in a row, are no deeper than one."""
    lines = "".join(f"  h{n} = {f'h{n - 1}' if n else 'x'}{' + x' * (90 if n < 2 else 1)}\n" for n in range(300))
    text = f"model Net {{\n  input x: f32[2]\n{lines}  output h299\n}}\n"
    compiled = compile_file(Source("net.kmodel", text), target=target)
    assert compiled.text is not None
    plain = compile_file(
        Source("net.kmodel", "model Net {\n  input x: f32[2]\n  output h299 = x + 2 * x\n}\n"), target=target
    )
    assert plain.text is not None
    assert depth(ast.parse(compiled.text)) <= depth(ast.parse(plain.text)) + 3


def depth(tree: ast.AST) -> int:
    deepest, left = 0, [(tree, 0)]
    while left:
        node, level = left.pop()
        deepest = max(deepest, level)
        left += [(child, level + 1) for child in ast.iter_child_nodes(node)]
    return deepest
