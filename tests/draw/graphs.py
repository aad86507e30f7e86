"""Generated programs to be drawn: 5 to 80 operations, values used once or many times, numbers, vectors and matrices.

What they compute does not matter here, only that it is finite and that their graphs have every kind of shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

FEWEST, MOST = 5, 80
_INPUTS = {
    "": ("0.5", "-1.5", "2"),
    "vector": ("[0.5, -1, 2]",),
    "matrix": ("[[1, 0, -1], [2, 1, 0], [0, 3, 1]]",),
}
_UNARY = ("tanh", "sigmoid", "relu", "sin", "softplus", "-")
_TAMED = 4  # operations after which a value is squashed, so that nothing overflows


@dataclass(frozen=True)
class _Term:
    text: str
    shape: str
    depth: int = 0


@dataclass
class _Growing:
    """A program as far as it is written: its lines, the terms nobody has used yet, and the named ones."""

    random: Random
    reuse: float
    kinds: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    inputs: list[_Term] = field(default_factory=list)
    named: list[_Term] = field(default_factory=list)
    unused: list[_Term] = field(default_factory=list)

    def operations_left(self, most: int, done: int) -> int:
        """How many operations may still be added before all that is unused must be summed up."""
        closing = max(0, len(self.unused) - 1) + sum(term.shape != "" for term in self.unused)
        return most - done - closing

    def operand(self) -> _Term:
        """Something unused, something used before, or an input, new or old."""
        random = self.random
        if self.unused and random.random() < 0.6:
            return self.unused.pop(random.randrange(len(self.unused)))
        if self.named and random.random() < self.reuse:
            term = random.choice(self.named)
            self.unused = [other for other in self.unused if other.text != term.text]
            return term
        if self.inputs and random.random() < self.reuse:
            return random.choice(self.inputs)
        shape = random.choice(self.kinds)
        name = f"x{len(self.inputs)}"
        self.lines.append(f"{name} = {random.choice(_INPUTS[shape])}")
        self.inputs.append(_Term(name, shape))
        return self.inputs[-1]

    def add(self) -> None:
        """One operation, on its own line or inside the one that will use it."""
        made = self._operation()
        if self.random.random() < 0.6:
            name = f"a{len(self.named)}"
            self.lines.append(f"{name} = {made.text}")
            made = _Term(name, made.shape, made.depth)
            self.named.append(made)
        self.unused.append(made)

    def _operation(self) -> _Term:
        random, first = self.random, self.operand()
        if first.depth >= _TAMED:
            return _Term(f"tanh({first.text})", first.shape)
        kind = random.random()
        if first.shape and kind < 0.15:
            return _Term(f"{random.choice(('mean', 'sum', 'max'))}({first.text})", "", first.depth + 1)
        if kind < 0.35:
            return _Term(f"{random.choice(_UNARY)}({first.text})", first.shape, first.depth + 1)
        if kind < 0.45:
            return _Term(
                f"({random.choice(('2 *', '1 +', '1 -'))} {first.text})", first.shape, first.depth + 1
            )
        second = self.operand()
        depth = max(first.depth, second.depth) + 1
        if (first.shape, second.shape) == ("matrix", "vector"):
            return _Term(f"({first.text} @ {second.text})", "vector", depth)
        # Matrices come first, so that @ is what joins them to vectors.
        shape = max(first.shape, second.shape, key=("", "vector", "matrix").index)
        return _Term(f"({first.text} {random.choice('+-*')} {second.text})", shape, depth)


def program(number: int) -> str:
    """The program with this number, the same on every machine; the number of operations goes round from 5 to 80."""
    count = FEWEST + number % (MOST - FEWEST)
    kinds = (("",), ("", "vector"), ("", "vector", "vector", "matrix"))[number % 3]
    growing = _Growing(Random(number), reuse=(0.05, 0.2, 0.4, 0.6)[number // 3 % 4], kinds=kinds)
    done = 0
    while growing.operations_left(count, done) > 0:
        growing.add()
        done += 1
    scalars = [f"sum({term.text})" if term.shape else term.text for term in growing.unused]
    return "\n".join([*growing.lines, f"out = {' + '.join(scalars)}"])
