"""Assembles a generated module: the models first, then what they carry; the text is checked before it is handed on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from kdsl import __version__
from kdsl.codegen.adapt import adapt_text
from kdsl.codegen.allowed import check_module, defined_names
from kdsl.codegen.carry import carried_module, merged_imports
from kdsl.codegen.declare import declaration_text, digest, initial_weights
from kdsl.codegen.schedule import TITLE as SCHEDULE_TITLE
from kdsl.codegen.schedule import schedule_text
from kdsl.codegen.sections import MakeSections, Options, Sections
from kdsl.codegen.templating import environment
from kdsl.codegen.text import basename, joined_tuple, spaced
from kdsl.elaborate.program import ModelProgram
from kdsl.plan.names import RESERVED, Names, identifier, snake_case
from kdsl.source import Source

BEFORE = ("declaration",)
BASE = "model"
AFTER = ("engine", "data", "training", "progress", "checkpoint", "summary", "script")
INITIALIZERS_TITLE = "Initializers: Keras's, in float64."


@dataclass(frozen=True, slots=True)
class Part:
    """Text under a heading."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ModelPart:
    """What the template writes of one model."""

    class_name: str
    title: str
    doc: str
    declaration_name: str
    declaration: str
    initial_weights: str
    text: str
    engine: str
    prefix: str
    settings: tuple[tuple[str, str, Any], ...]
    methods: str


def module_text(
    source: Source, programs: Iterable[tuple[ModelProgram, Any]], make: MakeSections, options: Options
) -> str:
    """The module of all models of a file. `programs` pairs each with its graphs; `make` is the target."""
    pairs = list(programs)
    runtime = {name: carried_module(import_module(f"kdsl.runtime.{name}")) for name in (*BEFORE, BASE, *AFTER)}
    sections, starts = [], []
    prefixes = Names()
    for program, graphs in pairs:
        prefix = "" if len(pairs) == 1 else f"{prefixes(snake_case(program.name))}_"
        own = replace(options, prefix=prefix, engine=_prefixed(prefix, options.engine))
        sections.append((own, make(program, graphs, own)))
        starts.append(initial_weights(program, prefix))
    head = [Part(runtime[name].title, runtime[name].text) for name in BEFORE]
    head = _merged(pair for _, part in sections for pair in part.head) + head
    pieces = [pair for _, part in sections for pair in part.carried]
    schedules = [schedule_text(program) for program, _ in pairs]
    pieces += [(SCHEDULE_TITLE, text) for schedule in schedules for text in schedule.carried]
    adapting = [adapt_text(program) for program, _ in pairs]
    pieces += [pair for adapt in adapting for pair in adapt.carried]
    pieces += [(INITIALIZERS_TITLE, text) for start in starts for text in start.carried]
    carried = _merged(pieces)
    carried += [Part(runtime[name].title, runtime[name].text) for name in AFTER]
    texts = [part.text for part in (*head, *carried)] + [runtime[BASE].text]
    texts += [text for (_, part), start in zip(sections, starts, strict=True) for text in (part.model, start.text)]
    declared = [_declaration_name(own) for own, _ in sections]
    names = Names({*RESERVED, *declared, *(name for text in texts for name in defined_names(text))})
    models = [
        _model_part(names, program, graphs, own, part, start.text)
        for (program, graphs), (own, part), start in zip(pairs, sections, starts, strict=True)
    ]
    imports = [statement for part in runtime.values() for statement in part.imports]
    imports += [statement for _, part in sections for statement in part.imports]
    imports += [statement for start in starts for statement in start.imports]
    imports += [statement for schedule in schedules for statement in schedule.imports]
    imports += [statement for adapt in adapting for statement in adapt.imports]
    text = (
        environment()
        .get_template("module.py.j2")
        .render(
            doc=_module_doc(source, options.imported, models, pairs),
            imports=merged_imports(imports),
            head=head,
            models=models,
            base=Part(runtime[BASE].title, runtime[BASE].text),
            carried=carried,
        )
    )
    text = text.rstrip("\n") + "\n"
    check_module(text)
    return text


