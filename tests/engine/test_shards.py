"""A batch in two halves: the same numbers as in one piece, and two threads that never wait in vain."""

from __future__ import annotations

import gc
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine import shards, threads
from gradviz.engine.expr import Expr, graph_of
from gradviz.engine.graph import shape_of
from gradviz.engine.shards import ShardedTape, kinds_of, training_tape
from gradviz.engine.training import TrainingTape
from gradviz.errors import GradvizError, Stopped
from tests.engine.test_training_tape import PARAMETERS, Values, network, training

SAMPLES = ("x", "y")


def halves(**changed: Any) -> tuple[ShardedTape, Values, Values]:
    graph, values = network()
    values |= changed
    tape, into = training(values, graph, ShardedTape, samples=SAMPLES)
    return tape, values, into


@pytest.mark.parametrize("batch", [2, 5, 6])
def test_the_registers_are_those_of_the_whole_batch(batch: int) -> None:
    graph, values = network()
    values |= {name: values[name][:batch] for name in SAMPLES}
    tape, into = training(values, graph, ShardedTape, samples=SAMPLES)
    whole = gv.explore(graph, values, wrt=PARAMETERS)
    for _ in range(2):
        registers = tape.run(values)
        assert len(registers) == 2 * len(graph)
        for position, (expected, found) in enumerate(zip(whole.registers, registers, strict=True)):
            node = graph.nodes[position % len(graph)].id
            assert (expected is None) == (found is None), node
            if expected is not None:
                np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-5, err_msg=node)
        for name in PARAMETERS:
            assert tape.gradient(registers, graph.position(name)) is into[name]


def test_the_statistics_are_those_of_the_whole_batch() -> None:
    tape, values, _ = halves()
    whole, _ = training(values, tape.graph, TrainingTape)
    one, other = tape.forward_pass(values), whole.forward_pass(values)
    norm = next(node.id for node in tape.graph.nodes if node.op and node.op.name == "batch_norm")
    for name in ("mean", "var"):
        np.testing.assert_allclose(tape.scratch(norm)[name], whole.scratch(norm)[name], rtol=1e-5, atol=1e-6)
    assert one[tape.graph.output] == pytest.approx(other[tape.graph.output], rel=1e-6)


def test_the_same_batch_gives_the_same_bits() -> None:
    tape, values, into = halves()
    found = []
    for _ in range(5):
        tape.run(values)
        found.append(np.concatenate([array.ravel() for array in into.values()]).tobytes())
    assert len(set(found)) == 1


def test_stop_ends_both_halves_and_the_next_run_is_as_if_nothing_had_been() -> None:
    tape, values, into = halves()
    tape.run(values)
    expected = {name: array.copy() for name, array in into.items()}
    for allowed in range(0, len(tape.graph.operations) + 10, 3):
        answers = iter([False] * allowed + [True] * 1000)
        with pytest.raises(Stopped):
            tape.run(values, stop=lambda answers=answers: next(answers))  # type: ignore[misc]
        tape.run(values, stop=lambda: False)
        for name, array in expected.items():
            np.testing.assert_array_equal(into[name], array)


@pytest.mark.parametrize("sample", [0, 5])
def test_what_fails_in_either_half_is_raised_and_the_tape_goes_on(sample: int) -> None:
    tape, values, _ = halves()
    wrong = values["y"].copy()
    wrong[sample] = 7
    for _ in range(3):
        with pytest.raises(GradvizError, match="7 is not the number of a class"):
            tape.run(values | {"y": wrong})
        assert np.isfinite(tape.run(values)[tape.graph.output])


def test_an_interrupt_comes_out_when_the_other_half_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, twice, while this thread waits for the other."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_kill"):
        pytest.skip("only the main thread can be interrupted")
    tape, values, _ = halves()
    expected = tape.run(values)[tape.graph.output]
    forward, done = tape.tapes[1].forward_pass, []

    def slow(*args: Any) -> Any:
        for _ in range(2):
            time.sleep(0.05)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.05)
        done.append(True)
        return forward(*args)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as changed:
            changed.setattr(tape.tapes[1], "forward_pass", slow)
            with pytest.raises(KeyboardInterrupt):
                tape.run(values)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done
    assert tape.run(values)[tape.graph.output] == expected


