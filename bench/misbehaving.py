"""Three aggregated API servers that misbehave, as a process of its own. Started by `proxy.py`.

`python -m bench.misbehaving CERT KEY`; prints the port. The first segment of a path below the version says how.
"""

import asyncio
import ssl
import sys

HOWS = ("flood", "endless", "drip")
_SAID = {
    "flood": b"HTTP/1.1 102 \r\n\r\n" * 100,
    "endless": b"4000\r\n" + b"x" * 0x4000 + b"\r\n",
    "drip": b"1\r\nx\r\n",
}
GROUP = "misbehaving.example.com"
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
            how = path.rpartition(b"/")[2].decode()
            if how in HOWS:
                await _misbehave(how, writer)
            body = b'{"kind":"APIResourceList","groupVersion":"%s","resources":[]}' % path[6:]
            writer.write(_HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        writer.transport.abort()


async def _misbehave(how: str, writer: asyncio.StreamWriter) -> None:
    if how != "flood":
        writer.write(_HEAD + b"transfer-encoding: chunked\r\n\r\n")
    said = {
        "flood": b"HTTP/1.1 102 \r\n\r\n" * 100,
        "endless": b"4000\r\n" + b"x" * 0x4000 + b"\r\n",
        "drip": b"1\r\nx\r\n",
    }
    while not writer.transport.is_closing():
        writer.write(said[how])
        await writer.drain()
        await asyncio.sleep(0.01 if how == "drip" else 0)
    raise ConnectionResetError


async def main(cert: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
