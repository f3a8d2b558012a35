// The gateway that runs within this server, as people see and rule it. It is started by whoever starts the server, and is not known here:
// it has keys that seal, and this room has none. What is asked and done goes through a view that its starter puts into the kit.

import { AppError } from "../core/errors.ts";
import { GATEWAY_ROUTES, type GatewayState } from "../wire/v4/api/gateway-routes.ts";
import { mount } from "./http/call.ts";
import type { PartModule } from "./kit.ts";

/** Ids are those of GATEWAY_ROUTES. What changes something answers false where there is no such client. */
export type GatewayView = {
  state(): GatewayState;
  /** null: not by this. */
  retire(id: string, at: number | null): boolean;
  resetKey(id: string): boolean;
  forget(id: string): boolean;
};

/** Filled while a gateway runs. */
export type GatewaySlot = { view: GatewayView | undefined };

export const GATEWAY_PART: PartModule = {
  make({ gateway }) {
    const change = (work: (view: GatewayView) => boolean): undefined => {
      if (gateway.view !== undefined && work(gateway.view)) return undefined;
      throw new AppError("not_found", { context: { what: "This client" } });
    };
    return {
      routes: mount(GATEWAY_ROUTES, {
        gateway: () => ({ gateway: gateway.view?.state() ?? null }),
        retireGatewayClient: ({ params, body }) => change((view) => view.retire(params.id, body.retireAt)),
        resetGatewayClient: ({ params }) => change((view) => view.resetKey(params.id)),
        forgetGatewayClient: ({ params }) => change((view) => view.forget(params.id)),
      }),
    };
  },
};
