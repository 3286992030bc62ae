"""Garbage of every kind, on both sides."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailwright.passwords import PasswordPolicy, known_scheme, schemes, verify_password

QUICK = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# Drawn from one big alphabet, surrogates and NUL would hardly ever come up.
PIECES = st.one_of(st.text(max_size=20), st.sampled_from(["\ud800", "\udcff", "\0", "{", "}", "$"]))
SURROGATES_TOO = st.lists(PIECES, max_size=6).map("".join)
DATA = st.one_of(
    SURROGATES_TOO,
    st.binary(max_size=90).map(bytes.hex),
    st.text("./0123456789abcXYZ+=$,:{}!", max_size=120),
    st.from_regex(r"\A\$(1|2[abxy]|5|6|y|gy|7)\$(04\$)?[./0-9A-Za-z$=]{10,90}\Z"),
    st.from_regex(r"\A\$2[aby]\$04\$[./0-9A-Za-z]{53}\Z"),
    st.from_regex(
        r"\A\$argon2(i|d|id)\$v=1[69]\$m=\d{1,3},t=\d{1,2},p=\d{1,2}\$\w{8,30}\$\w{8,50}\Z"
    ),
    st.from_regex(r"\A\$1\$.{0,20}\$\d{1,4}\$[0-9a-f]{38,42}\Z"),
    st.from_regex(r"\A\d{1,4},[a-zA-Z]{0,25}={0,2},[a-zA-Z]{27}=,[a-zA-Z]{27}=\Z"),
)
PREFIXES = st.one_of(
    st.sampled_from(["", "!", "{", "{}", "{NTLM}", *(f"{{{name}}}" for name in schemes.SCHEMES)]),
    st.builds(
        "{{{}.{}}}".format,
        st.sampled_from(list(schemes.SCHEMES)),
        st.sampled_from(["b64", "hex", "x"]),
    ),
)


@QUICK
@given(SURROGATES_TOO, PREFIXES, DATA)
def test_nothing_stored_and_no_password_raises(password: str, prefix: str, data: str) -> None:
    answer = verify_password(password, prefix + data)
    known = known_scheme(prefix + data)

    assert not answer or known


@QUICK
@given(SURROGATES_TOO)
def test_no_password_makes_the_policy_raise(password: str) -> None:
    assert isinstance(PasswordPolicy().check(password, confirmation=None), tuple)
