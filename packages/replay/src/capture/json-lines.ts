// SPDX-License-Identifier: Apache-2.0
// Lines of JSON, one object each, with the file and line of whatever is wrong.

import { CaptureError } from './capture-error.js';

/** One object of a file, and where it stands. */
export class JsonRecord {
  readonly place: string;
  readonly fields: Readonly<Record<string, unknown>>;

  /** @throws CaptureError for text that is no JSON object */
  constructor(place: string, text: string) {
    this.place = place;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new CaptureError(place, 'not JSON', { cause: error });
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new CaptureError(place, 'not a JSON object');
    this.fields = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return name in this.fields;
  }

  get(name: string): unknown {
    return this.fields[name];
  }

  /** @throws CaptureError where it is no integer */
  integer(name: string): number {
    const value = this.fields[name];
    if (!Number.isSafeInteger(value)) throw this.wrong(name, 'an integer');
    return value as number;
  }

  /** @throws CaptureError where it is no string */
  string(name: string): string {
    const value = this.fields[name];
    if (typeof value !== 'string') throw this.wrong(name, 'a string');
    return value;
  }

  /** The low and high word of a hexadecimal string of at most 16 digits. @throws CaptureError */
  words(name: string): readonly [lo: number, hi: number] {
    const digits = /^0x([0-9a-f]{1,16})$/i.exec(this.string(name))?.[1];
    if (digits === undefined) throw this.wrong(name, 'a hexadecimal number of 64 bits');
    return [parseInt(digits.slice(-8), 16), parseInt(digits.slice(0, -8) || '0', 16)];
  }

  wrong(name: string, wanted: string): CaptureError {
    const found = this.has(name) ? JSON.stringify(this.fields[name]) : 'missing';
    return new CaptureError(this.place, `"${name}" is ${found}, not ${wanted}`);
  }
}

/** Every line that is not empty. */
export function jsonLines(path: string, text: string): { readonly line: number; readonly record: JsonRecord }[] {
  return text
    .split('\n')
    .map((content, index) => ({ content, line: index + 1 }))
    .filter(({ content }) => content.trim() !== '')
    .map(({ content, line }) => ({ line, record: new JsonRecord(`${path}:${line}`, content) }));
}
