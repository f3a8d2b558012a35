// The package has no types of its own. Of what it answers, this is what is used: a SonicBoom stream.

declare module "pino-roll" {
  import type { EventEmitter } from "node:events";

  export type RollingFile = EventEmitter & {
    write(line: string): boolean;
    flushSync(): void;
    end(): void;
    destroy(): void;
  };

  export default function roll(options: {
    /** Path without number and extension. */
    readonly file: string;
    /** `512k`, `10m`. */
    readonly size: string;
    readonly extension: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly mode: number;
    readonly sync: boolean;
    /** Characters that wait to be written at most; what comes then is dropped. */
    readonly maxLength: number;
  }): Promise<RollingFile>;
}
