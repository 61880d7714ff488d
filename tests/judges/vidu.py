"""Vidu's own client, vidu-mcp, unmodified: a program that speaks MCP, asked as an assistant asks it.

Reads a list of `[tool, arguments]` from its first argument. Each gets a client of its own, all at once, because it sleeps twenty
seconds between two looks; prints the text that each of them answered, or its object where that text is JSON.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

PROGRAM = str(Path(sys.executable).with_name("vidu-mcp"))


async def main() -> None:
    """Ask everything, and print the answers in the order of the questions."""
    calls = json.loads(sys.argv[1])
    print(json.dumps(await asyncio.gather(*(ask(tool, arguments) for tool, arguments in calls))))


async def ask(tool, arguments):
    """Return what a tool of a fresh client answers."""
    async with (
        stdio_client(StdioServerParameters(command=PROGRAM, env=dict(os.environ))) as (read, write),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        result = await session.call_tool(tool, arguments)
    text = result.content[0].text
    return json.loads(text) if text.startswith("{") else text


asyncio.run(main())
