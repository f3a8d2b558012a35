// `doctor`: looks at the machine and, if one is named, at a vault; says for each finding what to do.

import type { Command } from "commander";
import { openHome } from "../../client/home.ts";
import { EXIT, isAppError } from "../../core/errors.ts";
import { acceptHead, checkHead } from "../../engine/heads.ts";
import { checkStore } from "../../storage/conformance.ts";
import { diskStore } from "../../storage/disk-store.ts";
import type { VaultPort } from "../../wire/v4/vault-port.ts";
import { type Connected, connect } from "../connect.ts";
import { action, type Context } from "../context.ts";
import { agentFinding, machineFindings, settingsFindings, space } from "../doctor-checks.ts";
import type { Finding } from "../doctor-finding.ts";
import { localServerFindings, remoteServerFindings } from "../doctor-server.ts";
import { plural } from "../format-bytes.ts";
import { formatTimeAndAge } from "../format-time.ts";
import { addExamples, type Cli, settingOption } from "../program.ts";
import { shownText } from "../shown-path.ts";
import { writeBundle } from "../support-bundle.ts";

type Options = { readonly acceptHead?: boolean; readonly bundle?: string };

const OLD_BACKUP_MS = 7 * 86_400_000;

export function define(command: Command, cli: Cli): void {
  command
    .option("--accept-head", "Accept the vault as it is now, after it was put back to an older state on purpose.")
    .option(
      "--bundle <file>",
      "Write what was found, settings, logs and metrics into a tar for support: no secrets, no names.",
    )
    .addOption(settingOption("data"))
    .action(action(cli, run));
  addExamples(command, [
    ["cyberbackup doctor", "this machine, and the vault that CYBERBACKUP_VAULT names"],
    ["cyberbackup doctor --bundle support.tar", "to send along with a question"],
    ["cyberbackup doctor --vault V --accept-head", "after you restored an older copy of the vault yourself"],
  ]);
}

async function run(context: Context, options: Options): Promise<number> {
  const { output, config } = context;
  const findings: Finding[] = [
    ...(await machineFindings(context)),
    ...settingsFindings(context),
    await agentFinding(context),
    ...(await localServerFindings(context)),
  ];
  if (config.vault) findings.push(...(await vaultFindings(context, options)));
  else
    findings.push({
      check: "vault",
      state: "advice",
      detail: "none is named",
      advice: "Give --vault to check one too.",
    });
  for (const finding of findings) show(context, finding);
  if (options.bundle !== undefined) {
    const parts = await writeBundle(context, options.bundle, findings);
    output.say(`Wrote ${parts.join(", ")} into ${shownText(options.bundle)}. Look into it before you send it.`);
  }
  const bad = findings.filter(({ state }) => state === "problem");
  output.say(bad.length === 0 ? output.paint.green("All is well.") : output.paint.red(plural(bad.length, "problem")));
  output.json({
    type: "result",
    command: "doctor",
    ok: bad.length === 0,
    findings: findings.map(({ exit, facts, ...finding }) => finding),
    ...(options.bundle === undefined ? {} : { bundle: options.bundle }),
  });
  return bad.length === 0 ? EXIT.ok : (bad.find(({ exit }) => exit !== undefined)?.exit ?? EXIT.failed);
}

function show({ output }: Context, { check, state, detail, advice }: Finding): void {
  const { green, yellow, red } = output.paint;
  const mark = { ok: green("ok     "), advice: yellow("advice "), problem: red("problem") }[state];
  if (state === "ok") output.say(`${mark}  ${check}: ${detail}`);
  else output.print(`${mark}  ${check}: ${detail}${advice ? `\n         ${advice}` : ""}`);
}

async function vaultFindings(context: Context, options: Options): Promise<Finding[]> {
  const findings: Finding[] = [];
  let connected: Connected | undefined;
  try {
    connected = await connect(context);
    const { vault, place, server } = connected;
    findings.push({ check: "vault", state: "ok", detail: `${vault.vaultId} opens` });
    if (place.kind === "folder") {
      findings.push(await space("vault", place.path));
      findings.push(await storeFinding(place.path));
    }
    if (server) findings.push(...(await remoteServerFindings(context, server)));
    findings.push(await headFinding(context, vault, options));
    findings.push(await indexFinding(context, connected));
    findings.push(await keyslotFinding(vault));
    findings.push(...(await enrolmentFindings(context, vault)));
  } catch (error) {
    findings.push(failed("vault", error));
  } finally {
    await connected?.vault.close();
  }
  return findings;
}

