"""Turns a run into teaching: steps, derivations, chain rules, checks. Knows nothing of pixels or the web."""
