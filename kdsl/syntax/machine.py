"""The LALR machine: two stacks and a table. It can be asked what it would accept, and be wound back."""

from __future__ import annotations

from typing import Any

from kdsl.source import Source
from kdsl.syntax.builder import Builder
from kdsl.syntax.problems import DEPTH
from kdsl.syntax.table import Rule, Table
from kdsl.syntax.tokens import Token

# A statement ends a value: what stands around it is counted by the braces alone.
SHALLOW = frozenset(
    {"start", "body", "import_", "dim", "fn", "block", "model", "train", "broken_item", "broken"}
    | {"input", "target", "weight", "output", "return_", "let", "group", "params", "param"}
)


class TooDeep(Exception):
    """A value nested deeper than the stages behind the parser, which recurse, can bear."""


class Machine:
    """`states` is one longer than `values`: the values are tokens, nodes of the tree, or lists still to be spliced.

    `depths` says how deeply nested each of the values is.
    """

    def __init__(self, table: Table, builder: Builder, source: Source) -> None:
        self.table = table
        self.builder = builder
        self.source = source
        self.states: list[int] = [table.start]
        self.values: list[Any] = []
        self.depths: list[int] = []

    def can_shift(self, kind: str) -> bool:
        """The very next action on this kind of token would be to take it."""
        return self.table.states[self.states[-1]].get(kind, -1) >= 0

    def accepts(self, kind: str) -> bool:
        """This kind of token fits here, after whatever reductions it takes."""
        table, stack = self.table, self.states
        kept, extra = len(stack), list[int]()  # the stack as it would be: stack[:kept] + extra
        while True:
            action = table.states[extra[-1] if extra else stack[kept - 1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                return True
            rule = table.rules[~action]
            popped = min(rule.size, len(extra))
            if popped:
                del extra[-popped:]
            kept -= rule.size - popped
            state = table.states[extra[-1] if extra else stack[kept - 1]][rule.origin]
            if kind == "$END" and state == table.end:
                return True
            extra.append(state)

    def feed(self, token: Token, value: Any = None) -> bool:
        """Reduce and shift; False where the token does not fit. `value` stands in for the token in the tree."""
        table = self.table
        while True:
            action = table.states[self.states[-1]].get(token.kind)
            if action is None:
                return False
            if action >= 0:
                self.states.append(action)
                self.values.append(token if value is None else value)
                self.depths.append(0)
                return True
            self.reduce(~action)
            if token.kind == "$END" and self.states[-1] == table.end:
                return True

    def reduce(self, number: int) -> None:
        rule = self.table.rules[number]
        size = rule.size
        if size == 1 and (rule.inline or rule.transparent):  # two reductions of three: the value stays as it is
            self.states.pop()
            self.states.append(self.table.states[self.states[-1]][rule.origin])
            return
        depth = self.depth(rule, len(self.values) - size)
        values = self.values[len(self.values) - size :]
        if size:
            del self.states[-size:]
            del self.values[-size:]
            del self.depths[-size:]
        self.states.append(self.table.states[self.states[-1]][rule.origin])
        self.values.append(self.value(rule, values))
        self.depths.append(depth)

    def depth(self, rule: Rule, low: int) -> int:
        """How deep the node of this rule will be; raises TooDeep before anything is taken from the stacks."""
        if rule.origin in SHALLOW or rule.size == 0:
            return 0
        depth = max(self.depths[low:])
        if rule.inline:
            return depth
        last = self.values[-1]
        depth += len(last) // 2 if isinstance(last, list) and rule.transparent else 1  # `a + b + c` nests to the left
        if depth > DEPTH:
            raise TooDeep
        return depth

    def value(self, rule: Rule, values: list[Any]) -> Any:
        """What the values become: a list for the rule around it, or a node."""
        flat: list[Any]
        if values and isinstance(values[0], list):
            flat = values[0]  # left recursion: growing the list keeps long lists linear
            values = values[1:]
        else:
            flat = []
        for value in values:
            flat.extend(value) if isinstance(value, list) else flat.append(value)
        if rule.inline:
            return flat
        start = _start(flat[0]) if flat else 0
        stop = _stop(flat[-1]) if flat else 0
        return self.builder.build(rule.action, flat, self.source.span(start, stop))


def _start(value: Any) -> int:
    start: int = value.start if isinstance(value, Token) else value.span.start
    return start


def _stop(value: Any) -> int:
    stop: int = value.stop if isinstance(value, Token) else value.span.stop
    return stop
