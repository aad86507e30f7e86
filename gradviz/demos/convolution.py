"""Convolution cell by cell: the sliding window, its transpose, and the dense layer as a window of full size."""

from gradviz.demos import Demo

DEMOS = [
    Demo(
        name="convolution",
        title="Convolution, 3×3 on 4×4",
        row="D17",
        text="""\
x = [[[[0, 1, 2, 2], [0, 1, 3, 2], [1, 1, 2, 3], [1, 0, 2, 4]]]]
w = [[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]]
b = [0.5]
y = [[[[-6, -4], [-5, -6]]]]
h = conv2d(x, w, b)
L = half_squared_error(h, y)
""",
        wrt=("w", "b"),
        lesson="One kernel looks at every place. Open h to see one of its four entries as nine products; "
        "a weight's gradient adds up over all four.",
    ),
    Demo(
        name="conv_equals_dense",
        title="A dense layer as a filter",
        row="",
        text="""\
x = [[[[1, 0, 2], [0, 3, 1], [2, 1, 0]]]]
w = randn(2, 1, 3, 3)
b = [0.5, -1]
y = [[1, -1]]
window = reshape(conv2d(x, w, b), (1, 2))
dense = linear(reshape(x, (1, 9)), reshape(w, (2, 9)), b)
L1 = half_squared_error(window, y)
L2 = half_squared_error(dense, y)
L = L1 + L2
""",
        wrt=("w", "b"),
        lesson="Where the filter covers the whole image there is one place to look from: both ways give the same numbers, "
        "and send the same gradient back to the weights.",
    ),
    Demo(
        name="transposed_convolution",
        title="Transposed convolution",
        row="D18",
        text="""\
x = [[[[1, 1], [1, 1]]]]
w = [[[[1, 1, 1], [1, 1, 1], [1, 1, 1]]]]
y = [[[[2, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 2]]]]
h = conv_transpose2d(x, w, stride=2, padding=1, output_padding=1)
L = half_squared_error(h, y)
""",
        wrt=("x", "w"),
        lesson="Every input entry stamps the kernel onto the output. With stride 2 a 3×3 stamp overlaps its neighbours in "
        "some places and not in others: the origin of checkerboard patterns.",
    ),
]
