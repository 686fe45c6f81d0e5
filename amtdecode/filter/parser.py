"""From tokens to a tree, by precedence climbing.

Tightest first: slices and calls, signs, `* / %`, `+ -`, `&`, comparisons, `not`, `and`, `or`. Round brackets hold
tests, curly ones arithmetic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.errors import FilterError
from amtdecode.filter.lexer import Lexer, Sort
from amtdecode.filter.tree import (
    Arithmetic,
    Both,
    Call,
    Comparison,
    Either,
    Exists,
    Membership,
    Name,
    Not,
    Slice,
    Span,
)

if TYPE_CHECKING:
    from amtdecode.filter.lexer import Token
    from amtdecode.filter.tree import Operand, Test

CHAINED = frozenset({"==", "!=", "===", "!==", ">", ">=", "<", "<="})
BINDS = {"&": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3}
MAX_DEPTH = 100  # brackets and signs inside each other
MAX_STEPS = 100  # operators of arithmetic, and slices of slices, in one comparison: each lies around those before it
_RANGE = re.compile(r"(-?\w+)?\s*(?:(:)\s*(-?\w+)?|(-)\s*(-?\w+))?")
"""First; colon and length, or hyphen and last."""


def parse(text: str) -> Test | None:
    """The tree of a filter; `None` for one that says nothing. Raises `FilterError`."""
    return _Parser(text).filter()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        lexer = Lexer(text)
        self._tokens, self._fault = lexer.tokens, lexer.fault
        self._place = 0
        self._depth = 0
        self._steps = 0

    # -- tokens -------------------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        token = self._tokens[self._place]
        if token.sort is Sort.END and self._fault is not None:
            raise self._fault
        return token

    def _sees(self, *symbols: str) -> bool:
        token = self._token
        return token.sort is Sort.SYMBOL and token.value in symbols

    def _take(self) -> Token:
        token = self._token
        self._place += 1
        return token

    def _accept(self, symbol: str) -> bool:
        if self._sees(symbol):
            self._place += 1
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._accept(symbol):
            raise self._unexpected()

    def _unexpected(self) -> FilterError:
        token = self._token
        if token.sort is Sort.END:
            return FilterError("Unexpected end of filter expression.", self._text)
        return self._fail(f'"{token.text}" was unexpected in this context.', token)

    def _fail(self, reason: str, token: Token) -> FilterError:
        return FilterError(reason, self._text, token.at + 1, len(token.text))

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fail(f"more than {MAX_DEPTH} brackets or signs stand inside each other.", self._token)

    def _further(self, token: Token) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise self._fail(f"more than {MAX_STEPS} operators or slices stand in one comparison.", token)

    # -- tests --------------------------------------------------------------------------------------------------------

    def filter(self) -> Test | None:
        """The whole text."""
        if self._token.sort is Sort.END:
            return None
        test = self._either()
        rest: Token = self._token
        if rest.sort is not Sort.END:
            raise self._unexpected()
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._accept("or"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else Either(tuple(tests))

    def _both(self) -> Test:
        tests = [self._not()]
        while self._accept("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else Both(tuple(tests))

    def _not(self) -> Test:
        negative = False
        while self._accept("not"):
            negative = not negative
        test = self._test()
        return Not(test) if negative else test

    def _test(self) -> Test:
        if self._accept("("):
            self._deeper()
            test = self._either()
            self._expect(")")
            self._depth -= 1
            return test
        self._steps = 0
        quantifier = str(self._take().value) if self._sees("any", "all") else ""
        left = self._operand()
        if self._sees("in", "not"):
            negative = self._accept("not")
            self._expect("in")
            test = Membership(left, self._set(), quantifier)
            return Not(test) if negative else test
        if self._sees("contains", "matches"):
            return Comparison(self._take(), left, self._value(), quantifier)
        if not self._sees(*CHAINED):
            if quantifier:
                raise self._unexpected()
            return Exists(left)
        steps = []
        while self._sees(*CHAINED):
            operator = self._take()
            right = self._operand()
            steps.append(Comparison(operator, left, right, quantifier))
            left = right
        return steps[0] if len(steps) == 1 else Both(tuple(steps))

    def _set(self) -> tuple[tuple[Operand, Operand | None], ...]:
        self._expect("{")
        members: list[tuple[Operand, Operand | None]] = []
        while True:
            first = self._member()
            members.append((first, self._member() if self._accept("..") else None))
            if self._accept("}"):
                return tuple(members)
            self._expect(",")

    def _member(self) -> Operand:
        """A member of a set: no arithmetic but a sign."""
        if self._sees("+", "-"):
            sign = self._take()
            return Arithmetic(str(sign.value), None, self._value(), sign)
        if self._sees("{"):
            raise self._unexpected()
        return self._value()

    # -- operands -----------------------------------------------------------------------------------------------------

    def _operand(self, binds: int = 1) -> Operand:
        left = self._signed()
        while (token := self._token).sort is Sort.SYMBOL and BINDS.get(str(token.value), 0) >= binds:
            self._further(self._take())
            left = Arithmetic(str(token.value), left, self._operand(BINDS[str(token.value)] + 1), token)
        return left

    def _signed(self) -> Operand:
        if self._sees("+", "-"):
            sign = self._take()
            if self._sees("{"):
                raise self._unexpected()
            return Arithmetic(str(sign.value), None, self._value(), sign)
        return self._value()

    def _value(self) -> Operand:
        if self._accept("{"):
            self._deeper()
            inside = self._operand()
            self._expect("}")
            self._depth -= 1
            return inside
        token = self._token
        if token.sort in (Sort.SYMBOL, Sort.RANGE, Sort.END):
            raise self._unexpected()
        self._take()
        found: Operand
        if token.sort is Sort.WORD and self._sees("("):
            found = self._call(token)
        else:
            layers: tuple[Span, ...] = ()
            if token.sort in (Sort.WORD, Sort.FIELD, Sort.REFERENCE) and self._sees("#"):
                layers = self._spans(closed=self._take().text == "#[")
            found = Name(token, layers)
        while token.sort not in (Sort.STRING, Sort.CHARACTER) and self._accept("["):
            if isinstance(found, Slice):
                self._further(token)
            found = Slice(found, self._spans(), token)
        return found

    def _call(self, token: Token) -> Call:
        self._take()
        arguments: list[Operand] = []
        if not self._accept(")"):
            self._deeper()
            while True:
                arguments.append(self._operand())
                if self._accept(")"):
                    break
                self._expect(",")
            self._depth -= 1
        return Call(token, tuple(arguments))

    def _spans(self, *, closed: bool = True) -> tuple[Span, ...]:
        """The parts in brackets; not `closed`: one number without any."""
        spans = []
        while self._token.sort is Sort.RANGE:
            spans.append(self._span(self._take()))
        if closed:
            self._expect("]")
        return tuple(spans)

    def _span(self, token: Token) -> Span:
        """One part: `i`, `i:j` with a length, `i-j` with an end, `:j`, `i:`."""
        text = token.text
        found = _RANGE.fullmatch(text)
        if found is None:
            raise self._fail(_why_no_range(text), token)
        first, colon, length, hyphen, last = found.groups()
        if colon is None and hyphen is None:
            start = self._number(first, token)
            return Span(start, None if start == -1 else start + 1)
        start = self._number(first, token) if first else 0
        if hyphen is not None:
            if not first:
                raise self._fail(f'"{text}" is not a valid range.', token)
            end = self._number(last, token)
            if (end < 0) != (start < 0):
                raise self._fail(f"Range {text} isn't valid because {start} and {end} have different signs", token)
            if end < start:
                raise self._fail(f"Range {text} isn't valid because {start} is greater or equal than {end}", token)
            return Span(start, None if end == -1 else end + 1)
        if length is None:
            return Span(start, None)
        size = self._number(length, token)
        if size <= 0:
            raise self._fail(f"Range {text} isn't valid because length {size} isn't positive", token)
        end = start + size
        return Span(start, None if start < 0 <= end else end)

    def _number(self, text: str, token: Token) -> int:
        try:
            value = int(text, 16 if text.lstrip("-")[:2].lower() == "0x" else 10)
        except ValueError:
            raise self._fail(f'"{text}" is not a valid number.', token) from None
        if not -(1 << 31) <= value < 1 << 31:
            raise self._fail(f'"{text}" causes an integer overflow.', token)
        return value


def _why_no_range(text: str) -> str:
    kind = "range" if (set(text[1:]) & set(": .")) or (text[-1] == "-" and len(text) > 1) else "number"
    return f'"{text}" is not a valid {kind}.'
