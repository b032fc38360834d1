"""Reads separated text, whatever the spreadsheet made of it, as a header and rows of cells."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.errors import DataError
from trainer.recordings.fields import finite
from trainer.recordings.recording import LoadReport

LARGEST = 1e30  # squares of these are finite; a time in ns since 1970 is 2e18
DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Names of columns, and rows of cells; every row is as long as the header."""

    header: tuple[str, ...]
    rows: list[list[str]]
    decimal: str = "."
    too_long: int = 0  # rows with more cells than the header, which are not among `rows`

    def texts(self, column: int) -> list[str]:
        """Return a column's cells as they are."""
        return [row[column] for row in self.rows]

    def numbers(self, columns: Sequence[int]) -> NDArray[np.float64]:
        """Return columns as numbers, (n, columns); NaN stands for what is none up to 1e30."""
        found = [self._column(column) for column in columns]
        return np.column_stack(found) if found else np.empty((len(self.rows), 0))

    def in_order(self, rows: Sequence[int]) -> "Table":
        """Return these rows in this order."""
        return Table(self.header, [self.rows[at] for at in rows], self.decimal)

    def _column(self, column: int) -> NDArray[np.float64]:
        cells = self.texts(column)
        if self.decimal != ".":
            cells = [cell.replace(self.decimal, ".") for cell in cells]
        try:
            values = np.array(cells, dtype=np.float64)
        except ValueError:
            values = np.array([_number(cell) for cell in cells], dtype=np.float64)
        return np.where(np.abs(values) <= LARGEST, values, np.nan)

    def usable(self, columns: Sequence[int], name: str, report: LoadReport) -> "Table":
        """Return the rows with numbers in all these columns, once all others are counted.

        Raises DataError if none is left.
        """
        numeric = np.asarray(np.isfinite(self.numbers(columns)).all(axis=1), np.bool_)
        full = np.array([all(row[at].strip() for at in columns) for row in self.rows], bool)
        report.found += len(self.rows) + self.too_long
        report.count("row with more cells than the header, left out", self.too_long)
        report.count("row with an empty or missing cell, left out", int((~full).sum()))
        report.count("row with a cell that is no number, left out", int((full & ~numeric).sum()))
        if not numeric.any():
            raise DataError(f"{name}: none of its {len(self.rows) + self.too_long} rows is usable")
        return self.in_order(np.flatnonzero(numeric).tolist())


def parse(text: str, name: str) -> Table:
    """Read a table; its first line is its header, after lines that begin with `#` or `sep=`.

    Where semicolons or tabs separate cells, numbers may have a decimal comma. Rows that are short
    are filled up, and blank ones skipped. Raises DataError if `name` has no header.
    """
    lines = iter(text.splitlines())
    head = next((line for line in lines if not _skipped(line)), "")
    delimiter = max(DELIMITERS, key=head.count)
    if head.count(delimiter) == 0:
        raise DataError(f"{name}: is no table: its first line has no comma, semicolon or tab")
    try:
        header = tuple(cell.strip() for cell in next(csv.reader([head], delimiter=delimiter)))
        cells = [row for row in csv.reader(lines, delimiter=delimiter) if any(map(str.strip, row))]
    except csv.Error as error:
        raise DataError(f"{name}: is no table: {error}") from error
    width = len(header)
    fitting = [row for row in cells if not any(map(str.strip, row[width:]))]
    rows = [row[:width] + [""] * (width - len(row)) for row in fitting]
    return Table(header, rows, "." if delimiter == "," else ",", len(cells) - len(rows))


def _skipped(line: str) -> bool:
    return not line.strip() or line.startswith("#") or line.casefold().startswith("sep=")


def _number(cell: str) -> float:
    try:
        return finite(cell)
    except ValueError:
        return float("nan")