/** The checks write below a prefix of their own in the vault's store, and leave nothing there. */
async function storeFinding(path: string): Promise<Finding> {
  const check = "storage";
  const store = diskStore(path);
  try {
    const results = await checkStore(store);
    const bad = results.filter(({ problem }) => problem !== undefined);
    if (bad.length === 0) return { check, state: "ok", detail: `${plural(results.length, "promise")} of a store kept` };
    const detail = bad.map(({ name, problem }) => `${name}: ${problem}`).join("; ");
    return {
      check,
      state: "problem",
      detail,
      advice: "Keep the vault on another file system: this one may lose data.",
    };
  } finally {
    await store.close();
  }
}

async function headFinding(context: Context, vault: VaultPort, options: Options): Promise<Finding> {
  const check = "log";
  const home = openHome(context.config.home, context.logger);
  try {
    if (options.acceptHead) {
      const { seq } = await acceptHead({ vault, home });
      return { check, state: "ok", detail: `entry ${seq} is accepted as the newest` };
    }
    const { seq } = await checkHead({ vault, home });
    return { check, state: "ok", detail: `it extends what this machine has seen, up to entry ${seq}` };
  } catch (error) {
    return failed(check, error);
  }
}

async function indexFinding(context: Context, { admin, server }: Connected): Promise<Finding> {
  const check = "index and records";
  if (server && !server.hasAccount) {
    const advice = `Log in with \`cyberbackup login ${server.origin}\` to have it checked.`;
    return { check, state: "advice", detail: "only people who have logged in can have these checked", advice };
  }
  const { problems, objects } = await admin.check({ signal: context.host.signal });
  const damaged = problems.filter(({ code }) => code !== "unexpected");
  const { damagedBlocks } = await admin.stats();
  if (damaged.length > 0) {
    const [first] = damaged;
    const isIndex = damaged.every(({ code, object }) => code === "index_corrupt" || object === "index");
    return {
      check,
      state: "problem",
      detail: `${plural(damaged.length, "problem")}, the first: ${first!.object}: ${first!.detail}`,
      advice: isIndex
        ? "Run `cyberbackup rebuild`: the index is made anew from what is stored."
        : "Run `cyberbackup scrub`, then back up again: what the sources still have is stored anew. `verify` lists the rest.",
      exit: EXIT.damaged,
    };
  }
  if (damagedBlocks > 0) {
    const detail = `${plural(damagedBlocks, "block")} set aside as damaged`;
    return { check, state: "advice", detail, advice: "Back up again: what the sources still have is stored anew." };
  }
  if (problems.length > 0) {
    const detail = `${plural(problems.length, "object")} that nothing refers to`;
    return { check, state: "advice", detail, advice: "Harmless; `cyberbackup prune` removes them." };
  }
  return { check, state: "ok", detail: `${plural(objects, "object")}, all accounted for` };
}

async function keyslotFinding(vault: VaultPort): Promise<Finding> {
  const check = "keys";
  const keyslots = await vault.keyslots();
  const detail = plural(keyslots.length, "keyslot");
  if (keyslots.some(({ kind }) => kind !== "passphrase")) return { check, state: "ok", detail };
  const advice = "Run `cyberbackup key add --recovery`: a forgotten passphrase would lose everything.";
  return { check, state: "advice", detail: `${detail}, and no recovery key`, advice };
}

async function enrolmentFindings({ config, logger, host }: Context, vault: VaultPort): Promise<Finding[]> {
  const check = "enrolment";
  try {
    const own = await openHome(config.home, logger).device(vault.vaultId);
    const known = own && (await vault.devices()).find(({ device }) => device === own.device);
    if (known && !known.revoked) {
      const last = (await vault.snapshots())
        .filter(({ device, state }) => device === known.device && state === "live")
        .reduce((newest, { receivedAt }) => Math.max(newest, receivedAt), 0);
      return [{ check, state: "ok", detail: `this machine is ${known.name}` }, lastBackup(last, host.clock.now())];
    }
    const detail = known ? "this machine has been revoked" : "this machine is not enrolled";
    return [{ check, state: "advice", detail, advice: "Run `cyberbackup device add` to back up from here." }];
  } catch (error) {
    return [failed(check, error)];
  }
}

function lastBackup(at: number, now: number): Finding {
  const check = "last backup";
  if (at === 0) return { check, state: "advice", detail: "there is none yet", advice: "Run `cyberbackup backup`." };
  const facts = { ageMs: now - at };
  const detail = formatTimeAndAge(at, now);
  if (now - at < OLD_BACKUP_MS) return { check, state: "ok", detail, facts };
  const advice = "Run `cyberbackup backup`; with a plan and the agent it happens by itself.";
  return { check, state: "advice", detail, advice, facts };
}

function failed(check: string, error: unknown): Finding {
  if (!isAppError(error)) throw error;
  const { message, hint, exit, code } = error;
  return { check, state: "problem", detail: message, advice: hint, exit, facts: { code } };
}
