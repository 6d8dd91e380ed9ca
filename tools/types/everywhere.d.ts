// SPDX-License-Identifier: Apache-2.0
// What Node and browsers both offer beyond ECMAScript: all the ambient names floors 0-5 may use.
declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: ArrayBufferView | ArrayBuffer): string;
}
declare const console: Record<'debug' | 'error' | 'info' | 'log' | 'warn', (...data: unknown[]) => void>;
declare const performance: { now(): number };
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;
