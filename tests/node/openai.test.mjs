// OpenAI's own Node client, unmodified, against a real gateway. Started by tests/acceptance/test_openai_node.py, which says
// by environment where the server is and gives a picture; what reached the vendor is judged there.

import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import buffer from "node:buffer";
import { test } from "node:test";
import process from "node:process";

// Line 7 needs Node 22. Line 6 serves older ones; on Node 18 it asks for this global, as its documentation says.
const line = Number.parseInt(process.versions.node, 10) >= 22 ? "openai-7" : "openai-6";
globalThis.File ??= buffer.File;
const { default: OpenAI, toFile } = await import(line);

const { REELWAY_URL, REELWAY_API_KEY, REELWAY_SOURCE, REELWAY_PICTURE } = process.env;
const SHORT = { model: "sora-2", seconds: "4", size: "1280x720" };
const PAINTS_NOTHING = "[[fail:vendor_error]]"; // for videos that nobody will look at
const STARTS = { video: ["ftyp", 4], thumbnail: ["WEBP", 8], spritesheet: ["\xff\xd8\xff", 0], last_frame: ["\x89PNG", 0] };

const connect = (url, options = {}) => new OpenAI({ baseURL: `${url}/v1`, apiKey: REELWAY_API_KEY, ...options });
const client = connect(REELWAY_URL);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Look until it is finished: this client has no helper for it. */
const finished = async (id) => {
  for (;;) {
    const { data: video, response } = await client.videos.retrieve(id).withResponse();
    if (video.status === "completed" || video.status === "failed") return video;
    const wait = Number(response.headers.get("openai-poll-after-ms"));
    assert.ok(Number.isInteger(wait) && wait > 0, "an unfinished video says when to ask again");
    await pause(Math.min(wait, 200));
  }
};

const idsOf = async (user) => {
  const ids = [];
  for await (const video of client.videos.list({ limit: 100 }, { query: { user, limit: 100 } })) ids.push(video.id);
  return ids;
};

test("text alone becomes a video", async () => {
  const { data: video, response } = await client.videos.create({ prompt: "node text", ...SHORT }).withResponse();
  assert.match(video.id, /^video_/);
  assert.match(response.headers.get("x-request-id"), /^req_/);
  assert.ok(["queued", "in_progress"].includes(video.status));
  const done = await finished(video.id);
  assert.deepEqual(
    [done.object, done.model, done.status, done.progress, done.seconds, done.size, done.prompt, done.error],
    ["video", "sora-2", "completed", 100, "4", "1280x720", "node text", null],
  );
  assert.ok(done.created_at <= done.completed_at && done.completed_at < done.expires_at);
});

test("a first frame arrives in every way the client has", async () => {
  const data = await readFile(REELWAY_PICTURE);
  const ways = {
    toFile: await toFile(data, "frame.png", { type: "image/png" }),
    stream: createReadStream(REELWAY_PICTURE),
    File: new File([data], "frame.png"),
    reference: { image_url: `data:image/png;base64,${data.toString("base64")}` },
  };
  for (const [way, input_reference] of Object.entries(ways)) {
    const prompt = `node frame as ${way} ${PAINTS_NOTHING}`;
    const video = await client.videos.create({ prompt, ...SHORT, input_reference });
    assert.equal((await finished(video.id)).error.code, "vendor_error");
  }
});

test("extra fields get through: lists, nesting, numbers, booleans", async () => {
  const url = `data:image/png;base64,${(await readFile(REELWAY_PICTURE)).toString("base64")}`;
  const fields = {
    prompt: `node extra ${PAINTS_NOTHING}`,
    model: "doubao-seedance-1-5-pro-251215",
    duration: 5,
    resolution: "480p",
    aspect_ratio: "16:9",
    seed: 7,
    generate_audio: false,
    camera_fixed: true,
    images: [url, url],
    parameters: { watermark: true },
    metadata: { order: "17", tags: ["a", "b"] },
    user: "node extra",
  };
  const video = await client.videos.create(fields, { headers: { "Reelway-Strict": "true" } });
  assert.deepEqual([video.seconds, video.size, video.warnings], ["5", "864x496", []]);
  assert.deepEqual(video.metadata, { order: "17", tags: '["a", "b"]' });
  assert.deepEqual(await idsOf("node extra"), [video.id]);
  assert.equal((await finished(video.id)).status, "failed");
});

test("the pager walks over all pages", async () => {
  const made = [];
  for (let number = 0; number < 5; number += 1) {
    const prompt = `node page ${number} ${PAINTS_NOTHING}`;
    made.push((await client.videos.create({ prompt, ...SHORT, user: "node pages" })).id);
  }
  const query = { user: "node pages", limit: 2 };
  const listed = [];
  for await (const video of client.videos.list({}, { query })) listed.push(video.id);
  assert.deepEqual(listed, made.toReversed?.() ?? [...made].reverse());

  let page = await client.videos.list({}, { query: { ...query, order: "asc" } });
  const sizes = [page.data.length];
  while (page.hasNextPage()) {
    page = await page.getNextPage();
    sizes.push(page.data.length);
  }
  assert.deepEqual(sizes, [2, 2, 1]);
  assert.deepEqual([page.has_more, page.last_id], [false, made[4]]);
});

test("every variant is what it is called", async () => {
  const types = { video: "video/mp4", thumbnail: "image/webp", spritesheet: "image/jpeg", last_frame: "image/png" };
  for (const [variant, [start, offset]] of Object.entries(STARTS)) {
    const content = await client.videos.downloadContent(REELWAY_SOURCE, { variant });
    assert.equal(content.headers.get("content-type"), types[variant]);
    const data = Buffer.from(await content.arrayBuffer());
    assert.equal(data.subarray(offset, offset + start.length).toString("latin1"), start);
    assert.equal(data.length, Number(content.headers.get("content-length")));
  }
});

