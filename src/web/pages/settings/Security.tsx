// One's own second factor, passkeys, password and sign-ins. Who signs in by a provider alone has none of the first three here, and is told how to come by them.

import { useRights } from "../../api/session.ts";
import { Card } from "../../parts/Card.tsx";
import { SECURITY } from "../../strings/settings.ts";
import { Passkeys } from "./Passkeys.tsx";
import { PasswordChange } from "./PasswordChange.tsx";
import { SecondFactor } from "./SecondFactor.tsx";
import { SignIns } from "./SignIns.tsx";

export function Security() {
  const { me } = useRights();
  return (
    <>
      {me?.hasPassword === false ? (
        <Card title={SECURITY.byProvider} text={SECURITY.byProviderText} />
      ) : (
        <>
          <SecondFactor />
          <Passkeys />
          <PasswordChange />
        </>
      )}
      <SignIns />
    </>
  );
}
