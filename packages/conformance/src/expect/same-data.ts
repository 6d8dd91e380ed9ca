// SPDX-License-Identifier: Apache-2.0
// What structured clone carries (plain objects, arrays, typed arrays, maps, sets, primitives), compared and copied. Kinds are
// told by tag: a runner may run tests in a realm of their own, whose Object is not that of structuredClone.

/** The place of the first difference, such as `.spis[3].pending`; undefined where there is none. */
export function firstDifference(a: unknown, b: unknown, place = ''): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || tagOf(a) !== tagOf(b))
    return place || 'all';
  if (isIterable(a) && isIterable(b)) [a, b] = [[...a], [...b]];
  const [left, right] = [new Map(Object.entries(a as object)), new Map(Object.entries(b as object))];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const at = /^\d+$/.test(key) ? `${place}[${key}]` : `${place}.${key}`;
    if (!left.has(key) || !right.has(key)) return at;
    const found = firstDifference(left.get(key), right.get(key), at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A deep copy that shares nothing, made in this realm. */
export function copyOf<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [copy(key), copy(item)]));
  if (value instanceof Set) return new Set([...value].map(copy));
  if (ArrayBuffer.isView(value)) return (value as Uint8Array).slice();
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
}

const tagOf = (value: object): string => Object.prototype.toString.call(value);

const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value;
