// What came of sending something to the outside.

/** What came of one try to send. */
export type Outcome =
  | { readonly isSent: true }
  | {
      readonly isSent: false;
      /** In words of ours, without the address: "it answered with status 404". */
      readonly why: string;
      /** No further try will help. */
      readonly isFinal: boolean;
      /** As the other side asks. */
      readonly retryAfterMs?: number | undefined;
    };