def test_the_library_has_its_threads_back_afterwards() -> None:
    controls = threads._controls()
    if controls is None:
        pytest.skip("NumPy uses no OpenBLAS here")
    before = controls[0]()
    with threads.one_library_thread():
        assert controls[0]() == 1
        with threads.one_library_thread():
            assert controls[0]() == 1
        assert controls[0]() == 1
    assert controls[0]() == before
    tape, values, _ = halves()
    with pytest.raises(Stopped):
        tape.run(values, stop=lambda: True)
    assert controls[0]() == before


def test_a_forked_process_has_a_thread_of_its_own() -> None:
    tape, values, _ = halves()
    expected = tape.run(values)[tape.graph.output]
    tape._jobs.put(None)
    tape._thread.join(5)  # as in a child, where only the thread that forked goes on
    assert not tape._thread.is_alive()
    assert tape.run(values)[tape.graph.output] == expected


def test_the_thread_ends_with_its_tape() -> None:
    before = set(threading.enumerate())
    tape, values, _ = halves()
    tape.run(values)
    (worker,) = set(threading.enumerate()) - before
    del tape
    gc.collect()
    worker.join(5)
    assert not worker.is_alive()


x, y, w, b = map(gv.variable, "xywb")
o = gv.ops


@pytest.mark.parametrize(
    ("root", "possible"),
    [
        (lambda: o.mse(o.linear(x, w, b), y), True),
        (lambda: o.mse(o.linear(x, w), y) * 3 - 0.1 * o.sum(w**2), True),
        (lambda: o.cross_entropy(o.softmax(o.linear(x, w)), y), True),
        (lambda: o.mse(o.layer_norm(x) + b, y), True),
        (lambda: o.sum(o.linear(x, w)), False),
        (lambda: o.mse(o.linear(x, w), y) ** 2, False),
        (lambda: o.mse(o.softmax(o.linear(x, w), axis=0), y), False),
        (lambda: o.mse(x - o.mean(x), y), False),
        (lambda: o.mse(x.T, y), False),
        (lambda: o.mse(w, w), False),
        (lambda: o.mse(x, b), False),
    ],
)
def test_only_means_over_samples_that_meet_nowhere_else_are_halved(root: Any, possible: bool) -> None:
    graph = graph_of(root())
    known = {"x": (4, 4), "y": (4, 4), "w": (4, 4), "b": (4,)}
    if any(node.op and node.op.name == "cross_entropy" for node in graph.nodes):
        known["y"] = (4,)
    shapes = {name: known[name] for name in graph.inputs}
    try:
        tape = TrainingTape(graph, shapes)
    except gv.ShapeError:
        return
    assert (kinds_of(tape, SAMPLES) is not None) == possible
    if not possible:
        with pytest.raises(ValueError, match="separate ways"):
            ShardedTape(graph, shapes, ("w",) if "w" in shapes else (), samples=SAMPLES)


def test_two_halves_are_used_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(root: Expr, wrt: str) -> type:
        graph, values = (
            graph_of(root),
            {"x": np.ones((4, 1, 8, 8)), "y": np.ones((4, 2, 8, 8)), "w": np.ones((2, 1, 3, 3))},
        )
        return type(
            training_tape(graph, {n: shape_of(v) for n, v in values.items()}, (wrt,), samples=SAMPLES)
        )

    root = o.mse(o.conv2d(x, w, padding=1), y)
    monkeypatch.setattr(shards, "two_threads_pay", lambda: True)
    assert made(root, "w") is TrainingTape
    monkeypatch.setattr(shards, "WORK", 1)
    assert made(root, "w") is ShardedTape
    assert made(root, "x") is TrainingTape
    monkeypatch.setattr(shards, "two_threads_pay", lambda: False)
    assert made(root, "w") is TrainingTape