def _model_part(
    names: Names, program: ModelProgram, graphs: Any, options: Options, sections: Sections, initial: str
) -> ModelPart:
    class_name = names.fresh(identifier(program.name))
    declaration_name = _declaration_name(options)
    training = program.training
    settings: list[tuple[str, str, Any]] = []
    if training is not None:
        settings = [("batch_size", "int", training.batch), ("epochs", "int", training.epochs)]
        settings += [(identifier(name), "float", float(value)) for name, value in training.optimizer.numbers]
        numbers = {} if training.schedule is None else training.schedule.numbers
        settings += [(identifier(name), "float", value) for name, value in numbers.items()]
    return ModelPart(
        class_name=class_name,
        title=f"{class_name}: its declaration, its first weights, its functions.",
        doc=_class_doc(program),
        declaration_name=declaration_name,
        declaration=declaration_text(declaration_name, program, graphs, options.scalar, options.imported),
        initial_weights=initial,
        text=sections.model,
        engine=options.engine,
        prefix=options.prefix,
        settings=tuple(settings),
        methods="\n\n".join(filter(None, (adapt_text(program).method, schedule_text(program).methods))),
    )


def _declaration_name(options: Options) -> str:
    return f"{options.prefix.upper()}DECLARATION"


def _prefixed(prefix: str, name: str) -> str:
    """A function's name or a class's, for one of several models: `tower_make_engine`, `TowerEngine`."""
    return prefix + name if name.islower() else "".join(part.capitalize() for part in prefix.split("_")) + name


def _merged(pairs: Iterable[tuple[str, str]]) -> list[Part]:
    """Texts under their titles in the order first seen; a text that was there before, under any title, is left out."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for title, text in pairs:
        if text.strip("\n") not in seen:
            seen.add(text.strip("\n"))
            found.setdefault(title, []).append(text.strip("\n"))
    return [Part(title, spaced(texts)) for title, texts in found.items()]


def _module_doc(
    source: Source, imported: tuple[Source, ...], models: list[ModelPart], pairs: list[tuple[ModelProgram, Any]]
) -> str:
    """Whose module it is, by whom (what a build looks for before it overwrites a file), and how to use it."""
    file = basename(source.name)
    program = pairs[0][0]
    first = models[0].class_name
    use = [f"    from {identifier(file.rsplit('.', 1)[0])} import {first}", f"    model = {first}()"]
    inputs = _several([port.name for port in program.inputs])
    if program.training is not None:
        use.append(
            f"    model.fit({', '.join([inputs, *(_several([t.name for t in program.targets]) for _ in program.targets[:1])])})"
        )
    use.append(f"    model.predict({inputs})")
    about = [
        f"{model.class_name}: {p.doc.strip()}" for model, (p, _) in zip(models, pairs, strict=True) if p.doc.strip()
    ]
    return "\n\n".join(
        [
            f"{', '.join(model.class_name for model in models)}: neural network{'s' * (len(models) > 1)}. Made by kdsl {__version__} from {file}.",
            f"To change it, change that file, whose SHA-256{_with(imported)} is\n{digest(source, imported)}, and build again.",
            *about,
            "\n".join(use),
        ]
    )


def _with(imported: tuple[Source, ...]) -> str:
    return (
        f", with those of the {len(imported)} it imports,"
        if len(imported) > 1
        else ", with that of the file it imports,"
        if imported
        else ""
    )


def _several(names: list[str]) -> str:
    return joined_tuple(names) if len(names) > 1 else "".join(names)


def _class_doc(program: ModelProgram) -> str:
    doc = program.doc.strip() or f"The model {program.name}."
    rows = [("input", port.name, str(port.type)) for port in program.inputs]
    rows += [("target", port.name, str(port.type)) for port in program.targets]
    rows += [("output", name, str(type)) for name, type in program.outputs]
    return doc + "\n\n" + "\n".join(f"{kind:7} {name}: {type}" for kind, name, type in rows)
