// Whether this machine runs on battery. Linux says so under /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power); where nothing
// is known, it does not.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export async function isOnBattery(folder = "/sys/class/power_supply"): Promise<boolean> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const supplies = await Promise.all(
    names.map(async (name) => ({
      type: await read(join(folder, name, "type")),
      online: await read(join(folder, name, "online")),
      status: await read(join(folder, name, "status")),
      scope: await read(join(folder, name, "scope")),
    })),
  );
  if (supplies.some(({ type, online }) => type !== "Battery" && online === "1")) return false;
  // Batteries of mice and keyboards have the scope "Device".
  return supplies.some(
    ({ type, status, scope }) => type === "Battery" && status === "Discharging" && scope !== "Device",
  );
}

async function read(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}
