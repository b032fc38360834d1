"""What the journal forgets, and when: part of a commit, so that nothing is half forgotten."""

import sqlite3

from stream import config

PRUNED = 20_000  # rows of a table that one pruning takes at most


def prune(connection: sqlite3.Connection, options: config.Journal, needed: int, utc: float) -> None:
    """Delete what is too old, but the newest row of each table, which keeps the numbering.

    The clock may have been wrong for a while. Each row goes by its own date, so that one of
    1970 takes no others along; one of the future stays, and holds up nothing behind it.
    """
    # Inputs that all states cover serve nobody: of those, dates of the future may go, too.
    connection.execute(
        "DELETE FROM inputs WHERE last IN (SELECT last FROM inputs ORDER BY last LIMIT ?) "
        "AND (utc < ? OR utc > ?) AND last < ? AND last < (SELECT max(last) FROM inputs)",
        (PRUNED, utc - options.keep_frames_s, utc + options.keep_frames_s, needed),
    )
    _prune_table(connection, "predictions", utc, options.keep_predictions_h * 3600)
    _prune_table(connection, "events", utc, options.keep_events_days * 86400)
    too_old = utc - options.keep_events_days * 86400
    connection.execute(
        "DELETE FROM devices WHERE utc < ? AND name NOT IN (SELECT device FROM sessions)",
        (too_old,),
    )


def _prune_table(connection: sqlite3.Connection, table: str, utc: float, keep_s: float) -> None:
    """Delete those of the oldest entries that are too old, and note how far that went."""
    oldest = (
        f"SELECT position, published FROM {table} WHERE published <= ? "  # noqa: S608
        "ORDER BY position LIMIT ?"
    )
    gone = connection.execute(
        f"DELETE FROM {table} WHERE position IN "  # noqa: S608
        f"(SELECT position FROM ({oldest}) WHERE published < ?) "
        f"AND position < (SELECT max(position) FROM {table}) RETURNING position",
        (utc, PRUNED, utc - keep_s),
    ).fetchall()
    if gone:
        mark = f"pruned {table}"
        last = max(position for (position,) in gone)
        connection.execute(
            "INSERT INTO marks VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (mark, last),
        )
