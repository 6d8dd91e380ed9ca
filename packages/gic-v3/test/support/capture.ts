// SPDX-License-Identifier: Apache-2.0
// The parts of a capture (shared data, replay/README.md) that a GICv3 without its ITS needs.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sharedPath } from '@irqkit-test/env';

interface MmioLine {
  readonly n: number;
  readonly op: 'r' | 'w';
  readonly region: string;
  readonly off: string;
  readonly size: number;
  readonly val: string;
}

export interface Mmio {
  readonly kind: 'mmio';
  readonly op: 'r' | 'w';
  readonly region: string;
  readonly offset: number;
  readonly size: number;
  readonly lo: number;
  readonly hi: number;
}

export interface GicEvent {
  readonly kind: 'gic';
  readonly ev: string;
  readonly text: string;
}

export interface ItsEvent {
  readonly kind: 'its';
  readonly ev: string;
  readonly cmd?: string;
  readonly devid?: number;
  readonly eventid?: number;
  readonly intid?: number;
  readonly icid?: number;
  readonly rdbase?: number;
  readonly lpi?: number;
}

export type CaptureRecord = { readonly n: number } & (Mmio | GicEvent | ItsEvent);

interface Snapshot {
  readonly pages: readonly string[];
  readonly page_size: number;
}

function lines<T>(dir: string, file: string): T[] {
  return readFileSync(sharedPath('data', 'replay', dir, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** Everything in the order of the capture. */
export function readCapture(dir: string): CaptureRecord[] {
  const mmio = lines<MmioLine>(dir, 'mmio.jsonl').map(({ n, op, region, off, size, val }) => ({
    kind: 'mmio' as const,
    n,
    op,
    region,
    offset: Number(off),
    size,
    lo: Number(BigInt(val) % 2n ** 32n),
    hi: Number(BigInt(val) / 2n ** 32n),
  }));
  const gic = lines<{ n: number; ev: string; text: string }>(dir, 'gic-events.jsonl');
  const its = lines<Omit<ItsEvent, 'kind'> & { n: number }>(dir, 'its-events.jsonl');
  return [
    ...mmio,
    ...gic.map((line) => ({ kind: 'gic' as const, ...line })),
    ...its.map((line) => ({ kind: 'its' as const, ...line })),
  ].sort((a, b) => a.n - b.n);
}

/** A byte of the RAM at the end of a capture; undefined where the snapshot has it not. */
export function finalRam(dir: string): (pa: number) => number | undefined {
  const [snapshot] = [JSON.parse(readFileSync(sharedPath('data', 'replay', dir, 'ram.json'), 'utf8')) as Snapshot];
  const bytes = gunzipSync(readFileSync(sharedPath('data', 'replay', dir, 'ram.bin.gz')));
  const places = new Map(snapshot.pages.map((page, i) => [Number(page), i * snapshot.page_size]));
  return (pa) => {
    const place = places.get(pa - (pa % snapshot.page_size));
    return place === undefined ? undefined : bytes[place + (pa % snapshot.page_size)];
  };
}
