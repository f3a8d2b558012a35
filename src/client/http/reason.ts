// Why a connection failed, in words for a person.

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there.",
  ECONNRESET: "the connection was lost.",
  EPIPE: "the connection was lost.",
  ECONNABORTED: "the connection was lost.",
  ETIMEDOUT: "it does not answer.",
  EHOSTUNREACH: "there is no way to that host.",
  ENETUNREACH: "there is no network.",
  EHOSTDOWN: "that host is down.",
  ENOTFOUND: "there is no host of that name.",
  EAI_AGAIN: "the name of the host cannot be looked up now.",
  ENOENT: "no server runs there.",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS.",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it does not speak TLS 1.3.",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it does not speak TLS 1.3.",
};

export function reasonOf(error: unknown): string {
  // Several addresses of one name, each tried.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const { code = "", message } = error as NodeJS.ErrnoException;
  return WORDS[code] ?? (code.startsWith("HPE_") ? "what it answers is not HTTP." : `${message}.`);
}
