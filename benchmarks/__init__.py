"""gradviz measured beside micrograd, autograd and PyTorch: `python -m benchmarks [--quick] [--markdown]`.

Every peer computes the same workloads in a process of its own. Rounds go through the peers in turn, so that
whatever else the machine does meets all of them, and ratios are taken inside a round.
"""
