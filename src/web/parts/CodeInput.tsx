// The six digits of an authenticator.

import { PinInput } from "@mantine/core";

export function CodeInput({
  label,
  value,
  onChange,
  onComplete,
  isLarge = false,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (code: string) => void;
  readonly onComplete: (code: string) => void;
  readonly isLarge?: boolean;
}) {
  return (
    <PinInput
      length={6}
      type="number"
      {...(isLarge && { size: "lg" })}
      oneTimeCode
      autoFocus
      value={value}
      onChange={onChange}
      onComplete={onComplete}
      aria-label={label}
      getInputProps={(index) => ({ "aria-label": `${label}: ${index + 1}` })}
      data-autofocus
    />
  );
}
