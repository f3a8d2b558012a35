// The agent on Windows, as text: a task that starts with the machine (or with its user) and is started again when it ends, in the Task Scheduler's XML
// (schema 1.4). A service of the Service Control Manager would need a program that speaks its protocol, which Node does not.

import type { ServiceInput } from "./systemd.ts";

export const TASK_NAME = "CyberBackup agent";

/** To be written as UTF-16 with a byte order mark, as `schtasks /create /xml` wants it. */
export function windowsTask({ argv, home, isSystem }: ServiceInput): string {
  const [program = "", ...args] = argv;
  const trigger = isSystem
    ? "<BootTrigger><Enabled>true</Enabled></BootTrigger>"
    : "<LogonTrigger><Enabled>true</Enabled></LogonTrigger>";
  const principal = isSystem
    ? "<UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel>"
    : "<LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>";
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>CyberBackup agent: backs up by its plans</Description>
    <URI>\\${TASK_NAME}</URI>
  </RegistrationInfo>
  <Triggers>${trigger}</Triggers>
  <Principals>
    <Principal id="Author">${principal}</Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
    <Enabled>true</Enabled>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escaped(program)}</Command>
      <Arguments>${escaped([...args, "--home", home].map(quoted).join(" "))}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}

/** The rules of CommandLineToArgvW: backslashes count before a quote only. */
function quoted(word: string): string {
  if (/^[^\s"]+$/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
