// SPDX-License-Identifier: Apache-2.0
// What the real driver did in a recorded boot: its register accesses, the commands as they lie in the queue in RAM, and the
// stream table entries and context descriptors that it left.

import { sharedPath } from '@irqkit-test/env';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Access } from './fake-smmu.js';

export interface CapturedEntry {
  readonly sid: number;
  readonly config: number;
  readonly ste: readonly bigint[];
  /** Of a stage 1 entry. */
  readonly cd: readonly bigint[] | undefined;
}

interface MmioLine {
  readonly n: number;
  readonly op: 'r' | 'w';
  readonly region: string;
  readonly off: string;
  readonly size: 4 | 8;
  readonly val: string;
}

interface TableLine {
  readonly sid: string;
  readonly config: number;
  readonly dwords: readonly string[];
  readonly cd_dwords?: readonly string[];
}

interface Ram {
  readonly pages: readonly string[];
  readonly page_size: number;
}

function text(capture: string, file: string): string {
  return readFileSync(sharedPath('data', 'replay', capture, file), 'utf8');
}

/** Accesses to the SMMU, in order. */
export function capturedAccesses(capture: string): readonly Access[] {
  return text(capture, 'mmio.jsonl')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as MmioLine)
    .filter(({ region }) => region === 'smmu')
    .map(({ op, off, size, val }) => ({ op, offset: Number(off), size, value: BigInt(val) }));
}

/** The commands that each write of CMDQ_PROD made known: `lo:hi` in hexadecimal. */
export function capturedBatches(capture: string): readonly (readonly string[])[] {
  const ram = JSON.parse(text(capture, 'ram.json')) as Ram;
  const bytes = gunzipSync(readFileSync(sharedPath('data', 'replay', capture, 'ram.bin.gz')));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const writes = capturedAccesses(capture).filter(({ op }) => op === 'w');
  const base = writes.find(({ offset }) => offset === 0x90)?.value ?? 0n;
  const queue = Number(base & 0xf_ffff_ffff_ffe0n);
  const doubleword = (address: number): bigint => {
    const within = address % ram.page_size;
    const page = ram.pages.indexOf(`0x${(address - within).toString(16)}`);
    if (page < 0) throw new Error(`0x${address.toString(16)} was not saved`);
    return view.getBigUint64(page * ram.page_size + within, true);
  };
  let told = 0;
  return writes
    .filter(({ offset }) => offset === 0x98)
    .map(({ value }) => {
      const batch: string[] = [];
      // No queue of the captures wrapped.
      for (; told < Number(value); told++)
        batch.push(`${doubleword(queue + told * 16).toString(16)}:${doubleword(queue + told * 16 + 8).toString(16)}`);
      return batch;
    });
}

export function capturedEntries(capture: string): readonly CapturedEntry[] {
  return (JSON.parse(text(capture, 'smmu-tables.json')) as TableLine[]).map(({ sid, config, dwords, cd_dwords }) => ({
    sid: Number(sid),
    config,
    ste: dwords.map((each) => BigInt(each)),
    cd: cd_dwords?.map((each) => BigInt(each)),
  }));
}
