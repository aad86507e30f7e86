"""One module per peer: `prepare(task)` gives the call to measure. Only a peer's own process imports it."""

PEERS = {"gradviz": "gradviz", "micrograd": "micrograd", "autograd": "autograd", "torch": "PyTorch"}
