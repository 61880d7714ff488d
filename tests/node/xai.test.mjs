// Vercel's AI SDK with its xAI provider, unmodified, against a real gateway. Started by tests/acceptance/test_xai_sdk.py, which says
// by environment where the server is and gives a picture; what reached the vendor is judged there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createXai } from "@ai-sdk/xai";
import { APICallError, experimental_generateVideo as generateVideo } from "ai";
import { PAINTS_NOTHING, POLL, REELWAY_API_KEY, REELWAY_LOSSY, REELWAY_PICTURE, REELWAY_URL, download, isVideo, links } from "./ai.mjs";

const BASE = "grok-imagine-video";

const connect = (url, apiKey = REELWAY_API_KEY) => createXai({ baseURL: `${url}/xai/v1`, apiKey });
const xai = connect(REELWAY_URL);

const make = (prompt, { model = BASE, provider = xai, options = {}, ...wishes } = {}) =>
  generateVideo({
    model: provider.video(model),
    prompt,
    download,
    maxRetries: 2,
    providerOptions: { xai: { ...POLL, ...options } },
    ...wishes,
  });

test("text alone becomes a video", async () => {
  const { video, warnings, providerMetadata } = await make("xai text", {
    duration: 2,
    aspectRatio: "9:16",
    options: { resolution: "480p" },
  });
  isVideo(video);
  assert.deepEqual(warnings, []);
  const [said] = providerMetadata.xai.videos ?? [providerMetadata.xai];
  assert.match(said.requestId, /^video_/);
  assert.equal(said.videoUrl, links.at(-1));
  assert.equal(said.duration, 2);
  assert.ok(Number.isInteger(said.costInUsdTicks) && said.costInUsdTicks > 0, "what it cost is shown");
});

test("a first frame goes inside of the body", async () => {
  const image = await readFile(REELWAY_PICTURE);
  const { video } = await make({ text: "xai frame", image }, { duration: 1 });
  isVideo(video);
});

test("references are a list", async () => {
  const url = `data:image/png;base64,${(await readFile(REELWAY_PICTURE)).toString("base64")}`;
  const options = { mode: "reference-to-video", referenceImageUrls: [url, url] };
  const { video } = await make("xai references", { duration: 1, options });
  isVideo(video);
});

test("a video is edited, and extended", async () => {
  const { video } = await make("xai source", { duration: 2 });
  const videoUrl = `data:video/mp4;base64,${video.base64}`;
  isVideo((await make("xai edit", { options: { mode: "edit-video", videoUrl } })).video);
  isVideo((await make("xai extend", { duration: 3, options: { mode: "extend-video", videoUrl } })).video);
});

test("1.5 is known by xAI's own name", async () => {
  isVideo((await make("xai newer", { model: "grok-imagine-video-1.5", duration: 1 })).video);
});

test("what moderation blocks is the client's own error", async () => {
  await assert.rejects(make("xai blocked [[fail:content_policy]]", { duration: 1 }), /content policy violation/);
});

test("a failure is the client's own error too", async () => {
  await assert.rejects(make(`xai failed ${PAINTS_NOTHING}`, { duration: 1 }), /Video generation failed/);
});

const refusals = [
  [400, /duration/, () => make("xai too long", { duration: 16 })],
  [404, /not-found/, () => make("xai nobody", { model: "grok-imagine-video-9" })],
  [401, /Incorrect API key/, () => make("xai stranger", { provider: connect(REELWAY_URL, "sk-nobody") })],
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
    make(`xai lost ${PAINTS_NOTHING}`, { provider: connect(REELWAY_LOSSY), duration: 1 }),
    /Video generation failed/,
  );
});

test("the address to edit has to be one", async () => {
  await assert.rejects(make("xai stray", { options: { mode: "edit-video", videoUrl: "clip.mp4" } }), /video\.url/);
});
