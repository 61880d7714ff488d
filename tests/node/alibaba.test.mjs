// Vercel's AI SDK with its Alibaba provider, unmodified, against a real gateway. Started by tests/acceptance/test_alibaba_ai_sdk.py,
// which says by environment where the server is and gives a picture; what reached the vendor is judged there.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { createAlibaba } from "@ai-sdk/alibaba";
import { APICallError, experimental_generateVideo as generateVideo } from "ai";
import { PAINTS_NOTHING, POLL, REELWAY_API_KEY, REELWAY_LOSSY, REELWAY_PICTURE, REELWAY_URL, download, isVideo, links } from "./ai.mjs";

const [TEXT, FRAME, REFERENCES] = ["t2v", "i2v", "r2v"].map((kind) => `happyhorse-1.0-${kind}`);

const connect = (url, apiKey = REELWAY_API_KEY) => createAlibaba({ videoBaseURL: url, apiKey });
const alibaba = connect(REELWAY_URL);

const make = (prompt, { model = TEXT, provider = alibaba, options = {}, ...wishes } = {}) =>
  generateVideo({
    model: provider.video(model),
    prompt,
    download,
    duration: 3,
    maxRetries: 2,
    providerOptions: { alibaba: { ...POLL, ...options } },
    ...wishes,
  });

test("text alone becomes a video", async () => {
  const { video, warnings, providerMetadata } = await make("alibaba text", {
    resolution: "720x1280",
    seed: 4711,
    options: { watermark: true },
  });
  isVideo(video);
  assert.deepEqual(warnings, []);
  const said = providerMetadata.alibaba;
  assert.match(said.taskId, /^video_/);
  assert.equal(said.videoUrl, links.at(-1));
  assert.equal(said.usage.duration, 3);
  assert.equal(said.usage.outputVideoDuration, 3);
  assert.equal(said.usage.resolution, 720);
  assert.equal(said.usage.ratio, "9:16");
});

test("a first frame goes inside of the body", async () => {
  const image = await readFile(REELWAY_PICTURE);
  const { video } = await make({ text: "alibaba frame", image }, { model: FRAME, resolution: "1280x720" });
  isVideo(video);
});

test("references are addresses", async () => {
  const picture = await readFile(REELWAY_PICTURE);
  const server = createServer((request, response) => response.end(picture)).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `http://127.0.0.1:${server.address().port}/otter.png`;
    const options = { referenceUrls: [url, url] };
    isVideo((await make("alibaba references", { model: REFERENCES, resolution: "1280x720", options })).video);
  } finally {
    server.close();
  }
});

test("what moderation blocks is the client's own error", async () => {
  await assert.rejects(make("alibaba blocked [[fail:content_policy]]"), /Video generation failed.*content_policy/s);
});

test("a failure is the client's own error too", async () => {
  await assert.rejects(make(`alibaba failed ${PAINTS_NOTHING}`), /Video generation failed/);
});

const refusals = [
  [400, /parameters\.duration/, () => make("alibaba too long", { duration: 16 })],
  [400, /size must be one of/, () => make("alibaba size", { resolution: "17x4" })],
  [404, /happyhorse-9\.9-t2v/, () => make("alibaba nobody", { model: "happyhorse-9.9-t2v" })],
  [401, /key/i, () => make("alibaba stranger", { provider: connect(REELWAY_URL, "sk-nobody") })],
];

for (const [status, words, call] of refusals) {
  test(`a refusal is the client's own exception: ${status}, ${words.source}`, async () => {
    await assert.rejects(call, (error) => {
      assert.ok(APICallError.isInstance(error), `${error.constructor.name}: ${error.message}`);
      assert.equal(error.statusCode, status);
      assert.match(error.message, words);
      assert.equal(error.isRetryable, false);
      return true;
    });
  });
}

test("a lost answer is asked for again by the client itself", async () => {
  await assert.rejects(
    make(`alibaba lost ${PAINTS_NOTHING}`, { provider: connect(REELWAY_LOSSY) }),
    /Video generation failed/,
  );
});
