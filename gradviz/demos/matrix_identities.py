"""Matrix derivatives as one writes them: a table of identities, each a program to step through.

Every statement is in denominator layout, so a gradient has the shape of what it is taken by, and the Jacobian
of y ∈ ℝᴹ by x ∈ ℝᴺ is N × M. Sizes that need not be equal differ and no square matrix is symmetric, so that no
wrong transposition comes out right. A Jacobian's program ends in g·y, a weight on every output: what flows back
into y is g, and what arrives at x is the Jacobian times g.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradviz.demos import Demo
from gradviz.engine.graph import shape_of
from gradviz.engine.numeric import Shape
from gradviz.engine.parse import parse

_A23 = "A = [[1, -2, 0.5], [3, 1, -1]]\n"
_A33 = "A = [[1, 2, -1], [0.5, 3, 1], [-2, 0, 1.5]]\n"
_A43 = "A = [[1, 2, -1], [0, 1, 3], [-2, 0.5, 1], [1, -1, 0]]\n"
_SQUARE = "X = [[2, 0.5, -1], [0.2, 1.5, 0.7], [-0.4, 0.1, 1]]\n"
_X23 = "X = [[2, -1, 0.5], [1, 3, -2]]\n"
_X32 = "X = [[2, -1], [0.5, 3], [1, -2]]\n"
_X43 = "X = [[1, -1, 2], [0, 2, 1], [3, 1, -1], [-2, 0.5, 1]]\n"
_x3 = "x = [1, -2, 0.5]\n"
_x4 = "x = [1, -2, 0.5, 3]\n"


@dataclass(frozen=True, kw_only=True)
class Identity(Demo):
    """A demo of one derivative: `formula` is ∂`of`/∂`wrt[0]` in the program's names, `latex` the statement.

    `of` is empty for a gradient, that of the program's output; otherwise the identity is a Jacobian. `domain`
    says in words where it holds; empty for everywhere.
    """

    latex: str
    formula: str
    of: str = ""
    domain: str = ""
    row: str = ""
    group: str = "Matrix derivatives"

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every input."""
        return {name: shape_of(value) for name, value in parse(self.text).defaults.items()}


