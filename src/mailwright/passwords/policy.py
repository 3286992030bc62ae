"""Which new passwords are good enough. The codes are those that clients of iRedAdmin know.

One code is ours, ``PW_SURROUNDING_SPACE``. iRedAdmin strips a password before it hashes it and
again at login, Dovecot strips nothing, so such a password would work in one place and fail in the
other: it is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mailwright.errors import Invalid
from mailwright.passwords.schemes import MAX_HASHED_OCTETS

SPECIAL_CHARACTERS = "#$%&*+-,.:;!=<>'\"?@[]/(){}_`~"

_LETTER = re.compile("[A-Za-z]")
_UPPERCASE = re.compile("[A-Z]")
_NUMBER = re.compile("[0-9]")
_SPECIAL = re.compile(f"[{re.escape(SPECIAL_CHARACTERS)}]")


@dataclass(frozen=True)
class PasswordPolicy:
    """A ``max_length`` of 0 leaves only the limit of what can be hashed."""

    min_length: int = 8
    max_length: int = 0
    has_letter: bool = True
    has_uppercase: bool = True
    has_number: bool = True
    has_special_char: bool = True

    def with_lengths(self, minimum: int, maximum: int) -> PasswordPolicy:
        """Put a domain's own lengths, where it has some, in place of these."""
        return replace(
            self,
            min_length=minimum if minimum > 0 else self.min_length,
            max_length=maximum if maximum > 0 else self.max_length,
        )

    def check(self, password: str, confirmation: str | None = None) -> tuple[str, ...]:
        """The codes of all that is wrong, always in one order; empty and mismatch stand alone."""
        return tuple(code for code, _ in self._objections(password, confirmation))

    def require(
        self, password: str, parameter: str = "password", confirmation: str | None = None
    ) -> None:
        objections = list(self._objections(password, confirmation))
        if objections:
            raise Invalid(
                "the password must " + ", must ".join(wish for _, wish in objections),
                code=",".join(code for code, _ in objections),
                parameter=parameter,
            )

    def _objections(self, password: str, confirmation: str | None) -> Iterator[tuple[str, str]]:
        if confirmation is not None and confirmation != password:
            yield "PW_MISMATCH", "be the same both times"
        elif not password:
            yield "PW_EMPTY", "not be empty"
        else:
            yield from self._faults(password)

    def _faults(self, password: str) -> Iterator[tuple[str, str]]:
        longest = min(self.max_length or MAX_HASHED_OCTETS, MAX_HASHED_OCTETS)
        if not (password.isascii() and password.isprintable()):
            yield "PW_NON_ASCII", "have printable ASCII characters only"
        if password != password.strip():
            yield "PW_SURROUNDING_SPACE", "not begin or end with white space"
        if len(password) < self.min_length:
            yield "PW_SHORTER_THAN_MIN_LENGTH", f"have at least {self.min_length} characters"
        if len(password) > longest:
            yield "PW_GREATER_THAN_MAX_LENGTH", f"have at most {longest} characters"
        if self.has_letter and not _LETTER.search(password):
            yield "PW_NO_LETTER", "have a letter"
        if self.has_uppercase and not _UPPERCASE.search(password):
            yield "PW_NO_UPPERCASE", "have an upper-case letter"
        if self.has_number and not _NUMBER.search(password):
            yield "PW_NO_DIGIT_NUMBER", "have a digit"
        if self.has_special_char and not _SPECIAL.search(password):
            yield "PW_NO_SPECIAL_CHAR", f"have one of {SPECIAL_CHARACTERS}"
