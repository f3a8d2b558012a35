// The nonce by which the page's policy knows its own <style> elements. It is in the page that the server sent, where scripts can read
// it and style sheets cannot.

export const styleNonce: string = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

// react-remove-scroll, which Mantine's dialogues use, takes it from here (get-nonce).
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = styleNonce;
