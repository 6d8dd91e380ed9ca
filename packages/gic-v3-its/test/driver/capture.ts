// SPDX-License-Identifier: Apache-2.0
// What the real driver did in a recorded boot: the commands as they lie in the queue in RAM, and its register writes.

import { sharedPath } from '@irqkit-test/env';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface CapturedCommand {
  readonly name: string;
  readonly words: readonly bigint[];
  readonly deviceId: number;
  readonly eventId: number;
  readonly intid: number;
  readonly icid: number;
  readonly size: number;
  readonly valid: boolean;
}

export interface CapturedWrite {
  readonly n: number;
  readonly frame: string;
  readonly offset: number;
  readonly value: bigint;
  readonly cpu: number;
}

interface Line {
  readonly n: number;
  readonly ev: string;
  readonly slot: number;
  readonly cmd: string;
  readonly devid?: number;
  readonly eventid?: number;
  readonly intid?: number;
  readonly icid?: number;
  readonly size?: number;
  readonly v?: number;
}

interface Ram {
  readonly pages: readonly string[];
  readonly page_size: number;
}

interface MmioLine {
  readonly n: number;
  readonly op: string;
  readonly region: string;
  readonly off: string;
  readonly val: string;
  readonly cpu: number;
}

function lines<T>(capture: string, file: string): readonly T[] {
  const text = readFileSync(sharedPath('data', 'replay', capture, file), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Every command, decoded by QEMU, with its bytes from the RAM that the boot ended with. */
export function capturedCommands(capture: string): readonly CapturedCommand[] {
  const ram = JSON.parse(readFileSync(sharedPath('data', 'replay', capture, 'ram.json'), 'utf8')) as Ram;
  const bytes = gunzipSync(readFileSync(sharedPath('data', 'replay', capture, 'ram.bin.gz')));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cbaser = mmioWrites(capture).find(({ frame, offset }) => frame === 'its' && offset === 0x80);
  const queue = Number((cbaser?.value ?? 0n) & 0xf_ffff_ffff_f000n);
  const word = (address: number): bigint => {
    const page = ram.pages.indexOf(`0x${(address - (address % ram.page_size)).toString(16)}`);
    if (page < 0) throw new Error(`0x${address.toString(16)} was not saved`);
    return view.getBigUint64(page * ram.page_size + (address % ram.page_size), true);
  };
  let slot = 0;
  return lines<Line>(capture, 'its-events.jsonl').flatMap((line) => {
    if (line.ev === 'process_command') ({ slot } = line);
    if (line.ev !== 'cmd') return [];
    return [
      {
        name: line.cmd,
        words: [0, 8, 16, 24].map((at) => word(queue + slot * 32 + at)),
        deviceId: line.devid ?? 0,
        eventId: line.eventid ?? 0,
        intid: line.intid ?? 0,
        icid: line.icid ?? 0,
        size: line.size ?? 0,
        valid: line.v === 1,
      },
    ];
  });
}

/** Writes to the ITS and to the LPI registers of redistributors, in order. */
export function mmioWrites(capture: string): readonly CapturedWrite[] {
  return lines<MmioLine>(capture, 'mmio.jsonl').flatMap(({ n, op, region, off, val, cpu }) => {
    const offset = Number(off);
    const value = BigInt(val);
    if (op !== 'w') return [];
    if (region === 'its') return [{ n, frame: 'its', offset, value, cpu }];
    const within = offset % 0x2_0000;
    if (region !== 'gicr' || ![0x00, 0x70, 0x78].includes(within)) return [];
    return [{ n, frame: `gicr${Math.floor(offset / 0x2_0000)}`, offset: within, value, cpu }];
  });
}
