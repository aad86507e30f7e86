"""What the step-through page shows, as one value: text, input values, options; and how it becomes a stage."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradviz.demos import Demo
from gradviz.draw.stage import Stage
from gradviz.draw.staging import staged
from gradviz.draw.story import payload
from gradviz.engine.build import as_value
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import APP
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.parse import parse
from gradviz.engine.tape import Tape
from gradviz.engine.tokens import program_lines
from gradviz.errors import GradvizError
from gradviz.explain.trace import Run

LINK_LIMIT = 1800  # characters; some mail programs and chats cut longer addresses
FILE_LIMIT = 200_000  # bytes of an opened file or an unpacked link
DIGITS = range(2, 9)
_SEED = re.compile("ones|none|[0-9]{1,7}")

Json = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A text and everything chosen beside it. `values` override declared inputs; None in `wrt` means all inputs.

    `seed` is "ones", "none" (forward only) or the flat index of the one output entry to differentiate. `exercise` is
    the node whose gradient is asked of the reader, empty for none; the answer is never part of it.
    """

    text: str
    title: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    wrt: tuple[str, ...] | None = None
    opened: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    digits: int = 4
    seed: str = "ones"
    exercise: str = ""

    @classmethod
    def of_demo(cls, demo: Demo) -> Program:
        """A demo as it is shipped."""
        return cls(demo.text, demo.title, wrt=demo.wrt)

    def to_json(self) -> str:
        """The program as a file."""
        return json.dumps(asdict(self), separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Program:
        """The program in a file; raises GradvizError when it is not one."""
        if len(text) > FILE_LIMIT:
            raise GradvizError("the file is too large for a gradviz program")
        try:
            raw = json.loads(text)
            return cls(
                text=_string(raw["text"]),
                title=_string(raw.get("title", ""))[:80],
                values={_string(name): _numbers(value) for name, value in raw.get("values", {}).items()},
                wrt=None if raw.get("wrt") is None else _names(raw["wrt"]),
                opened=_names(raw.get("opened", [])),
                folded=_names(raw.get("folded", [])),
                digits=min(max(int(raw.get("digits", 4)), DIGITS[0]), DIGITS[-1]),
                seed=_seed_choice(raw.get("seed", "ones")),
                exercise=_string(raw.get("exercise", ""))[:80],
            )
        except (ValueError, OverflowError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise GradvizError("this is not a gradviz program", got=str(error)[:60]) from None

    def to_link(self) -> str:
        """The program packed for the address; empty when it would be longer than LINK_LIMIT."""
        packed = base64.urlsafe_b64encode(zlib.compress(self.to_json().encode(), 9)).decode().rstrip("=")
        return packed if len(packed) <= LINK_LIMIT else ""

    @classmethod
    def from_link(cls, packed: str) -> Program:
        """The program in an address; raises GradvizError when the address is damaged."""
        try:
            raw = base64.urlsafe_b64decode(packed[: 4 * LINK_LIMIT] + "=" * (-len(packed) % 4))
            text = zlib.decompressobj().decompress(raw, FILE_LIMIT).decode()
        except (ValueError, binascii.Error, zlib.error) as error:
            raise GradvizError("the address does not hold a gradviz program", got=str(error)[:60]) from None
        return cls.from_json(text)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    value.encode()  # half of a surrogate pair can be written in JSON, but in no address or file
    return value


def _names(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_string, value)))


def _numbers(value: Any) -> Any:
    array = np.asarray(value, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("values must be finite")
    return array.tolist()


def _seed_choice(value: Any) -> str:
    if not _SEED.fullmatch(_string(value)):
        raise ValueError("no such seed")
    return str(value)


@dataclass(frozen=True)
class Opened:
    """A program that runs: its graph as typed, the values used, the other arguments of `staged`, and what came of it."""

    graph: Graph
    values: Mapping[str, Array]
    output_shape: Shape
    arguments: Json
    stage: Stage

    @cached_property
    def story(self) -> Json:
        """Everything the browser view shows; made once, however often the page is drawn."""
        return payload(self.stage)


def open_program(program: Program) -> Opened:
    """Parse, run and lay out a program; raises GradvizError at whatever does not work."""
    graph = parse(program.text, limits=APP)
    values = input_values(graph, program.values)
    shapes = {name: shape_of(value) for name, value in values.items()}
    output = Tape(graph, shapes, (), APP).shapes[graph.output]
    fused = {node.id for node in graph.nodes if node.op is not None and node.op.fused}
    wrt = [name for name in (graph.inputs if program.wrt is None else program.wrt) if name in graph.inputs]
    arguments = {
        "wrt": () if program.seed == "none" and output else tuple(wrt),
        "seed": _seed(program.seed, output),
        "opened": tuple(id for id in program.opened if id.partition("/")[0] in fused),
        "folded": program.folded,
        "digits": program.digits,
        "title": program.title,
    }
    return Opened(graph, values, output, arguments, staged(graph, values, limits=APP, **arguments))


def input_values(graph: Graph, overrides: Mapping[str, Any]) -> dict[str, Array]:
    """A value for every input: the override where its shape fits the declared one, the declared one, or 1."""
    values = {name: graph.defaults.get(name, 1.0) for name in graph.inputs}
    for name, value in overrides.items():
        if name in values and shape_of(as_value(value)) == shape_of(values[name]):
            values[name] = as_value(value)
    return values


def _seed(choice: str, shape: Shape) -> Array:
    if not shape:
        return None
    seed = np.ones(shape)
    if choice not in ("ones", "none"):
        seed = np.zeros(shape)
        seed.flat[min(int(choice), seed.size - 1)] = 1.0
    return seed


def with_sum(program: Program) -> Program:
    """The program with its output reduced to a scalar by sum(…)."""
    text = program.text.rstrip()
    last = program_lines(text, APP)[-1]
    if any(token.text == "=" and token.depth == 0 for token in last):
        return replace(program, text=f"{text}\nsum({last[0].text})\n", title="", seed="ones")
    start, end = last[0].start, last[-1].end
    return replace(program, text=f"{text[:start]}sum({text[start:end]}){text[end:]}\n", title="", seed="ones")


def group_line(box: str) -> str:
    """The program line that a folded box stands for."""
    return box.strip("[]")


def home_line(run: Run, node: str) -> str:
    """The program line a node belongs to."""
    return run.graph[node].line
