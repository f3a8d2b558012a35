// Who may come to a gateway, how it stores, and where it listens: options that `gateway` and `serve --gateway` share.

import type { Command } from "commander";
import { PORTS } from "../core/config-schema.ts";
import { parseServerAddress, type ServerAddress } from "../gateway/old-files.ts";
import { collect, usage } from "./parse-values.ts";
import { settingOption } from "./program.ts";
import { shownText } from "./shown-path.ts";

export type AdmissionOptions = {
  readonly allowName?: readonly string[];
  readonly allowNetwork?: readonly string[];
  readonly retire?: readonly string[];
  readonly answerResend?: boolean;
};

export const LOOPBACK = "127.0.0.1";

export function addGatewayOptions(command: Command): Command {
  return command
    .option("--allow-name <name>", "Take files of this version 3 user only; may be repeated.", collect)
    .option("--allow-network <cidr>", "Take version 3 clients of this address or network only; repeatable.", collect)
    .option("--retire <name=date>", "Refuse this version 3 user from that day on, such as shop=2027-06-30.", collect)
    .option("--answer-resend", "Answer 1030 with 1604, for version 3 clients that wait for it.")
    .addOption(settingOption("writerFile"))
    .addOption(settingOption("compression"))
    .addOption(settingOption("packSizeMiB"));
}

/** The default is this machine alone. Throws `usage`. */
export function gatewayAddress(listen: string | undefined): ServerAddress {
  if (listen === undefined) return { host: LOOPBACK, port: PORTS.gateway.value };
  const free = /^(.*):0$/.exec(listen)?.[1];
  const address = free === undefined ? parseServerAddress(listen) : { host: free.replace(/^\[|\]$/g, ""), port: 0 };
  if (!address || address.host === "")
    throw usage(`${shownText(listen)} is no address and port such as ${LOOPBACK}:0.`);
  return address;
}
