// One's own second factor, passkeys, password and sign-ins.

import { Passkeys } from "./Passkeys.tsx";
import { PasswordChange } from "./PasswordChange.tsx";
import { SecondFactor } from "./SecondFactor.tsx";
import { SignIns } from "./SignIns.tsx";

export function Security() {
  return (
    <>
      <SecondFactor />
      <Passkeys />
      <PasswordChange />
      <SignIns />
    </>
  );
}
