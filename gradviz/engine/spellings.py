"""How things are written elsewhere and how they are written here: the tables behind the hints."""

from __future__ import annotations

CONSTRUCTORS = {
    "randn": "randn(size, …)",
    "zeros": "zeros(size, …)",
    "ones": "ones(size, …)",
    "eye": "eye(n)",
    "linspace": "linspace(a, b, n)",
}

OPERATORS = {
    "^": ("^ is not a power here", "write ** for a power, as in x**2"),
    "^=": ("^= is not part of the language", "write ** for a power, and y = x**2 to give it a name"),
    "==": ("== is not available: equality has no useful slope", "compare with < or >; = gives a name"),
    "!=": ("!= is not available: being different has no useful slope", "compare with < or >"),
    "<>": ("<> is not available: being different has no useful slope", "compare with < or >"),
    "===": ("=== is not available: being equal has no useful slope", "compare with < or >"),
    "!==": ("!== is not available: being different has no useful slope", "compare with < or >"),
    "=<": ("=< is written the other way round", "write <="),
    "=>": ("=> is written the other way round", "write >="),
    ":=": (":= is not part of the language", "write name = expression on a line of its own"),
    "->": ("-> is not part of the language", "write name = expression"),
    "//": ("there is no whole-number division", "write / for a division"),
    "%": ("there is no remainder operation", "write the formula with + - * / ** instead"),
    ";": ("a semicolon does not separate lines here", "put each name = expression on a line of its own"),
    "|": ("bars are not part of the language", "write abs(x) for |x|, and maximum(a, b) for 'or'"),
    "||": ("|| is not part of the language", "write norm2(x) for a length, maximum(a, b) for 'or'"),
    "&": ("& is not part of the language", "multiply two conditions: (a < b)*(b < c)"),
    "&&": ("&& is not part of the language", "multiply two conditions: (a < b)*(b < c)"),
    "~": ("~ is not part of the language", "write 1 - condition for 'not'"),
    "!": ("! is not part of the language", "write 1 - condition for 'not'; there is no factorial"),
    "?": ("? is not part of the language", "write where(condition, a, b) for a choice"),
    "<<": ("<< is not part of the language", "multiply by a power of two: x * 2**n"),
    ">>": (">> is not part of the language", "divide by a power of two: x / 2**n"),
    "...": ("dots are not part of the language", "write every term, or index with colons as in x[:, 0]"),
    "\\": ("a backslash is not part of the language", "write plain names; a line goes on inside brackets"),
    "{": ("curly brackets are not part of the language", "write round brackets ( )"),
    "}": ("curly brackets are not part of the language", "write round brackets ( )"),
    "$": ("$ is not part of the language", "write the formula without $"),
    "`": ("` is not part of the language", "delete it"),
}  # fmt: skip

WORDS = {
    "lambda": "write lam (it is shown as λ)",
    "and": "multiply the two conditions: (a < b)*(b < c)",
    "or": "write maximum(a, b) for two conditions",
    "not": "write 1 - condition",
    "is": "compare with < or >",
} | dict.fromkeys(("if", "else", "elif"), "write where(condition, a, b) for a choice")
WORDS |= dict.fromkeys(("for", "while"), "there are no loops: write the terms out, or use arrays and sum")
WORDS |= dict.fromkeys(("import", "from"), "delete this line: all operations are there already")
WORDS |= dict.fromkeys(
    ("def", "return", "class"), "write lines name = expression; the last line is the output"
)

CHARACTERS = (
    dict.fromkeys("×·∙⋅•∗⊙", "*")
    | dict.fromkeys("÷∕⁄", "/")
    | dict.fromkeys("−–—‐", "-")
    | dict.fromkeys("ᵀ⊤ᵗ", ".T, as in W.T")
    | dict.fromkeys("‖∥", "norm2(x) for the length of x")
    | dict.fromkeys("“”„‘’«»", "words bare, without quotes")
    | dict.fromkeys("≠≈≡", "< or > for a comparison")
    | dict.fromkeys("∂∇", "only the formula: gradviz finds the derivatives")
    | {
        "√": "sqrt(x)",
        "∑": "sum(x)",
        "∏": "prod(x)",
        "≤": "<=",
        "≥": ">=",
        "½": "1/2",
        "¼": "1/4",
        "¾": "3/4",
        "⁻": "**-, as in x**-1",
        "σ": "sigmoid(x), or sigma for a name",
        "λ": "lam (it is shown as λ)",
        "Λ": "Lam",
        "µ": "mu",
        "ŷ": "yhat",
        "\u0302": "hat behind the name, as in xhat",
        "…": "every term",
        "Σ": "sum(x), or Sigma for a name",
        "→": "name = expression",
    }
)

# Functions of other programs and textbooks, in small letters without underscores.
ELSEWHERE = {
    "ln": "log(x)",
    "log10": "log(x)/log(10)",
    "log2": "log(x)/log(2)",
    "sigma": "sigmoid(x)",
    "logistic": "sigmoid(x)",
    "swish": "silu(x)",
    "power": "x**y",
    "sqr": "square(x)",
    "fabs": "abs(x)",
    "norm": "norm2(x)",
    "average": "mean(x)",
    "avg": "mean(x)",
    "std": "sqrt(var(x))",
    "mm": "matmul(a, b)",
    "bmm": "matmul(a, b)",
    "cat": "concat(a, b, axis=0)",
    "concatenate": "concat(a, b, axis=0)",
    "stack": "concat(a, b, axis=0)",
    "array": "[1, 2, 3]",
    "tensor": "[1, 2, 3]",
    "rand": "randn(2, 3)",
    "random": "randn(2, 3)",
    "arange": "linspace(0, 9, 10)",
    "range": "linspace(0, 9, 10)",
    "identity": "eye(n)",
    "mseloss": "mse(pred, target)",
    "conv": "conv2d(x, w)",
    "convolve": "conv2d(x, w)",
    "convtranspose": "conv_transpose2d(x, w)",
    "deconv": "conv_transpose2d(x, w)",
    "maxpool": "max_pool2d(x, 2)",
    "avgpool": "avg_pool2d(x, 2)",
    "adaptiveavgpool2d": "global_avg_pool2d(x)",
    "batchnorm2d": "batch_norm(x, gamma, beta)",
    "pad": "pad2d(x, 1)",
    "upsample": "upsample_nearest(x, 2)",
    "interpolate": "upsample_bilinear(x, 2)",
    "print": "the name alone on the last line",
    "index": "x[0]",
}
MODULES = {"np", "numpy", "torch", "math", "F", "nn", "tf", "jnp", "gv", "keras"}
DANGLING = {"+", "-", "*", "/", "@", "**", "<", "<=", ">", ">="}

# Tokens of the language in a place where they mean nothing.
STRAY = {
    "=": "an option is written inside its call, as in sum(x, axis=0)",
    ":": "a colon belongs into an index, as in x[1:3]",
    ".": "write .T after a name for the transpose",
}
