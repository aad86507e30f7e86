"""A 2-2-1 network on one data point, weight by weight."""

from gradviz.demos import Demo

DEMO = Demo(
    name="tiny_mlp",
    title="2-2-1 network on one data point",
    row="D11",
    text="""\
x1 = 1
x2 = -2
w11 = 0.5
w12 = -1
b1 = 0.5
w21 = 1.5
w22 = 1
b2 = 0
v1 = 2
v2 = -1
c = 0.5
y = 4
h1 = relu(w11*x1 + w12*x2 + b1)
h2 = relu(w21*x1 + w22*x2 + b2)
yhat = v1*h1 + v2*h2 + c
L = half_squared_error(yhat, y)
""",
    wrt=("w11", "w12", "b1", "w21", "w22", "b2", "v1", "v2", "c"),
    lesson="The second hidden neuron is off: its ReLU blocks the gradient, so none of its weights learns from this point.",
)
