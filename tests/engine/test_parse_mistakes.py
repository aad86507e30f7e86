"""What people write instead of the language: every mistake with its error, caret, message and hint."""

from __future__ import annotations

import pytest

from gradviz.engine.parse import parse
from gradviz.errors import GradvizError, LimitError, ParseError, ShapeError, UnknownNameError

# text: (error, characters under the caret, words of the message, words of the hint)
MISTAKES: dict[str, tuple[type[GradvizError], str, str, str]] = {
    # operators of other languages
    "x^2": (ParseError, "^", "not a power", "**"),
    "x == y": (ParseError, "==", "== is not available", "< or >"),
    "x != y": (ParseError, "!=", "!= is not available", "< or >"),
    "x =< y": (ParseError, "=<", "the other way round", "<="),
    "x // y": (ParseError, "//", "whole-number division", "/"),
    "x % y": (ParseError, "%", "remainder", "formula"),
    "|x|": (ParseError, "|", "bars", "abs(x)"),
    "||x||": (ParseError, "||", "not part of the language", "norm2(x)"),
    "a & b": (ParseError, "&", "not part of the language", "(a < b)*(b < c)"),
    "n!": (ParseError, "!", "not part of the language", "factorial"),
    "{x + 1}": (ParseError, "{", "curly", "round brackets"),
    "$x$": (ParseError, "$", "not part of the language", "without $"),
    "\\frac{x}{y}": (ParseError, "\\", "backslash", "plain names"),
    "x += 1": (ParseError, "+=", "assigned once", "y = x + 1"),
    "x **= 2": (ParseError, "**=", "assigned once", "y = x ** 1"),
    "(y := 3)": (ParseError, ":=", "not part of the language", "line of its own"),
    "x; y": (ParseError, ";", "semicolon", "line of its own"),
    "[1, 2; 3, 4]": (ParseError, ";", "semicolon", "[[1, 2], [3, 4]]"),
    "x[..., 0]": (ParseError, "...", "dots", "x[:, 0]"),
    # reserved words and Python
    "lambda*w": (ParseError, "lambda", "reserved word", "write lam"),
    "a if b else c": (ParseError, "if", "reserved word", "where(condition, a, b)"),
    "a and b": (ParseError, "and", "reserved word", "(a < b)*(b < c)"),
    "not a": (ParseError, "not", "reserved word", "1 - condition"),
    "[x for x in y]": (ParseError, "for", "reserved word", "no loops"),
    "import os": (ParseError, "import", "reserved word", "delete this line"),
    "def f(x): return x": (ParseError, "def", "reserved word", "name = expression"),
    "x is 3": (ParseError, "is", "reserved word", "< or >"),
    "class = 3": (ParseError, "class", "reserved word", "name = expression"),
    "yield = 3": (ParseError, "yield", "reserved word", "yield_"),
    "None = 3": (ParseError, "None", "reserved word", "None_"),
    "True*x": (ParseError, "True", "True cannot stand here", "write 1"),
    "__import__('os')": (ParseError, "'os'", "quotes", "bare"),
    "__import__(os)": (ParseError, "__import__", "cannot stand here", "another name"),
    "__x = 3": (ParseError, "__x", "cannot start with __", "x1"),
    'f"{x}"': (ParseError, '"{x}"', "quotes", "bare"),
    "pad2d(x, 1, mode='reflect')": (ParseError, "'reflect'", "quotes", "mode=reflect"),
    "x'": (ParseError, "'", "quotes", ".T for the transpose"),
    "x.__class__": (ParseError, ".__class__", "only .T", ".T"),
    "x.sum()": (ParseError, ".sum", "only .T", "sum(x)"),
    "np.exp(x)": (ParseError, "np.", "not needed", "exp(…)"),
    "relu(x).mean": (ParseError, ".mean", "only .T", "mean(…)"),
    # characters
    "x²": (ParseError, "²", "character ²", "**2"),
    "xⁿ": (ParseError, "ⁿ", "character ⁿ", "**n"),
    "x⁻¹": (ParseError, "⁻", "character ⁻", "x**-1"),
    "x₁": (ParseError, "₁", "character ₁", "x1"),
    "a × b": (ParseError, "×", "character ×", "write *"),
    "a·b": (ParseError, "·", "character ·", "write *"),
    "a ÷ b": (ParseError, "÷", "character ÷", "write /"),
    "a − b": (ParseError, "−", "character −", "write -"),
    "√x": (ParseError, "√", "character √", "sqrt(x)"),
    "σ(x)": (ParseError, "σ", "character σ", "sigmoid(x)"),
    "2*π": (ParseError, "π", "character π", "write pi"),
    "θ*x": (ParseError, "θ", "character θ", "write theta"),
    "Δ": (ParseError, "Δ", "character Δ", "write Delta"),
    "λ*w": (ParseError, "λ", "character λ", "write lam"),
    "‖x‖": (ParseError, "‖", "character ‖", "norm2(x)"),
    "a ≤ b": (ParseError, "≤", "character ≤", "write <="),
    "½*x": (ParseError, "½", "character ½", "1/2"),
    "Wᵀ": (ParseError, "ᵀ", "character ᵀ", ".T"),
    "ŷ - y": (ParseError, "ŷ", "character ŷ", "yhat"),
    "café": (ParseError, "é", "character é", "write e"),
    "（x)": (ParseError, "（", "character （", "write ("),
    "мир": (ParseError, "м", "character м", "a-z"),
    "x\u00a0+ 1": (ParseError, "\u00a0", "invisible character here (NO-BREAK SPACE)", "blank"),
    "x\u200b": (ParseError, "\u200b", "invisible character", "delete it"),
    "x\0": (ParseError, "\0", "invisible character here (U+0000)", "delete it"),
    # brackets
    "(x + 1": (ParseError, "(", "( at line 1, column 1 is never closed", "missing )"),
    "a = 1\nf = [(x + 1), 2\nf": (ParseError, "[", "[ at line 2, column 5 is never closed", "missing ]"),
    "x)": (ParseError, ")", "closes no bracket", "delete it"),
    "(x]": (ParseError, "]", "does not fit the ( at line 1, column 1", "write )"),
    "()": (ParseError, "()", "nothing between the brackets", "into them"),
    "x[]": (ParseError, "[]", "nothing between the brackets", "into them"),
    "x + []": (ParseError, "[]", "nothing between the brackets", "into them"),
    "f = sin(x\ng = cos(y)*z)": (ParseError, "x\ng", "no operator between x and g", "close the bracket"),
    # operators and operands
    "2x": (ParseError, "2x", "no operator between 2 and x", "2*x"),
    "x y": (ParseError, "x y", "no operator between x and y", "x*y"),
    "2(x)": (ParseError, "2(", "no operator between 2 and (", "2*("),
    "(a)(b)": (ParseError, ")(", "no operator between ) and (", ")*("),
    "1.2.3": (ParseError, "1.2.3", "no operator between 1.2 and .3", "one decimal point"),
    "[1 2]": (ParseError, "1 2", "no operator between 1 and 2", "comma"),
    "x +": (ParseError, "+", "missing after +", "add a number or a name"),
    "y = x +\nz = 3": (ParseError, "+", "missing after +", "in brackets"),
    "(x * )": (ParseError, "*", "missing after *", "add a number or a name"),
    "* x": (ParseError, "*", "missing before *", "add a number or a name"),
    "relu(*x)": (ParseError, "*", "missing before *", "add a number or a name"),
    "x + / y": (ParseError, "+ /", "next to each other", "delete one"),
    "x * * y": (ParseError, "* *", "next to each other", "write ** without a blank"),
    "x < = y": (ParseError, "x <", "single name", "write <= without a blank"),
    "a < b < c": (ParseError, "<", "cannot be chained", "(a < b)*(b < c)"),
    "x, y": (ParseError, ",", "cannot stand here", "[1, 2]"),
    "(x, y)": (ParseError, ",", "cannot stand here", "[1, 2]"),
    "0,5*x": (ParseError, "0,5", "comma cannot stand in a number", "0.5"),
    "relu(, x)": (ParseError, ",", "missing before the comma", "delete the comma"),
    "x[1:2": (ParseError, "[", "never closed", "missing ]"),
    "x[, 1]": (ParseError, ",", "missing before the comma", "delete the comma"),
    "x[1,, 2]": (ParseError, ",", "missing before the comma", "delete the comma"),
    "(x : y)": (ParseError, ":", "cannot stand here", "x[1:3]"),
    "y = .T": (ParseError, ".", "cannot stand here", ".T after a name"),
    "x.": (ParseError, ".", "only .T", ".T"),
    # lines and names
    "": (ParseError, "", "no expression", "type a formula"),
    " \n# nothing\n\t": (ParseError, "", "no expression", "type a formula"),
    "x =": (ParseError, "=", "missing after =", "add the value"),
    "= 3": (ParseError, "=", "name is missing before =", "y = "),
    "x = = 3": (ParseError, "=", "only one =", "delete one"),
    "a = b = 3": (ParseError, "=", "only one =", "one line for each"),
    "f(x) = 3": (ParseError, "f(x)", "single name", "f = …"),
    "sin(x) = y": (ParseError, "sin(x)", "single name", "y = sin(…)"),
    "3 = x": (ParseError, "3", "single name", "x = 3"),
    "a, b = 1": (ParseError, "a, b", "single name", "one line for each"),
    "x[0] = 1": (ParseError, "x[0]", "single name", "name = expression"),
    "(x = 3)": (ParseError, "=", "= cannot stand here", "sum(x, axis=0)"),
    "x = 1\n  x = 2\nx": (ParseError, "x", "already has a value from line 1", "x2"),
    "x + 1\ny = 2": (ParseError, "x + 1", "only the last line", "name ="),
    "x = x + 1": (ParseError, "x", "in its own definition", "new name"),
    "x = (1 +\n x)": (ParseError, "x", "in its own definition", "new name"),
    "y = 2*z\nz = 3\ny": (ParseError, "z", "used before the line", "move the line 'z = …'"),
    "exp = 3": (ParseError, "exp", "name of an operation", "exp1"),
    "zeros = 3": (ParseError, "zeros", "name of an operation", "zeros1"),
    "sum + 1": (ParseError, "sum", "needs brackets", "sum(x)"),
    "sin x": (ParseError, "sin", "needs brackets", "sin(x)"),
    # calls
    "ln(x)": (UnknownNameError, "ln", "no operation called ln", "log(x)"),
    "sgimoid(x)": (UnknownNameError, "sgimoid", "no operation called", "did you mean sigmoid"),
    "ReLU(x)": (UnknownNameError, "ReLU", "no operation called", "relu(…)"),
    "CrossEntropy(x, y)": (UnknownNameError, "CrossEntropy", "no operation called", "cross_entropy(…)"),
    "std(x)": (UnknownNameError, "std", "no operation called", "sqrt(var(x))"),
    "print(x)": (UnknownNameError, "print", "no operation called", "last line"),
    "index(x, 0)": (UnknownNameError, "index", "no operation called", "x[0]"),
    "w(3)": (UnknownNameError, "w", "no operation called", "w*(…)"),
    "w = 2\nw(3)": (ParseError, "w", "variable, not an operation", "w*(…)"),
    "quaternion(x)": (UnknownNameError, "quaternion", "no operation called", "README"),
    "relu()": (ParseError, "relu", "relu needs a value for x", ""),
    "mse(x)": (ParseError, "mse", "mse needs a value for target", ""),
    "reshape(x)": (ParseError, "reshape", "reshape needs a value for shape", ""),
    "concat(axis=0)": (ParseError, "concat", "concat needs a value for xs", ""),
    "mse(a, b, (c + d))": (ParseError, "(c + d)", "at most 2 values", ""),
    "mse(a, b, max(c, d))": (ParseError, "max(c, d)", "at most 2 values", ""),
    "reshape(x, 2, 3)": (ParseError, "3", "at most 2 values", "shape=(2, 3)"),
    "max(a, b, c)": (ParseError, "c", "at most 2 values", "max(a, max(b, c))"),
    "sum(x, dim=0)": (ParseError, "dim", "no option called dim", ""),
    "sum(x, axes=0)": (ParseError, "axes", "no option called axes", "did you mean axis"),
    "sum(x, 0, axis=1)": (ParseError, "axis", "given twice", ""),
    "sum(axis=0, x)": (ParseError, "x", "after an option", "first"),
    "sum(x, axis=w)": (ParseError, "w", "axis must be a whole number", "not variables"),
    "sum(x, axis=1.5)": (ParseError, "1.5", "axis must be a whole number", ""),
    "sum(x, axis=10**10)": (ParseError, "10**10", "axis must be a whole number", ""),
    "sum(x, axis=2*w)": (ParseError, "2*w", "only a number", "digits"),
    "sum(x, keepdims=1)": (ParseError, "1", "keepdims must be True or False", ""),
    "sum(x, axis=)": (ParseError, "=", "missing after =", "add a number"),
    "relu(None)": (ParseError, "None", "x cannot be None", ""),
    "concat([a, b], axis=0)": (ParseError, "a", "holds numbers only", "concat(a, b, axis=0)"),
    "x[i]": (ParseError, "i", "index is a whole number", "x[0]"),
    "x[1.5]": (ParseError, "1.5", "index is a whole number", "x[0]"),
    "x[::0]": (ParseError, "::0", "step of 0", "1 or -1"),
    "x[1:2:3:4]": (ParseError, "1:2:3:4", "at most two colons", "start:stop:step"),
    # values
    "[[1, 2], [3]]": (ParseError, "[3]", "different shapes", "as many numbers"),
    "x + 1/0": (ParseError, "1/0", "divides by zero", ""),
    "log(0)": (ParseError, "log(0)", "no value", "log is not defined"),
    "(-8)**(1/3)": (ParseError, "(-8)**(1/3)", "no value", "pow is not defined"),
    "1/[0, 1]": (ParseError, "1/[0, 1]", "infinite or not a number", "div is not defined"),
    "9**9**9": (ParseError, "9**9**9", "too large", "1e308"),
    "1e999": (ParseError, "1e999", "too large", "1e308"),
    "9" * 400: (ParseError, "9" * 400, "too large", "1e308"),
    "x + [1, 2]@[1, 2, 3]": (ShapeError, "[1, 2]@[1, 2, 3]", "", ""),
    "eye(2, 3)": (ParseError, "eye(2, 3)", "eye takes 1 number", ""),
    "linspace(0, 1)": (ParseError, "linspace(0, 1)", "linspace takes 3 numbers", ""),
    "zeros(2.5)": (ParseError, "zeros(2.5)", "whole number", ""),
    "zeros(n)": (ParseError, "n", "only a number", "digits"),
    "x*zeros(1000000000)": (LimitError, "zeros(1000000000)", "1,000,000,000 entries", ""),
    "randn(99999, 99999)": (LimitError, "randn(99999, 99999)", "entries", ""),
    "linspace(0, 1, 10**12)": (LimitError, "linspace(0, 1, 10**12)", "entries", ""),
    "eye(10**6)": (LimitError, "eye(10**6)", "entries", ""),
    "ones(1, 1, 1, 1, 1)": (LimitError, "ones(1, 1, 1, 1, 1)", "5 axes", ""),
    "[[[[[1]]]]]": (LimitError, "[[[[[1]]]]]", "5 axes", ""),
    "-" * 70 + "x": (LimitError, "x", "nested more than 60 deep", "lines of their own"),
    "(" * 61 + "x" + ")" * 61: (LimitError, "(", "nested more than 60 deep", "lines of their own"),
    "x + " * 3000 + "x": (LimitError, "x", "12,001 characters", ""),
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: ascii(text[:30]))
def test_mistakes_are_explained(text: str) -> None:
    kind, blamed, message, hint = MISTAKES[text]
    with pytest.raises(GradvizError) as caught:
        parse(text)
    error = caught.value
    assert type(error) is kind
    assert (text[slice(*error.span)] if error.span else "") == blamed
    assert message in error.message
    assert hint in error.hint
    assert error.hint or error.expected or kind in (LimitError, ShapeError)
    assert len(error.hint) <= 120
    assert len(str(error)) <= 500
    assert error.source == text
    assert str(error).isprintable() or "\n" in str(error)


@pytest.mark.parametrize(
    ("text", "line", "col"),
    [
        ("x = 3 \r\n\t y = x ^ 2\r\ny", 2, 9),
        ("(a\n + (b\n $", 3, 2),
        ("# é\nx y", 2, 1),
        ("x = [\n1,\n é]", 3, 2),
    ],
)
def test_line_and_column_of_a_mistake(text: str, line: int, col: int) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.col) == (line, col)
    assert "\r" not in str(caught.value)


def test_a_call_that_does_not_fit_shows_the_signature() -> None:
    with pytest.raises(ParseError) as caught:
        parse("sum(x, axis=w)")
    assert caught.value.expected == "sum(x, axis=None, keepdims=False)"


def test_an_unknown_option_value_names_what_it_got() -> None:
    with pytest.raises(ParseError, match="size of zeros") as caught:
        parse("zeros(2.5)")
    assert caught.value.got == "2.5"
