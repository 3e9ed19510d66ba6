"""An agent of LangChain's with two tools: ADDRESS KEY MODEL, streamed and not. Prints what was called, and what it says."""

import json
import sys

from langchain.agents import create_agent
from langchain.tools import tool
from langchain_openai import ChatOpenAI

address, key, model = sys.argv[1:]
called: list[list] = []


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append(["get_weather", city])
    return "sunny"


@tool
def get_time(zone: str) -> str:
    """The time in a zone."""
    called.append(["get_time", zone])
    return "noon"


results = []
for responses in (False, True):
    for streaming in (False, True):
        called.clear()
        chat = ChatOpenAI(model=model, base_url=address, api_key=key, streaming=streaming, use_responses_api=responses, max_retries=0)
        agent = create_agent(chat, [get_weather, get_time])
        messages = [{"role": "user", "content": "In parallel: what is the weather and the time?"}]
        told = agent.invoke({"messages": messages})["messages"]
        messages = [*told, {"role": "user", "content": "And the weather elsewhere?"}]
        told = agent.invoke({"messages": messages})["messages"]
        results.append({"called": list(called), "says": [str(message.text) for message in told if message.type == "ai"]})
print(json.dumps(results))
