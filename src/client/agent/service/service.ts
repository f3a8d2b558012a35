// What `agent install` writes, and where, for each system; pure text, so that every system's is tested on any.

import { posix, win32 } from "node:path";
import { LAUNCHD_LABEL, launchdPlist } from "./launchd.ts";
import { type ServiceInput, SYSTEMD_NAME, systemdUnit } from "./systemd.ts";
import { TASK_NAME, windowsTask } from "./windows.ts";

export type ServiceKind = "systemd" | "launchd" | "windows";

export type Service = {
  readonly kind: ServiceKind;
  readonly path: string;
  readonly text: string;
  readonly encoding: "utf8" | "utf16le";
  /** How a person sets it going and ends it. */
  readonly start: readonly string[];
  readonly stop: readonly string[];
};

export type ServicePlace = {
  readonly platform: string;
  readonly userHome: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export function serviceKind(platform: string): ServiceKind {
  return platform === "win32" ? "windows" : platform === "darwin" ? "launchd" : "systemd";
}

export function makeService(
  kind: ServiceKind,
  input: ServiceInput,
  { userHome, env }: Omit<ServicePlace, "platform">,
): Service {
  const { isSystem, home } = input;
  switch (kind) {
    case "systemd": {
      const config = env.XDG_CONFIG_HOME || posix.join(userHome, ".config");
      const folder = isSystem ? "/etc/systemd/system" : posix.join(config, "systemd", "user");
      const control = isSystem ? "sudo systemctl" : "systemctl --user";
      return {
        ...{ kind, path: posix.join(folder, SYSTEMD_NAME), text: systemdUnit(input), encoding: "utf8" },
        start: [
          `${control} daemon-reload`,
          `${control} enable --now ${SYSTEMD_NAME}`,
          ...(isSystem ? [] : ["loginctl enable-linger    # to go on while nobody is logged in"]),
        ],
        stop: [`${control} disable --now ${SYSTEMD_NAME}`],
      };
    }
    case "launchd": {
      const folder = isSystem ? "/Library/LaunchDaemons" : posix.join(userHome, "Library", "LaunchAgents");
      const path = posix.join(folder, `${LAUNCHD_LABEL}.plist`);
      const domain = isSystem ? "system" : "gui/$(id -u)";
      const sudo = isSystem ? "sudo " : "";
      return {
        ...{ kind, path, text: launchdPlist(input), encoding: "utf8" },
        start: [`${sudo}launchctl bootstrap ${domain} '${path}'`],
        stop: [`${sudo}launchctl bootout ${domain}/${LAUNCHD_LABEL}`],
      };
    }
    case "windows": {
      const path = win32.join(home, "agent-task.xml");
      return {
        ...{ kind, path, text: windowsTask(input), encoding: "utf16le" },
        start: [`schtasks /create /tn "${TASK_NAME}" /xml "${path}" /f`, `schtasks /run /tn "${TASK_NAME}"`],
        stop: [`schtasks /end /tn "${TASK_NAME}"`, `schtasks /delete /tn "${TASK_NAME}" /f`],
      };
    }
  }
}
