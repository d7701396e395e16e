"""Where the many small computations of one feature run: one after the other in this process, or at once on Ray.

MEDIAML_COMPUTE decides: nothing (here; the libraries below still use all cores), "ray" (a Ray on this machine, started
when needed), or the address of a running one ("ray://head:10001", "auto"). The function, its arguments and so its
answers are the same.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from mediaml_assets.errors import SettingsError

Key = TypeVar("Key")
Item = TypeVar("Item")
Answer = TypeVar("Answer")
Shared = TypeVar("Shared")

AHEAD = 4
"""Items that are sent ahead of the answers, for each CPU of a Ray."""


def over(
    function: Callable[[Shared, Item], Answer], shared: Shared, items: Iterable[tuple[Key, Item]]
) -> Iterator[tuple[Key, Answer]]:
    """Call a function of a module with each item; the items' keys with their answers, as they come.

    Args:
        function: pure, of a module that every machine has.
        shared: what each call is given as well; sent to each machine once.
        items: each with a key, which stays here.

    Raises:
        SettingsError: Ray was asked for and is not installed. Whatever the function raises goes on.
    """
    where = os.environ.get("MEDIAML_COMPUTE", "")
    if where:
        yield from _on_ray(where, function, shared, items)
        return
    for key, item in items:
        yield key, function(shared, item)


def cores() -> int:
    """How many threads a call may keep busy: those that OMP_NUM_THREADS says, as Ray does for each call, or all."""
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))


def _on_ray(
    where: str, function: Callable[[Shared, Item], Answer], shared: Shared, items: Iterable[tuple[Key, Item]]
) -> Iterator[tuple[Key, Answer]]:
    try:
        # of the usage report that a Ray of one's own sends; an address has its own policy
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
    except ImportError as missing:
        raise SettingsError(
            f"MEDIAML_COMPUTE is {where!r}, but Ray is not installed; pip install 'mediaml-assets[ray]', or unset it"
        ) from missing
    if not ray.is_initialized():
        own: dict[str, Any] = {"include_dashboard": False} if where == "ray" else {"address": where}
        ray.init(**own, log_to_driver=False, logging_level="ERROR")
    remote, sent = ray.remote(num_cpus=1)(function), ray.put(shared)
    room = AHEAD * int(ray.cluster_resources().get("CPU", 1))
    running: dict[Any, Key] = {}
    rest = iter(items)
    while True:
        for key, item in rest:
            running[remote.remote(sent, item)] = key
            if len(running) >= room:
                break
        if not running:
            return
        (done,), _ = ray.wait(list(running), num_returns=1)
        yield running.pop(done), ray.get(done)
