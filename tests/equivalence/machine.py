"""The requests that a random sequence is made of, and the comparison after each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from mailwright.fields.resource import Verb
from mailwright.resources import domain as domains
from mailwright.storage.protocol import EVERY_DOMAIN
from tests.equivalence import pools
from tests.equivalence.start import DOMAIN, JANE, JOHN, MANAGER, OTHER_DOMAIN, PASSWORD, ROOT
from tests.equivalence.tolerances import declared, forgiven
from tests.equivalence.world import TOKENS, Form, Request, Seen, World, login, path

SHOWN = 25  # differences in a message
UNAUTHENTICATED = 401
IDLE_SECONDS = 1800  # after these a session has ended

# How often each is tried; the first is what Hypothesis takes for the simplest.
STEPS = {
    "pass_time": 1,
    "create_domain": 2,
    "update_domain": 5,
    "create_user": 5,
    "update_user": 9,
    "update_users": 2,
    "create_admin": 2,
    "update_admin": 4,
    "grant": 3,
    "remove": 4,
    "send_back": 2,
    "walk": 4,
    "verify_password": 1,
    "log_in": 1,
    "ask_as_another": 1,
    "delegate": 8,
    "manage_tokens": 2,
}
# Of so many steps one is taken by a domain admin or with an API token, where there are any.
OTHERS_STEP = 2
OF_GLOBAL_ADMINS = frozenset({"create_admin", "update_admin"})
SERVICES = frozenset({domains.ENABLED_SERVICES.name, *domains.ENABLED_SERVICES.names()})
OWN_STEPS = frozenset(
    {"pass_time", "log_in", "ask_as_another", "delegate"}
)  # say themselves who asks


class Backend(Protocol):
    """As much of a store as the comparison asks for."""

    @property
    def name(self) -> str: ...
    @property
    def is_directory(self) -> bool: ...


class Comparison:
    """Compares what stores did; remembers which tolerances it could not do without."""

    def __init__(self) -> None:
        self.ids = declared()
        self.needed: set[str] = set()

    def compare(self, seen: Sequence[Seen], stores: Sequence[Backend]) -> None:
        """SQL engines differ in nothing; a directory in what is declared."""
        first = seen[0]
        for each, store in zip(seen[1:], stores[1:], strict=True):
            if each.told() == first.told():
                continue
            if store.is_directory:
                found = self._unforgiven(first, each)
            else:
                found = differences(first.told(), each.told())

            assert not found, _report(first.request, stores[0].name, store.name, found)

    def _unforgiven(self, one: Seen, other: Seen) -> list[str]:
        found = _left(one, other, self.ids)
        for each in self.ids:
            if each not in self.needed and _left(one, other, [i for i in self.ids if i != each]):
                self.needed.add(each)
        return found


def _left(one: Seen, other: Seen, ids: Sequence[str]) -> list[str]:
    return differences(*(forgiven(each.copy(), ids) for each in (one, other)))


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two plain values differ, and how."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for name in sorted(one.keys() | other.keys())
            for line in differences(
                one.get(name, "(nothing)"), other.get(name, "(nothing)"), f"{where}/{name}"
            )
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [
            line
            for at, pair in enumerate(zip(one, other, strict=True))
            for line in differences(*pair, f"{where}/{at}")
        ]
    return [] if one == other else [f"{where}: {one!r} != {other!r}"]


def _report(request: Request, one: str, other: str, found: Sequence[str]) -> str:
    return "\n  ".join([f"{one} and {other} differ after {request}", *found[:SHOWN]])


class Machine(RuleBasedStateMachine):
    """One random sequence; `world` and `comparison` are set by the test."""

    world: ClassVar[World]
    comparison: ClassVar[Comparison]

    def __init__(self) -> None:
        super().__init__()
        self.boss = ROOT  # the global admin who sends what nobody else does
        self.actor = ""  # who takes this step, if not the boss
        self.own: frozenset[str] | None = None  # the domains that this step is about, or any
        self.ranks: dict[str, list[str]] = {}
        self.out: set[str] = set()  # whose last request was answered that they have to log in
        self.idle = 0  # seconds since the last login
        self.domains: tuple[str, ...] = ()
        self.users: tuple[str, ...] = ()
        self.admins: tuple[str, ...] = ()
        self.world.restart()
        self.ask(Request("POST", path("logout")), "nobody")

    @initialize(
        only_users=st.sampled_from((False, False, True)),
        delegated=st.sampled_from((True, False)),
        limits=st.sampled_from(pools.LIMITS),
    )
    def choose_admins(self, *, only_users: bool, delegated: bool, limits: Form) -> None:
        """Some sequences have no global admin but Jane, who may be the last one; some domain admins."""
        if only_users:
            self.ask(Request("PUT", path("user", JANE), [("isGlobalAdmin", "yes")]))
            self.boss = JANE
            self.ask(login(JANE))
            self.world.dismiss()
        if delegated:
            limits = [*limits, ("maxDomains", "2")]
            self.ask(Request("PUT", path("admin", MANAGER), limits))
            for domain in (DOMAIN, OTHER_DOMAIN):
                self.ask(Request("PUT", path("domain", "admins", domain), [("addAdmin", JOHN)]))
            for admin in (MANAGER, JOHN):
                self.ask(login(admin), admin)
                self.ask(Request("POST", TOKENS, [("label", "whole")]), admin)
            self.ask(Request("POST", TOKENS, [("label", "one"), ("domains", DOMAIN)]))

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """One of the things that clients do.

        A rule for each would be left out of many sequences at random; these are to meet one another.
        """
        step = data.draw(
            st.sampled_from([name for name, often in STEPS.items() for _ in range(often)])
        )
        self.actor, self.own = "", None
        if step not in OWN_STEPS and self.others and data.draw(st.integers(1, OTHERS_STEP)) == 1:
            actor = data.draw(st.sampled_from(sorted(self.others)))
            self._come_back(actor)
            self.actor = actor
            if data.draw(st.booleans()):  # who mostly asks for what is not theirs is mostly refused
                self.own = frozenset(self.ranks.get(actor, ())) - {EVERY_DOMAIN} or None
            if self.own and step in OF_GLOBAL_ADMINS:
                step = data.draw(st.sampled_from(("create_user", "update_user")))
        getattr(self, step)(data)
        self.actor, self.own = "", None

    def create_domain(self, data: st.DataObject) -> None:
        key = data.draw(pools.new_domain_keys)
        form = self._with(data, "name", "New", data.draw(pools.forms("domain", Verb.CREATE)))
        self._send(data, "POST", path("domain", key), form)

    def update_domain(self, data: st.DataObject) -> None:
        key = data.draw(pools.domain_keys(self._at_hand(self.domains)))
        form = data.draw(pools.forms("domain", Verb.UPDATE))
        if self.actor:  # after what is a change in a directory only, nothing would be the same
            form = [pair for pair in form if pair[0] not in SERVICES]
        self._send(data, "PUT", path("domain", key), form)

    def create_user(self, data: st.DataObject) -> None:
        key = data.draw(pools.new_user_keys)
        form = self._with(data, "password", PASSWORD, data.draw(pools.forms("user", Verb.CREATE)))
        self._send(data, "POST", path("user", key), form)

    def update_user(self, data: st.DataObject) -> None:
        key = data.draw(pools.user_keys(self._at_hand(self.users)))
        form = data.draw(pools.forms("user", Verb.UPDATE))
        self._send(data, "PUT", path("user", key), form)

    def update_users(self, data: st.DataObject) -> None:
        key = data.draw(pools.domain_keys(self._at_hand(self.domains)))
        form = data.draw(pools.forms("user", Verb.BULK))
        self._send(data, "PUT", path("users", key), form)

    def create_admin(self, data: st.DataObject) -> None:
        key = data.draw(pools.new_admin_keys)
        form = self._with(data, "password", PASSWORD, data.draw(pools.forms("admin", Verb.CREATE)))
        self._send(data, "POST", path("admin", key), form)

    def update_admin(self, data: st.DataObject) -> None:
        key = data.draw(pools.admin_keys(self.admins))
        form = data.draw(pools.forms("admin", Verb.UPDATE))
        self._send(data, "PUT", path("admin", key), form)

    def grant(self, data: st.DataObject) -> None:
        key = data.draw(pools.domain_keys(self._at_hand(self.domains)))
        form = data.draw(pools.forms("domain", Verb.GRANT))
        self._send(data, "PUT", path("domain", "admins", key), form)

    def verify_password(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(("user", "admin")))
        password = data.draw(st.sampled_from((PASSWORD, *pools.PASSWORDS)))
        where = path("verify_password", kind, self._key(data, kind))
        self.ask(Request("POST", where, [("password", password)]))

    def manage_tokens(self, data: st.DataObject) -> None:
        match data.draw(st.sampled_from(("POST", "POST", "GET", "DELETE"))):
            case "POST":
                self.ask(Request("POST", TOKENS, data.draw(pools.token_forms())))
            case "GET":
                asked = data.draw(st.sampled_from(((), (("all", "yes"),))))
                self.ask(Request("GET", TOKENS, asked))
            case method:
                names = [*self.world.stores[0].tokens, "token-0"]
                self.ask(Request(method, path("token", data.draw(st.sampled_from(names)))))

    def remove(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(("user", "user", "user", "admin", "domain")))
        kept = data.draw(st.sampled_from((None, None, None, *pools.PATH_DAYS)))
        more = () if kept is None or kind == "admin" else ("keep_mailbox_days", kept)
        self.ask(Request("DELETE", path(kind, self._key(data, kind), *more)))

    def send_back(self, data: st.DataObject) -> None:
        """What GET gives back can be sent to PUT unchanged."""
        kind = data.draw(st.sampled_from(("user", "domain", "admin")))
        where = path(kind, self._key(data, kind))
        seen = self.ask(Request("GET", where))
        own = [each.answer["_data"] for each in seen if each.status == 200]
        if own:
            self.ask(Request("PUT", where, own=own))

    def walk(self, data: st.DataObject) -> None:
        """A list, and if it has more, its second page."""
        kind = data.draw(st.sampled_from(("user", "user", "domain", "admin")))
        where = path(f"{kind}s")
        if kind == "user":
            where = path("users", self._key(data, "domain"))
        form = data.draw(pools.options(kind))
        if data.draw(st.integers(0, 4)) == 0:
            order = next((text for name, text in form if name == "sort"), "")
            token = data.draw(pools.forged_tokens(str(order)))
            form = [*(pair for pair in form if pair[0] != "page_token"), ("page_token", token)]
        seen = self.ask(Request("GET", where, form))
        tokens = [each.token for each in seen if each.token is not None]
        if len(tokens) == len(seen):  # not so where an invented token met declared differences
            rest = [pair for pair in form if pair[0] != "page_token"]
            self.ask(Request("GET", where, rest, tokens=tokens))

    def pass_time(self, data: st.DataObject) -> None:
        seconds = data.draw(st.sampled_from(pools.SECONDS))
        self.world.pass_time(seconds)
        self.idle += seconds

    def log_in(self, data: st.DataObject) -> None:
        names = [*self.users, *self.users, *self.admins, "x@nowhere.test", ""]
        names = [name for name in names if name != self.boss]  # whose attempts are counted, too
        password = data.draw(st.sampled_from((PASSWORD, PASSWORD, *pools.PASSWORDS)))
        name = data.draw(st.sampled_from(names))
        self.ask(login(name, password), name or "nobody")

    def ask_as_another(self, data: st.DataObject) -> None:
        """A request by somebody who has or had a session, or by nobody."""
        actor = data.draw(st.sampled_from([*sorted(self.others), "nobody"]))
        where = path("user", self._key(data, "user"))
        match data.draw(st.sampled_from(("GET", "PUT", "DELETE", "POST"))):
            case "PUT":
                request = Request("PUT", where, [("employeeid", actor)])
            case "POST":
                request = Request("POST", path("logout"))
            case method:
                request = Request(method, where)
        self.ask(request, actor)

    def delegate(self, data: st.DataObject) -> None:
        """What a domain admin's day is made of, by session and by token, up to the limits."""
        admins = {"token-1": MANAGER, "token-2": JOHN, MANAGER: MANAGER, JOHN: JOHN}
        asking = data.draw(st.sampled_from(sorted(admins)))
        own = sorted({*self.ranks.get(admins[asking], ())} - {EVERY_DOMAIN})
        if asking not in self.others or not own:
            self.update_user(data)
            return
        self._come_back(asking)
        domain = data.draw(st.sampled_from(own))
        user = f"{data.draw(st.sampled_from(pools.LOCALS))}@{domain}"
        method, kind, name, texts = data.draw(st.sampled_from(pools.DAYS_WORK))
        key = user if kind == "user" else domain
        if (method, kind) == ("POST", "domain"):
            key = data.draw(st.sampled_from(pools.DOMAINS))
        form = [(name, data.draw(st.sampled_from(texts)).replace("USER", user))] if name else []
        if method == "POST":
            form.append(("name", "New") if kind == "domain" else ("password", PASSWORD))
        self.ask(Request(method, path(*kind.split("/"), key), form), asking)

    def _come_back(self, actor: str) -> None:
        """Log in again, where a session was lost."""
        if actor in self.out and actor in self.world.stores[0].cookies:
            self.ask(login(actor), actor)

    def ask(self, request: Request, actor: str = "") -> list[Seen]:
        """Ask all stores and compare what they made of it."""
        if not actor and not self.actor and self.idle >= IDLE_SECONDS:
            self._log_in_again()
        actor = actor or self.actor or self.boss
        note(f"{actor}: {request}")
        seen = self.world.ask(request, actor)
        self.comparison.compare(seen, self.world.stores)
        if request.writes:
            self.domains = tuple(sorted(seen[0].domains))
            self.users = tuple(sorted(seen[0].users))
            self.admins = tuple(sorted(seen[0].admins))
            self.ranks = seen[0].ranks
            if EVERY_DOMAIN not in seen[0].ranks.get(self.boss, ()):
                self._have_another_boss()
                return seen
        self.out.discard(actor)
        if seen[0].status == UNAUTHENTICATED:
            self.out.add(actor)
            if actor == self.boss and not request.is_login:
                self._have_a_boss()
        return seen

    def _have_a_boss(self) -> None:
        """Whoever was it may have been demoted, got another password, or only been logged out."""
        if self._log_in_again() == UNAUTHENTICATED:
            self._have_another_boss()

    def _have_another_boss(self) -> None:
        self.world.admit()
        self.boss = ROOT
        self._log_in_again()

    def _log_in_again(self) -> int:
        self.idle = 0
        return self.ask(login(self.boss), self.boss)[0].status

    def _at_hand(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        if self.own is None:
            return keys
        return tuple(key for key in keys if key.rpartition("@")[2] in self.own)

    def _key(self, data: st.DataObject, kind: str) -> str:
        if kind == "domain":
            return data.draw(pools.domain_keys(self._at_hand(self.domains)))
        if kind == "admin":
            return data.draw(pools.admin_keys(self.admins))
        return data.draw(pools.user_keys(self._at_hand(self.users)))

    def _with(self, data: st.DataObject, name: str, value: str, form: Form) -> Form:
        """The form with what is required, most of the times."""
        if data.draw(st.integers(0, 9)) == 0:
            return form
        return [(name, value), *(pair for pair in form if pair[0] != name)]

    def _send(self, data: st.DataObject, method: str, where: str, form: Form) -> None:
        self.ask(Request(method, where, form, as_json=data.draw(st.booleans())))

    @property
    def others(self) -> set[str]:
        """Who has or had a session or token besides the one who sends everything else."""
        store = self.world.stores[0]
        return {*store.cookies, *store.tokens} - {self.boss}
