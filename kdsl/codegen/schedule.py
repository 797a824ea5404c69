"""The schedule of a model: two methods of its class, and the formulas that they call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kdsl.codegen.carry import function_text, needed_by
from kdsl.codegen.text import call, indented, joined_tuple, pyrepr
from kdsl.elaborate.program import ModelProgram, Schedule
from kdsl.graph.graph import Attribute

TITLE = "The schedule of the learning rate."
LOOKS_AT = ("factor", "patience", "min_delta", "cooldown")  # what `watch_plateau` takes; the rest shapes the rate


@dataclass(frozen=True, slots=True)
class ScheduleText:
    """Methods of the model's class, and what they need."""

    methods: str = ""
    imports: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()


def schedule_text(program: ModelProgram) -> ScheduleText:
    schedule = None if program.training is None else program.training.schedule
    if schedule is None:
        return ScheduleText()
    from kdsl.training import rates
    from kdsl.training.schedules import SCHEDULES

    curve = SCHEDULES[schedule.name].curve
    functions: list[Callable[..., Any]] = [curve]
    if schedule.watches:
        functions.append(rates.watch_plateau)
        methods = [_rates_of_plateau(schedule), _watch(schedule)]
    else:
        methods = [_rates(schedule, curve.__name__)]
    imports, helpers = needed_by(functions)
    texts = [text for _, text in helpers] + [function_text(f, f.__name__) for f in functions]
    return ScheduleText("\n\n".join(methods), tuple(imports), tuple(texts))


def _rates(schedule: Schedule, function: str) -> str:
    settings = [f"{name}={_setting(name, value, schedule)}" for name, value in schedule.settings]
    arguments = ['n["lr"]', "step", "total", *settings]
    head = "def _rates(self, n: Mapping[str, float], step: Array, epoch: int, total: int) -> Array:"
    return "\n".join([head, indented(call(f"return {function}(", arguments, used=8), 4)])


def _rates_of_plateau(schedule: Schedule) -> str:
    head = "def _rates(self, n: Mapping[str, float], step: Array, epoch: int, total: int) -> Array:"
    return f'{head}\n    return plateau_rate(n["lr"], self._memory, min_lr=n["min_lr"])'


def _watch(schedule: Schedule) -> str:
    texts = [f"{name}=n[{pyrepr(name)}]" for name in LOOKS_AT]
    arguments = [f"logs[{pyrepr(schedule.watches)}]", "self._memory", f"rises={schedule.rises}", *texts]
    head = "def _watch(self, n: Mapping[str, float], logs: dict[str, float]) -> None:"
    return "\n".join([head, indented(call("watch_plateau(", arguments, used=8), 4)])


def _setting(name: str, value: Attribute, schedule: Schedule) -> str:
    """A setting as an argument: numbers are those of the run, times become steps."""
    if name not in schedule.numbers:
        return _in_steps(value)
    return f"n[{pyrepr(name)}]{' * epoch' * (isinstance(value, tuple) and value[1] == 'epochs')}"


def _in_steps(value: Attribute) -> str:
    """A value that is compiled in; times in it become steps."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        return f"{pyrepr(value[0])} * epoch" if value[1] == "epochs" else pyrepr(value[0])
    if isinstance(value, tuple):
        return joined_tuple(map(_in_steps, value))
    return pyrepr(value)
