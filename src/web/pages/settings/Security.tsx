// One's own password, second factor and sign-ins.

import { PasswordChange } from "./PasswordChange.tsx";
import { SecondFactor } from "./SecondFactor.tsx";
import { SignIns } from "./SignIns.tsx";

export function Security() {
  return (
    <>
      <SecondFactor />
      <PasswordChange />
      <SignIns />
    </>
  );
}
