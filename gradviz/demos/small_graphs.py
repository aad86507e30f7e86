"""The smallest graphs that show what a tree cannot: a node used twice."""

from gradviz.demos import Demo

DEMOS = [
    Demo(
        name="square",
        title="x·x: two edges from one node",
        row="",
        text="x = 3\ny = x*x\n",
        lesson="Both factors are x, so x receives two contributions of 3, and they add up to 6: the slope of x².",
    ),
    Demo(
        name="diamond",
        title="Diamond: sums of sums",
        row="",
        text="a = 3\nb = a + a\nc = b + b\n",
        lesson="Four paths lead from a to c. Each carries a gradient of 1, and b must be finished before it passes its 2 on.",
    ),
]
