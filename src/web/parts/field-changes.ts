// Whether somebody has changed the fields within a box: each is compared with what it held before it was first touched, so a form need not say what it holds,
// and one whose text was typed and deleted again has not changed. What a browser filled in by itself does not count; nor do fields within `data-fleeting`,
// whose choice is no work.

const FIELDS = "input, select, textarea";
const TOUCHES = ["focusin", "pointerdown", "keydown"] as const;

export type FieldChanges = {
  isChanged(): boolean;
  /** The field that had the focus last; the box's first one if none had. */
  focusLast(): void;
};

export function fieldsOf(box: HTMLElement): FieldChanges {
  const first = new WeakMap<Field, string>();
  let last: HTMLElement | undefined;
  const look = ({ target }: Event): void => {
    for (const field of within(box)) if (!first.has(field)) first.set(field, contentOf(field));
    if (target instanceof HTMLElement && box.contains(target)) last = target;
  };
  for (const touch of TOUCHES) box.addEventListener(touch, look, { capture: true });
  return {
    isChanged: () => within(box).some((field) => first.has(field) && first.get(field) !== contentOf(field)),
    focusLast() {
      const wanted = last?.isConnected ? last : within(box)[0];
      // After the question has gone, which holds the focus until then.
      setTimeout(() => wanted?.focus({ preventScroll: true }));
    },
  };
}

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

function within(box: HTMLElement): Field[] {
  return [...box.querySelectorAll<Field>(FIELDS)].filter(
    (field) => !isShownOnly(field) && field.closest("[data-fleeting]") === null && !field.matches(":autofill"),
  );
}

/** Read only, and no list of choices, which Mantine makes of a field that cannot be typed into. */
function isShownOnly(field: Field): boolean {
  return !(field instanceof HTMLSelectElement) && field.readOnly && field.getAttribute("aria-haspopup") === null;
}

function contentOf(field: Field): string {
  const isTicked = field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio");
  return isTicked ? String(field.checked) : field.value;
}
