import { tick } from "svelte";

/**
 * Puts what stands in a field into shape while somebody types. The cursor stays behind the symbol it
 * stood behind, whatever was put in between.
 */
export async function reshape(
  input: HTMLInputElement,
  shape: (typed: string) => string,
  put: (shaped: string) => void,
) {
  const typed = input.value;
  const caret = shape(typed.slice(0, input.selectionStart ?? typed.length)).length;
  put(shape(typed));
  await tick();
  input.setSelectionRange(caret, caret);
}
