"""Mathematics as the lecture writes it: names, expressions and formulas that know how tightly they bind.

A Formula is a LaTeX template with named slots. It renders to LaTeX, and to MathML by converting each template
once and substituting the slots, since a conversion costs about a millisecond and a substitution nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from gradviz.engine.graph import Graph
from gradviz.engine.op import ATOM, LOOSE, PRODUCT
from gradviz.explain import numbers

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lam": "λ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_GREEK_LATEX = {"lam": "lambda", "eps": "epsilon"}
_ACCENTS = {"hat": ("\u0302", r"\hat"), "bar": ("\u0304", r"\bar"), "tilde": ("\u0303", r"\tilde")}
_MARKER = re.compile(r"@(?:\((\w+)\)|\[(\w+)\]|([A-Za-z0-9]+(?:_[A-Za-z0-9]+)*))")


class Label(NamedTuple):
    """A name for drawings: Unicode base (`ŷ`, `ℒ`), subscript, and whether the base is one italic letter."""

    base: str
    sub: str = ""

    def __str__(self) -> str:
        if any(c.isalpha() and c.isascii() for c in self.sub):  # Unicode has no letters for subscripts
            return f"{self.base}_{self.sub}"
        return self.base + self.sub.translate(_SUBSCRIPTS)


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@lru_cache(maxsize=4096)
def _split(name: str) -> tuple[str, str, str]:
    """stem, accent, subscript: `yhat1` -> y, hat, 1; `w_max` -> w, "", max."""
    stem, _, sub = name.partition("_")
    symbol = len(stem) <= 2 or stem in _GREEK or stem.endswith(tuple(_ACCENTS))
    if not stem or (sub and not symbol and not sub.isdigit()):
        return name, "", ""  # `learning_rate` is a word, not a symbol with an index
    if not sub and (match := re.fullmatch(r"(\D+?)(\d+)", stem)):
        stem, sub = match.groups()
    for accent in _ACCENTS:
        if stem.endswith(accent) and (len(stem) == len(accent) + 1 or stem[: -len(accent)] in _GREEK):
            return stem[: -len(accent)], accent, sub
    return stem, "", sub


@lru_cache(maxsize=4096)
def label(name: str) -> Label:
    """A name for drawings: `yhat` -> ŷ, `w1` -> w₁, `alpha` -> α, `L` -> ℒ."""
    import unicodedata

    stem, accent, sub = _split(name)
    base = "ℒ" if stem == "L" else _GREEK.get(stem, stem)
    if accent:
        base = unicodedata.normalize("NFC", base + _ACCENTS[accent][0])
    return Label(base, sub.replace("_", ","))


@lru_cache(maxsize=4096)
def name_latex(name: str) -> str:
    r"""A name in LaTeX: `yhat` -> \hat{y}, `w1` -> w_{1}, `L` -> \mathcal{L}, `loss` -> \mathrm{loss}."""
    stem, accent, sub = _split(name)
    if stem == "L":
        base = r"\mathcal{L}"
    elif stem in _GREEK:
        base = "\\" + _GREEK_LATEX.get(stem, stem)
    else:
        base = stem if len(stem) == 1 and stem.isalpha() else rf"\mathrm{{{_escape(stem)}}}"
    if accent:
        base = rf"{_ACCENTS[accent][1]}{{{base}}}"
    if not sub:
        return base
    return rf"{base}_{{{sub}}}" if sub.isdigit() else rf"{base}_{{\mathrm{{{_escape(sub)}}}}}"


def _escape(text: str) -> str:
    """Text that LaTeX takes literally; what would be a command or a slot in a free-form label is left out."""
    return re.sub(r"[&\\{}%#$^~@]", " ", text).replace("_", r"\_")


class Formula(NamedTuple):
    """A LaTeX template and what fills its slots; `precedence` says when it needs parentheses around it."""

    template: str
    slots: Mapping[str, Formula] = {}
    precedence: int = ATOM

    @property
    def latex(self) -> str:
        """The formula in LaTeX."""

        def fill(match: re.Match[str]) -> str:
            slot, wrap = self._slot(match)
            text = slot.latex
            return rf"\left({text}\right)" if wrap else text

        return _MARKER.sub(fill, self.template) if self.slots else self.template

    @property
    def mathml(self) -> str:
        """The formula as a MathML `<math>` element, in display style."""
        namespace = 'xmlns="http://www.w3.org/1998/Math/MathML" display="block"'
        return f"<math {namespace}><mrow>{self._inner()}</mrow></math>"

    def _inner(self) -> str:
        if not self.slots:
            return _convert(self.template)
        parts = _converted_template(self.template)
        out = [parts[0]]
        for i in range(1, len(parts), 2):
            match = _MARKER.fullmatch(parts[i])
            assert match is not None
            slot, wrap = self._slot(match)
            inner = f"<mrow>{slot._inner()}</mrow>"
            out.append(f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>" if wrap else inner)
            out.append(parts[i + 1])
        return "".join(out)

    def _slot(self, match: re.Match[str]) -> tuple[Formula, bool]:
        looser, not_tighter, bare = match.groups()
        slot = self.slots[looser or not_tighter or bare]
        wrap = bool(
            (looser and slot.precedence < self.precedence)
            or (not_tighter and slot.precedence <= self.precedence)
        )
        return slot, wrap


@lru_cache(maxsize=8192)
def _convert(latex: str) -> str:
    from latex2mathml.converter import convert

    if re.fullmatch(r"\d+(\.\d+)?", latex):
        return f"<mn>{latex}</mn>"
    if re.fullmatch(r"[A-Za-z]", latex):
        return f"<mi>{latex}</mi>"
    markup = re.sub(r"^<math[^>]*><mrow>|</mrow></math>$", "", convert(latex))
    markup = re.sub(r'<menclose notation="box">', '<mrow class="boxed">', markup)
    return markup.replace("</menclose>", "</mrow>")


@lru_cache(maxsize=1024)
def _converted_template(template: str) -> tuple[str, ...]:
    """MathML with its markers cut out: text, marker, text, marker, …, text."""
    markers = [match.group(0) for match in _MARKER.finditer(template)]
    numbered = iter(range(len(markers)))
    # \text comes back as one <mtext> element that can be found again.
    markup = _convert(_MARKER.sub(lambda _: rf"{{\text{{slot{next(numbered)}}}}}", template))
    parts = re.split(r"<mtext[^>]*>slot(\d+)</mtext>", markup)
    parts[1::2] = [markers[int(token)] for token in parts[1::2]]
    return tuple(parts)


def name(text: str) -> Formula:
    """A name as a formula."""
    return Formula(name_latex(text))


def number(value: Any, digits: int = 4) -> Formula:
    """A number or small array as a formula; negative numbers bind loosely, so products put them in parentheses."""
    text = numbers.latex_array(value, digits)
    loose = text.startswith("-")
    return Formula(text, precedence=LOOSE if loose else PRODUCT if r"\cdot" in text else ATOM)


def derivative(of: Formula, by: Formula) -> Formula:
    """∂of/∂by."""
    return Formula(r"\frac{\partial @of}{\partial @by}", {"of": of, "by": by}, PRODUCT)


def boxed(formula: Formula) -> Formula:
    """The formula in a frame: the factor under discussion."""
    return Formula(r"\boxed{@x}", {"x": formula})


def sequence(formulas: Sequence[Formula], separator: str = r" \cdot ") -> Formula:
    """Formulas joined by an operator, each in parentheses where it binds more loosely than a product; 1 for none."""
    if not formulas:
        return Formula("1")
    slots = {f"f{i}": formula for i, formula in enumerate(formulas)}
    return Formula(separator.join(f"@({key})" for key in slots), slots, PRODUCT)


def expression(graph: Graph, position: int, leaves: Mapping[int, Formula]) -> Formula:
    """The formula of a node in terms of the formulas given for earlier nodes; constants are written out."""
    needed = {position}
    for i in range(position, -1, -1):
        if i in needed and i not in leaves:
            needed.update(graph.nodes[i].args)
    made: dict[int, Formula] = {}
    for i in sorted(needed):
        node = graph.nodes[i]
        if i in leaves:
            made[i] = leaves[i]
        elif node.op is None:
            made[i] = name(node.id) if node.is_input else constant(node.value, node.text)
        else:
            made[i] = apply(graph, i, [made[arg] for arg in node.args])
    return made[position]


def constant(value: Any, text: str = "") -> Formula:
    """A literal as it was written where that is short, else as its value."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return Formula(text)
    return number(value, 6)


def apply(graph: Graph, position: int, args: Sequence[Formula]) -> Formula:
    """One operation node written on the formulas of its arguments."""
    node = graph.nodes[position]
    op = node.op
    assert op is not None
    if op.variadic:
        slots = {f"x{i}": arg for i, arg in enumerate(args)}
        return Formula(op.latex.replace(f"@{op.args[0]}", ", ".join(f"@{key}" for key in slots)), slots)
    slots = dict(zip(op.args, args, strict=False)) | option_formulas({**op.options, **node.options})
    return Formula(op.template(len(args)), slots, op.precedence)


def option_formulas(options: Mapping[str, Any]) -> dict[str, Formula]:
    """The options of an operation, for templates that mention them."""
    return {
        key: number(value, 6) if type(value) in (int, float) else Formula(_escape(written(value)))
        for key, value in options.items()
    }


def written(value: Any) -> str:
    """An option as one writes it; the key of an index as it stands in its brackets."""
    if isinstance(value, slice):
        parts = ["" if part is None else str(part) for part in (value.start, value.stop)]
        return ":".join(parts if value.step is None else [*parts, str(value.step)])
    if isinstance(value, tuple):
        return ", ".join(map(written, value))
    return str(value)
