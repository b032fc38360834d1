"""What is wrong with text that is no JSON, or not of the wanted shape, in plain words.

msgspec finds it, and says it with the names of Python's types; here they are ours.
"""

import re
from typing import NamedTuple

import msgspec

# What msgspec raises for text that is no JSON of the wanted shape: RecursionError where brackets
# are nested too deep, other ValueErrors for lone surrogates and numbers of thousands of digits.
MALFORMED = (msgspec.DecodeError, ValueError, RecursionError)
_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_SIGNS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
_EXPECTED = re.compile(
    r"Expected `(?P<kinds>[^`]*)`(?: of length (?P<length>\d+))?"
    r"(?: (?P<sign>[<>]=?) (?P<limit>\S+))?(?:, got `?(?P<got>[^`]*)`?)?"
)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_BYTE = re.compile(r"\(byte (\d+)\)")
_INVALID = re.compile(r"Invalid (?:enum )?value (.*)", re.DOTALL)


class Fault(NamedTuple):
    """What is wrong, and where: `xyz[0][2]`, or nothing for the whole."""

    what: str
    where: str
    value: str = ""  # as it came, where it is one of several words

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def explain(error: BaseException, root: str = "") -> Fault:
    """Word one of `MALFORMED`, that is about what is called `root`.

    >>> str(explain(msgspec.ValidationError("Expected `int | null`, got `str` - at `$.seq`")))
    'seq: a whole number or null is needed, not text'
    """
    message, _, where = str(error).partition(" - at `$")
    where = (root + where.rstrip("`")).removeprefix(".")
    if isinstance(error, msgspec.ValidationError):
        return _of_shape(message, where)
    return Fault(_of_json(error, message), where)


def _of_shape(message: str, where: str) -> Fault:
    if found := _MISSING.fullmatch(message):
        return Fault(f"{found[1]} is missing", where)
    if found := _INVALID.fullmatch(message):
        return Fault(f"{found[1]} is not allowed", where, found[1])
    if found := _EXPECTED.fullmatch(message):
        return Fault(_needed(**found.groupdict(default="")), where)
    if found := _UNKNOWN.fullmatch(message):
        return Fault(f"{found[1]} is not known", where)
    return Fault(message[:1].lower() + message[1:].replace("`", ""), where)


def _needed(kinds: str, length: str, sign: str, limit: str, got: str) -> str:
    needed = " or ".join(_NAMES.get(kind, kind) for kind in kinds.split(" | "))
    needed += f" of length {length}" if length else ""
    needed += f" {_SIGNS[sign]} {limit.removesuffix('.0')}" if sign else ""
    if not got:
        return f"{needed} is needed"
    if got.isdecimal():  # another length
        return f"{needed} is needed, not {got}"
    given = {"int": "a number", "float": "a fraction" if "int" in kinds else "a number"}
    return f"{needed} is needed, not {given.get(got, _NAMES.get(got, f'a {got}'))}"


def _of_json(error: BaseException, message: str) -> str:
    if isinstance(error, RecursionError):
        return "its brackets are nested too deep"
    if isinstance(error, UnicodeError) or "UTF-8" in message:
        return "it is no UTF-8"
    if found := _BYTE.search(message):
        return f"it is no JSON, near byte {found[1]}"
    if message == "Input data was truncated":
        return "it is no JSON: it ends in the middle"
    if "digits" in message:
        return "a number has too many digits"
    return message[:1].lower() + message[1:]
