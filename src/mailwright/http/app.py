"""The HTTP application: requests become operations, and errors become answers, here and nowhere else."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final

import falcon
from falcon import Request, Response

from mailwright.app import KNOWN, App, Identify
from mailwright.authz import Actor
from mailwright.errors import (
    Forbidden,
    Invalid,
    MailwrightError,
    NotAuthenticated,
    PartlyDone,
    TooManyAttempts,
    Unavailable,
)
from mailwright.fields.credentials import PASSWORD, USERNAME
from mailwright.fields.field import AnyField
from mailwright.http import answers, audit, forms, login, pages
from mailwright.http.answers import Answer
from mailwright.http.clients import Client
from mailwright.http.forms import Limits
from mailwright.http.metrics import Metrics
from mailwright.http.routes import (
    PREFIX,
    ROUTES,
    Prolonged,
    Route,
    Session,
    Token,
    Trail,
    Verification,
    build,
)
from mailwright.http.sessions import Sessions
from mailwright.http.tokens import Bearers, shown_in
from mailwright.logs import REQUEST
from mailwright.resources.operations import Account
from mailwright.resources.verifying import stored_hashes
from mailwright.storage.protocol import Accounts
from mailwright.work import Work

LOG = logging.getLogger("mailwright.http")
JSON: Final = "application/json"
UNKNOWN_ROUTE: Final = "(unknown)"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_STATUS_LINES: Final = {
    number: falcon.code_to_http_status(number)
    for number in (200, 201, *sorted(set(answers.STATUS.values())), 500)
}
# The words for what HTTP itself refuses.
_CODES: Final = {
    403: "NOT_AUTHORIZED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    503: "SERVER_DOWN",
}
_REASONS: Final = {404: "there is nothing at this path", 405: "this path does not take the method"}
_COMMON_HEADERS: Final = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))

Responder = Callable[..., None]


def create_wsgi(app: App) -> falcon.App[Request, Response]:
    """The WSGI application; safe to use from many threads."""
    frame = Frame(app)
    wsgi = falcon.App(media_type=JSON, middleware=[frame])
    wsgi.req_options.strip_url_path_trailing_slash = True
    wsgi.add_error_handler(Exception, frame.on_unknown)
    wsgi.add_error_handler(falcon.HTTPError, frame.on_http_error)
    wsgi.add_error_handler(MailwrightError, frame.on_error)
    api = Api(app)
    for path, routes in build(ROUTES).items():
        wsgi.add_route(app.settings.server.base_path + path, Endpoint(api, routes))
    pages.add(wsgi, app)
    login.warm_up(app)
    return wsgi


class Endpoint:
    """The verbs of one path, as Falcon looks for them."""

    def __init__(self, api: Api, routes: dict[str, Route]) -> None:
        for method, route in routes.items():
            setattr(self, f"on_{method.lower()}", api.responder(route))
        if "GET" in routes:
            self.on_head = api.responder(routes["GET"])
        self._allowed = sorted((*routes, "HEAD") if "GET" in routes else routes)

    def on_options(self, _req: Request, _resp: Response, **_path: str) -> None:
        """No verb of the API; without this Falcon would answer with an empty body."""
        raise falcon.HTTPMethodNotAllowed(self._allowed)


class Api:
    """Turns routes into responders."""

    def __init__(self, app: App) -> None:
        settings = app.settings
        self._app = app
        self._sessions = Sessions(app)
        self._bearers = Bearers(app)
        self._cookie = settings.sessions.cookie_name
        self._limits = Limits(settings.server.max_body_bytes, settings.server.max_parameters)
        self._ignore_unknown = settings.api.unknown_parameters == "ignore"
        self._always_200 = settings.api.http_status == "always-200"

    def responder(self, route: Route) -> Responder:
        """What Falcon calls for a route."""
        match route.operation:
            case Session.LOGIN:
                return self._login(route)
            case Session.LOGOUT:
                return self._logout(route)
            case Verification(account):
                return self._verification(route, account)
            case Token():
                return self._tokens(route, route.operation)
            case Trail.LIST:
                return self._audit(route)
            case Prolonged():
                return self._prolonged(route.operation)
            case operation:
                pass
        app, limits = self._app, self._limits
        status = _STATUS_LINES[200 if self._always_200 else route.status]

        def respond(req: Request, resp: Response, **path: str) -> None:
            identify = self._identify(req)
            form = forms.read(req.env, limits)
            noticed = () if route.reads_form else self._refuse_all(form)
            answer, warnings = app.run(identify, lambda work: operation(work, path, form))
            if answer is not None and answer.error is not None:
                answer.error.warnings = (*noticed, *warnings)
                raise answer.error
            resp.status = status
            resp.content_type = JSON
            resp.data = answers.success(answer, (*noticed, *warnings))

        return respond

    def _login(self, route: Route) -> Responder:
        def respond(req: Request, resp: Response) -> None:
            client: Client = req.context.client
            _refuse_foreign_page(req, client)
            form = forms.read(req.env, self._limits)
            values, warnings = self._values(route, form)
            actor, admin = login.authenticate(self._app, values[USERNAME], values[PASSWORD], client)
            req.context.actor = actor.username
            token = self._sessions.start(actor.username, client, self._token(req))
            if login.is_outdated(self._app, admin):
                self._sessions.end(token)
                raise login.refusal()
            resp.append_header("Set-Cookie", self._sessions.cookie(token, client))
            resp.content_type = JSON
            resp.data = answers.success(None, warnings)

        return respond

    def _logout(self, _route: Route) -> Responder:
        def respond(req: Request, resp: Response) -> None:
            if self._app.run(self._identify(req), _actor)[0].token:
                raise Forbidden("an API token has no session to end")
            warnings = self._refuse_all(forms.read(req.env, self._limits))
            self._sessions.end(self._token(req))
            resp.append_header("Set-Cookie", self._sessions.no_cookie(req.context.client))
            resp.content_type = JSON
            resp.data = answers.success(None, warnings)

        return respond

    def _verification(self, route: Route, account: Account) -> Responder:
        part = account.resource.key_name

        def respond(req: Request, resp: Response, **path: str) -> None:
            identify = self._identify(req)
            form = forms.read(req.env, self._limits)
            # Whether the actor may ask comes before everything else; what was asked takes long.
            (key, stored), _ = self._app.run(
                identify, lambda work: stored_hashes(work, account, path[part])
            )
            values, warnings = self._values(route, form)
            login.compare(self._app, key, values[PASSWORD], stored)
            resp.content_type = JSON
            resp.data = answers.success(None, warnings)

        return respond

    def _tokens(self, route: Route, which: Token) -> Responder:
        operation = self._bearers.operation(which)
        status = _STATUS_LINES[200 if self._always_200 else route.status]

        def respond(req: Request, resp: Response, **path: str) -> None:
            identify = self._identify(req)
            values, noticed = self._values(route, forms.read(req.env, self._limits))
            answer, warnings = self._app.run(identify, lambda work: operation(work, path, values))
            resp.status = status
            resp.content_type = JSON
            resp.data = answers.success(answer, (*noticed, *warnings))

        return respond

    def _audit(self, route: Route) -> Responder:
        database = self._app.databases["iredadmin"]

        def respond(req: Request, resp: Response) -> None:
            identify = self._identify(req)
            values, noticed = self._values(route, forms.read(req.env, self._limits))
            answer, _ = self._app.run(identify, lambda work: audit.listed(work, database, values))
            resp.content_type = JSON
            resp.data = answers.success(answer, noticed)

        return respond

    def _prolonged(self, route: Prolonged) -> Responder:
        def respond(req: Request, resp: Response, domain: str) -> None:
            actor, _ = self._app.run(self._identify(req), _actor)
            noticed = self._refuse_all(forms.read(req.env, self._limits))
            told, warnings = route.operation(self._app, actor, domain)
            resp.content_type = JSON
            resp.data = answers.success(Answer(told), (*noticed, *warnings))

        return respond

    def _values(self, route: Route, form: Any) -> tuple[dict[AnyField, Any], list[str]]:
        values, warnings = forms.options(
            route.options, form, KNOWN, ignore_unknown=self._ignore_unknown
        )
        for field in route.required:
            if not values[field]:
                raise Invalid(f"{field.name} is required", parameter=field.name)
        return values, warnings

    def _identify(self, req: Request) -> Identify:
        """Who asks, by what they show; nobody's body is read before.

        ``NotAuthenticated``, ``TooManyAttempts``, ``Forbidden``.  What they are just now is asked later,
        by the piece of work itself; and after a body, which a client sends as slowly as it likes, also
        whether the session or the token is still there.
        """
        context = req.context
        client: Client = context.client
        again = _sends_body(req.env)
        header: str | None = req.env.get("HTTP_AUTHORIZATION")
        bearer = None if header is None else shown_in(header)
        if bearer is None:
            _refuse_foreign_page(req, client)
            cookie = self._token(req)
            holder = self._sessions.holder(cookie)
            context.actor = holder.username

            def identify(accounts: Accounts) -> Actor:
                if again:
                    self._sessions.holder(cookie)
                return self._sessions.actor(accounts, holder, client, context.id)

            return identify
        # No page of another site can send this header, and a wrong token never falls back on a cookie.
        token = self._bearers.found(bearer, client)
        context.actor, context.token = token.owner, token.ident

        def speaks_for(accounts: Accounts) -> Actor:
            found = self._bearers.found(bearer, client) if again else token
            return self._bearers.actor(accounts, found, client, context.id)

        return speaks_for

    def _token(self, req: Request) -> str | None:
        values = req.get_cookie_values(self._cookie)
        return values[0] if values else None

    def _refuse_all(self, form: Any) -> list[str]:
        if not form:
            return []
        return forms.options((), form, KNOWN, ignore_unknown=self._ignore_unknown)[1]


class Frame:
    """What stands around every request: its id, its client, its log line, its errors."""

    def __init__(self, app: App) -> None:
        settings = app.settings
        self._app = app
        self._metrics = Metrics()
        self._always_200 = settings.api.http_status == "always-200"
        self._proxies = settings.server.trusted_proxies
        self._api_root = settings.server.base_path + PREFIX
        self._below_api = self._api_root + "/"
        self._enabled = settings.api.enable_restful_api
        self._restricted = settings.api.restrict_api_access
        self._clients = settings.api.restful_api_clients

    def process_request(self, req: Request, _resp: Response) -> None:
        """Before the route is looked up."""
        context = req.context
        context.started = perf_counter()
        context.actor = ""
        context.token = ""
        context.code = ""
        context.client = client = Client(req.env, self._proxies)
        context.id = client.request_id or secrets.token_hex(8)
        REQUEST.set(context.id)
        path = req.path
        while "//" in path:
            path = path.replace("//", "/")
        if path != req.path:
            req.path = path.rstrip("/") or "/"
        if path.startswith(self._below_api) or path == self._api_root:
            self._guard(client)

    def process_response(
        self,
        req: Request,
        resp: Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 - Falcon calls it so
    ) -> None:
        """After the answer is made, also where an error made it."""
        context = req.context
        resp.set_header("X-Request-Id", context.id)
        for name, value in _COMMON_HEADERS:
            if resp.get_header(name) is None:
                resp.set_header(name, value)
        seconds = perf_counter() - context.started
        route = req.uri_template or UNKNOWN_ROUTE
        self._metrics.count(req.method, route, resp.status_code, seconds)
        if LOG.isEnabledFor(logging.INFO):
            line = {
                "id": context.id,
                "method": req.method[:16],
                "route": route,
                "status": resp.status_code,
                "ms": round(seconds * 1000, 2),
                "actor": context.actor,
                "client": context.client.address,
            }
            if context.token:
                line["token"] = context.token
            if context.code:
                line["code"] = context.code
            LOG.info("request", extra={"wide": line})
        REQUEST.set("")

    def on_error(
        self, req: Request, resp: Response, error: MailwrightError, _params: object
    ) -> None:
        """An error of ours."""
        if isinstance(error, TooManyAttempts):
            resp.set_header("Retry-After", str(error.retry_after))
        if isinstance(error, NotAuthenticated) and not self._always_200:
            resp.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, Unavailable) and error.detail:
            # Where and why: for those who run the machine, who would otherwise only see a code.
            LOG.warning("unavailable", extra={"wide": {"code": error.code, "detail": error.detail}})
        status = 200 if self._always_200 else answers.status_of(error)
        self._fail(req, resp, status, error.code, error.reason)
        if isinstance(error, PartlyDone):
            resp.data = answers.part(error)

    def on_http_error(
        self, req: Request, resp: Response, error: falcon.HTTPError, _params: object
    ) -> None:
        """What Falcon refuses: unknown paths and methods, media types; these keep their status."""
        if error.headers:
            resp.set_headers(error.headers)
        if req.path.startswith(self._below_api) and (allowed := resp.get_header("Allow")):
            resp.set_header("Allow", allowed.removesuffix(", OPTIONS").replace("OPTIONS, ", ""))
        status = error.status_code
        code = _CODES.get(status, "INVALID_REQUEST" if status < 500 else "INTERNAL_ERROR")  # noqa: PLR2004
        reason = _REASONS.get(status) or error.description or "the request is not acceptable"
        self._fail(req, resp, status, code, reason)

    def on_unknown(self, req: Request, resp: Response, error: Exception, _params: object) -> None:
        """A mistake of ours; the client gets an id that finds the traceback.

        The words of the exception are left out of the log: they may hold what the client sent.
        """
        LOG.error(
            "unexpected %s",
            type(error).__qualname__,
            extra={"wide": {"id": req.context.id, "traceback": _frames(error)}},
        )
        self._fail(
            req,
            resp,
            500,
            "INTERNAL_ERROR",
            f"something went wrong here; the log has more under {req.context.id}",
        )

    def _fail(
        self,
        req: Request,
        resp: Response,
        status: int,
        code: str,
        reason: str,
    ) -> None:
        req.context.code = code
        resp.status = _STATUS_LINES.get(status) or falcon.code_to_http_status(status)
        resp.content_type = JSON
        resp.data = answers.failure(code, reason)

    def _guard(self, client: Client) -> None:
        if not self._enabled:
            raise falcon.HTTPNotFound
        stored = self._app.overrides.api_clients
        restricted = self._restricted or bool(stored)
        if restricted and client.address not in (stored or self._clients):
            raise Forbidden("this client may not use the API", code="NOT_AUTHORIZED")


def _sends_body(environ: Mapping[str, Any]) -> bool:
    return environ.get("CONTENT_LENGTH", "0") not in {"", "0"} or (
        "HTTP_TRANSFER_ENCODING" in environ
    )


def _actor(work: Work) -> Actor:
    return work.actor


def _refuse_foreign_page(req: Request, client: Client) -> None:
    if req.method not in _SAFE and client.is_foreign_page():
        raise Forbidden("a page of another site may not change anything here")


def _frames(error: BaseException | None) -> list[str]:
    found: list[str] = []
    while error is not None:
        found.append(type(error).__qualname__)
        found += [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        error = error.__cause__ or error.__context__
    return found
