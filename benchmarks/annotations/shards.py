"""Two PostgreSQL servers with four partitions each: what they answer together, and while one of them is gone."""

from collections.abc import Sequence

from benchmarks.annotations import asking
from benchmarks.annotations.questions import Combined, Groups
from mediaml_assets.errors import TitlesUnreachable
from mediaml_assets.marken.marken import Marken
from mediaml_assets_tests.postgres_servers import PostgresServer

PROBED = 20
"""Titles asked for one by one while a server is gone."""


def wrong_when_killed(
    marken: Marken,
    server: PostgresServer,
    titles: Sequence[str],
    questions: Sequence[Combined],
    right: Sequence[Groups],
) -> int:
    """How often something else happened than should when a server is killed and started again.

    A search must fail and name the titles that are missing; one that asks for what there is must bring nothing of
    those, and name the same; a search of a title must fail if it is named, and else be answered; and when the server is
    back every answer must be the right one.
    """
    wrong = 0
    server.kill()
    missing: set[str] = set()
    try:
        marken.search(questions[0].search())
        wrong += 1
    except TitlesUnreachable as error:
        missing = set(error.titles)
    wrong += not missing or missing >= set(titles)
    some = marken.search({**questions[0].search(), "partial": True})
    wrong += set(some.missing or ()) != missing or any(hit["group"] in missing for hit in some.hits)
    for title in titles[:PROBED]:
        try:
            hits = marken.search({"types": ["SHOT"], "titles": [title], "limit": 1}).hits
            wrong += title in missing or not hits
        except TitlesUnreachable as error:
            wrong += title not in missing or title not in error.titles
    server.start()
    ask = asking.combined(marken)
    return wrong + sum(ask(question) != answer for question, answer in zip(questions, right, strict=True))
