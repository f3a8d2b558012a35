import assert from "node:assert/strict";
import { test } from "node:test";
import { browserCommand } from "./browser.ts";

const ADDRESS = "https://box.example/#/setup/x&y";

test("a desktop has a command that opens an address, and nothing else has one", () => {
  assert.deepEqual(browserCommand({ platform: "linux", env: { DISPLAY: ":0" } }, ADDRESS), {
    file: "xdg-open",
    args: [ADDRESS],
  });
  assert.equal(browserCommand({ platform: "linux", env: { WAYLAND_DISPLAY: "w" } }, ADDRESS)?.file, "xdg-open");
  assert.equal(browserCommand({ platform: "darwin", env: {} }, ADDRESS)?.file, "open");
  assert.deepEqual(browserCommand({ platform: "win32", env: {} }, ADDRESS)?.args.at(-1), ADDRESS);
  assert.equal(browserCommand({ platform: "linux", env: {} }, ADDRESS), undefined);
  assert.equal(browserCommand({ platform: "linux", env: { DISPLAY: ":0", SSH_CONNECTION: "1" } }, ADDRESS), undefined);
  assert.equal(browserCommand({ platform: "darwin", env: { CI: "true" } }, ADDRESS), undefined);
});
