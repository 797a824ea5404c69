"""The functions of a model for the numba target: the parts of each graph, and the loops that threads run over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdsl.codegen.clocks import Clocks
from kdsl.codegen.numba_ahead import NAME, AheadText
from kdsl.codegen.numba_emit import Emitter, Kind
from kdsl.codegen.numba_optimizer import OptimizerText
from kdsl.codegen.numba_update import UpdateText
from kdsl.codegen.text import indented
from kdsl.plan.launch import Stages
from kdsl.plan.model import BATCH_OF_EVALUATION, ModelPlan, in_batches

ROWS = {
    "predict": ("predict_block", "A block of rows, from the inputs to the outputs."),
    "evaluate": ("evaluate_block", "A block of rows, from the data to the loss and the metrics; nothing is dropped."),
    "train": (
        "forward_backward",
        "A block of a batch's rows: forward, the loss, and the gradient of every layer's output.",
    ),
}
RESULTS = "The blocks' sums, added in the blocks' order; in a training step a loss that is not finite is noted, and adds nothing."
RUNS = {
    "predict": "Every thread runs this: blocks of rows, which the threads take as they come.",
    "evaluate": "As `{}predict`; the sums of the blocks are added up in the blocks' order.",
}
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def known_names(plan_stages: int = 512) -> list[str]:
    """Every name that a function of a model may have, behind its prefix."""
    names = [*ROWS, *(name for name, _ in ROWS.values()), *(f"prepare_{kind}" for kind in ROWS)]
    names += ["add_results", "weight_gradients", "finish_gradients", "clip_factors", "update", "move_averages"]
    names += [NAME, *(f"{NAME}_{n}" for n in range(plan_stages))]
    return names + [f"{kind}_{part}_{n}" for kind in ROWS for part in ("rows", "close") for n in range(plan_stages)]


class Functions:
    """Texts by name, in the order they stand in a module; `prepares` maps a kind to the function that must run before it."""

    def __init__(
        self,
        plan: ModelPlan,
        graphs: Any,
        prefix: str,
        optimizer: OptimizerText | None,
        clocks: Clocks | None = None,
    ) -> None:
        self.plan, self.prefix, self.capital = plan, prefix, prefix.upper()
        self.texts: dict[str, str] = {}
        self.prepares: dict[str, str] = {}
        closes: dict[str, list[str]] = {}
        update: UpdateText | None = None
        made: dict[Kind, Stages | None] = {"predict": plan.predict, "evaluate": plan.evaluate, "train": plan.train}
        for kind, stages in made.items():
            if stages is None:
                continue
            timed = clocks if clocks is not None and clocks.kind == kind else None
            emitter = Emitter(plan, getattr(graphs, kind), stages, kind, prefix, timed)
            self._prepare(emitter)
            self._rows(emitter)
            closes[kind] = self._closes(emitter)
            if kind == "train" and optimizer is not None:
                ahead = AheadText(emitter)
                update = UpdateText(emitter, optimizer, ahead)
                self.texts |= ahead.texts() | update.texts()
                self._after(emitter)
            if kind != "train":
                self.texts[f"{prefix}{kind}"] = self._run(kind, stages, closes[kind])
        if plan.train is not None and update is not None:
            self.texts[f"{prefix}train"] = self._train(plan.train, closes["train"], update)

    # ---- the parts of a graph ----------------------------------------------------------------------------------------

    def _prepare(self, emitter: Emitter) -> None:
        if emitter.made.prepare.launches:
            name = self.prepares[emitter.kind] = f"{self.prefix}prepare_{emitter.kind}"
            doc = "What is made of weights alone, when they have changed."
            self.texts[name] = emitter.serial(emitter.made.prepare, f"{name}(job: Longs, me: int)", doc)

    def _after(self, emitter: Emitter) -> None:
        if emitter.made.after.launches:
            name = f"{self.prefix}move_averages"
            doc = "Weights that are not trained but follow the batches."
            self.texts[name] = emitter.serial(emitter.made.after, f"{name}(job: Longs)", doc)

    def _row_names(self, kind: str, stages: Stages) -> list[str]:
        single, count = ROWS[kind][0], len(stages.rows)
        return [f"{self.prefix}{f'{kind}_rows_{n}' if count > 1 else single}" for n in range(count)]

    def _rows(self, emitter: Emitter) -> None:
        names = self._row_names(emitter.kind, emitter.made)
        for number, (name, part) in enumerate(zip(names, emitter.made.rows, strict=True)):
            doc = ROWS[emitter.kind][1]
            if len(names) > 1:
                doc = f"A block of rows, pass {number + 1} of {len(names)} over the batch."
            self.texts[name] = emitter.rows(part, name, doc)

    def _closes(self, emitter: Emitter) -> list[str]:
        """Names of what follows each stage, empty where nothing does. Equal functions are one."""
        made, names = emitter.made, []
        for stage, part in enumerate(made.close):
            last = stage == len(made.close) - 1 and bool(made.results)
            if not (part.launches or part.partials or last):
                names.append("")
                continue
            name = f"{self.prefix}{emitter.kind}_close_{stage}"
            doc = RESULTS if last else "What is made of the blocks' sums, before the next pass over the rows."
            text = emitter.close(stage, name, doc)
            if last and len(made.rows) == 1:
                shared = f"{self.prefix}add_results"
                same = text.replace(f"def {name}(", f"def {shared}(", 1)
                if self.texts.setdefault(shared, same) == same:
                    names.append(shared)
                    continue
            self.texts[name] = text
            names.append(name)
        return names

    # ---- what threads run --------------------------------------------------------------------------------------------

    def _run(self, kind: str, stages: Stages, closes: Sequence[str]) -> str:
        """`predict` and `evaluate`."""
        lines = [
            f"def {self.prefix}{kind}(job: Longs, me: int) -> None:",
            f'    """{RUNS[kind].format(self.prefix)}"""',
            "    team, count, phase = longs_at(job[TEAM]), job[COUNT], job[PHASE]",
        ]
        body = self._batches(kind, stages, closes) if in_batches(stages) else self._blocks(kind, stages, closes)
        return "\n".join([*lines, *body])

    def _blocks(self, kind: str, stages: Stages, closes: Sequence[str]) -> list[str]:
        """Any number of blocks at once: what they give is added up, however they are grouped."""
        size = f"{self.capital}BLOCK_ROWS"
        (rows,) = self._row_names(kind, stages)
        chunk = ", chunk" if kind == "evaluate" else ""
        run = [
            f"start = (done + chunk) * {size}",
            f"{rows}(job, start, min({size}, count - start){chunk}, me)",
        ]
        close = [f"{closes[0]}(job, -1, min(chunks * {size}, count - done * {size}), chunks)"] if closes[0] else []
        return [
            f"    blocks = (count + {size} - 1) // {size}",
            "    for done in range(0, blocks, CHUNKS_AT_ONCE):",
            "        chunks = min(CHUNKS_AT_ONCE, blocks - done)",
            *_inside(_phase("chunks", run, close), 8),
        ]

    def _batches(self, kind: str, stages: Stages, closes: Sequence[str]) -> list[str]:
        """One batch after the other, each in as many passes as it needs."""
        size = f"{self.capital}BLOCK_ROWS"
        lines = [
            f"    for batch in range(0, count, {BATCH_OF_EVALUATION}):",
            f"        rows = min({BATCH_OF_EVALUATION}, count - batch)",
            f"        blocks = (rows + {size} - 1) // {size}",
        ]
        for rows, close in zip(self._row_names(kind, stages), closes, strict=True):
            run = [f"start = chunk * {size}", f"{rows}(job, batch, rows, start, min({size}, rows - start), chunk, me)"]
            lines += _inside(_phase("blocks", run, [f"{close}(job, -1, rows, blocks)"] if close else []), 8)
        return lines

    def _train(self, stages: Stages, closes: Sequence[str], update: UpdateText) -> str:
        prefix, size = self.prefix, f"{self.capital}BLOCK_ROWS"
        rows = self._row_names("train", stages)
        count = len(rows) + 1 + update.late
        lines = [
            f"def {prefix}train(job: Longs, me: int) -> None:",
            f'    """Every thread runs this: steps of {_number(count)} phases, whose chunks the threads take as they come."""',
            "    arithmetic = flush_subnormals()",
            "    team, count, batch, phase = longs_at(job[TEAM]), job[COUNT], job[BATCH], job[PHASE]",
        ]
        if update.ahead.shares:
            lines.append("    # Before the first step: its first products.")
            lines += _inside(_phase(str(update.ahead.shares), update.ahead.for_first_step(), []), 4)
        lines += [
            "    for step in range((count + batch - 1) // batch):",
            "        rows = min(batch, count - step * batch)",
        ]
        for number, (name, close) in enumerate(zip(rows, closes, strict=True)):
            doc = "each block of rows goes forward and back" if len(rows) == 1 else f"pass {number + 1} over the rows"
            lines.append(f"        # Phase {_number(number + 1)}: {doc}.")
            lines += [f"        blocks = (rows + {size} - 1) // {size}"] if not number else []
            run = [f"start = chunk * {size}", f"{name}(job, step, rows, start, min({size}, rows - start), chunk, me)"]
            behind = [f"{close}(job, step, rows, blocks)"] if close else []
            behind += update.between if number == len(rows) - 1 and not update.late else []
            lines += _inside(_phase("blocks", run, behind), 8)
        lines += ["        if job[BAD] >= 0:", "            break"]
        number = len(rows) + 1
        if update.late:
            doc = "the gradients of the weights, and how long they are" if self.plan.clip else "sums over the batch"
            lines.append(f"        # Phase {_number(number)}: {doc}.")
            run = [f"{prefix}weight_gradients(job, rows, chunk, me)"]
            lines += _inside(_phase(str(self.plan.late_chunks), run, update.between), 8)
            number += 1
        doc = "each weight follows its gradient" if self.plan.clip else "the gradient of each weight, and its step"
        doc += ", then the first products of the next step" if update.ahead.shares else ""
        lines.append(f"        # Phase {_number(number)}: {doc}.")
        behind = [f"{prefix}move_averages(job)"] if stages.after.launches else []
        behind += [f"{self.prepares['train']}(job, me)"] if "train" in self.prepares else []
        chunks = str(self.plan.update_chunks)
        lines += _inside(_phase(chunks, [f"{prefix}update(job, step, rows, chunk, me)"], behind), 8)
        return "\n".join([*lines, "    restore_subnormals(arithmetic)"])


def _phase(chunks: str, run: Sequence[str], close: Sequence[str]) -> list[str]:
    """The loop in which a thread takes chunks; whoever finishes the last one closes the phase."""
    return [
        f"chunk = claim(team, phase, {chunks}, me)",
        "while chunk >= 0:",
        *_inside(run, 4),
        f"    if finish(team, {chunks}):",
        *_inside([*close, "open_phase(team, phase + 1)"], 8),
        f"    chunk = claim(team, phase, {chunks}, me)",
        "phase += 1",
    ]


def _inside(lines: Sequence[str], columns: int) -> list[str]:
    return [indented(line, columns) for line in lines]


def _number(count: int) -> str:
    return NUMBERS[count - 1] if count <= len(NUMBERS) else str(count)
