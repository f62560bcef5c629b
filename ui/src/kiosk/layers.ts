/** A picture on its way in or out. */
export interface Layer<T> {
  readonly id: number;
  readonly name: string;
  readonly value: T;
}

/**
 * The layers once the newest is to be `name`: another name lies down on top of the one before, the
 * same name changes in place. Never more than two, however fast they come.
 */
export function stacked<T>(layers: readonly Layer<T>[], name: string, value: T): Layer<T>[] {
  const top = layers.at(-1);
  if (!top) return [{ id: 0, name, value }];
  if (top.name === name) return [...layers.slice(0, -1), { ...top, value }];
  return [top, { id: top.id + 1, name, value }];
}
