"""Drawing: from a computational graph to a picture."""
