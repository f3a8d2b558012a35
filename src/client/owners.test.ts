import assert from "node:assert/strict";
import { test } from "node:test";
import { createOwners } from "./owners.ts";

const FILES: Record<string, string> = {
  "/etc/passwd": [
    "root:x:0:0:root:/root:/bin/bash",
    "# a comment:x:1:1",
    "+nis:x:2:2::",
    "-:x:3:3::",
    "broken",
    "nobody:x:abc:1::",
    ":x:4:4::",
    "ann:x:1000:1000:Ann,,,:/home/ann:/bin/sh",
    "ann2:x:1000:1000::/home/ann:/bin/sh",
    "ann:x:1001:1000::/:/bin/sh",
    `${"é".repeat(128)}:x:1002:1::`,
    "jürgen:x:4294967294:1::",
  ].join("\n"),
  "/etc/group": "root:x:0:\nadm:x:4:ann,root\n",
};

test("names and numbers are found both ways, the first line of each counting", () => {
  let reads = 0;
  const owners = createOwners((path) => {
    reads++;
    return FILES[path];
  });
  assert.equal(reads, 0);
  assert.deepEqual([0, 1000, 1001, 4294967294].map(owners.userName), ["root", "ann", "ann", "jürgen"]);
  assert.deepEqual(["root", "ann", "ann2", "jürgen"].map(owners.userId), [0, 1000, 1000, 4294967294]);
  assert.deepEqual([0, 4, 1000].map(owners.groupName), ["root", "adm", undefined]);
  assert.deepEqual(["adm", "ann"].map(owners.groupId), [4, undefined]);
  assert.deepEqual([1, 2, 3, 4, 1002, NaN].map(owners.userName), Array(6).fill(undefined));
  assert.deepEqual(["", "+nis", "nis", "nobody", "broken", "# a comment"].map(owners.userId), Array(6).fill(undefined));
  assert.equal(reads, 2);
});

test("a system without such files has no names", () => {
  const owners = createOwners(() => undefined);
  assert.deepEqual([owners.userName(0), owners.groupId("root")], [undefined, undefined]);
});
