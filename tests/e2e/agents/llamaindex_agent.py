"""An agent of LlamaIndex's with two tools: ADDRESS KEY MODEL. Prints what was called, and what it says."""

import asyncio
import json
import sys

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.workflow import Context
from llama_index.llms.openai_like import OpenAILike

address, key, model = sys.argv[1:]
called: list[list] = []


def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append(["get_weather", city])
    return "sunny"


def get_time(zone: str) -> str:
    """The time in a zone."""
    called.append(["get_time", zone])
    return "noon"


async def run() -> list[dict]:
    results = []
    for streaming in (False, True):
        called.clear()
        llm = OpenAILike(
            model=model, api_base=address, api_key=key, is_chat_model=True, is_function_calling_model=True,
            context_window=100_000, max_retries=0,
        )  # fmt: skip
        agent = FunctionAgent(tools=[get_weather, get_time], llm=llm, streaming=streaming)
        context = Context(agent)
        says = []
        for question in ("In parallel: what is the weather and the time?", "And the weather elsewhere?"):
            says.append(str(await agent.run(question, ctx=context)))
        results.append({"called": list(called), "says": says})
    return results


print(json.dumps(asyncio.run(run())))
