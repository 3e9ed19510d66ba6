// An agent of the Vercel AI SDK's with two tools: ADDRESS KEY MODEL, by chat completions and by Responses, streamed and not.
// Prints what was called, and what it says.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const [baseURL, apiKey, model] = process.argv.slice(2);
const openai = createOpenAI({ baseURL, apiKey });
let called = [];
const tools = {
  get_weather: tool({
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => (called.push(["get_weather", city]), "sunny"),
  }),
  get_time: tool({
    description: "The time in a zone.",
    inputSchema: z.object({ zone: z.string() }),
    execute: async ({ zone }) => (called.push(["get_time", zone]), "noon"),
  }),
};

const results = [];
for (const llm of [openai.chat(model), openai.responses(model)]) {
  for (const streams of [false, true]) {
    called = [];
    const says = [];
    let messages = [];
    for (const question of ["In parallel: what is the weather and the time?", "And the weather elsewhere?"]) {
      messages.push({ role: "user", content: question });
      const call = { model: llm, messages, tools, stopWhen: stepCountIs(5), maxRetries: 0 };
      // What belongs to the provider stays with the client, as with a provider that keeps nothing.
      call.providerOptions = { openai: { store: false } };
      const answer = streams ? streamText({ ...call, onError: ({ error }) => { throw error; } }) : await generateText(call);
      says.push(await answer.text);
      messages = messages.concat((await answer.response).messages);
    }
    results.push({ called, says });
  }
}
console.log(JSON.stringify(results));
