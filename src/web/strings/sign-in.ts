// Words of signing in, of the links by which passwords are chosen, and of pages that were opened unsafely.

export const SIGN_IN = {
  title: "Sign in",
  lead: "Your backups are waiting.",
  ended: "Your sign-in has ended. Sign in again to go on where you were.",
  email: "E-mail",
  password: "Password",
  remember: "Stay signed in on this device",
  submit: "Sign in",
  factorTitle: "One more step",
  factorLead: "Enter the code that your authenticator shows now.",
  code: "Six digits",
  recoveryLead: "Enter one of your recovery codes. Each is good once.",
  recoveryCode: "Recovery code",
  useRecovery: "Use a recovery code",
  useAuthenticator: "Use the authenticator",
  confirm: "Confirm",
  startOver: "Start over",
  passkey: "Sign in with a passkey",
  withProvider: (name: string) => `Sign in with ${name}`,
  or: "or",
  noOwner: "Nobody owns this server yet",
  noOwnerHelp:
    "When it started, the server printed a set-up link. Open that link in this browser to make the owner's account. On the server's machine, “cyberbackup server setup” does the same.",
  zeroKnowledge: "This server stores sealed data only. Your files are opened in your browser, never there.",
  trust: "Does your browser warn about this page?",
} as const;

export const PROVIDER = {
  it: "The provider",
  denied: "it was told not to, or does not know you",
  failed: "it has sent you back without an answer",
  elsewhere: (origin: string) => `it sends people back to pages of ${origin} only`,
} as const;

export const PASSKEYS = {
  nobody: "nobody confirmed it in time.",
  hasOne: "this device or password manager has one for this server already.",
  cannot: "this browser or device cannot make or use it.",
  elsewhere: (origin: string) => `passkeys of this server work only in pages of ${origin}.`,
} as const;

export const SET_UP = {
  byProvider: (names: string) => `Go without a password, and sign in with ${names}`,
  ownerTitle: "Welcome to CyberBackup",
  ownerLead:
    "This makes the account that looks after this server. It is not the passphrase of your backups: that comes next, and never leaves this browser.",
  personTitle: "Choose your password",
  personLead: "Somebody who owns this server has made an account for you. Choose a password, and you are in.",
  name: "Your name",
  nameHint: "As others on this server will see it",
  email: "E-mail",
  emailHint: "To sign in with. Nothing is ever sent to it.",
  password: "Password",
  passwordHint: "At least ten characters. A few unrelated words are strong and easy to keep.",
  repeat: "Password again",
  differ: "The two are not the same.",
  short: "At least ten characters, please.",
  emailBad: "That is not an e-mail address.",
  nameMissing: "What should others call you?",
  create: "Make the account",
  choose: "Set the password",
  invalid: "This link is not good any more",
  invalidHelp:
    "Each link works once, and ends after a while. Who owns the server can make a new one; a server without an owner prints a new one whenever it starts.",
  toSignIn: "Go to sign-in",
} as const;

export const UNSAFE = {
  title: "Open this page over HTTPS",
  lead: "It came over a connection that is not encrypted. Browsers then switch off the cryptography that opens your files here, so this page stops before anything fails half-way.",
  where: "Open it there instead:",
  here: "On the server's own machine this address works as well:",
} as const;

export const TRUST = {
  title: "Why your browser warns, and how to be rid of it",
  lead: "The connection is encrypted, but your browser does not know who vouches for this server: the server vouches for itself, with an authority that it made when it first started. Whoever stands between you and it could do the same, so compare the fingerprint once with the one that the server printed.",
  fingerprint: "Fingerprint of this server's authority (SHA-256)",
  compare: "The server prints it when it starts; every enrolment code carries it.",
  ways: "Three ways to be rid of the warning",
  download: "Trust this server's own authority",
  downloadText:
    "Download it and add it to your system's or browser's trusted authorities. It can vouch for this server; keep the server's data folder to yourself.",
  downloadButton: "Download ca.crt",
  own: "Give it a certificate of your own",
  ownText: "From your company or Let's Encrypt: settings tlsCert and tlsKey.",
  proxy: "Put it behind a reverse proxy",
  proxyText: "One that has a certificate already: settings trustProxy and publicUrl.",
  given:
    "This server shows a certificate that it was given. If your browser warns, the name in the address may not be one of those in the certificate.",
} as const;
