"""Shows what happens: as a live table in a terminal, as plain lines anywhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from clients.board import Board
from clients.messages import Heard

REDRAWS_PER_S = 8


async def show(
    messages: AsyncIterator[Heard], console: Console, *, seconds: float | None, plain: bool
) -> None:
    """Show `messages` until they end, or for `seconds`."""
    draw = _lines if plain or not console.is_terminal else _table
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await draw(messages, console)


async def _lines(messages: AsyncIterator[Heard], console: Console) -> None:
    board = Board()
    async for message in messages:
        line = board.take(message)
        if line is not None:
            console.print(line.text, soft_wrap=True)


async def _table(messages: AsyncIterator[Heard], console: Console) -> None:
    board = Board()
    with Live(board, console=console, refresh_per_second=REDRAWS_PER_S):
        async for message in messages:
            board.take(message)
