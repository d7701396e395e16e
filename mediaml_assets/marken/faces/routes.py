"""The routes of the API. What a request says is checked by Marken itself; here only its shape and its size are."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response, Security
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from mediaml_assets.errors import NotStored, OperationRefused, RequestRefused
from mediaml_assets.marken import operation
from mediaml_assets.marken.faces import examples, models
from mediaml_assets.marken.faces.operation_json import operation_json
from mediaml_assets.marken.faces.strict_json import strict_json
from mediaml_assets.marken.faces.types_json import type_json
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.search import envelope


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body, by the bounds of `strict_json`."""
        try:
            return strict_json(await self.body())
        except RequestRefused as refused:
            raise HTTPException(422, str(refused)) from refused


class StrictRoute(APIRoute):
    """Reads bodies with `strict_json`; for every route that takes JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI asks for it."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly


def _served(request: Request) -> Marken:
    """What the application serves."""
    marken: Marken = request.app.state.marken
    return marken


_SHOWN = {name: {"value": value} for name, value in examples.SEARCHES.items()}
_Search = Annotated[dict[str, Any], models.DescribedBy(envelope.Query), Body(openapi_examples=_SHOWN)]
_Asked = Annotated[str, Query(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]
"""A parameter; servers of annotations cannot compare with NUL."""
Served = Annotated[Marken, Depends(_served)]
_REFUSALS = {
    400: "A search that cannot be understood: `place` says where.",
    401: "The token is missing or wrong.",
    403: "Without a token only this machine may ask.",
    404: "There is no such annotation or address.",
    409: "The operation is not in a state for it; nothing was changed.",
    413: "The body is too large.",
    422: "The request, or an annotation in it, is not of its form: `place` or `property` says where. Nothing was kept.",
    500: "The service failed; its log says why.",
    503: "A server of annotations does not answer; try again.",
}
router = APIRouter(
    prefix="/v1",
    route_class=StrictRoute,
    dependencies=[
        Security(HTTPBearer(auto_error=False, description="Needed unless the service is for its own machine."))
    ],
    responses={status: {"model": models.Error, "description": about} for status, about in _REFUSALS.items()},
)


@router.get("/health", response_model=models.Health)
def health(marken: Served) -> dict[str, str]:
    """Say that the service can read its annotations."""
    return {"status": "ok", "moment": marken.engine.snapshot().moment}


@router.get("/types", response_model=models.Types)
def types(marken: Served) -> dict[str, Any]:
    """List the types of annotations, each version."""
    return {"types": [type_json(kind) for kind in marken.types]}


@router.post("/search", response_model=models.Answer)
def search(marken: Served, query: _Search) -> JSONResponse:
    """Find annotations by time, space, text, vector and title; the next page is had with the answer's `cursor`."""
    return JSONResponse(marken.search(query).to_json())


@router.get("/annotations", response_model=models.Annotation)
def annotation(
    marken: Served,
    id: _Asked,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The newest by default.")] = None,
) -> JSONResponse:
    """Give one annotation."""
    found = marken.get(id, version)
    if found is None:
        which = f"annotation {id!r}" if version is None else f"version {version} of annotation {id!r}"
        raise NotStored(f"there is no {which}; ids are those that answers of /v1/search name")
    return JSONResponse(found.to_json())


@router.post("/annotations", response_model=models.Annotations, status_code=201)
def append(marken: Served, body: models.Append) -> JSONResponse:
    """Add to a log: people's decisions. All or nothing; each is the next version of its id."""
    return JSONResponse(
        {"annotations": [one.to_json() for one in marken.append(body.type, body.annotations, body.by)]}, 201
    )


@router.get("/operations", response_model=models.Operations)
def operations(
    marken: Served,
    type: _Asked | None = None,
    scope: _Asked | None = None,
) -> JSONResponse:
    """List operations of a type, of a scope, of both, or all."""
    return JSONResponse({"operations": [operation_json(one) for one in marken.operations(type, scope)]})


@router.get("/operations/active", response_model=models.Operations)
def active(marken: Served, type: _Asked) -> JSONResponse:
    """List the operations of a type whose annotations are seen, one a scope."""
    found = sorted(marken.active(type).items())
    return JSONResponse({"operations": [operation_json(one) for _, one in found]})


@router.post("/operations", response_model=models.Operation, status_code=201)
def start(marken: Served, body: models.Start) -> JSONResponse:
    """Begin an operation: a load of annotations that nobody sees before it is finished."""
    return JSONResponse(operation_json(marken.start(body.type, body.scope, body.by, body.source)), 201)


@router.post("/operations/upsert", response_model=models.Operation)
def upsert(marken: Served, body: models.Batch) -> JSONResponse:
    """Add annotations; a later one of an id replaces an earlier one, and a batch may be sent again."""
    found = _of(marken, body.operation)
    marken.upsert(found, body.annotations)
    return JSONResponse(operation_json(found))


@router.post("/operations/finish", response_model=models.Operation)
def finish(marken: Served, body: models.Named) -> JSONResponse:
    """Show the annotations, whole, in place of those of the operation before."""
    return JSONResponse(operation_json(marken.finish(_of(marken, body.operation))))


@router.post("/operations/cancel", response_model=models.Operation)
def cancel(marken: Served, body: models.Named) -> JSONResponse:
    """Give up an operation that is not finished."""
    return JSONResponse(operation_json(marken.cancel(_of(marken, body.operation))))


@router.post("/operations/roll-back", response_model=models.Operation)
def roll_back(marken: Served, body: models.Named) -> JSONResponse:
    """Withdraw a finished operation; the one before is seen again."""
    return JSONResponse(operation_json(marken.roll_back(_of(marken, body.operation))))


def _of(marken: Marken, key: models.Key) -> operation.Operation:
    """The operation as it stands; raises OperationRefused when there is none."""
    for one in marken.operations(key.type, key.scope):
        if (one.type_version, one.number) == (key.type_version, key.number):
            return one
    raise OperationRefused(
        f"there is no operation {key.number} of {key.type}@{key.type_version} of {key.scope!r}; start one"
    )
