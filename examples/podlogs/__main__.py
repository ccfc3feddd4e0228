"""`python -m examples.podlogs --standalone-debug-mode`: Programs, whose output streams and which can be talked to.

GET `.../programs/NAME/log?follow=true&tailLines=2` streams what a program wrote, and goes on as it writes more. A
WebSocket on `.../programs/NAME/exec?command=cat` speaks the protocol of `kubectl exec`, one on `portforward?ports=7`
that of forwarded ports. Nothing of this machine is run.
"""

import asyncio
from collections import defaultdict
from typing import Annotated

from pydantic import Field

from trikube import aa

_TRUE = ("true", "1")
_ECHO = 7


class ProgramSpec(aa.Model):
    """ProgramSpec is what a program says."""

    lines: list[str] = Field(default_factory=list)
    """What it wrote so far."""


class Line(aa.Model):
    """Line is something a program writes: POST it to `say`."""

    text: Annotated[str, Field(min_length=1)]
    """One line of output."""


class Program(aa.Resource, group="podlogs.demo.io", version="v1", columns=(("Last", ".spec.lines[-1:]"),)):
    """Program is something that writes lines and answers on standard input."""

    spec: ProgramSpec = ProgramSpec()
    """What it says."""

    @aa.subresource("say")
    async def say(self, ctx: aa.Context, line: Line) -> None:
        """Write a line: it is stored, and told to whoever follows."""
        self.spec.lines.append(line.text)
        if not ctx.dry_run:
            for follower in tuple(FOLLOWERS[self.metadata.uid]):
                follower.put_nowait(line.text)

    @aa.connect("log")
    async def log(self, ctx: aa.Context, connection: aa.Connection) -> None:
        """Stream the lines."""
        query = connection.query_params
        tail = query.get("tailLines", "")
        if tail and not tail.isdecimal():
            raise aa.errors.bad_request(f"tailLines {tail} is not a number")
        # Listening begins before the past is sent, so that no line falls between.
        new: asyncio.Queue[str] = asyncio.Queue()
        FOLLOWERS[self.metadata.uid].add(new)
        try:
            past = self.spec.lines[len(self.spec.lines) - int(tail) :] if tail else self.spec.lines
            await connection.write("".join(f"{line}\n" for line in past))
            while query.get("follow") in _TRUE:
                await connection.write(f"{await new.get()}\n")
        finally:
            FOLLOWERS[self.metadata.uid].discard(new)

    @aa.connect("exec", methods=("GET", "POST"))
    async def exec(self, ctx: aa.Context, connection: aa.Connection) -> None:
        """`echo WORD...` writes its words, `cat` what it reads; anything else is not found, which is 127."""
        command = connection.query_params.getlist("command")
        channels = await connection.channels()
        code = 0
        match command:
            case ["echo", *words]:
                await channels.stdout(f"{' '.join(words)}\n")
            case ["cat"]:
                async for data in channels.stdin():
                    await channels.stdout(data)
            case _:
                await channels.stderr(f"{' '.join(command)}: not found\n")
                code = 127
        await channels.exit(code)

    @aa.connect("portforward", methods=("GET", "POST"))
    async def portforward(self, ctx: aa.Context, connection: aa.Connection) -> None:
        """Port 7 echoes; nothing listens on the others."""
        ports = await connection.ports()
        for port in ports.numbers:
            if port != _ECHO:
                await ports.fail(port, f"nothing listens on port {port}")
        async for port, data in ports.received():
            if port == _ECHO:
                await ports.send(port, data)


FOLLOWERS: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)
"""Who reads the log of which program, by uid."""

SERVER = aa.APIServer("podlogs").with_resource(Program).with_local_debug_extension()

if __name__ == "__main__":
    SERVER.execute()
