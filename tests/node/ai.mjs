// What the tests of Vercel's AI SDK share: where the server is, and how results are taken and looked at.

import assert from "node:assert/strict";
import process from "node:process";

export const { REELWAY_URL, REELWAY_API_KEY, REELWAY_PICTURE, REELWAY_LOSSY } = process.env;
export const POLL = { pollIntervalMs: 100, pollTimeoutMs: 60_000 };
export const PAINTS_NOTHING = "[[fail:vendor_error]]"; // for videos that nobody will look at
export const links = [];

// The client's own download refuses addresses of this machine, which is what a test has; this takes the same address.
export const download = async ({ url }) => {
  links.push(url.href);
  const response = await fetch(url);
  assert.equal(response.status, 200);
  return { data: new Uint8Array(await response.arrayBuffer()), mediaType: response.headers.get("content-type") };
};

export const isVideo = (video) => {
  assert.equal(video.mediaType, "video/mp4");
  assert.equal(Buffer.from(video.uint8Array).toString("latin1", 4, 8), "ftyp");
};
