// SPDX-License-Identifier: Apache-2.0
// Objects of JSON, with the place of whatever is wrong: file and line, or file and where in it.

import { CaptureError } from './capture-error.js';

/** One object of a file, and where it stands. */
export class JsonRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly #file: string;
  readonly #within: string;

  /**
   * `file`: its path, and the line where each line is an object. `within`: the way to an inner object, `cases[3].probes[0]`.
   * @throws CaptureError for a value that is no JSON object
   */
  constructor(file: string, value: unknown, within = '') {
    this.#file = file;
    this.#within = within;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new CaptureError(this.place, 'not a JSON object');
    this.fields = value as Record<string, unknown>;
  }

  get place(): string {
    return this.#within === '' ? this.#file : `${this.#file}: ${this.#within}`;
  }

  /** False also for null. */
  has(name: string): boolean {
    return this.fields[name] != null;
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

  /** A hexadecimal number of at most 32 bits. @throws CaptureError */
  word(name: string): number {
    const [lo, hi] = this.words(name);
    if (hi !== 0) throw this.wrong(name, 'a hexadecimal number of 32 bits');
    return lo;
  }

  /** A physical address or another number below 2^52, in hexadecimal. @throws CaptureError */
  address(name: string): number {
    const [lo, hi] = this.words(name);
    if (hi >= 2 ** 20) throw this.wrong(name, 'an address below 2^52');
    return hi * 2 ** 32 + lo;
  }

  /** @throws CaptureError where it is neither true nor false */
  boolean(name: string): boolean {
    const value = this.fields[name];
    if (typeof value !== 'boolean') throw this.wrong(name, 'true or false');
    return value;
  }

  /** @throws CaptureError where it is none of `wanted` */
  oneOf(name: string, wanted: readonly string[]): string {
    const value = this.string(name);
    if (!wanted.includes(value)) throw this.wrong(name, `one of ${wanted.join(', ')}`);
    return value;
  }

  /**
   * The low and high word of a hexadecimal string of at most 16 digits, or of the part of it that `within` captures.
   * @throws CaptureError
   */
  words(name: string, within = /^(.*)$/): readonly [lo: number, hi: number] {
    const text = this.string(name);
    const digits = /^0x([0-9a-f]{1,16})$/i.exec(within.exec(text)?.[1] ?? text)?.[1];
    if (digits === undefined) throw this.wrong(name, 'a hexadecimal number of 64 bits');
    return [parseInt(digits.slice(-8), 16), parseInt(digits.slice(0, -8) || '0', 16)];
  }

  /** @throws CaptureError where it is no list */
  list(name: string): readonly unknown[] {
    const value = this.fields[name];
    if (!Array.isArray(value)) throw this.wrong(name, 'a list');
    return value;
  }

  /** An object within this one, and its place. @throws CaptureError where it is none */
  record(name: string): JsonRecord {
    return this.#inner(name, this.fields[name]);
  }

  /** A list of objects, and the place of each. @throws CaptureError where one is none */
  records(name: string): readonly JsonRecord[] {
    return this.list(name).map((value, i) => this.#inner(`${name}[${i}]`, value));
  }

  /** A list of numbers as `words` reads them. @throws CaptureError */
  wordsList(name: string, length?: number): readonly (readonly [lo: number, hi: number])[] {
    const values = this.list(name);
    if (length !== undefined && values.length !== length) throw this.wrong(name, `${length} numbers`);
    return values.map((value, i) => this.#element(name, i, value, (record, element) => record.words(element)));
  }

  /** A list of such lists. @throws CaptureError */
  wordsLists(name: string, length: number): readonly (readonly (readonly [lo: number, hi: number])[])[] {
    return this.list(name).map((value, i) =>
      this.#element(name, i, value, (record, element) => record.wordsList(element, length)),
    );
  }

  wrong(name: string, wanted: string): CaptureError {
    const found = name in this.fields ? JSON.stringify(this.fields[name]) : 'missing';
    return new CaptureError(this.place, `"${name}" is ${found}, not ${wanted}`);
  }

  #element<T>(name: string, i: number, value: unknown, read: (record: JsonRecord, element: string) => T): T {
    const element = `${name}[${i}]`;
    return read(new JsonRecord(this.#file, { [element]: value }, this.#within), element);
  }

  #inner(name: string, value: unknown): JsonRecord {
    return new JsonRecord(this.#file, value, this.#within === '' ? name : `${this.#within}.${name}`);
  }
}

/** The value that a whole file holds. @throws CaptureError, with line and column, for text that is no JSON */
export function jsonFile(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const before = text.slice(0, Number(/at position (\d+)/.exec(String(error))?.[1] ?? text.length)).split('\n');
    throw new CaptureError(`${path}:${before.length}:${before.at(-1)!.length + 1}`, 'not JSON', { cause: error });
  }
}

/** Every line that is not empty. */
export function jsonLines(path: string, text: string): { readonly line: number; readonly record: JsonRecord }[] {
  return text
    .split('\n')
    .map((content, index) => ({ content, line: index + 1 }))
    .filter(({ content }) => content.trim() !== '')
    .map(({ content, line }) => ({ line, record: new JsonRecord(`${path}:${line}`, jsonLine(path, line, content)) }));
}

function jsonLine(path: string, line: number, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new CaptureError(`${path}:${line}`, 'not JSON', { cause: error });
  }
}