DEMOS = [
    Identity(
        name="linear_form",
        title="∂ aᵀx / ∂x = a",
        latex=r"\frac{\partial}{\partial x}\, a^{\top} x = a",
        text=f"a = [2, -1, 3]\n{_x3}f = dot(a, x)\n",
        wrt=("x",),
        formula="a",
        lesson="The simplest of all: a weighted sum changes with each entry by that entry's weight.",
    ),
    Identity(
        name="quadratic_form",
        title="∂ xᵀAx / ∂x = (A + Aᵀ)x",
        latex=r"\frac{\partial}{\partial x}\, x^{\top} A x = \left(A + A^{\top}\right) x",
        text=f"{_A33}{_x3}f = dot(x, A @ x)\n",
        wrt=("x",),
        formula="(A + A.T) @ x",
        lesson="x is used twice, so two contributions add up: Ax from the left factor, Aᵀx from the right one. Only a symmetric A makes it 2Ax.",
    ),
    Identity(
        name="squared_length",
        title="∂ xᵀx / ∂x = 2x",
        latex=r"\frac{\partial}{\partial x}\, x^{\top} x = 2 x",
        text=f"{_x3}f = dot(x, x)\n",
        wrt=("x",),
        formula="2*x",
        lesson="The square of the length, with the 2 that the two uses of x bring: the matrix version of x².",
    ),
    Identity(
        name="euclidean_norm",
        title="∂ ‖x‖ / ∂x = x / ‖x‖",
        latex=r"\frac{\partial}{\partial x}\, \|x\| = \frac{x}{\|x\|}",
        text="x = [2, -1, 2]\nf = norm2(x)\n",
        wrt=("x",),
        formula="x/f",
        domain="x ≠ 0",
        lesson="A vector grows fastest along its own direction, whatever its length: the gradient is a unit vector.",
    ),
    Identity(
        name="least_squares",
        title="∂ ‖Ax − b‖² / ∂x = 2Aᵀ(Ax − b)",
        latex=r"\frac{\partial}{\partial x}\, \|A x - b\|^{2} = 2 A^{\top} \left(A x - b\right)",
        text=f"{_A43}{_x3}b = [1, -1, 2, 0]\nr = A @ x - b\nf = sum(r**2)\n",
        wrt=("x",),
        formula="2*A.T @ (A @ x - b)",
        lesson="The residual travels back through Aᵀ, from the four equations to the three unknowns. Set to 0 this is the normal equation.",
    ),
    Identity(
        name="weighted_least_squares",
        title="∂ (Ax − b)ᵀW(Ax − b) / ∂x = Aᵀ(W + Wᵀ)(Ax − b)",
        latex=r"\frac{\partial}{\partial x} \left(A x - b\right)^{\top} W \left(A x - b\right)"
        r" = A^{\top} \left(W + W^{\top}\right) \left(A x - b\right)",
        text=f"{_A23}{_x3}b = [1, -1]\nW = [[2, 1], [-0.5, 1]]\nr = A @ x - b\nf = dot(r, W @ r)\n",
        wrt=("x",),
        formula="A.T @ (W + W.T) @ (A @ x - b)",
        lesson="The quadratic form again, with r in the place of x, and one more factor of the chain: Aᵀ.",
    ),
    Identity(
        name="rayleigh_quotient",
        title="∂ (xᵀAx / xᵀx) / ∂x = ((A + Aᵀ)x − 2fx) / xᵀx",
        latex=r"\frac{\partial}{\partial x}\, \frac{x^{\top} A x}{x^{\top} x}"
        r" = \frac{\left(A + A^{\top}\right) x - 2 f x}{x^{\top} x}",
        text=f"{_A33}{_x3}n = dot(x, x)\nf = dot(x, A @ x)/n\n",
        wrt=("x",),
        formula="((A + A.T) @ x - 2*f*x)/n",
        domain="x ≠ 0",
        lesson="For a symmetric A the gradient is 0 exactly at the eigenvectors, and f is then the eigenvalue.",
    ),
    Identity(
        name="cosine_similarity",
        title="∂ cos(x, y) / ∂x = (y/‖y‖ − cos(x, y) x/‖x‖) / ‖x‖",
        latex=r"\frac{\partial}{\partial x}\, \frac{x^{\top} y}{\|x\| \|y\|}"
        r" = \frac{1}{\|x\|} \left( \frac{y}{\|y\|} - f\, \frac{x}{\|x\|} \right)",
        text="x = [1, -2, 2]\ny = [0, 3, 4]\nf = dot(x, y)/(norm2(x)*norm2(y))\n",
        wrt=("x",),
        formula="(y/norm2(y) - f*x/norm2(x))/norm2(x)",
        domain="x ≠ 0, y ≠ 0",
        lesson="What points along x is taken out: making x longer does not change the angle.",
    ),
    Identity(
        name="log_sum_exp",
        title="∂ ln Σ exp(z) / ∂z = softmax(z)",
        latex=r"\frac{\partial}{\partial z}\, \ln \sum_i e^{z_i} = \operatorname{softmax}(z)",
        text="z = [1, -1, 2, 0.5]\nf = logsumexp(z)\n",
        wrt=("z",),
        formula="softmax(z)",
        lesson="The softmax is the gradient of the smooth maximum: shares that add up to 1.",
    ),
    Identity(
        name="softmax_cross_entropy",
        title="∂ (−tᵀ ln softmax(z)) / ∂z = (1ᵀt) softmax(z) − t",
        latex=r"\frac{\partial}{\partial z} \left( -t^{\top} \ln \operatorname{softmax}(z) \right)"
        r" = \left(\mathbf{1}^{\top} t\right) \operatorname{softmax}(z) - t",
        text="z = [1, -1, 2]\nt = [0, 1, 0]\nf = -dot(t, log_softmax(z))\n",
        wrt=("z",),
        formula="sum(t)*softmax(z) - t",
        lesson="For targets that add up to 1, as a one-hot t does, this is predicted probability minus target: the reason why the two go together.",
    ),
    Identity(
        name="logistic_regression",
        title="∂ BCE(σ(Xw), t) / ∂w = Xᵀ(σ(Xw) − t) / n",
        latex=r"\frac{\partial}{\partial w}\, \operatorname{BCE}\left(\sigma(X w), t\right)"
        r" = \frac{1}{n} X^{\top} \left(\sigma(X w) - t\right)",
        text=f"{_X43}w = [0.5, -1, 1]\nt = [1, 0, 0, 1]\nz = X @ w\nf = bce_with_logits(z, t)\n",
        wrt=("w",),
        formula="X.T @ (sigmoid(X @ w) - t)/4",
        lesson="As in least squares, Xᵀ times an error; the loss is chosen so that the sigmoid's slope cancels.",
    ),
    Identity(
        name="bilinear_form",
        title="∂ aᵀXb / ∂X = abᵀ",
        latex=r"\frac{\partial}{\partial X}\, a^{\top} X b = a b^{\top}",
        text=f"a = [1, -2]\n{_X23}b = [3, 1, -1]\nf = dot(a, X @ b)\n",
        wrt=("X",),
        formula="outer(a, b)",
        lesson="Entry (i, j) of X meets a on its row and b on its column. Every weight gradient of a network is such an outer product.",
    ),
    Identity(
        name="bilinear_form_transposed",
        title="∂ aᵀXᵀb / ∂X = baᵀ",
        latex=r"\frac{\partial}{\partial X}\, a^{\top} X^{\top} b = b a^{\top}",
        text=f"a = [1, -2]\n{_X32}b = [3, 1, -1]\nf = dot(a, X.T @ b)\n",
        wrt=("X",),
        formula="outer(b, a)",
        lesson="The gradient has the shape of X, not of Xᵀ: the two vectors change places.",
    ),
    Identity(
        name="linear_regression_weights",
        title="∂ ‖Xa − b‖² / ∂X = 2(Xa − b)aᵀ",
        latex=r"\frac{\partial}{\partial X}\, \|X a - b\|^{2} = 2 \left(X a - b\right) a^{\top}",
        text=f"{_X23}a = [1, 2, -1]\nb = [1, -1]\nr = X @ a - b\nf = sum(r**2)\n",
        wrt=("X",),
        formula="2*outer(X @ a - b, a)",
        lesson="What comes back, twice the residual, times what went in, a: the outer product of a linear layer.",
    ),
    Identity(
        name="trace_of_product",
        title="∂ tr(AX) / ∂X = Aᵀ",
        latex=r"\frac{\partial}{\partial X}\, \operatorname{tr}(A X) = A^{\top}",
        text=f"{_A23}{_X32}f = trace(A @ X)\n",
        wrt=("X",),
        formula="A.T",
        lesson="tr(AX) pairs each entry of X with the entry of A at the mirrored place, so A arrives transposed.",
    ),
    Identity(
        name="trace_of_sandwich",
        title="∂ tr(AXB) / ∂X = AᵀBᵀ",
        latex=r"\frac{\partial}{\partial X}\, \operatorname{tr}(A X B) = A^{\top} B^{\top}",
        text="A = [[1, -2, 0.5], [3, 1, -1]]\nX = [[1, 2, 0, -1], [3, -1, 1, 2], [0, 1, -2, 1]]\n"
        "B = [[1, 2], [-1, 0], [0.5, 1], [2, -3]]\nf = trace(A @ X @ B)\n",
        wrt=("X",),
        formula="A.T @ B.T",
        lesson="Each neighbour of X is transposed and keeps its side: (3 × 2)(2 × 4) = 3 × 4, the shape of X.",
    ),
    Identity(
        name="trace_of_quadratic",
        title="∂ tr(XᵀAX) / ∂X = (A + Aᵀ)X",
        latex=r"\frac{\partial}{\partial X}\, \operatorname{tr}\left(X^{\top} A X\right) = \left(A + A^{\top}\right) X",
        text=f"{_A33}{_X32}f = trace(X.T @ A @ X)\n",
        wrt=("X",),
        formula="(A + A.T) @ X",
        lesson="The quadratic form of every column of X at once: each column of the gradient is (A + Aᵀ) times that column.",
    ),
    Identity(
        name="trace_of_cube",
        title="∂ tr(X³) / ∂X = 3(Xᵀ)²",
        latex=r"\frac{\partial}{\partial X}\, \operatorname{tr}\left(X^{3}\right) = 3 \left(X^{\top}\right)^{2}",
        text=f"{_SQUARE}f = trace(X @ X @ X)\n",
        wrt=("X",),
        formula="3*X.T @ X.T",
        lesson="Like 3x², with the transpose that the trace brings. The three uses of X contribute equally.",
    ),
    Identity(
        name="frobenius_norm",
        title="∂ ‖X‖_F / ∂X = X / ‖X‖_F",
        latex=r"\frac{\partial}{\partial X}\, \|X\|_{F} = \frac{X}{\|X\|_{F}}",
        text=f"{_X23}f = sqrt(sum(X**2))\n",
        wrt=("X",),
        formula="X/f",
        domain="X ≠ 0",
        lesson="The length of the matrix read as one long vector, so the gradient is the matrix scaled to length 1.",
    ),
    Identity(
        name="matrix_least_squares",
        title="∂ ‖AX − B‖² / ∂X = 2Aᵀ(AX − B)",
        latex=r"\frac{\partial}{\partial X}\, \|A X - B\|_{F}^{2} = 2 A^{\top} \left(A X - B\right)",
        text=f"{_A43}{_X32}B = [[1, 0], [2, -1], [0, 1], [-1, 2]]\nf = sum((A @ X - B)**2)\n",
        wrt=("X",),
        formula="2*A.T @ (A @ X - B)",
        lesson="Least squares for several right-hand sides: one column of the gradient for each.",
    ),
    Identity(
        name="gram_matrix",
        title="∂ aᵀXᵀXb / ∂X = X(abᵀ + baᵀ)",
        latex=r"\frac{\partial}{\partial X}\, a^{\top} X^{\top} X b = X \left(a b^{\top} + b a^{\top}\right)",
        text=f"a = [1, -2, 1]\n{_X43}b = [3, 1, -1]\nf = dot(X @ a, X @ b)\n",
        wrt=("X",),
        formula="X @ (outer(a, b) + outer(b, a))",
        lesson="X is used twice, once with a and once with b; each use contributes the outer product with the other's image.",
    ),
    Identity(
        name="determinant",
        title="∂ det(X) / ∂X = det(X) X⁻ᵀ",
        latex=r"\frac{\partial}{\partial X}\, \det X = \det(X)\, X^{-\top}",
        text=f"{_SQUARE}f = det(X)\n",
        wrt=("X",),
        formula="f*inv(X).T",
        domain="X invertible (at a singular X the gradient is the matrix of cofactors)",
        lesson="Each entry multiplies its cofactor, and the matrix of cofactors is det(X) X⁻ᵀ.",
    ),
    Identity(
        name="log_determinant",
        title="∂ ln det(X) / ∂X = X⁻ᵀ",
        latex=r"\frac{\partial}{\partial X}\, \ln \det X = X^{-\top}",
        text=f"{_SQUARE}f = logdet(X)\n",
        wrt=("X",),
        formula="inv(X).T",
        domain="det X > 0",
        lesson="The matrix version of ln x and 1/x. The determinant cancels, the transpose stays.",
    ),
    Identity(
        name="log_determinant_of_gram",
        title="∂ ln det(XᵀX) / ∂X = 2X(XᵀX)⁻¹",
        latex=r"\frac{\partial}{\partial X}\, \ln \det \left(X^{\top} X\right) = 2 X \left(X^{\top} X\right)^{-1}",
        text=f"{_X32}S = X.T @ X\nf = logdet(S)\n",
        wrt=("X",),
        formula="2*X @ inv(S)",
        domain="X has full column rank",
        lesson="Half of the 2 comes from each use of X. The result is twice the transposed pseudo-inverse.",
    ),
    Identity(
        name="inverse_form",
        title="∂ aᵀX⁻¹b / ∂X = −X⁻ᵀabᵀX⁻ᵀ",
        latex=r"\frac{\partial}{\partial X}\, a^{\top} X^{-1} b = -X^{-\top} a b^{\top} X^{-\top}",
        text=f"a = [1, -2, 1]\n{_SQUARE}b = [3, 1, -1]\nf = dot(a, inv(X) @ b)\n",
        wrt=("X",),
        formula="-inv(X).T @ outer(a, b) @ inv(X).T",
        domain="X invertible",
        lesson="Like −1/x²: a minus and the inverse twice, one on each side because matrices do not commute.",
    ),
    Identity(
        name="jacobian_of_linear_map",
        title="∂ Ax / ∂x = Aᵀ",
        latex=r"\frac{\partial\, A x}{\partial x} = A^{\top}",
        text=f"{_A23}{_x3}g = [1, -1]\ny = A @ x\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="A.T",
        lesson="In denominator layout the Jacobian of ℝ³ → ℝ² is 3 × 2, so A appears transposed, and what comes back is Aᵀg.",
    ),
    Identity(
        name="jacobian_of_row_times_matrix",
        title="∂ xᵀA / ∂x = A",
        latex=r"\frac{\partial\, x^{\top} A}{\partial x} = A",
        text="A = [[1, -2, 0.5], [3, 1, -1]]\nx = [1, -2]\ng = [1, -1, 2]\ny = x @ A\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="A",
        lesson="The same matrix from the other side needs no transpose: x has one entry per row of A.",
    ),
    Identity(
        name="jacobian_of_elementwise_product",
        title="∂ (x ⊙ v) / ∂x = diag(v)",
        latex=r"\frac{\partial \left(x \odot v\right)}{\partial x} = \operatorname{diag}(v)",
        text=f"{_x3}v = [2, 1, -1]\ng = [1, -1, 2]\ny = x*v\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="diag(v)",
        lesson="Each output feels only its own input, so the Jacobian is diagonal; nobody ever writes its zeros down.",
    ),
    Identity(
        name="jacobian_of_sigmoid",
        title="∂ σ(x) / ∂x = diag(y ⊙ (1 − y))",
        latex=r"\frac{\partial\, \sigma(x)}{\partial x} = \operatorname{diag}\left(y \odot (1 - y)\right)",
        text=f"{_x4}g = [1, -1, 2, 0.5]\ny = sigmoid(x)\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="diag(y*(1 - y))",
        lesson="Any activation gives a diagonal Jacobian with its slopes on the diagonal.",
    ),
    Identity(
        name="jacobian_of_softmax",
        title="∂ softmax(x) / ∂x = diag(y) − yyᵀ",
        latex=r"\frac{\partial \operatorname{softmax}(x)}{\partial x} = \operatorname{diag}(y) - y y^{\top}",
        text="x = [1, -1, 2]\ng = [1, -1, 2]\ny = softmax(x)\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="diag(y) - outer(y, y)",
        lesson="Off the diagonal everything is negative: the shares compete, and each row adds up to 0.",
    ),
    Identity(
        name="jacobian_of_normalisation",
        title="∂ (x/‖x‖) / ∂x = (I − yyᵀ) / ‖x‖",
        latex=r"\frac{\partial}{\partial x}\, \frac{x}{\|x\|} = \frac{1}{\|x\|} \left(I - y y^{\top}\right)",
        text="x = [2, -1, 2]\ng = [1, -1, 2]\ny = x/norm2(x)\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="(eye(3) - outer(y, y))/norm2(x)",
        domain="x ≠ 0",
        lesson="I − yyᵀ removes the part along y: a change of length does not change the direction.",
    ),
    Identity(
        name="jacobian_of_linear_solve",
        title="∂ A⁻¹b / ∂b = A⁻ᵀ",
        latex=r"\frac{\partial\, A^{-1} b}{\partial b} = A^{-\top}",
        text="A = [[2, 0.5, -1], [0.2, 1.5, 0.7], [-0.4, 0.1, 1]]\nb = [3, 1, -1]\ng = [1, -1, 2]\n"
        "y = solve(A, b)\nL = dot(g, y)\n",
        wrt=("b",),
        of="y",
        formula="inv(A).T",
        domain="A invertible",
        lesson="Backwards, one solves the transposed system; the inverse itself is never needed.",
    ),
    Identity(
        name="jacobian_of_two_layers",
        title="∂ B relu(Ax) / ∂x = Aᵀ diag(Ax > 0) Bᵀ",
        latex=r"\frac{\partial\, B \max(0, A x)}{\partial x}"
        r" = A^{\top} \operatorname{diag}\left(A x > 0\right) B^{\top}",
        text="A = [[2, 0, -1, 1], [0.5, 1, 1, 0], [-1, 0, 1, -4]]\nB = [[1, -2, 0.5], [0, 1, 1]]\n"
        "x = [1, -1, 2, 0.5]\ng = [1, -1]\nh = relu(A @ x)\ny = B @ h\nL = dot(g, y)\n",
        wrt=("x",),
        of="y",
        formula="A.T @ diag(A @ x > 0) @ B.T",
        domain="no entry of Ax is 0",
        lesson="A chain in denominator layout reads in the direction of the graph: (4 × 3)(3 × 3)(3 × 2) = 4 × 2.",
    ),
]