test("remix, edit and extend make new videos", async () => {
  const video = { id: REELWAY_SOURCE };
  const bytes = Buffer.from(await (await client.videos.downloadContent(REELWAY_SOURCE)).arrayBuffer());
  const file = await toFile(bytes, "source.mp4", { type: "video/mp4" });
  const made = await Promise.all([
    client.videos.remix(REELWAY_SOURCE, { prompt: "node remix" }),
    client.videos.edit({ prompt: "node edit", video }),
    client.videos.edit({ prompt: "node edit of a file", video: file, model: "sora-2" }),
    client.videos.extend({ prompt: "node extend", seconds: "4", video }),
  ]);
  const done = await Promise.all(made.map(({ id }) => finished(id)));
  assert.deepEqual(done.map(({ status }) => status), Array(4).fill("completed"));
  assert.deepEqual(done.map(({ seconds }) => seconds), ["4", "4", "4", "8"]);
  assert.deepEqual(
    done.map(({ remixed_from_video_id: source }) => source),
    [REELWAY_SOURCE, REELWAY_SOURCE, null, REELWAY_SOURCE],
  );
});

test("a deleted video is gone", async () => {
  const { id } = await client.videos.create({ prompt: `node gone ${PAINTS_NOTHING}`, ...SHORT });
  const failed = await finished(id);
  assert.deepEqual([failed.status, failed.error.code], ["failed", "vendor_error"]);
  await assert.rejects(client.videos.downloadContent(id), (error) => {
    assert.ok(error instanceof OpenAI.ConflictError);
    assert.equal(error.code, "video_failed");
    return true;
  });
  assert.deepEqual(await client.videos.delete(id), { id, object: "video.deleted", deleted: true });
  await assert.rejects(client.videos.retrieve(id), OpenAI.NotFoundError);
  await assert.rejects(client.videos.downloadContent(id), (error) => {
    assert.deepEqual([error.status, error.code], [410, "video_deleted"]);
    return true;
  });
});

const refusals = [
  ["BadRequestError", "invalid_value", "seconds", () => client.videos.create({ prompt: "a", model: "sora-2", seconds: "5" })],
  ["BadRequestError", "missing_required_parameter", "model", () => client.videos.create({ prompt: "a" })],
  ["NotFoundError", "model_not_found", "model", () => client.videos.create({ prompt: "a", model: "sora-3" })],
  ["NotFoundError", "video_not_found", "video_id", () => client.videos.retrieve("video_unknown")],
  ["AuthenticationError", "invalid_api_key", null, () => connect(REELWAY_URL, { apiKey: "sk-nobody" }).videos.list()],
  [
    "UnprocessableEntityError",
    "media_unreadable",
    "input_reference",
    async () => {
      const input_reference = await toFile(Buffer.from("no picture at all"), "a.png", { type: "image/png" });
      return client.videos.create({ prompt: "a", model: "sora-2", input_reference });
    },
  ],
];

for (const [name, code, param, call] of refusals) {
  test(`a refusal is the client's own exception: ${name}, ${code}`, async () => {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof OpenAI[name], `${error.constructor.name}: ${error.message}`);
      assert.deepEqual([error.code, error.param], [code, param]);
      assert.match(error.requestID, /^req_/);
      return true;
    });
  });
}

test("content of an unfinished video is a conflict", async () => {
  const { id } = await client.videos.create({ prompt: "node unfinished [[delay:60]]", ...SHORT });
  await assert.rejects(client.videos.downloadContent(id), (error) => {
    assert.ok(error instanceof OpenAI.ConflictError);
    assert.equal(error.code, "video_not_ready");
    assert.equal(error.headers.get("x-should-retry"), "false");
    return true;
  });
  assert.equal((await client.videos.delete(id)).deleted, true);
});

test("a character is made from a video, read, and refused by models that know none", async () => {
  const bytes = Buffer.from(await (await client.videos.downloadContent(REELWAY_SOURCE)).arrayBuffer());
  const made = await client.videos.createCharacter({ name: "Mossy", video: await toFile(bytes, "mossy.mp4") });
  assert.match(made.id, /^char_/);
  const { id, name, created_at } = await client.videos.getCharacter(made.id);
  assert.deepEqual([id, name, created_at], [made.id, "Mossy", made.created_at]);
  await assert.rejects(
    client.videos.create({ prompt: "node @Mossy", ...SHORT, characters: [{ id }] }),
    (error) => error instanceof OpenAI.BadRequestError && error.code === "characters_not_supported",
  );
});

for (const loss of ["reset", "close", "silence"]) {
  test(`a lost answer is given again: ${loss}`, async () => {
    const lossy = connect(process.env[`REELWAY_LOSSY_${loss.toUpperCase()}`], loss === "silence" ? { timeout: 3000 } : {});
    const user = `node lost by ${loss}`;
    const { data: video, response } = await lossy.videos
      .create({ prompt: `${user} ${PAINTS_NOTHING}`, ...SHORT, user })
      .withResponse();
    assert.equal(response.headers.get("idempotent-replayed"), "true");
    assert.deepEqual(await idsOf(user), [video.id]);
    assert.equal((await finished(video.id)).status, "failed");
  });
}

test("the same prompt asked for twice is two videos", async () => {
  const wish = { prompt: `node twice ${PAINTS_NOTHING}`, ...SHORT, user: "node twice" };
  const [first, second] = [await client.videos.create(wish), await client.videos.create(wish)];
  assert.notEqual(first.id, second.id);
});
