"""A bar in the terminal while a script trains."""

from __future__ import annotations

from collections.abc import Iterable

from gradviz.errors import GradvizError
from gradviz.nn.events import Event


def progress(events: Iterable[Event]) -> Event:
    """Run a training to its end, `progress(trainer.fit(…))`, with a bar, the loss, and a line per epoch; returns the
    last event."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
    )
    event: Event | None = None
    with Progress(*columns) as bar:
        task = bar.add_task("", total=None, loss=float("nan"))
        for event in events:
            bar.update(task, completed=event.step, total=event.total, loss=event.loss)
            if event.kind == "epoch":
                metrics = {"loss": event.loss, **event.metrics}
                line = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
                bar.print(f"epoch {event.epoch}  {line}")
    if event is None:
        raise GradvizError("this training did nothing", expected="the events of trainer.fit(…)")
    return event
