"""The lecture's main example: one input, two weights, a ReLU and a squared error."""

from gradviz.demos import Demo

DEMO = Demo(
    name="relu_chain",
    title="ReLU chain with two weights",
    row="D1",
    text="""\
x = 5
w1 = 1
w2 = 2
y = 2
f = w1*x
g = relu(f)
yhat = w2*g
L = half_squared_error(yhat, y)
""",
    wrt=("w1", "w2"),
    lesson="A gradient is a product of local derivatives. The second weight re-uses ∂ℒ/∂ŷ: nothing is computed twice.",
)
