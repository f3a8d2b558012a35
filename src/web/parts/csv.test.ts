import assert from "node:assert/strict";
import { test } from "node:test";
import { toCsv } from "./csv.ts";

test("cells are quoted where they must be, and no cell is a formula", () => {
  const rows = [
    { name: 'a "b", c', at: 1, seq: null },
    { name: "=HYPERLINK(1)", at: -2, seq: 3 },
  ];
  assert.equal(toCsv(rows), `name,at,seq\r\n"a ""b"", c",1,\r\n'=HYPERLINK(1),-2,3\r\n`);
  assert.equal(toCsv([]), "\r\n");
});
