"""Requests, answers and errors as the API's description shows them; together the searches use every field there is."""

from typing import Any

KEY: dict[str, Any] = {"type": "SHOT", "type_version": 1, "scope": "harbour-film", "number": 1}
START: dict[str, Any] = {"type": "SHOT", "scope": "harbour-film", "by": "shot-detector", "source": {"feature": "shots"}}
BATCH: dict[str, Any] = {
    "operation": KEY,
    "annotations": [
        {
            "id": "harbour-film-12",
            "entity": {"kind": "shot", "id": "harbour-film/12"},
            "properties": {
                "row": 12,
                "time": {"start": 1.5, "end": 4.25},
                "region": [0.1, 0.2, 0.4, 0.9],
                "label": "a red car",
                "confidence": 0.9,
            },
        },
        {
            "id": "harbour-film-13",
            "title": "harbour-film",
            "row": 13,
            "time": {"start_frame": 102, "end_frame": 240, "rate": "24000/1001"},
            "region": "POLYGON ((0 0, 1 0, 0.5 1, 0 0))",
        },
    ],
}
APPEND: dict[str, Any] = {
    "type": "EDITOR_DECISION",
    "by": "kim",
    "annotations": [
        {
            "title": "harbour-film",
            "other_title": "night-film",
            "entity": {"kind": "pair", "id": "harbour-film/12~night-film/3"},
            "essence": "digest of the harbour film's content",
            "other_essence": "digest of the night film's content",
            "source_time": {"start": 1.5, "end": 4.25},
            "other_source_time": {"start": 10.0, "end": 12.5},
            "verdict": "accepted",
        }
    ],
}
ERROR: dict[str, Any] = {
    "error": "QueryRefused",
    "message": "filter: there is no property 'lable'",
    "place": "filter:1:7",
}

OPERATION: dict[str, Any] = {
    **KEY,
    "state": "finished",
    "by": "shot-detector",
    "started": "2026-11-27T18:00:00.000000+00:00",
    "ended": "2026-11-27T18:00:01.250000+00:00",
    "rows": 2,
    "source": {"feature": "shots"},
}
ANNOTATION: dict[str, Any] = {
    "id": "harbour-film-12",
    "version": 1,
    "type": "SHOT",
    "type_version": 1,
    "scope": "harbour-film",
    "title": "harbour-film",
    "entity": {"kind": "shot", "id": "harbour-film/12"},
    "by": "shot-detector",
    "created": "2026-11-27T18:00:00.500000Z",
    "properties": {"row": 12, "time": {"start": 1.5, "end": 4.25}, "label": "a red car", "confidence": 0.9},
}
ANSWER: dict[str, Any] = {"hits": [{**ANNOTATION, "score": 0.93}], "moment": "17", "cursor": "bGlrZSB0aGlz"}

_NEAR: dict[str, Any] = {"field": "vector", "to": {"text": "somebody drinks wine"}}
SEARCHES: dict[str, dict[str, Any]] = {
    "time, space and words": {
        "types": ["SHOT"],
        "filter": "MATCH(label, 'car') AND T_DURING(time, INTERVAL(0, 60)) "
        "AND S_INTERSECTS(region, BBOX(0, 0, 0.5, 0.5))",
        "titles": ["harbour-film"],
        "sort": [{"start": "asc"}],
        "fields": ["label", "time"],
        "limit": 20,
    },
    "a filter as CQL2 JSON": {
        "types": ["SHOT@1"],
        "filter": {"op": ">=", "args": [{"property": "confidence"}, 0.5]},
        "explain": True,
        "partial": False,
    },
    "the three shots of each title most like a shot": {
        "types": ["SHOT_EMBEDDING"],
        "nearest": {"field": "vector", "to": {"shot": "harbour-film/12"}, "exact": True},
        "collapse": {"field": "title", "inner_hits": {"size": 3}},
    },
    "like a vector": {
        "types": ["SHOT_EMBEDDING"],
        "nearest": {"field": "vector", "to": {"vector": [0.5, -0.5, 0.5, 0.5]}},
    },
    "like a text": {"types": ["SHOT_EMBEDDING"], "nearest": _NEAR},
    "like a picture": {"types": ["SHOT_EMBEDDING"], "nearest": {"field": "vector", "to": {"image": "iVBORw0KGgo="}}},
    "when several things hold at once": {
        "within": {
            "parts": [
                {"types": ["SHOT"], "filter": "MATCH(label, 'james')"},
                {"types": ["SHOT_EMBEDDING"], "nearest": {**_NEAR, "k": 100}},
                {"types": ["SHOT_EMBEDDING"], "nearest": {**_NEAR, "min_score": 0.25, "exact": True}},
            ]
        },
    },
    "as it was": {"types": ["SHOT"], "as_of": "2026-11-27T18:00:00Z"},
    "the next page": {"types": ["SHOT"], "cursor": "of the answer before"},
}
