// What the schema says of a plan, in words beside the form's fields.

import type { PlanIssue } from "../../../engine/plan-check.ts";
import { formatCount } from "../../format/numbers.ts";
import { PLANS } from "../../strings/plans.ts";

const WORDS = PLANS.problems;
/** Fields of which each line of the text is an entry. */
const LISTS = /^(sources|exclude|iexclude|excludeFiles|tags|command\.argv|hooks\.\w+\.argv)$/;

/** By the field's path, joined by dots; of a list, the first line that is wrong. */
export function wordsByField(issues: readonly PlanIssue[]): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const issue of issues) {
    const path = issue.path.map(String);
    const list = path.slice(0, -1).join(".");
    const isLine = LISTS.test(list) && typeof issue.path.at(-1) === "number";
    const field = isLine ? list : path.join(".");
    if (words.has(field)) continue;
    const said = sentenceOf(issue);
    const whole = isLine ? WORDS.line(Number(issue.path.at(-1)) + 1, said) : said;
    words.set(field, `${whole[0]!.toUpperCase()}${whole.slice(1)}`.replace(/[^.?!]$/, "$&."));
  }
  return words;
}

function sentenceOf({ issue, message, path }: PlanIssue): string {
  if (issue === undefined) return path.join() === "sources" ? WORDS.noSource : message;
  switch (issue.code) {
    case "too_small":
      return issue.origin === "number" ? WORDS.atLeast(formatCount(Number(issue.minimum))) : WORDS.empty;
    case "too_big": {
      const most = formatCount(Number(issue.maximum));
      if (issue.origin === "number") return WORDS.atMost(most);
      return issue.origin === "string" ? WORDS.tooLong(most) : WORDS.tooMany(most);
    }
    case "invalid_type":
      return issue.expected === "string" ? WORDS.empty : WORDS.wholeNumber;
    default:
      return message;
  }
}
