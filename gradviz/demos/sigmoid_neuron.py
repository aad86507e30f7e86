"""One sigmoid neuron, gate by gate."""

from gradviz.demos import Demo

DEMO = Demo(
    name="sigmoid_neuron",
    title="Sigmoid neuron, gate by gate",
    row="D2",
    text="""\
w0 = -3
w1 = 2
x1 = -1
w2 = -3
x2 = -2
f = 1/(1 + exp(-(w0 + w1*x1 + w2*x2)))
""",
    lesson="Eight simple gates make a neuron. Their chain folds into one slope, σ(1 − σ).",
)
