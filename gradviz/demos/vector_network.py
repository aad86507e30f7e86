"""The lecture's chain again with a vector input and two weight matrices."""

from gradviz.demos import Demo

DEMO = Demo(
    name="vector_network",
    title="The chain with vectors",
    row="D6",
    text="""\
x = [1, -1, 2, 0.5]
W1 = [[2, 0, -1, 2], [0.5, 1, 1, 0], [-1, 0, 1, -4]]
W2 = [[1, -2, 0.5], [0, 1, 1]]
y = [1, 2]
f = W1 @ x
g = relu(f)
yhat = W2 @ g
L = half_squared_error(yhat, y)
""",
    wrt=("W1", "W2"),
    lesson="A gradient has its parameter's shape. For W₁ it is the outer product of what comes back, ∂ℒ/∂f, and what went in, x.",
)
