// Ends of connections. A server that closes one with bytes unread resets it: to its client that is an error and an end in one, and
// which of them is told depends on who is faster.

import type { Socket } from "node:net";

/** Resolves when it is closed, in whichever way. To be called before anything can go wrong, which is in the turn that made it. */
export function closeOf(socket: Socket): Promise<void> {
  socket.on("error", () => undefined);
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));
}
