"""Titles are computed in processes, and a process that dies costs one title."""

import logging
import os
import signal

from mediaml_assets.workers import Workers


def job(title: str) -> str:
    """Dies in one of several ways, fails, or says that it is there."""
    if title == "exits":
        os._exit(3)
    if title == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if title == "raises":
        raise KeyError(title)
    named = {"title": title, "event": "computed"}
    logging.getLogger("mediaml").info("%s: done", title, extra=named)
    return "it is bad" if title == "fails" else ""


def test_a_process_that_dies_takes_its_title_and_no_other() -> None:
    records: list[logging.LogRecord] = []
    titles = ["one", "exits", "two", "crashes", "raises", "fails", "three"]
    with Workers(job, records.append) as workers:
        failed = workers.call({title: (title,) for title in titles})
        assert workers.call({"four": ("four",)}) == {}
    assert list(failed) == ["exits", "crashes", "raises", "fails"]
    assert "exit code 3" in failed["exits"] and "SIGSEGV" in failed["crashes"] and "exit code 1" in failed["raises"]
    assert failed["fails"] == "it is bad"
    assert {record.__dict__["title"] for record in records} == {"one", "two", "three", "fails", "four"}
    assert records[-1].getMessage() == "four: done"


def test_a_process_is_kept_for_the_next_call() -> None:
    records: list[logging.LogRecord] = []
    with Workers(job, records.append) as workers:
        for title in ("one", "two"):
            assert workers.call({title: (title,)}) == {}
    first, second = (record.process for record in records)
    assert first == second != os.getpid()


def test_nothing_to_do_starts_nothing() -> None:
    with Workers(job, print) as workers:
        assert workers.call({}) == {}
